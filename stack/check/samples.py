"""Groups of alerts as Alertmanager hands them to a template, and what messages must say of them.

The values of labels hold what HTML and Slack take for markup, so that text that is not escaped
shows. Upstream: template.Data of Alertmanager.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from stack.check.claims import Told, labels_in, pattern_text
from stack.check.configuration import AlertRule
from stack.check.yamlfile import get, pairs, text

HOSTILE = " <b>&amp;x"
STARTED, ENDED = "2026-01-01T08:00:00Z", "2026-01-01T08:05:00Z"
MANY = 2000


@dataclass(frozen=True, kw_only=True)
class Sample:
    """A group: the state of each of its alerts, which differ in their instance."""

    name: str
    states: tuple[str, ...]
    bare: bool = False
    """Its alerts have no labels and annotations that other rules have."""


ALONE = (
    Sample(name="one firing alert", states=("firing",)),
    Sample(name="one resolved alert", states=("resolved",)),
)
"""Of every rule."""

GROUPS = (
    Sample(name="two firing alerts and a resolved one", states=("firing", "firing", "resolved")),
    Sample(name="none left firing", states=("resolved", "resolved")),
    Sample(name=f"{MANY:,} firing alerts", states=("firing",) * MANY),
    Sample(name=f"{MANY:,} resolved alerts", states=("resolved",) * MANY),
    Sample(name="labels and annotations missing", states=("firing",), bare=True),
)
"""Of one rule for each template."""


def told(sample: Sample, rule: AlertRule) -> list[Told]:
    """What a message about the sample must say."""
    return [_told(state, number, rule) for number, state in enumerate(sample.states, 1)]


def _told(state: str, number: int, rule: AlertRule) -> Told:
    written = {name: text(node) for name, node in pairs(get(rule.node, "labels"))}
    annotations = {name: text(node) for name, node in pairs(get(rule.node, "annotations"))}
    given = {name: f"{name}-1{HOSTILE}" for name in _named(annotations)}
    given["instance"] = f"instance-{number}{HOSTILE}"
    return Told(
        state=state,
        labels={"alertname": rule.name, **given, **written},
        summary=annotations.get("summary", ""),
        description=annotations.get("description", ""),
        runbook_url=annotations.get("runbook_url", ""),
        dashboard_uid=annotations.get("dashboard_uid", ""),
        panel=annotations.get("panel", ""),
        query=f"http://prometheus:9090/graph?g0.expr={rule.name}&g0.tab={number}",
        started=STARTED[:-1].replace("T", " "),
        ended=ENDED[:-1].replace("T", " ") if state == "resolved" else "",
    )


def _named(annotations: Mapping[str, str]) -> Iterator[str]:
    for template in annotations.values():
        yield from labels_in(template)


def data(sample: Sample, alerts: Sequence[Told], group_by: Sequence[str]) -> dict[str, object]:
    """The group as amtool reads it."""
    every = [_alert(one, bare=sample.bare) for one in alerts]
    labels = [dict(one["labels"]) for one in every]
    annotations = [dict(one["annotations"]) for one in every]
    shared = _shared(labels)
    return {
        "receiver": "sample",
        "status": "firing" if "firing" in sample.states else "resolved",
        "alerts": every,
        "groupLabels": {name: shared[name] for name in group_by if name in shared},
        "commonLabels": shared,
        "commonAnnotations": _shared(annotations),
        "externalURL": "http://alertmanager:9093",
    }


def _alert(one: Told, *, bare: bool) -> dict[str, dict[str, str]]:
    annotations = {
        "summary": pattern_text(one.summary, one.labels),
        "description": pattern_text(one.description, one.labels),
        "runbook_url": one.runbook_url,
        "dashboard_uid": one.dashboard_uid,
        "panel": one.panel,
    }
    labels = {"alertname": one.labels["alertname"]} if bare else dict(one.labels)
    plain = {
        "status": one.state,
        "startsAt": STARTED,
        "endsAt": ENDED if one.state == "resolved" else "0001-01-01T00:00:00Z",
        "generatorURL": one.query,
        "fingerprint": "0123456789abcdef",
    }
    return {"labels": labels, "annotations": {} if bare else annotations, **plain}  # type: ignore[dict-item]


def _shared(every: Sequence[Mapping[str, str]]) -> dict[str, str]:
    first = every[0]
    return {
        name: value for name, value in first.items() if all(one.get(name) == value for one in every)
    }
