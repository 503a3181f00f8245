"""One broken character in any file that people edit is told in a few lines that name the file.

What a check can claim depends on what the character meant. Where it changes the shape of a file
(its keys and how they are nested, what a template does), something must be said. Where it changes
a text or a number, nothing need be: whether those are right, unit tests and proofs decide.
"""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from stack.check.run import Setup, find_problems
from stack.paths import CONFIG_ROOT

A_HANDFUL = 5

FILES = sorted(
    str(path.relative_to(CONFIG_ROOT))
    for folder in ("prometheus", "loki", "promtail", "alertmanager", "blackbox")
    for path in (CONFIG_ROOT / folder).rglob("*")
    if path.suffix in (".yml", ".tmpl")
)
WRITTEN = [
    *"aeqzAZ09_:{}[]()\"'|&*!%@`#,.-=<>/\\~$",
    " ",
    "\t",
    "\n",
    "\0",
    "é",
    "\u2028",
    "\ufeff",
]

FREE = {"details", "labels"}
"""Keys below which any name will do: nothing but the alerts' own words reads it."""

ONE = settings(
    # A failure is one character already.
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@st.composite
def breakages(draw: st.DrawFn) -> tuple[str, str, bytes]:
    """A file, where in it and what was done, and its bytes then."""
    file = draw(st.sampled_from(FILES))
    text = (CONFIG_ROOT / file).read_text()
    at = draw(st.integers(0, len(text) - 1))
    new = draw(st.sampled_from(["", text[at + 1 : at + 2] + text[at], *WRITTEN]))
    kept = draw(st.booleans())
    rest = text[at:] if kept and new in WRITTEN else text[at + (2 if len(new) == 2 else 1) :]
    line = text[:at].count("\n") + 1
    broken = f"{text[:at]}{new}{rest}"
    said = f"{text.splitlines()[line - 1]!r} is now {broken.split(chr(10))[line - 1]!r}"
    return file, f"{file}:{line}: {said}", broken.encode()


def shape(file: str, content: bytes) -> object:
    """What must not be lost; anything at all for a file that cannot be read."""
    try:
        text = content.decode()
        return _actions(text) if file.endswith(".tmpl") else _keys(yaml.compose(text))
    except (yaml.YAMLError, UnicodeDecodeError):
        return content


def _keys(node: yaml.Node | None, free: bool = False) -> object:
    if isinstance(node, yaml.MappingNode):
        return sorted(
            ("*" if free else str(key.value), repr(_keys(value, str(key.value) in FREE)))
            for key, value in node.value
        )
    if isinstance(node, yaml.SequenceNode):
        return [_keys(one) for one in node.value]
    return None


def _actions(text: str) -> list[str]:
    """What a template does, without comments, literals and layout."""
    found = re.findall(r"\{\{-?(.*?)-?\}\}", text, re.DOTALL)
    plain = (re.sub(r'"[^"]*"|`[^`]*`|\d+', "*", one) for one in found if "/*" not in one)
    return ["".join(one.split()) for one in plain]


def broken(setup: Setup, file: str, done: str, content: bytes, tested: bool) -> None:
    """Check a copy in which one file has other bytes. `tested`: unit tests are run."""
    path = setup.config_root / file
    before = path.read_bytes()
    path.write_bytes(content)
    try:
        found = find_problems(setup)
    finally:
        path.write_bytes(before)
    said = [one.text(setup.config_root) for one in found]
    assert len(found) <= A_HANDFUL, (done, said)
    if found:
        assert file in said[0] or Path(file).name in said[0], (done, said)
        assert all(one.cure for one in found)
    elif tested or "/tests/" not in file:
        assert shape(file, content) == shape(file, before), f"{done}: nobody says anything"


@settings(ONE, max_examples=12, derandomize=True)
@given(breakages())
def test_one_character_is_told_in_a_few_lines(setup: Setup, one: tuple[str, str, bytes]) -> None:
    broken(setup, *one, tested=False)


@pytest.mark.nightly
@pytest.mark.timeout(7200)
@settings(ONE, max_examples=100)
@given(breakages())
def test_any_character_is_told_in_a_few_lines(
    setup: Setup, monkeypatch: pytest.MonkeyPatch, one: tuple[str, str, bytes]
) -> None:
    monkeypatch.undo()
    broken(setup, *one, tested=True)


EXAMPLES: list[tuple[str, str, Any]] = [
    ("prometheus/prometheus.yml", "  evaluation_interval", "\tevaluation_interval"),
    ("prometheus/tests/database.yml", "\ntests:", "\ntets:"),
    ("loki/tests/logs.yml", "\nrule_files:", "\nrule_fles:"),
    ("loki/loki-config.yml", "reporting_enabled", "reporting_eabled"),
    ("alertmanager/alertmanager.yml", "  routes:", "  rotes:"),
    ("alertmanager/alertmanager.yml", ".Alerts.Resolved", ".Alets.Resolved"),
    ("alertmanager/templates/pagerduty.tmpl", 'e "pagerduty.lab.a', 'e "apgerduty.lab.a'),
    ("alertmanager/templates/email.tmpl", "{{", b"\xff{{"),
    ("alertmanager/templates/dashboard.tmpl", "?viewPanel", "?view*anel"),
    ("alertmanager/alertmanager.yml", '"APIServiceDown"', '"API!erviceDown"'),
    (
        "alertmanager/alertmanager.yml",
        "'alertname=\"APIServiceDown\"'",
        "'alertname!=\"APIServiceDown\"'",
    ),
    ("prometheus/rules/database.yml", "alert:", b"\xffalert:"),
]


@pytest.mark.parametrize(("file", "old", "new"), EXAMPLES)
def test_one_character_that_was_told_too_often_or_not_at_all(
    setup: Setup, file: str, old: str, new: str | bytes
) -> None:
    content = (setup.config_root / file).read_bytes()
    assert old.encode() in content
    fresh = content.replace(old.encode(), new if isinstance(new, bytes) else new.encode(), 1)
    broken(setup, file, f"{old!r} is now {new!r}", fresh, tested=True)
