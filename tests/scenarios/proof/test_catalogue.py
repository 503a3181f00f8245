"""Scenario files: found, validated, matched with rules, packed."""

from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from scenarios.proof import catalogue
from scenarios.proof.catalogue import ScenarioFile
from scenarios.proof.packing import in_turn, pack
from scenarios.proof.scenario import Scenario, Traffic, email, pagerduty, slack
from stack.check.configuration import read
from stack.errors import BadInput
from stack.paths import CONFIG_ROOT


@dataclass(frozen=True)
class Touching:
    touches: frozenset[str]


def scenario(alert: str, *touches: str) -> Scenario:
    return Scenario(
        alert=alert,
        labels={"severity": "warning"},
        traffic=Traffic(users=(object,), shape=object),
        fault=Touching(frozenset(touches)),  # type: ignore[arg-type]
        notifications=(slack("#alerts-platform"),),
    )


def found(alert: str, *touches: str, folder: str = "application") -> ScenarioFile:
    return ScenarioFile(
        scenario=scenario(alert, *touches), file=Path(folder) / f"{alert.lower()}.py"
    )


def test_catalogue_has_a_sound_scenario_for_every_rule() -> None:
    every = catalogue.find()
    assert catalogue.uncovered(every, catalogue.rules(read(CONFIG_ROOT))) == {}


@pytest.mark.parametrize("one", catalogue.survey()[0], ids=lambda one: one.scenario.alert)
def test_scenario_reads_like_a_sentence(one: ScenarioFile) -> None:
    assert len(one.file.read_text().splitlines()) <= 40


def test_scenario_lists_the_users_that_its_file_gives_locust() -> None:
    """Locust runs every user class of the file, so the declaration must name the same."""
    import importlib

    from locust.util.load_locustfile import is_shape_class, is_user_class

    for one in catalogue.find():
        module = importlib.import_module(f"scenarios.{one.file.parent.name}.{one.file.stem}")
        users = {value for value in vars(module).values() if is_user_class(value)}
        shapes = {value for value in vars(module).values() if is_shape_class(value)}
        assert users == set(one.scenario.traffic.users)
        assert shapes == {one.scenario.traffic.shape}


DECLARATIONS = [
    ("quiet: sound", {}, None),
    ("no labels", {"labels": {}}, "`labels` lacks `severity`"),
    ("alertname", {"labels": {"severity": "x", "alertname": "A"}}, "`labels` has `alertname`"),
    ("nobody", {"notifications": ()}, "`notifications` is empty"),
    (
        "twice",
        {"notifications": (pagerduty("a"), pagerduty("a"))},
        "PagerDuty a` is listed 2 times",
    ),
    (
        "no hash",
        {"notifications": (slack("alerts"),)},
        "Slack channel `alerts` must start with `#`",
    ),
    ("elsewhere", {"notifications": (email("a@b.example"),)}, "must end with `@residency.example`"),
    ("no traffic", {"traffic": Traffic(users=(), shape=object)}, "`traffic` has no users"),
    ("no fault", {"fault": Touching(frozenset())}, "the fault touches nothing"),
    ("itself", {"may_also_fire": frozenset({"A"})}, "`A` itself is in `may_also_fire`"),
]


@pytest.mark.parametrize(
    ("change", "said"), [row[1:] for row in DECLARATIONS], ids=[row[0] for row in DECLARATIONS]
)
def test_declaration_is_checked_before_anything_is_touched(
    change: dict[str, object], said: str | None
) -> None:
    problems = replace(scenario("A", "disk"), **change).problems()  # type: ignore[arg-type]
    assert problems == [] if said is None else any(said in one for one in problems)


AREAS = {"application": ["HighLatencyP95"], "database": ["PostgreSQLDown", "QueriesSlow"]}


@pytest.mark.parametrize(
    ("only", "chosen"),
    [
        ([], ["HighLatencyP95", "PostgreSQLDown", "QueriesSlow"]),
        (["PostgreSQLDown"], ["PostgreSQLDown"]),
        (["postgresqldown"], ["PostgreSQLDown"]),
        (["PostgreSQLDown,HighLatencyP95"], ["PostgreSQLDown", "HighLatencyP95"]),
        (["database"], ["PostgreSQLDown", "QueriesSlow"]),
        (["*Slow", "database"], ["QueriesSlow", "PostgreSQLDown"]),
    ],
    ids=["none named", "name", "other case", "commas", "area", "pattern and area"],
)
def test_choose_is_by_name_pattern_and_area(only: list[str], chosen: list[str]) -> None:
    assert catalogue.choose(only, AREAS) == chosen


def test_choose_suggests_the_nearest_name_and_the_areas() -> None:
    with pytest.raises(BadInput, match="there is no alert `PostgresDown`") as error:
        catalogue.choose(["PostgresDown"], AREAS)
    assert error.value.cure == "Did you mean PostgreSQLDown? Areas are application, database."


def test_areas_hold_what_has_a_scenario_and_rules_without_one() -> None:
    every = [found("Fine"), found("Down", folder="database")]
    known = {"Fine": "application", "Down": "database", "Lone": "database"}
    areas = catalogue.areas(every, known, ["Lone", "logs/broken.py"])
    assert areas["database"] == ["Down", "Lone"]
    assert areas["logs"] == ["logs/broken.py"]


def test_uncovered_names_rules_without_scenario_and_the_reverse() -> None:
    gaps = catalogue.uncovered(
        [found("Fine"), found("Alone"), found("Moved", folder="database")],
        {"Fine": "application", "Forgotten": "database", "Moved": "application"},
    )
    assert set(gaps) == {"Alone", "Forgotten", "Moved"}
    assert gaps["Forgotten"].startswith("alert rule without scenario: `rules/database.yml`")
    assert (
        gaps["Alone"]
        == "scenario without alert rule: application/alone.py, but no rule has that name"
    )
    assert (
        gaps["Moved"] == "its rule is in `rules/application.yml`, its scenario is database/moved.py"
    )


BROKEN_FILES = [
    ("raises", "1 / 0", "ZeroDivisionError"),
    ("no scenario", "", "AttributeError"),
    ("not a scenario", "SCENARIO = 3", "`SCENARIO` is a int, expected a Scenario"),
]


@pytest.mark.parametrize(
    ("text", "said"), [row[1:] for row in BROKEN_FILES], ids=[row[0] for row in BROKEN_FILES]
)
def test_find_names_the_file_that_cannot_be_played(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, said: str
) -> None:
    import scenarios

    folder = f"broken{abs(hash(text))}"
    (tmp_path / folder).mkdir()
    (tmp_path / folder / "odd.py").write_text(text)
    monkeypatch.setattr(scenarios, "__path__", [*scenarios.__path__, str(tmp_path)])
    with pytest.raises(BadInput, match=said) as error:
        catalogue.find(tmp_path)
    assert f"{folder}/odd.py" in str(error.value)


def test_pack_keeps_apart_what_disturbs_each_other() -> None:
    a, b, c = found("A", "backend"), found("B", "backend", "postgresql"), found("C", "disk")
    assert pack([a, b, c]) == [[a, c], [b]]
    assert pack([a, b, c]) == pack([a, b, c])


def test_pack_keeps_apart_an_alert_and_what_may_set_it_off() -> None:
    a = found("A", "backend")
    b = ScenarioFile(
        scenario=replace(scenario("B", "disk"), may_also_fire=frozenset({"A"})), file=a.file
    )
    assert pack([a, b]) == [[a], [b]]


def test_pack_keeps_alerts_from_logs_apart_from_what_stops_logs() -> None:
    logs, shipper = found("Logs", "backend"), found("Shipper", "promtail")
    metrics = found("Metrics", "disk")
    assert pack([logs, shipper, metrics], {"Logs"}) == [[logs, metrics], [shipper]]
    assert pack([logs, shipper, metrics]) == [[logs, shipper, metrics]]


def test_pack_keeps_speeds_apart() -> None:
    a = found("A", "backend")
    b = ScenarioFile(scenario=replace(scenario("B", "disk"), speedup=12), file=a.file)
    assert pack([a, b]) == [[a], [b]]


def test_groups_of_a_speed_of_their_own_come_first_the_short_ones_before_the_long() -> None:
    a, b = found("A", "backend"), found("B", "disk")
    long, short = (
        ScenarioFile(scenario=replace(scenario(name, "backend"), speedup=90), file=a.file)
        for name in ("Long", "Short")
    )
    assert in_turn([[long], [a], [short], [b]]) == [[short], [long], [a], [b]]


@pytest.mark.parametrize(("of_proof", "speedup", "speed"), [(60, 1, 60), (60, 12, 720), (1, 12, 1)])
def test_speed_of_a_faithful_proof_is_left_alone(
    of_proof: float, speedup: float, speed: float
) -> None:
    assert replace(scenario("A", "disk"), speedup=speedup).speed(of_proof) == speed


def test_scenario_that_slows_down_is_refused() -> None:
    assert (
        "`speedup` is 0.5, expected 1 or more."
        in replace(scenario("A", "disk"), speedup=0.5).problems()
    )


def test_receiver_that_no_scenario_reaches_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "alertmanager"
    folder.mkdir()
    (folder / "alertmanager.yml").write_text("""
route: {receiver: mail, routes: [{receiver: pager, matchers: ['severity="critical"']}]}
receivers: [{name: mail}, {name: pager}]
""")
    assert catalogue.unreached([found("A", "disk")], read(tmp_path)) == {
        "receiver pager": "no scenario reaches receiver `pager` of alertmanager.yml:"
        " nobody knows whether it works"
    }
    assert catalogue.unreached([], read(tmp_path / "none")) == {}
