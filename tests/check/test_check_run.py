"""What the whole check does beyond single lines: files that come and go, several faults, output."""

import dataclasses
from pathlib import Path

import pytest

from stack.check import dashboardfiles
from stack.check.configuration import load
from stack.check.problem import ProblemsFound
from stack.check.programs import Programs
from stack.check.run import Setup, find_problems
from stack.errors import HostCannot
from stack.tasks.check import run


def told(setup: Setup) -> str:
    return "\n".join(one.text(setup.config_root.parent) for one in find_problems(setup))


def test_run_says_in_one_line_what_is_good(setup: Setup, capsys) -> None:
    run(setup)
    said = capsys.readouterr().out
    assert said.count("\n") == 1
    configuration = load(setup.config_root)
    counted = (
        configuration.alerts,
        configuration.receivers,
        configuration.templates,
        dashboardfiles.load(setup.config_root).all,
    )
    assert [int(word) for word in said.split() if word.isdecimal()][-4:] == [*map(len, counted)]
    assert said.endswith("are good.\n")


def test_run_reports_all_problems_together_causes_first(setup: Setup, edit) -> None:
    edit("prometheus/rules/database.yml", "severity: critical", "severity: high")
    edit("prometheus/rules/application.yml", ") > 2", ") >> 2")
    edit("alertmanager/alertmanager.yml", "receiver: on-call", "receiver: oncall")
    with pytest.raises(ProblemsFound) as raised:
        run(setup)
    places = [(one.path.name, one.line or 0) for one in raised.value.problems]
    assert places[0][0] == "application.yml", "what cannot be read comes first"
    assert {name for name, _ in places} >= {"alertmanager.yml", "application.yml", "database.yml"}
    assert str(raised.value).endswith(f"{len(places)} problems")


def test_run_speaks_once_of_a_rule_file_that_does_not_load(setup: Setup, edit) -> None:
    edit("prometheus/rules/application.yml", ") > 2", ") >> 2")
    assert len(find_problems(setup)) == 1


def test_scenario_missing_and_left_over(setup: Setup) -> None:
    before = setup.scenarios / "database" / "postgresql_down.py"
    before.rename(before.with_name("postgres_down.py"))
    said = told(setup)
    assert "database.yml:5: `PostgreSQLDown` has no scenario: " in said
    assert "`scenarios/database/postgresql_down.py` is missing." in said
    assert "scenarios/database/postgres_down.py: scenario `postgres_down` belongs to no" in said


def test_scenario_in_the_folder_of_another_rule_file(setup: Setup) -> None:
    before = setup.scenarios / "database" / "postgresql_down.py"
    before.rename(setup.scenarios / "application" / "postgresql_down.py")
    assert "scenario `postgresql_down` belongs to no alert of `rules/application.yml`" in told(
        setup
    )


def test_scenario_helpers_are_no_scenarios(setup: Setup) -> None:
    for folder in ("dashboards", "proof", "quiet", "routing", "tasks"):
        (setup.scenarios / folder).mkdir()
        (setup.scenarios / folder / "runner.py").touch()
    (setup.scenarios / "database" / "__init__.py").touch()
    assert find_problems(setup) == []


def test_runbook_missing_empty_and_left_over(setup: Setup) -> None:
    page = setup.config_root / "runbooks" / "DiskSpaceWarning.md"
    page.rename(page.with_name("DiskWarning.md"))
    said = told(setup)
    assert "`runbooks/DiskSpaceWarning.md` is missing or empty." in said
    assert "runbooks/DiskWarning.md: no rule has the name `DiskWarning`." in said
    page.write_text("\n")
    assert "`runbooks/DiskSpaceWarning.md` is missing or empty." in told(setup)


def test_unit_tests_missing(setup: Setup) -> None:
    for name in ("database.yml", "other_jobs.yml"):
        (setup.config_root / "prometheus" / "tests" / name).unlink()
    said = told(setup)
    assert "database.yml:5: `PostgreSQLDown` has no unit test in which it fires." in said
    assert "database.yml:5: `PostgreSQLDown` has no unit test in which it stays quiet." in said


def test_rule_file_that_nothing_loads(setup: Setup, edit) -> None:
    edit("prometheus/prometheus.yml", "rules/*.yml", "rules/[ai]*.yml")
    said = told(setup)
    assert "rules/database.yml: `rule_files` of prometheus.yml does not match this file" in said


def test_main_file_missing(setup: Setup) -> None:
    (setup.config_root / "alertmanager" / "alertmanager.yml").unlink()
    assert "alertmanager.yml: the file is missing." in told(setup)


@pytest.mark.parametrize(
    "file",
    [
        "prometheus/prometheus.yml",
        "prometheus/rules/database.yml",
        "prometheus/tests/database.yml",
        "alertmanager/alertmanager.yml",
        "loki/loki-config.yml",
        "loki/rules/logs.yml",
        "loki/tests/logs.yml",
        "promtail/promtail-config.yml",
        "blackbox/blackbox.yml",
    ],
)
@pytest.mark.parametrize("text", ["", "hello\n", "- groups\n"])
def test_file_that_was_emptied_is_told_alone(setup: Setup, file: str, text: str) -> None:
    (setup.config_root / file).write_text(text)
    said = [one.text(setup.config_root) for one in find_problems(setup)]
    assert len(said) == 1, said
    assert said[0].startswith(file)
    assert said[0].endswith("[yaml/empty]")


def test_rules_of_a_wrong_shape_are_promtools_business(setup: Setup) -> None:
    path = setup.config_root / "prometheus" / "rules" / "database.yml"
    for text in ("", "groups: 3\n", "groups: [{name: database, rules: [{alert: [1]}]}]\n", "- 1\n"):
        path.write_text(text)
        assert find_problems(setup)


def test_rule_that_cannot_be_scaled_names_its_line(setup: Setup, edit) -> None:
    edit(
        "prometheus/rules/infrastructure.yml",
        ") < 0.20",
        ") < 0.20 and on () (hour() > 3)",
    )
    said = told(setup)
    assert "infrastructure.yml:5: " in said
    assert "cannot run at speed 60" in said


def test_program_that_cannot_be_run_is_the_hosts_fault(setup: Setup) -> None:
    missing = Programs(promtool=Path("/nowhere/promtool"), amtool=setup.programs.amtool)
    with pytest.raises(HostCannot, match="`/nowhere/promtool` cannot be run"):
        run(dataclasses.replace(setup, programs=missing))
