"""Every text of every receiver, rendered by amtool with alerts as Alertmanager would hand over.

Alertmanager loads a template that uses a field which does not exist, and fails only when it sends.
"""

import json
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

from stack.check.configuration import Configuration
from stack.check.problem import Problem
from stack.check.programs import Programs, complaint
from stack.check.yamlfile import entries, line, scalars

_ERROR = re.compile(
    r"template: (?P<file>[^:\s]*):(?P<line>\d+)(?::\d+)?: (?:executing .*? at )?(?P<said>.*)"
)


def check(configuration: Configuration, programs: Programs) -> Iterator[Problem]:
    file = configuration.alertmanager
    if not file:
        return
    # A value that is merged into several receivers is one text of one line.
    texts = {
        (line(node), str(node.value))
        for receiver in entries(file.root, "receivers")
        for node in scalars(receiver)
        if "{{" in str(node.value)
    }
    files = {path.name: path for path in configuration.templates}
    with tempfile.TemporaryDirectory() as folder:
        samples = _samples(Path(folder))
        # One text of all is asked about once; which of them it is matters only if it fails.
        whole = "\n".join(value for _, value in sorted(texts))
        refused = _refusal(whole, samples, configuration, programs)
        for number, value in sorted(texts) if refused else []:
            words = _refusal(value, samples, configuration, programs)
            if not words:
                continue
            error = _ERROR.search(words)
            at = files.get(error["file"]) if error else None
            yield Problem(
                check="templates/render",
                path=at or file.path,
                line=int(error["line"]) if error and at else number,
                what=f"`{value}` cannot be rendered: {error['said'] if error else words.strip()}.",
                cure="Use what there is: prometheus.io/docs/alerting/latest/notifications.",
            )


def _refusal(
    value: str, samples: list[Path], configuration: Configuration, programs: Programs
) -> str:
    """What amtool says of the first sample with which `value` does not render; "" if all do."""
    templates = configuration.root / "alertmanager" / "templates" / "*.tmpl"
    for sample in samples:
        arguments: list[str | Path] = [programs.amtool, "template", "render"]
        arguments += [f"--template.glob={templates}", f"--template.text={value}"]
        words = complaint([*arguments, f"--template.data={sample}"])
        if words:
            return words
    return ""


def _samples(folder: Path) -> list[Path]:
    """A group that fires, and one that is over; files as amtool reads them."""
    paths = []
    for status in ("firing", "resolved"):
        paths.append(folder / f"{status}.json")
        paths[-1].write_text(json.dumps(_group(status)))
    return paths


def _group(status: str) -> dict[str, object]:
    labels = {"alertname": "Sample", "severity": "warning", "instance": "backend"}
    annotations = {"summary": "summary", "description": "text", "runbook_url": "https://example"}
    alert = {
        "status": status,
        "labels": labels,
        "annotations": annotations,
        "startsAt": "2026-01-01T08:00:00Z",
        "endsAt": "2026-01-01T08:05:00Z",
        "generatorURL": "http://prometheus:9090/graph",
        "fingerprint": "0123456789abcdef",
    }
    return {
        "receiver": "sample",
        "status": status,
        "alerts": [alert, alert],
        "groupLabels": {"alertname": "Sample"},
        "commonLabels": labels,
        "commonAnnotations": annotations,
        "externalURL": "http://alertmanager:9093",
    }
