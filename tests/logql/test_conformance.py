"""The engine answers each case of the conformance table as a Loki does."""

from functools import cache

import pytest

from stack.logql import Engine, LogQLError, MemorySource
from stack.logql.results import Matrix, Result, Scalar, Streams, Vector
from tests.logql import table
from tests.logql.table import SECOND, Answer, Case

BASE_NS = 1_700_000_000 * SECOND - 1_700_000_000 * SECOND % (3600 * SECOND)
CASES = list(table.cases())


@cache
def engine(corpus: str) -> Engine:
    source = MemorySource(batch_size=3)
    for line in table.corpora()[corpus]:
        source.add(line.labels, BASE_NS + round(line.at_s * SECOND), line.text, line.metadata)
    return Engine(source)


def asked(case: Case) -> Result:
    start_ns, end_ns = (BASE_NS + round(at * SECOND) for at in (case.start_s, case.end_s))
    if case.instant:
        return engine(case.corpus).query(case.query, end_ns)
    return engine(case.corpus).query_range(
        case.query,
        start_ns,
        end_ns,
        round((case.step_s or 1) * SECOND),
        limit=case.limit,
        direction="backward" if case.direction == "backward" else "forward",
    )


def answer(case: Case, result: Result) -> Answer:
    match result:
        case Scalar():
            return result.value
        case Vector():
            rows = [(sorted(sample.labels.items()), [sample.value]) for sample in result.samples]
            return rows if case.kind == "ordered" else sorted(rows)
        case Matrix():
            times = range(round(case.start_s), round(case.end_s) + 1, round(case.step_s or 1))
            return [
                (
                    sorted(series.labels.items()),
                    [dict(series.points).get(BASE_NS + at * SECOND) for at in times],
                )
                for series in result.series
            ]
        case Streams():
            return _entries(case, result)


def _entries(case: Case, result: Streams) -> Answer:
    if case.kind == "streams":
        return [
            (sorted(stream.labels.items()), [line for _, line in stream.entries])
            for stream in result.streams
        ]
    entries = [entry for stream in result.streams for entry in stream.entries]
    entries.sort(key=lambda entry: entry[0], reverse=case.direction == "backward")
    return len(entries) if case.kind == "count" else [line for _, line in entries]


def told(case: Case) -> Answer:
    """The answer in the table's shape, or the text of the refusal."""
    try:
        return answer(case, asked(case))
    except LogQLError as error:
        return str(error)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_query_is_answered_as_a_loki_does(case: Case) -> None:
    assert not table.difference(case, told(case)), case.query


def test_the_table_is_large_and_names_each_case_once() -> None:
    assert len(CASES) >= 200
    assert len({str(case) for case in CASES}) == len(CASES)


def test_refusals_and_quiet_cases_are_a_good_part_of_the_table() -> None:
    refused = [case for case in CASES if case.kind == "error"]
    quiet = [case for case in CASES if case.expected in ([], 0)]
    assert len(refused) >= 40
    assert len(quiet) >= 12


def test_every_corpus_is_asked_something() -> None:
    assert {case.corpus for case in CASES} == set(table.corpora())
