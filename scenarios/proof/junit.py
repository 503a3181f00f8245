"""JUnit XML, as CI servers read it: one suite of cases that passed, failed or were skipped."""

import re
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum


class Mark(Enum):
    """What came of one case."""

    PASSED = "passed"
    FAILED = "failure"
    SKIPPED = "skipped"


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One line of CI's table."""

    name: str
    group: str
    """With dots; CI folds by it."""
    mark: Mark
    reason: str = ""
    """Why it failed or was skipped, in a sentence."""
    detail: str = ""
    """What to read then, or what was seen of one that passed."""
    took_s: float | None = None


def write(suite: str, cases: Sequence[Entry], *, started: float, took_s: float) -> bytes:
    """The file's bytes; `started` in Unix seconds."""
    counts = {mark: str(sum(one.mark is mark for one in cases)) for mark in Mark}
    top = ET.Element(
        "testsuite",
        name=suite,
        tests=str(len(cases)),
        failures=counts[Mark.FAILED],
        errors="0",
        skipped=counts[Mark.SKIPPED],
        time=f"{took_s:.3f}",
        timestamp=datetime.fromtimestamp(started, UTC).strftime("%Y-%m-%dT%H:%M:%S"),
    )
    for one in cases:
        case = ET.SubElement(top, "testcase", name=one.name, classname=one.group)
        if one.took_s is not None:
            case.set("time", f"{one.took_s:.3f}")
        if one.mark is Mark.PASSED:
            ET.SubElement(case, "system-out").text = _plain(one.detail)
        else:
            said = ET.SubElement(case, one.mark.value, message=_plain(one.reason))
            said.text = _plain(one.detail) or None
    tree = ET.Element("testsuites", name=suite)
    tree.append(top)
    ET.indent(tree)
    text: bytes = ET.tostring(tree, encoding="utf-8", xml_declaration=True)
    return text


def _plain(text: str) -> str:
    """Without the control characters that XML cannot hold."""
    return re.sub(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd]", "?", text)
