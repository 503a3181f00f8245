"""One reader for a checkout, an instance's rendered folder and anybody else's: rules and routes."""

from pathlib import Path

import pytest

from stack.check.configuration import LOGQL, PROMQL, load, read
from stack.errors import BadInput
from stack.paths import CONFIG_ROOT

RULES = "groups: [{name: g, rules: [{record: r, expr: x}, {alert: Down, expr: up == 0}]}]"
LOGS = "groups: [{name: l, rules: [{alert: Silent, expr: 'absent_over_time({a=\"b\"}[5m])'}]}]"


def written(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


@pytest.mark.parametrize("logs", ["loki/rules/a.yml", "loki/rules/fake/a.yml"])
def test_rules_are_found_as_people_write_them_and_as_an_instance_has_them(
    tmp_path: Path, logs: str
) -> None:
    root = written(tmp_path, {"prometheus/rules/a.yml": RULES, logs: LOGS})
    down, silent = read(root).alerts
    assert (down.name, down.expression, down.language) == ("Down", "up == 0", PROMQL)
    assert (silent.name, silent.language, silent.on_logs) == ("Silent", LOGQL, True)
    assert read(root).on_logs == {"Silent"}


def test_rendered_folder_has_the_alerts_of_the_checkout(tmp_path: Path) -> None:
    moved = {
        str(path.relative_to(CONFIG_ROOT)).replace("loki/rules/", "loki/rules/fake/"): text
        for path in CONFIG_ROOT.glob("*/rules/*.yml")
        if (text := path.read_text())
    }
    theirs, ours = read(written(tmp_path, moved)).alerts, read(CONFIG_ROOT).alerts
    assert [one.name for one in theirs] == [one.name for one in ours]


def test_what_is_missing_has_no_rules_and_no_routes(tmp_path: Path) -> None:
    nothing = read(tmp_path / "nowhere")
    assert (nothing.alerts, nothing.route, nothing.receivers) == ([], None, [])
    assert {one.check for one in nothing.problems} == {"yaml/missing"}


def test_every_file_that_is_not_yaml_is_named_at_once(tmp_path: Path) -> None:
    broken = "a: 1\nb: [1\n"
    files = ["prometheus/rules/a.yml", "alertmanager/alertmanager.yml", "prometheus/tests/a.yml"]
    root = written(tmp_path, dict.fromkeys(files, broken))
    assert len([one for one in load(root).problems if one.check == "yaml/syntax"]) == 3
    with pytest.raises(BadInput) as error:
        read(root)
    for file in files[:2]:
        assert f"{root / file}:3: not valid YAML" in str(error.value)
    assert files[2] not in str(error.value)
