"""A file under a name that nothing reads is told first, and nothing that only follows from it."""

import pytest

from stack.check.run import Setup, find_problems

pytestmark = pytest.mark.nightly

PROMETHEUS = "prometheus/prometheus.yml"
RENAMED = [
    ("prometheus/rules/database.yml", "database.yaml"),
    ("prometheus/rules/infrastructure.yml", "infrastructure.yaml"),
    ("prometheus/rules/application.yml", "application.yml.orig"),
    ("loki/rules/logs.yml", "logs.yaml"),
    ("loki/tests/logs.yml", "logs.yaml"),
    ("prometheus/tests/database.yml", "database.yaml"),
    ("alertmanager/templates/pagerduty.tmpl", "pagerduty.tmp"),
]
MAIN = [
    ("prometheus/prometheus.yml", "prometheus.yaml"),
    ("alertmanager/alertmanager.yml", "alertmanager.yaml"),
    ("promtail/promtail-config.yml", "promtail-config.yaml"),
    ("loki/loki-config.yml", "loki-config.yaml"),
    ("blackbox/blackbox.yml", "blackbox.yaml"),
]


def renamed(setup: Setup, file: str, name: str) -> list[str]:
    """What is said once the file has that name."""
    path = setup.config_root / file
    path.rename(path.with_name(name))
    return [one.text(setup.config_root) for one in find_problems(setup)]


@pytest.mark.parametrize(("file", "name"), RENAMED, ids=lambda words: words.split("/")[-1])
def test_renamed_file_is_named_first(setup: Setup, file: str, name: str) -> None:
    said = renamed(setup, file, name)
    folder, _, old = file.rpartition("/")
    assert said[0].startswith(f"{folder}/{name}: nothing reads this file.\n  Rename it to `")
    assert said[0].endswith(f"`{old}`, or delete it. [files/unknown]")
    others = 1 + sum("[templates/undefined]" in one for one in said)
    assert len(said) == others, said


@pytest.mark.parametrize(("file", "name"), MAIN, ids=lambda words: words.split("/")[-1])
def test_renamed_main_file_is_missing_and_found(setup: Setup, file: str, name: str) -> None:
    said = renamed(setup, file, name)
    folder, _, old = file.rpartition("/")
    assert said[0].startswith(f"{folder}/{name}: nothing reads this file.\n  Rename it to `{old}`.")
    assert said[1].startswith(f"{file}: the file is missing.")
    assert len(said) == 2, said


@pytest.mark.parametrize(
    ("main", "old", "new", "file"),
    [
        (PROMETHEUS, "rules/*.yml", "rules/*.y*ml", "prometheus/rules/database.yml"),
        (PROMETHEUS, "rules/*.yml", "rules/*", "prometheus/rules/monitoring.yml"),
    ],
)  # fmt: skip
def test_file_that_prometheus_alone_would_load_is_named(
    setup: Setup, sabotage, main: str, old: str, new: str, file: str
) -> None:
    sabotage(f"stack/config/{main}", old, new)
    name = file.rpartition("/")[2].replace(".yml", ".yaml")
    said = renamed(setup, file, name)
    assert said[0].startswith(
        f"{file.replace('.yml', '.yaml')}: `rule_files` of prometheus.yml matches this file, but "
        "the lab reads only `*.yml` here.\n  Rename it to `"
    ), said
    assert len(said) == 1, said


@pytest.mark.parametrize("folder", ["prometheus/tests", "loki/tests"])
def test_unit_tests_of_rules_that_are_nowhere_name_the_pattern(
    setup: Setup, sabotage, folder: str
) -> None:
    file = f"{folder}/{'database' if 'prometheus' in folder else 'logs'}.yml"
    at = sabotage(f"stack/config/{file}", "../rules/", "../rule/")
    said = [one.text(setup.config_root) for one in find_problems(setup)]
    assert len(said) == 1, said
    assert said[0].startswith(f"{file}:{at}: `../rule/")
    assert "in `rule_files` matches no file" in said[0]


@pytest.mark.parametrize("folder", ["prometheus/tests", "loki/tests"])
@pytest.mark.parametrize(
    ("old", "new"), [("\ntests:", "\ntsts:"), ("\nrule_files:", "\nrulefiles:")]
)
def test_unit_tests_with_an_unknown_key_are_told_alone(
    setup: Setup, sabotage, folder: str, old: str, new: str
) -> None:
    file = f"{folder}/{'database' if 'prometheus' in folder else 'logs'}.yml"
    sabotage(f"stack/config/{file}", old, new)
    said = [one.text(setup.config_root) for one in find_problems(setup)]
    assert len(said) == 1, said
    assert said[0].startswith(f"{file}:")
    assert new.strip("\n:") in said[0]
