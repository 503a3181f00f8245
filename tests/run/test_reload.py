"""What was edited is taken over by what runs; what cannot be used changes nothing."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from stack.errors import BadInput
from stack.paths import CONFIG_ROOT
from stack.run import reloads
from stack.run.generations import generations
from stack.run.instance import Instance
from stack.run.lifecycle import bring_down, bring_up
from stack.run.reload import reload
from stack.run.services import SERVICES

NAME = "reloaded"
RULES = "prometheus/rules/application.yml"


@pytest.fixture(scope="module")
def root(state_dir: Path) -> Iterator[Path]:
    """A configuration of its own, that an instance runs with."""
    copy = state_dir / "config"
    shutil.copytree(CONFIG_ROOT, copy)
    bring_up(NAME, free_ports=True, config_root=copy)
    yield copy
    bring_down(NAME, wipe=True)


@pytest.fixture
def edit(root: Path) -> Iterator["Edit"]:
    """Changes texts of the configuration; afterwards all runs as it stood at first."""
    made = Edit(root)
    yield made
    made.undo()
    reload(NAME)


class Edit:
    def __init__(self, root: Path) -> None:
        self._root = root
        self._before: dict[Path, str | None] = {}

    def __call__(self, path: str, old: str, new: str) -> None:
        file = self._root / path
        text = file.read_text()
        assert old in text
        self._keep(file)
        file.write_text(text.replace(old, new, 1))

    def add(self, path: str, text: str) -> None:
        file = self._root / path
        self._keep(file)
        file.write_text(text)

    def _keep(self, file: Path) -> None:
        self._before.setdefault(file, file.read_text() if file.exists() else None)

    def undo(self) -> None:
        for file, text in self._before.items():
            if text is None:
                file.unlink()
            else:
                file.write_text(text)


def pids() -> dict[str, int]:
    instance = Instance.open(NAME)
    return {name: instance.pid(name) for name in SERVICES}


def rules() -> str:
    return httpx.get(f"{Instance.open(NAME).url('prometheus')}/api/v1/rules").text


def rendered(path: str) -> str:
    return (Instance.open(NAME).config_dir / path).read_text()


def test_nothing_is_done_where_nothing_changed(root: Path) -> None:
    before = pids()
    assert reload(NAME) == []
    assert pids() == before


def test_rule_is_taken_over_without_a_restart(edit: Edit) -> None:
    before, hash_before = pids(), Instance.open(NAME).hash
    edit(RULES, "> 0.05", "> 0.0625")
    (change,) = reload(NAME)
    assert (change.service, change.files) == ("prometheus", ("rules/application.yml",))
    assert not change.restarted
    assert "0.0625" in rules()
    assert pids() == before
    assert Instance.open(NAME).hash != hash_before
    assert reload(NAME) == []


def test_new_file_of_rules_comes_and_goes(edit: Edit) -> None:
    alert = "groups:\n- name: mine\n  rules:\n  - alert: Mine\n    expr: vector(1) > 2\n"
    edit.add("prometheus/rules/mine.yml", alert)
    assert [change.files for change in reload(NAME)] == [("rules/mine.yml",)]
    assert '"name":"Mine"' in rules()
    edit.undo()
    assert [change.files for change in reload(NAME)] == [("rules/mine.yml",)]
    assert '"name":"Mine"' not in rules()
    edit._before.clear()


def test_route_is_taken_over_without_a_restart(edit: Edit) -> None:
    before = pids()
    edit("alertmanager/alertmanager.yml", "repeat_interval: 4h", "repeat_interval: 5h")
    assert [(one.service, one.restarted) for one in reload(NAME)] == [("alertmanager", False)]
    status = httpx.get(f"{Instance.open(NAME).url('alertmanager')}/api/v2/status").json()
    assert "repeat_interval: 5h" in status["config"]["original"]
    assert pids() == before


def test_what_cannot_do_so_while_it_runs_is_restarted_and_nothing_else(edit: Edit) -> None:
    before = pids()
    edit("promtail/promtail-config.yml", "batchwait: 100ms", "batchwait: 150ms")
    assert [(one.service, one.restarted) for one in reload(NAME)] == [("promtail", True)]
    after = pids()
    assert after.pop("promtail") not in (0, before.pop("promtail"))
    assert after == before


@pytest.mark.parametrize(
    ("path", "old", "new", "said"),
    [
        (RULES, "rate(", "rte(", r'application\.yml:\d+: .*unknown function with name "rte"'),
        ("alertmanager/alertmanager.yml", "receiver: on-call", "receiver: nobody", "nobody"),
        ("promtail/promtail-config.yml", "batchwait", "batchwhat", "batchwhat"),
        ("blackbox/blackbox.yml", "prober: http", "prober: htp", "htp"),
        (RULES, "groups:", "groups: [", r"application\.yml"),
    ],
)
def test_broken_file_changes_nothing(edit: Edit, path: str, old: str, new: str, said: str) -> None:
    before, kept = pids(), len(generations(Instance.open(NAME).directory))
    texts = {name: rendered(name) for name in (RULES, "alertmanager/alertmanager.yml")}
    edit(RULES, "> 0.05", "> 0.0625")  # a good one beside it waits as well
    edit(path, old, new)
    with pytest.raises(BadInput, match=said):
        reload(NAME)
    assert pids() == before
    assert {name: rendered(name) for name in texts} == texts
    assert "0.0625" not in rules()
    assert len(generations(Instance.open(NAME).directory)) == kept


def test_what_only_the_program_itself_refuses_is_put_back(edit: Edit) -> None:
    before = rendered(RULES)
    edit(RULES, "> 0.05", "> 0.0625")
    asked: list[str] = []
    real = reloads.post("prometheus")

    def refuses(layout) -> str | None:
        asked.append(rendered(RULES))
        return "it does not like it" if len(asked) == 1 else real(layout)

    object.__setattr__(SERVICES["prometheus"], "reload", refuses)
    try:
        with pytest.raises(BadInput, match="`prometheus` refuses its configuration: it does not"):
            reload(NAME)
    finally:
        object.__setattr__(SERVICES["prometheus"], "reload", real)
    assert len(asked) == 2
    assert asked[1] == rendered(RULES) == before


@pytest.mark.nightly
def test_reload_of_what_is_down_says_how_it_is_started(state_dir: Path) -> None:
    bring_up("at-rest", free_ports=True)
    bring_down("at-rest")
    with pytest.raises(BadInput, match="is down, so there is nothing to reload") as refused:
        reload("at-rest")
    assert "`doit up" in refused.value.cure
