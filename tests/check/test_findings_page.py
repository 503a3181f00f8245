"""The page of findings explains every id that a check gives, and no other."""

import ast
import re

from stack.paths import REPO

CHECKS = REPO / "stack" / "check"
AREA = re.compile(
    r"(?:alertmanager|alerts|blackbox|dashboards|files|hours|inhibition|loki|metrics|prometheus|promises"
    r"|promtail|routes|runbooks|scenarios|scrapes|services|speed|templates|yaml)/[a-z]+(?:-[a-z]+)*"
)
FOLDERS = {"alertmanager/templates", "loki/tests", "prometheus/tests"}
COMPOSED = {
    "loki/config", "promtail/config", "scenarios/alert", "scenarios/labels",
    "scenarios/notifications",
}  # fmt: skip
"""Ids that are put together from a folder or a word."""


def given() -> set[str]:
    found = set(COMPOSED)
    for module in CHECKS.glob("*.py"):
        for node in ast.walk(ast.parse(module.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found |= {node.value} if AREA.fullmatch(node.value) else set()
    return found - FOLDERS


def test_every_finding_is_explained() -> None:
    page = (CHECKS / "FINDINGS.md").read_text()
    assert set(re.findall(r"^\| `([^`]+)` \|", page, re.MULTILINE)) == given()
