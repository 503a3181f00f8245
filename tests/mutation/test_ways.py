"""Routes that lead every alert the same ways are told from those that do not."""

from pathlib import Path

import pytest

from stack.check.configuration import Configuration, load
from stack.check.yamlfile import ConfigFile, compose
from stack.mutation import delivery, ways
from stack.paths import CONFIG_ROOT

OURS = load(CONFIG_ROOT)


def configuration(content: str) -> Configuration:
    root = Path("/nowhere")
    path = root / "alertmanager" / "alertmanager.yml"
    return Configuration(root=root, files={path: ConfigFile(path=path, root=compose(content))})


TOP = "route: {{receiver: a, group_by: [x], routes: [{}]}}"
A = "{receiver: b, matchers: ['team=\"b\"']}"
B = "{receiver: c, matchers: ['team=~\"c|d\"']}"
WIDE = "{receiver: c, matchers: ['team=~\"b|c\"']}"


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (f"{A}, {B}", f"{B}, {A}", True),
        (f"{A}, {WIDE}", f"{WIDE}, {A}", False),
        (A, "{receiver: b, matchers: ['team=\"b\"'], continue: true}", True),
        (f"{A}, {WIDE}", f"{A.replace('}', ', continue: true}')}, {WIDE}", False),
        (A, "{receiver: b, matchers: ['team=~\"b\"']}", True),
        (A, "{receiver: b, matchers: ['team!=\"b\"']}", False),
        (A, "{receiver: b, matchers: ['team=\"b\"'], group_wait: 30s}", True),
        (A, "{receiver: b, matchers: ['team=\"b\"'], group_wait: 31s}", False),
        (A, "{receiver: b, matchers: ['team=\"b\"'], group_by: [y]}", False),
        (A, "{receiver: b, matchers: ['no matcher']}", False),
    ],
    ids=["disjoint", "overlapping", "continue at the end", "continue before another", "same words",
         "turned", "default", "other wait", "other group", "unreadable"],
)  # fmt: skip
def test_difference_is_found(one: str, other: str, same: bool) -> None:
    assert ways.same(configuration(TOP.format(one)), configuration(TOP.format(other))) is same


def test_receiver_of_the_top_that_no_alert_comes_to_may_be_any() -> None:
    every = "{receiver: b}"
    other = TOP.format(every).replace("receiver: a", "receiver: c")
    assert ways.same(configuration(TOP.format(every)), configuration(other))


def test_none_of_our_routes_is_idle() -> None:
    """Whatever is left out, somebody is told otherwise."""
    for mutant in delivery.mutants(OURS):
        if mutant.kind == "route":
            path = OURS.root / mutant.path
            changed = ConfigFile(path=path, root=compose(mutant.content))
            assert not ways.same(OURS, Configuration(root=OURS.root, files={path: changed}))
