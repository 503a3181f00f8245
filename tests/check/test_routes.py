"""Routes, inhibit rules and matchers are read as Alertmanager 0.28 reads them, or refused."""

import pytest
import yaml

from stack.check import routes
from stack.check.matchers import parse
from stack.check.yamlfile import get, text
from stack.errors import BadInput
from stack.store.packageset import realise
from tests.check.generated_routes import compared


def read(written: str) -> routes.Route:
    return routes.read(yaml.compose(written, yaml.CSafeLoader))


def notified(written: str, **labels: str) -> list[str]:
    route = read(written)
    assert not route.unreadable, route.unreadable
    return [text(one.receiver) for one in route.leaves(labels)]


# Each row was asked of `amtool config routes test` 0.28.1.
@pytest.mark.parametrize(
    ("route", "found"),
    [
        ("{receiver: a}", ["a"]),
        ("{receiver: a, matchers: []}", ["a"]),
        ("{receiver: a, routes: [{receiver: b}, {receiver: c}]}", ["b"]),
        ("{receiver: a, routes: [{receiver: b, continue: true}, {receiver: c}]}", ["b", "c"]),
        ("{receiver: a, routes: [{receiver: b, continue: yes}, {receiver: c}]}", ["b", "c"]),
        ("{receiver: a, routes: [{receiver: b, continue: y}, {receiver: c}]}", ["b", "c"]),
        ("{receiver: a, routes: [{receiver: b, continue: On}, {receiver: c}]}", ["b", "c"]),
        ("{receiver: a, routes: [{receiver: b, continue: ~}, {receiver: c}]}", ["b"]),
        ("{receiver: a, routes: [{receiver: b, continue: false}, {receiver: c}]}", ["b"]),
        ("{receiver: a, routes: [{matchers: [x=1]}]}", ["a"]),
        ("{receiver: a, routes: [{receiver: ~, matchers: [x=1]}]}", ["a"]),
        ("{receiver: a, routes: [{receiver: '', matchers: [x=1]}]}", ["a"]),
        ("{receiver: a, routes: [{receiver: b, matchers: [x=1, x!=1]}]}", ["a"]),
        ("{receiver: a, routes: [{receiver: b, matchers: ['x=1,x!=1']}]}", ["a"]),
        ("{receiver: a, routes: [{receiver: b, matchers: ['']}]}", ["b"]),
        ("{receiver: a, routes: [{receiver: b, matchers: [~]}]}", ["b"]),
        ("{receiver: a, routes: [{receiver: b, matchers: ~}]}", ["b"]),
        ("{receiver: a, routes: [{receiver: b, match: {x: 1}}]}", ["b"]),
        ("{receiver: a, routes: [{receiver: b, match: {x: 2}}]}", ["a"]),
        ("{receiver: a, routes: [{receiver: b, match: {x: ~}}]}", ["a"]),
        ("{receiver: a, routes: [{receiver: b, match: {y: ''}}]}", ["b"]),
        ("{receiver: a, routes: [{receiver: b, match: {x: 1}, matchers: [x=2]}]}", ["a"]),
        ("{receiver: a, routes: [{receiver: b, match_re: {x: '[[:digit:]]'}}]}", ["b"]),
        ("{receiver: a, routes: [{receiver: b, match_re: {x: '2|1'}, match: {z: 1}}]}", ["a"]),
        ("{receiver: a, routes: [{receiver: b, routes: [{receiver: c}]}]}", ["c"]),
        ("{receiver: a, routes: [&b {receiver: b}, {<<: [*b, {receiver: c}]}]}", ["b"]),
        ("{receiver: a, routes: [&b {receiver: b, matchers: [x=2]}, {<<: *b, matchers: []}]}",
         ["b"]),
    ],
)  # fmt: skip
def test_routes_are_walked_as_alertmanager_does(route: str, found: list[str]) -> None:
    assert notified(route, x="1") == found


@pytest.mark.parametrize(
    ("written", "value", "matches"),
    [
        ('a="b"', "b", True),
        ("a = b", "b", True),
        ("a=b c", "b c", True),
        ('a!="b"', "b", False),
        ('a!="b"', "", True),
        ('a=~"b|c"', "c", True),
        ('a=~"b"', "bc", False),
        ('a=~"b|c"', "bc", False),
        ('a!~"b|"', "", False),
        ('a=""', "", True),
        ("a=", "", True),
        ('a=~".*"', "", True),
        ('a=~".+"', "", False),
        ("a=~[[:alpha:]]+", "xyz", True),
        ("a=~(?i)B", "b", True),
        (r"a=~\d+", "12", True),
        ("a=~x)|(b", "b", True),
        ('{a="b"}', "b", True),
        ('{a="b",}', "b", True),
        ('a="b",a!="c"', "b", True),
        ('a="b,c"', "b,c", True),
        ('"a"="b"', "b", True),
        ('{"a"=~"b","a"!="c"}', "b", True),
        (r'"a"="\x62"', "b", True),
        (r'a="\x62"', r"\x62", True),
        (r'a="say \"b\""', 'say "b"', True),
        # Single quotes are no quotes.
        ("a='b'", "b", False),
        ("a='b'", "'b'", True),
        ("", "b", True),
    ],
)
def test_matchers_match_a_label_or_its_absence(written: str, value: str, matches: bool) -> None:
    labels = {"a": value} if value else {}
    assert all(one.matches(labels) for one in parse(written)) == matches


def test_name_may_be_any_text_in_quotes() -> None:
    [matcher] = parse('"with space.and-dots" != "é"')
    assert (matcher.name, matcher.operator, matcher.value) == ("with space.and-dots", "!=", "é")


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("a", "`a` is not a matcher"),
        ("a==b,c", "`a==b,c` is not a matcher"),
        ('a="b', '`a="b` is not a matcher'),
        ('{"a"="b"', "expected a closing brace"),
        ('"a"="b"}', "expected an opening brace"),
        ('"a"="b" "c"="d"', "expected its end"),
        ('"a"="\\q"', "is not text with Go's escapes"),
        ('"a"="\\xff"', "is not text with Go's escapes"),
        ('a=~"("', "`(` is not a valid regular expression: missing closing )."),
        ("a=~(?=b)", "`(?=b)` is not a valid regular expression"),
        (r"a=~\C", r"`\C` is not a valid regular expression"),
    ],
)
def test_matcher_that_cannot_be_read_is_refused(written: str, said: str) -> None:
    with pytest.raises(BadInput) as error:
        parse(written)
    assert said in str(error.value)


@pytest.mark.parametrize(
    ("route", "line", "said"),
    [
        ("receiver: a\nroutes:\n  - matchers: ['x=1', 'no matcher']", 3, "`no matcher` is not a"),
        ("receiver: a\nroutes:\n  - matchers: x=1", 3, "`matchers` is not a list"),
        ("receiver: a\nroutes:\n  - matchers: [[x=1]]", 3, "an entry of `matchers` is not text"),
        ("receiver: a\nroutes:\n  - match: [x]", 3, "`match` is not a mapping"),
        ("receiver: a\nroutes:\n  - match: {x.y: z}", 3, "`x.y` is not a label name"),
        ("receiver: a\nroutes:\n  - match: {x: [z]}", 3, "the value of `x` is not text"),
        ("receiver: a\nroutes:\n  - match_re:\n      x: (", 4, "`(` is not a valid regular"),
        ("receiver: a\nroutes:\n  - match_re: {x: ~}", 3, "the value of `x` is not text"),
        ("receiver: a\nmatchers: [x=1]", 1, "the top route has matchers"),
        ("receiver: a\nroutes:\n  - continue: 'true'", 3, "`continue` is neither true nor false"),
        ("receiver: a\nroutes:\n  - ~", 3, "a route is not a mapping"),
        ("receiver: a\nroutes: {receiver: b}", 2, "`routes` is not a list"),
        ("receiver: a\ngroup_by: team", 2, "`group_by` is not a list of labels"),
        ("receiver: a\ngroup_by: [a, a]", 2, "`group_by` names a label twice"),
        ("receiver: a\ngroup_by: ['...', a]", 2, "`group_by` names `...`"),
        ("receiver: a\ngroup_wait: 5", 2, "`group_wait`: `5` is not a duration"),
        ("receiver: a\nroutes:\n  - group_interval: 0s", 3, "`group_interval` is zero"),
    ],
)
def test_what_alertmanager_refuses_is_named_with_its_line(route: str, line: int, said: str) -> None:
    [fault] = read(route).unreadable
    assert fault.line == line
    assert said in fault.what


def test_alert_is_not_routed_past_a_matcher_that_cannot_be_read() -> None:
    route = read("{receiver: a, routes: [{receiver: b, matchers: ['?']}]}")
    with pytest.raises(BadInput, match=r"line 1 of alertmanager\.yml: `\?` is not a matcher"):
        list(route.leaves({}))


def test_what_a_route_does_not_say_is_inherited() -> None:
    top = read(
        """
        receiver: a
        group_by: [x]
        repeat_interval: 1h
        routes:
          - group_by: ['...']
            group_wait: 5s
            routes: [{group_by: []}, {group_by: [y], group_wait: ~}]
          - {}
        """
    )
    [every, [inherited, own], last] = top.routes[0], top.routes[0].routes, top.routes[1]
    found = [one.group_by for one in (top, every, inherited, own, last)]
    assert found == [("x",), ("...",), ("...",), ("y",), ("x",)]
    assert [own.seconds(key) for key in routes.TIMING] == [5, 300, 3600]
    assert [last.seconds(key) for key in routes.TIMING] == [30, 300, 3600]


def inhibit(written: str) -> routes.InhibitRule:
    root = yaml.compose(f"inhibit_rules: [{written}]", yaml.CSafeLoader)
    [rule] = routes.inhibit_rules(root)
    return rule


@pytest.mark.parametrize(
    "rule",
    [
        "{source_matchers: [a=loud], target_matchers: [a=quiet]}",
        "{source_match: {a: loud}, target_match: {a: quiet}}",
        "{source_match_re: {a: lo.*}, target_match_re: {a: 'quiet|still'}}",
        "{source_match: {a: loud}, target_match_re: {a: q.+}, target_matchers: ['{a!=loud}']}",
        "{source_matchers: [], target_matchers: ['a=quiet,b=']}",
        "{source_match: {a: loud}}",
    ],
)
def test_sides_of_inhibit_rules_come_in_every_form(rule: str) -> None:
    found = inhibit(rule)
    assert not found.unreadable
    assert found.pairs({"a": "loud"}, {"a": "quiet"})
    assert not found.pairs({"a": "other"}, {"a": "loud"})


def test_alerts_on_both_sides_do_not_inhibit_each_other() -> None:
    rule = inhibit("{source_matchers: ['a=~x|y'], target_matchers: ['a=~y|z']}")
    assert rule.pairs({"a": "x"}, {"a": "y"})
    assert rule.pairs({"a": "y"}, {"a": "z"})
    assert not rule.pairs({"a": "y"}, {"a": "y"})


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("{source_matchers: ['?']}", "`?` is not a matcher"),
        ("{target_match: {a.b: c}}", "`a.b` is not a label name"),
        ("{target_match_re: {a: '['}}", "`[` is not a valid regular expression"),
        ("{equal: job}", "`equal` is not a list of labels"),
    ],
)
def test_inhibit_rule_that_cannot_be_read_is_refused(rule: str, said: str) -> None:
    [fault] = inhibit(rule).unreadable
    assert said in fault.what


def test_merged_keys_of_a_list_are_those_of_the_first_that_has_them() -> None:
    node = yaml.compose("{<<: [{a: 1}, {a: 2, b: 3}], c: 4}")
    assert [text(get(node, key)) for key in "abc"] == ["1", "3", "4"]


def test_generated_routes_are_read_as_amtool_reads_them() -> None:
    """`python -m tests.bench.bench_routing` compares thousands."""
    program = realise(["alertmanager"])["alertmanager"] / "bin" / "amtool"
    for count, refused, found in compared(60, sets=10, seed=7, program=program, batch=60):
        assert found == []
        assert 5 < refused < count / 2
