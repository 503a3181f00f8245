"""One JSON object a line, always the same fields."""

import io
import json
import logging

import pytest
from prometheus_client import CollectorRegistry, Counter

from stack.programs.scheduler import logs


@pytest.fixture
def counter() -> Counter:
    return Counter("log_records", "x", ["level"], registry=CollectorRegistry())


def lines(counter: Counter, *, level: int = logging.INFO, exc_info: object = None) -> list[str]:
    stream = io.StringIO()
    record = logging.LogRecord("scheduler", level, "f.py", 1, "said %s", ("é",), exc_info)  # type: ignore[arg-type]
    logs.CountingHandler(counter, stream).emit(record)
    return stream.getvalue().splitlines()


def test_line_outside_of_a_request_has_nulls(counter: Counter) -> None:
    (line,) = lines(counter)
    found = json.loads(line)
    assert tuple(found) == logs.FIELDS
    assert found["timestamp"].endswith("Z")
    assert {key: found[key] for key in logs.FIELDS if key != "timestamp"} == {
        "level": "INFO",
        "logger": "scheduler",
        "message": "said é",
        "request_id": None,
        "method": None,
        "path": None,
        "status": None,
        "request_time": None,
        "user_role": None,
    }


def test_line_of_a_request_has_its_fields_and_unit(counter: Counter) -> None:
    request = logs.Request(
        request_id="r1",
        method="GET",
        path="/x",
        status=200,
        seconds=0.13249,
        user_role="resident",
    )
    token = logs.current.set(request)
    try:
        (line,) = lines(counter)
    finally:
        logs.current.reset(token)
    found = json.loads(line)
    assert tuple(found) == logs.FIELDS
    assert (found["request_time"], found["status"]) == ("0.132s", 200)
    assert (found["request_id"], found["user_role"]) == ("r1", "resident")


def test_line_with_a_traceback_is_one_line(counter: Counter) -> None:
    try:
        raise ValueError("two\nlines")
    except ValueError as error:
        (line,) = lines(counter, exc_info=(type(error), error, error.__traceback__))
    found = json.loads(line)
    assert tuple(found) == (*logs.FIELDS, "exception")
    assert found["exception"].endswith("ValueError: two\nlines")


def test_levels_are_counted(counter: Counter) -> None:
    lines(counter)
    lines(counter, level=logging.ERROR)
    lines(counter, level=logging.ERROR)
    counts = {
        s.labels["level"]: s.value
        for m in counter.collect()
        for s in m.samples
        if s.name == "log_records_total"
    }
    assert counts == {"INFO": 1, "ERROR": 2}
