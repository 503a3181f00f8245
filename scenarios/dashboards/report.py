"""Writes what was seen of the panels: JUnit XML for CI, one HTML page for people."""

import xml.etree.ElementTree as ET
from datetime import UTC, datetime
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from scenarios.dashboards.judging import Outcome
from scenarios.dashboards.result import Proof


def write(proof: Proof) -> None:
    """`junit.xml` and `report.html` in the proof's folder."""
    (proof.folder / "junit.xml").write_bytes(junit(proof))
    (proof.folder / "report.html").write_text(page(proof), encoding="utf-8")


def junit(proof: Proof) -> bytes:
    """Each panel a test case; a failure says what is wrong with it."""
    suite = ET.Element(
        "testsuite",
        name="verify-dashboards",
        tests=str(len(proof.panels)),
        failures=str(proof.count(Outcome.FAILED)),
        errors="0",
        skipped=str(proof.count(Outcome.UNPLAYED)),
        time=f"{proof.took_s:.3f}",
        timestamp=datetime.fromtimestamp(proof.started, UTC).strftime("%Y-%m-%dT%H:%M:%S"),
    )
    for one in proof.panels:
        case = ET.SubElement(suite, "testcase", name=f"{one.panel.id} {one.panel.title}",
                             classname=f"dashboards.{one.panel.dashboard.uid}")  # fmt: skip
        if one.outcome is Outcome.FAILED:
            failure = ET.SubElement(case, "failure", message=" ".join(one.reasons))
            failure.text = "\n".join(target.expression for target in one.panel.targets)
        elif one.outcome is Outcome.UNPLAYED:
            ET.SubElement(case, "skipped", message=one.words or "no fault was played")
        else:
            ET.SubElement(case, "system-out").text = one.words
    tree = ET.Element("testsuites", name="verify-dashboards")
    tree.append(suite)
    ET.indent(tree)
    text: bytes = ET.tostring(tree, encoding="utf-8", xml_declaration=True)
    return text


def page(proof: Proof) -> str:
    """One file without anything from outside."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=select_autoescape(["j2", "html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    boards = {one.panel.dashboard.uid: one.panel.dashboard for one in proof.panels}
    return environment.get_template("report.html.j2").render(
        proof=proof,
        outcomes=list(Outcome),
        boards={uid: [one for one in proof.panels if one.panel.dashboard.uid == uid]
                for uid in boards},
        began=datetime.fromtimestamp(proof.started, UTC).strftime("%Y-%m-%d %H:%M:%S UTC"),
    )  # fmt: skip
