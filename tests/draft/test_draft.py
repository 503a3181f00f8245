"""Drafts of new alerts: what is written, where, and when nothing is."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from stack.check import blanks
from stack.check.configuration import load
from stack.check.names import snake_case
from stack.draft import files, whole
from stack.draft.draft import areas
from stack.errors import BadInput, HostCannot
from stack.paths import CONFIG_ROOT, REPO
from stack.run.lifecycle import bring_up
from stack.tasks.new_alert import new_alert

AREAS = sorted(areas(load(CONFIG_ROOT)))
NAME = "DiskSlow"


@pytest.fixture
def lab(tmp_path: Path) -> Path:
    """A copy of what people edit: `config/` and `scenarios/`."""
    shutil.copytree(CONFIG_ROOT, tmp_path / "config")
    for folder in AREAS:
        shutil.copytree(REPO / "scenarios" / folder, tmp_path / "scenarios" / folder)
    return tmp_path


@pytest.fixture
def write(lab: Path) -> Callable[..., None]:
    def written(*names: str, area: str = "database", severity: str = "warning") -> None:
        new_alert([*names], area=area, severity=severity, config_root=lab / "config",
                  scenarios=lab / "scenarios")  # fmt: skip

    return written


def texts(lab: Path) -> dict[str, str]:
    return {str(path.relative_to(lab)): path.read_text() for path in sorted(lab.rglob("*"))
            if path.is_file() and path.suffix not in (".pyc", ".png")}  # fmt: skip


@pytest.mark.parametrize("severity", ["critical", "warning", "info"])
@pytest.mark.parametrize("area", AREAS)
def test_draft_adds_to_five_files_and_changes_nothing_else(
    lab: Path, write: Callable[..., None], area: str, severity: str
) -> None:
    before = texts(lab)
    write(NAME, area=area, severity=severity)
    changed = {path: text for path, text in texts(lab).items() if before.get(path) != text}
    assert len(changed) == 5
    for path, text in changed.items():
        old, kept = before.get(path, "").splitlines(), iter(text.splitlines())
        # A panel that is no longer the last ends with a comma.
        assert all(any(new in (line, f"{line},") for new in kept) for line in old), path
    [rule] = [one for one in load(lab / "config").alerts if one.name == NAME]
    assert rule.path.stem == area


def test_draft_goes_to_the_group_that_is_named_like_its_file(
    lab: Path, write: Callable[..., None]
) -> None:
    write(NAME, area="infrastructure")
    [rule] = [one for one in load(lab / "config").alerts if one.name == NAME]
    group = yaml.safe_load(rule.path.read_text())["groups"][0]
    assert group["name"] == "infrastructure"
    assert group["rules"][-1]["alert"] == NAME


@pytest.mark.parametrize("area", AREAS)
def test_each_blank_is_named_with_its_line(
    lab: Path, write: Callable[..., None], area: str
) -> None:
    write(NAME, area=area)
    found = [one for one in blanks.check(load(lab / "config"), lab / "scenarios")
             if NAME in one.what]  # fmt: skip
    marks = sum(text.count(f"FILL IN {NAME}: ") for text in texts(lab).values())
    assert len(found) == marks > 10
    for one in found:
        assert one.line
        line = one.path.read_text().splitlines()[one.line - 1]
        words = re.fullmatch(rf"`{NAME}` has a blank: (.+)\.", one.what)
        assert words, one.what
        assert words[1] in line


def test_placeholder_that_is_left_is_named_too(lab: Path, write: Callable[..., None]) -> None:
    write(NAME)
    rules = lab / "config" / "prometheus" / "rules" / "database.yml"
    rules.write_text(re.sub(rf"FILL IN {NAME}: [^\"\n]*", "said", rules.read_text()))
    said = [one.what for one in blanks.check(load(lab / "config"), lab / "scenarios")
            if one.path == rules]  # fmt: skip
    assert said == ["`FILL_IN` is left of a draft."]


def test_nothing_of_the_checkout_is_blank() -> None:
    assert list(blanks.check(load(CONFIG_ROOT), REPO / "scenarios")) == []


def test_draft_says_what_to_fill_in_and_how_to_try_it(
    write: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    write(NAME)
    said = capsys.readouterr().out
    places = re.findall(r"^\d\. (rule|unit tests|scenario|panel|runbook) +\S+:\d+$", said, re.M)
    assert places == ["rule", "unit tests", "scenario", "panel", "runbook"]
    assert said.count("try: `doit ") == 5
    assert f"`doit verify-alerts --only {NAME}`.\nAt last `doit verify-alerts` and" in said


@pytest.mark.parametrize(
    ("names", "options", "said"),
    [
        (["disk_slow"], {}, "must be CamelCase.*\n.*`DiskSlow`"),
        (["Disk Slow"], {}, "must be CamelCase.*\n.*`DiskSlow`"),
        (["disk-slow"], {}, "must be CamelCase"),
        (["4Disks"], {}, "must be CamelCase"),
        (["../Disk"], {}, "must be CamelCase"),
        (["A" * 300], {}, "of at most 60"),
        ([""], {}, "must be CamelCase"),
        (["PostgreSQLDown"], {}, r"an alert `PostgreSQLDown` already: prometheus/rules/data.*:\d+"),
        (["PostgresqlDown"], {}, "an alert `PostgreSQLDown` already"),
        (["LogShippingStalled"], {}, "already: loki/rules/logs.yml"),
        ([NAME], {"area": "databse"}, "no area `databse`.\n.*`database`"),
        ([NAME], {"severity": "warn"}, "no severity `warn`.\n.*`warning`"),
        ([NAME], {"severity": "none"}, "no severity `none`"),
        ([NAME], {"area": ""}, "needs --area"),
        ([NAME], {"severity": ""}, "needs --severity"),
        ([], {}, "the name of one alert, got 0"),
        ([NAME, "Other"], {}, "the name of one alert, got 2"),
    ],
)
def test_wrong_input_is_told_and_writes_nothing(
    lab: Path, write: Callable[..., None], names: list[str], options: dict[str, str], said: str
) -> None:
    before = texts(lab)
    with pytest.raises(BadInput, match=said):
        write(*names, **options)
    assert texts(lab) == before


@given(st.from_regex(r"[A-Z][A-Za-z0-9]{0,9}[a-z][A-Za-z0-9]{0,9}", fullmatch=True))
def test_file_of_any_name_is_found_by_it(name: str) -> None:
    assert snake_case(name).replace("_", "") == name.lower()


def test_second_draft_of_one_name_is_refused(lab: Path, write: Callable[..., None]) -> None:
    write(NAME)
    before = texts(lab)
    with pytest.raises(BadInput, match="an alert `DiskSlow` already"):
        write(NAME, area="monitoring")
    assert texts(lab) == before


def test_half_of_an_earlier_try_is_completed(lab: Path, write: Callable[..., None]) -> None:
    """Whatever was renamed before a kill: drafted once more, all is as if nothing had happened."""
    before = texts(lab)
    write(NAME)
    after = texts(lab)
    pieces = [path for path, text in after.items() if before.get(path) != text]
    rule = next(path for path in pieces if "/rules/" in path)
    for kept in [*(path for path in pieces if path != rule)]:
        for path in pieces:
            if path != kept and path in before:
                (lab / path).write_text(before[path])
            elif path != kept:
                (lab / path).unlink()
        write(NAME)
        assert texts(lab) == after, kept


@pytest.mark.parametrize("path", ["config/runbooks/DiskSlow.md", "scenarios/database/disk_slow.py"])
def test_what_somebody_has_written_is_never_touched(
    lab: Path, write: Callable[..., None], path: str
) -> None:
    (lab / path).write_text("# DiskSlow, by hand\n")
    before = texts(lab)
    with pytest.raises(BadInput, match=r"is there without a rule: .*\n.*Remove it"):
        write(NAME)
    assert texts(lab) == before


@pytest.mark.parametrize(
    "content",
    ["groups: []\n", "groups: [{name: database, rules: []}]\n",
     "groups: [{name: database, rules: [{record: a, expr: b}]}]\n", ""],
)  # fmt: skip
def test_rule_file_without_a_place_is_left_alone(
    lab: Path, write: Callable[..., None], content: str
) -> None:
    (lab / "config/prometheus/rules/database.yml").write_text(content)
    before = texts(lab)
    with pytest.raises(BadInput):
        write(NAME)
    assert texts(lab) == before


def test_file_that_cannot_be_read_is_named_first(lab: Path, write: Callable[..., None]) -> None:
    (lab / "config/prometheus/rules/application.yml").write_text("groups:\n\t- name: x\n")
    with pytest.raises(BadInput, match=r"application.yml:2: not valid YAML"):
        write(NAME)


def test_comments_between_groups_stay_with_what_they_describe() -> None:
    content = """
groups:
  - name: a
    rules:
      - record: x

  # Of b.
  - name: b
    rules:
      - record: y
"""
    put = files.into_group(content, "- alert: N\n", "a")
    assert put.content == content.replace("x\n\n  # Of b", "x\n\n      - alert: N\n\n  # Of b")


class Interrupted(dict[Path, str]):
    """Contents of which the last cannot be written any more: Ctrl-C comes first."""

    def items(self):  # type: ignore[no-untyped-def]
        yield from [*super().items()][:-1]
        raise KeyboardInterrupt


def test_interrupted_draft_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("old")
    with pytest.raises(KeyboardInterrupt):
        whole.write(Interrupted({tmp_path / "a": "new", tmp_path / "b": "new", tmp_path / "c": ""}))
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"a": "old"}


def test_rename_that_is_refused_undoes_those_before_it(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("old")
    (tmp_path / "c").mkdir()
    with pytest.raises(IsADirectoryError):
        whole.write({tmp_path / "a": "new", tmp_path / "b": "new", tmp_path / "c": "new"})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "c"]
    assert (tmp_path / "a").read_text() == "old"


def test_folder_that_cannot_be_written_is_named_and_nothing_is_written(
    lab: Path, write: Callable[..., None]
) -> None:
    shutil.rmtree(lab / "config" / "runbooks")
    (lab / "config" / "runbooks").write_text("a file in its place")
    before = texts(lab)
    with pytest.raises(HostCannot, match=r"cannot write to `.*/runbooks`: .*\n.*nothing was"):
        write(NAME)
    assert texts(lab) == before


def test_modes_of_files_are_kept(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("old")
    (tmp_path / "a").chmod(0o640)
    whole.write({tmp_path / "a": "new"})
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize(
    ("old", "new", "file", "lacks"),
    [
        ("", "", "grafana/dashboards/system-metrics.json",
         "the left side of the rule's comparison"),
        ("expr: FILL_IN > 0  # FILL IN", "expr: FILL_IN up > 0  # FILL IN",
         "prometheus/rules/database.yml", "what is measured, compared with its limit (PromQL)"),
    ],
    ids=["panel", "rule"],
)  # fmt: skip
def test_up_with_an_unfinished_draft_says_so_and_where(
    old: str, new: str, file: str, lacks: str, lab: Path, write: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setenv("STACK_STATE", str(lab / "state"))
    write(NAME, area="database" if new else "infrastructure")
    path = lab / "config" / file
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(BadInput) as refused:
        bring_up("drafted", speed=60, free_ports=True, config_root=lab / "config")
    rows = path.read_text().splitlines()
    number = next(n for n, said in enumerate(rows, 1) if f"FILL IN {NAME}: {lacks}" in said)
    assert refused.value.what == (
        f"{path}:{number}: the draft of `{NAME}` is unfinished; here is missing: {lacks}."
    )
    assert refused.value.cure.startswith("`doit check` lists what is left to write.")


def test_guide_ends_with_all_others_and_says_what_to_edit_where_they_meet() -> None:
    guide = (REPO / "scenarios" / "WRITING.md").read_text()
    last = guide.split("\n# ")[0].split("\n## ")[-1]
    assert "\ndoit verify-alerts\ndoit quiet-day\n" in last
    for edited in ("may_also_fire", "inhibited", "traffic", "your rule"):
        assert edited in last
    assert "no code" not in guide


def test_guide_says_how_many_people_each_shape_has() -> None:
    """Read off the source: locust changes the process that imports it."""
    guide = " ".join((REPO / "scenarios" / "WRITING.md").read_text().split())
    source = (REPO / "loadgen" / "shapes.py").read_text()
    shapes = re.findall(r"class (\w+)\(Staged\):.*?stages = \((.*?)\)\n", source, re.DOTALL)
    assert len(shapes) == 3
    for name, stages in shapes:
        most = re.findall(r"users=(\d+)", stages)[-1]
        assert f"`{name}` {most}" in guide
