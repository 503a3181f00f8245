"""Mutants of our own configuration: one thing is changed in one file, and everything has its
turn."""

import json
from collections import Counter

import pytest
import yaml

from stack.check.configuration import load
from stack.errors import BadInput
from stack.mutation import delivery, panels, rules, scrapes, templates
from stack.mutation.everything import chosen, mutants
from stack.mutation.mutant import LOADER, Mutant
from stack.paths import CONFIG_ROOT

CONFIGURATION = load(CONFIG_ROOT)
EVERY = mutants(CONFIGURATION)


def test_none_is_there_twice_and_none_is_the_original() -> None:
    contents = Counter((one.path, one.content) for one in EVERY)
    assert max(contents.values()) == 1
    for path in {one.path for one in EVERY}:
        source = (CONFIG_ROOT / path).read_text()
        assert source not in {one.content for one in EVERY if one.path == path}


def test_each_has_a_place_in_its_file() -> None:
    for one in EVERY:
        lines = (CONFIG_ROOT / one.path).read_text().count("\n")
        first, last = one.of or (one.line, one.line)
        assert 1 <= first <= last <= lines + 1
        assert first <= one.line <= last + 1, one.name


@pytest.mark.nightly
def test_rule_is_all_that_changes_in_a_file_of_rules() -> None:
    for one in rules.mutants(CONFIGURATION):
        before = yaml.load((CONFIG_ROOT / one.path).read_text(), LOADER)
        after = yaml.load(one.content, LOADER)
        differs = [
            old.get("alert")
            for group, other in zip(before["groups"], after["groups"], strict=True)
            for old, new in zip(group["rules"], other["rules"], strict=True)
            if old != new
        ]
        assert differs == [one.subject], one.name


@pytest.mark.parametrize(
    ("room", "kinds"),
    [
        (rules, {"comparison", "threshold", "number", "range", "offset", "function", "aggregation",
                 "grouping", "matching", "set operator", "matcher", "metric", "line filter", "for",
                 "keep_firing_for", "severity", "team", "annotation"}),
        (delivery, {"receiver", "inhibit rule", "matcher", "send_resolved", "route", "continue",
                    "group_by", "group_wait", "group_interval", "repeat_interval", "equal", "order",
                    "destination",
                    "field"}),
        (templates, {"template condition", "template text", "template field"}),
        (scrapes, {"scrape"}),
        (panels, {"panel"}),
    ],
    ids=["rules", "delivery", "templates", "scrapes", "panels"],
)  # fmt: skip
def test_everything_has_its_turn(room: "object", kinds: set[str]) -> None:
    assert {one.kind for one in room.mutants(CONFIGURATION)} == kinds  # type: ignore[attr-defined]


def test_routes_are_left_out_turned_and_put_in_another_order() -> None:
    found = [one for one in delivery.mutants(CONFIGURATION) if "route" in one.subject]
    heartbeat = [one.what for one in found if one.subject == "route to `heartbeat`"]
    assert "left out" in heartbeat
    assert "with `continue` added" in heartbeat
    assert 'with `severity="none"` turned into `severity!="none"`' in heartbeat
    assert any(one.kind == "order" and "`heartbeat` and `on-call`" in one.what for one in found)


def test_values_that_are_merged_are_changed_for_one_receiver_alone() -> None:
    (one,) = (one for one in delivery.mutants(CONFIGURATION)
              if one.subject == "receiver `slack-database`" and one.kind == "send_resolved"
              and "false" in one.what)  # fmt: skip
    after = yaml.load(one.content, LOADER)
    sent = {each["name"]: each["slack_configs"][0]["send_resolved"]
            for each in after["receivers"] if "slack_configs" in each}  # fmt: skip
    assert [name for name, does in sent.items() if not does] == ["slack-database"]


@pytest.mark.nightly
def test_dashboards_stay_json() -> None:
    for one in panels.mutants(CONFIGURATION):
        assert json.loads(one.content)["panels"]


@pytest.mark.parametrize(
    ("only", "subjects"),
    [
        (["HighErrorRate"], {"HighErrorRate"}),
        (["*ErrorRate"], {"HighErrorRate", "CriticalErrorRate"}),
        (["slack-database"], {"receiver `slack-database`", "route to `slack-database`"}),
        (["slack.lab.color"], {"template `slack.lab.color`"}),
    ],
)
def test_some_are_chosen_by_name(only: list[str], subjects: set[str]) -> None:
    assert {one.subject for one in chosen(EVERY, only)} == subjects


def test_some_are_chosen_by_file() -> None:
    by_path = chosen(EVERY, ["prometheus/rules/database.yml"])
    assert by_path
    assert {str(one.path) for one in by_path} == {"prometheus/rules/database.yml"}
    assert chosen(EVERY, ["title.tmpl"]) == [one for one in EVERY if one.path.name == "title.tmpl"]


def test_name_of_nothing_is_refused() -> None:
    with pytest.raises(BadInput, match="`HighErorRate` is no alert"):
        chosen(EVERY, ["HighErorRate"])


def test_sample_is_the_same_for_the_same_seed() -> None:
    def names(seed: int) -> list[str]:
        return [one.name for one in chosen(EVERY, [], sample=20, seed=seed)]

    assert names(1) == names(1)
    assert len(names(1)) == 20
    assert names(1) != names(2)


def first(kind: str, subject: str) -> Mutant:
    return next(one for one in EVERY if one.kind == kind and one.subject == subject)


def test_words_say_what_has_changed() -> None:
    assert first("threshold", "HighErrorRate").what == "with `> 0.05` raised to `> 0.06`"
    assert first("for", "HighErrorRate").what == "without `for`"
    assert first("severity", "HighErrorRate").what == "without its `severity`"
