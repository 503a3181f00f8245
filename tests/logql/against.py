"""The conformance table against a running Loki: `python -m tests.logql.against URL`.

Pushes the corpora, each at a time of its own, and asks every query of the table. Prints where the
answers differ from the table: `explained` for cases that say why, `DIFFERENT` for the others; ends
with 1 if there are any of the latter. For a Loki that adds no labels of its own
(`discover_service_name: []`, `discover_log_levels: false`) and that is fresh: the corpora of
an earlier run would be seen, too.
"""

import sys
import time
from typing import Any

import httpx

from stack.logql.golang import float_of
from tests.logql import table
from tests.logql.table import SECOND, Answer, Case, Line

APART_S = 300
"""Queries look back over less than that; all of it is so recent that the ingester is asked."""


def main(url: str) -> int:
    with httpx.Client(base_url=url, timeout=60) as client:
        bases = _push(client)
        _wait(client, bases)
        unexplained = explained = 0
        cases = list(table.cases())
        for case in cases:
            wrong = table.difference(case, _asked(client, case, bases[case.corpus]))
            if not wrong:
                if case.differs:
                    print(f"same     {case}: although {case.differs}")
                continue
            if case.differs:
                explained += 1
                print(f"explained {case}: {case.differs}\n{wrong}")
            else:
                unexplained += 1
                print(f"DIFFERENT {case}\n{case.query}\n{wrong}")
    same = len(cases) - explained - unexplained
    print(f"{len(cases)} cases: {same} the same, {explained} explained, {unexplained} DIFFERENT")
    return 1 if unexplained else 0


def _push(client: httpx.Client) -> dict[str, int]:
    """Pushes every corpus; where each begins, in nanoseconds."""
    now_s = int(time.time()) // APART_S * APART_S
    bases = {}
    corpora = table.corpora()
    # Oldest first: a Loki refuses what is far behind the newest line of its stream.
    for place, (name, lines) in enumerate(sorted(corpora.items())):
        bases[name] = (now_s - (len(corpora) - place) * APART_S) * SECOND
        streams = [_stream(line, bases[name]) for line in lines]
        reply = client.post("/loki/api/v1/push", json={"streams": streams})
        if reply.status_code != 204:
            raise RuntimeError(f"{name}: {reply.text}")
    return bases


def _stream(line: Line, base_ns: int) -> dict[str, Any]:
    value = [str(base_ns + round(line.at_s * SECOND)), line.text]
    return {"stream": dict(line.labels), "values": [[*value, dict(line.metadata)]]}


def _wait(client: httpx.Client, bases: dict[str, int]) -> None:
    """Until the last corpus can be queried."""
    for name, base_ns in bases.items():
        line = table.corpora()[name][0]
        selector = "{" + ",".join(f'{key}="{value}"' for key, value in line.labels.items()) + "}"
        parameters = {"query": selector, "start": base_ns, "end": base_ns + APART_S * SECOND}
        deadline = time.monotonic() + 30
        while not client.get("/loki/api/v1/query_range", params=parameters).json()["data"][
            "result"
        ]:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{name}: nothing of it can be queried after 30 s")
            time.sleep(0.2)


def _get(client: httpx.Client, parameters: dict[str, Any]) -> Any:
    return client.get("/loki/api/v1/query_range", params=parameters).json()


def _asked(client: httpx.Client, case: Case, base_ns: int) -> Answer:
    start_ns, end_ns = (base_ns + round(at * SECOND) for at in (case.start_s, case.end_s))
    parameters: dict[str, Any] = {"query": case.query, "limit": case.limit}
    if case.instant:
        reply = client.get("/loki/api/v1/query", params={**parameters, "time": end_ns})
    else:
        parameters |= {"start": start_ns, "end": end_ns, "direction": case.direction}
        parameters["step"] = f"{case.step_s or 1}s"
        reply = client.get("/loki/api/v1/query_range", params=parameters)
    if reply.status_code != 200:
        return reply.text
    data = reply.json()["data"]
    return _answer(case, data["resultType"], data["result"], base_ns)


def _answer(case: Case, kind: str, result: Any, base_ns: int) -> Answer:
    if kind == "scalar":
        return float_of(result[1])
    if kind == "vector":
        rows = [(sorted(row["metric"].items()), [float_of(row["value"][1])]) for row in result]
        return rows if case.kind == "ordered" else sorted(rows)
    if kind == "matrix":
        return sorted(
            (
                (sorted(row["metric"].items()), _points(case, row["values"], base_ns))
                for row in result
            ),
            key=lambda row: row[0],
        )
    if case.kind == "streams":
        return sorted(
            (sorted(row["stream"].items()), [entry[1] for entry in row["values"]]) for row in result
        )
    entries = [(int(entry[0]), entry[1]) for row in result for entry in row["values"]]
    entries.sort(key=lambda entry: entry[0], reverse=case.direction == "backward")
    return len(entries) if case.kind == "count" else [line for _, line in entries]


def _points(case: Case, values: list[Any], base_ns: int) -> list[float | None]:
    found = {round(at - base_ns / SECOND): float_of(text) for at, text in values}
    times = range(round(case.start_s), round(case.end_s) + 1, round(case.step_s or 1))
    return [found.get(at) for at in times]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
