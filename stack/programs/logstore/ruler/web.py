"""Rules and alerts as Prometheus' API shows them, and rule files as Loki's does."""

import math
from typing import Any

import orjson
import yaml
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from stack.logql.alerts import Alert, RuleState
from stack.programs.logstore.ruler.notify import time_text
from stack.programs.logstore.ruler.run import GroupState, Ruler


def routes(ruler: Ruler) -> list[BaseRoute]:
    async def rules(request: Request) -> Response:
        with ruler.lock:
            groups = [_group(state) for state in ruler.groups]
        return _success({"groups": groups})

    async def alerts(request: Request) -> Response:
        with ruler.lock:
            found = [
                _alert(alert)
                for state in ruler.groups
                for rule in state.rules
                for alert in rule.active()
            ]
        return _success({"alerts": found})

    async def files(request: Request) -> Response:
        text = yaml.safe_dump(_files(ruler), sort_keys=False, allow_unicode=True)
        return Response(text, media_type="application/yaml")

    return [
        Route("/prometheus/api/v1/rules", rules),
        Route("/prometheus/api/v1/alerts", alerts),
        Route("/loki/api/v1/rules", files),
    ]


def _success(data: Any) -> Response:
    body = orjson.dumps({"status": "success", "data": data, "errorType": "", "error": ""})
    return Response(body, media_type="application/json")


def _group(state: GroupState) -> dict[str, Any]:
    return {
        "name": state.group.name,
        "file": state.group.file,
        "interval": state.group.interval_s,
        "limit": 0,
        "rules": [_rule(rule) for rule in state.rules],
        "evaluationTime": state.took_s,
        "lastEvaluation": time_text(state.evaluated_s),
    }


def _rule(state: RuleState) -> dict[str, Any]:
    rule = state.rule
    return {
        "state": state.state,
        "name": rule.name,
        "query": rule.expr,
        "duration": rule.for_s,
        "keepFiringFor": rule.keep_firing_s,
        "labels": dict(rule.labels),
        "annotations": dict(rule.annotations),
        "alerts": [_alert(alert) for alert in state.active()],
        "health": "err" if state.error else "ok" if state.evaluated_s else "unknown",
        "lastError": state.error,
        "evaluationTime": state.took_s,
        "lastEvaluation": time_text(state.evaluated_s),
        "type": "alerting",
    }


def _alert(alert: Alert) -> dict[str, Any]:
    return {
        "labels": dict(alert.labels),
        "annotations": dict(alert.annotations),
        "state": alert.state,
        "activeAt": time_text(alert.active_s),
        "value": _scientific(alert.value),
    }


def _scientific(value: float) -> str:
    """As Go writes a float with an exponent: 12 is `1.2e+01`."""
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "+Inf" if value > 0 else "-Inf"
    texts = (f"{value:.{digits}e}" for digits in range(17))
    return next(text for text in texts if float(text) == value)


def _files(ruler: Ruler) -> dict[str, list[dict[str, Any]]]:
    files: dict[str, list[dict[str, Any]]] = {}
    for state in ruler.groups:
        group = state.group
        rules = [
            {
                "alert": rule.name, "expr": rule.expr, "for": f"{rule.for_s:g}s",
                "keep_firing_for": f"{rule.keep_firing_s:g}s", "labels": dict(rule.labels),
                "annotations": dict(rule.annotations),
            }
            for rule in group.rules
        ]  # fmt: skip
        files.setdefault(group.file, []).append(
            {"name": group.name, "interval": f"{group.interval_s:g}s", "rules": rules}
        )
    return files
