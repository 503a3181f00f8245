"""What the shipper takes of promtail-config.yml, what it makes of lines, and what it refuses."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from stack.errors import BadInput
from stack.logql.regex import finds
from stack.paths import REPO
from stack.programs.logship.blocks import Blocks
from stack.programs.logship.patterns import expanded
from stack.programs.logship.reader import Note, Raw
from stack.programs.logship.sections import Section
from stack.programs.logship.settings import read
from stack.programs.logship.stages import Multiline, pipeline
from stack.programs.logship.times import parser
from stack.programs.logship.trail import siblings

CHECKED_IN = REPO / "stack" / "config" / "promtail" / "promtail-config.yml"


def test_checked_in_configuration_is_taken() -> None:
    settings = read(CHECKED_IN)
    assert [target.job for target in settings.targets] == [
        "scheduler", "postgresql", "supervisor", "audit", "lab"
    ]  # fmt: skip
    assert settings.client.path == "/loki/api/v1/push"
    assert settings.max_line_bytes == 256 * 1024


LINES = [
    (
        "scheduler",
        '{"timestamp": "2026-11-24T11:10:10.691Z", "level": "INFO", "path": "/x", "status": null}',
        {"job": "scheduler", "service": "residency-scheduler-backend", "level": "info"},
        1795518610_691_000_000,
    ),
    (
        "scheduler",
        "Traceback (most recent call last):\n  File x",
        {"job": "scheduler", "service": "residency-scheduler-backend"},
        None,
    ),
    (
        "postgresql",
        '2026-11-24 11:10:10.691 GMT [7] 42P01 ERROR:  relation "x"\nSTATEMENT:  y',
        {"job": "database", "service": "postgresql", "level": "error"},
        1795518610_691_000_000,
    ),
    (
        "postgresql",
        "2026-11-24 11:10:10.691 GMT [7] 00000 LOG:  ready",
        {"job": "database", "service": "postgresql", "level": "log"},
        1795518610_691_000_000,
    ),
    (
        "lab",
        'ts=2026-11-24T11:10:10.691Z caller=main.go:5 level=info msg="a level=error b"',
        {"job": "lab", "service": "prometheus", "level": "info"},
        1795518610_691_000_000,
    ),
    (
        "lab",
        "level=WARN ts=2026-11-24T11:10:10.691234567Z msg=x",
        {"job": "lab", "service": "prometheus", "level": "warn"},
        1795518610_691_234_567,
    ),
    (
        "lab",
        r'msg="x level=panic \" ts=1970-01-01T00:00:00Z y" level=warn ts=2026-11-24T11:10:10.691Z',
        {"job": "lab", "service": "prometheus", "level": "warn"},
        1795518610_691_000_000,
    ),
    (
        "lab",
        'time=2026-11-24T11:10:10.691Z user=a,level=panic xlevel=fatal msg="level=error"',
        {"job": "lab", "service": "prometheus"},
        1795518610_691_000_000,
    ),
    (
        "lab",
        'logger=provisioning.dashboard t=2026-11-24T11:10:10.691234567Z level=error msg="x"',
        {"job": "lab", "service": "prometheus", "level": "error"},
        1795518610_691_234_567,
    ),
    # White space is what it is to Go: a vertical tab is none.
    (
        "lab",
        'time=2026-11-24T11:10:10.691Z level= a=\vlevel="fatal" b=x',
        {"job": "lab", "service": "prometheus"},
        1795518610_691_000_000,
    ),
    (
        "scheduler",
        r'{"timestamp": "2026-11-24T11:10:10.691Z", "level": "ERROR", "message": "\ud800 \\ud800"}',
        {"job": "scheduler", "service": "residency-scheduler-backend", "level": "error"},
        1795518610_691_000_000,
    ),
    (
        "scheduler",
        r'{"level": "a\udfff"}',
        {"job": "scheduler", "service": "residency-scheduler-backend", "level": "a\ufffd"},
        None,
    ),
    (
        "scheduler",
        r'{"level": "ERROR", "message": "\ud800',
        {"job": "scheduler", "service": "residency-scheduler-backend"},
        None,
    ),
    # Deeper than can be written again: not a level.
    (
        "scheduler",
        f'{{"level": {"[" * 300}{"]" * 300}}}',
        {"job": "scheduler", "service": "residency-scheduler-backend"},
        None,
    ),
    ("lab", "no logfmt", {"job": "lab", "service": "prometheus"}, None),
    ("lab", "time=then level=", {"job": "lab", "service": "prometheus"}, None),
]


@pytest.mark.parametrize(("job", "text", "labels", "time_ns"), LINES)
def test_line_gets_its_labels_and_its_time(
    job: str, text: str, labels: dict[str, str], time_ns: int | None
) -> None:
    target = next(target for target in read(CHECKED_IN).targets if target.job == job)
    given = {**target.labels, "filename": "/logs/prometheus.log"}
    line = target.pipeline.run(text, given)
    assert (line.text, line.labels, line.time_ns) == (text, labels, time_ns)


FIRSTLINES = [
    ("postgresql", "2026-11-24 11:10:10.691 GMT [7] 42601 ERROR:  x", True),
    ("postgresql", "2026-11-24 11:10:10.691 GMT [7] 28P01 FATAL:  x", True),
    ("postgresql", "2026-11-24 11:10:10.691 GMT [7] 42601 STATEMENT:  x", False),
    ("postgresql", "2026-11-24 11:10:10.691 GMT [7] 42601 DETAIL:  x", False),
    ("postgresql", "\tFROM x", False),
    ("postgresql", "\t2026-11-24 11:10:10.691 GMT [7] 00000 PANIC:  x", False),
    ("scheduler", '{"timestamp": ""}', True),
    ("scheduler", "  File x", False),
    ("lab", "time=x", True),
    ("lab", "logger=x", True),
    ("lab", "panic: x", True),
    ("lab", "goroutine 1 [running]:", False),
]


@pytest.mark.parametrize(("job", "text", "begins"), FIRSTLINES)
def test_block_begins_where_it_should(job: str, text: str, begins: bool) -> None:
    target = next(target for target in read(CHECKED_IN).targets if target.job == job)
    assert target.pipeline.multiline is not None
    assert target.pipeline.multiline.begins(text) == begins


def stage(name: str, settings: object) -> list[Section]:
    return [Section({name: settings}, "pipeline_stages[0]", "some.yml")]


REFUSED: list[tuple[str, Any, str]] = [
    ("metrics", {}, "`pipeline_stages[0]` is the stage `metrics`"),
    ("drop", {"older_than": "24h"}, "is the stage `drop`"),
    ("regex", {"expression": "(?P<a>"}, "is not a valid regular expression"),
    ("regex", {"expression": "(?P<a>x)(?=y)"}, "invalid or unsupported Perl syntax"),
    ("regex", {"expression": "x"}, "has no named group"),
    ("regex", {}, "`pipeline_stages[0].regex.expression` is missing"),
    ("json", {"expressions": {"a": "b.c"}}, "expected the name of a field"),
    ("json", {"expressions": {"a": 5}}, "expressions.a` is 5"),
    ("json", {"expressions": {}, "drop_malformed": True}, "`pipeline_stages[0].json.drop_malf"),
    ("timestamp", {"source": "t", "format": "RFC3339"}, "must be `skip`"),
    (
        "timestamp",
        {"source": "t", "format": "Jan 2", "action_on_failure": "skip"},
        "`Jan` in the layout",
    ),
    ("timestamp", {"source": "t", "format": "15:04", "action_on_failure": "skip"}, "no `2006`"),
    (
        "timestamp",
        {"source": "t", "format": "2006-01-02 15:04:05 04", "action_on_failure": "skip"},
        "has one part of a time twice",
    ),
    ("template", {"source": "a", "template": "{{ Trim .Value }}"}, "knows `{{ ToLower .Value }}`"),
    (5, {}, "has the key 5, expected the name of a stage"),
    ("multiline", {"firstline": "x", "max_lines": 0}, "is 0, expected at least 1"),
    ("multiline", {"firstline": "x", "max_wait_time": "3"}, "expected a duration"),
    ("multiline", {"firstline": "x", "trim": 1}, "`pipeline_stages[0].multiline.trim` is not kno"),
    ("labels", [], "expected a mapping"),
    ("labeldrop", [1], "expected a list of labels"),
]


@pytest.mark.parametrize(("name", "settings", "message"), REFUSED)
def test_stage_is_refused_with_its_place(name: str, settings: object, message: str) -> None:
    with pytest.raises(BadInput) as caught:
        pipeline(stage(name, settings))
    assert str(caught.value).startswith("some.yml: `pipeline_stages[0]")
    assert message in str(caught.value)


def test_multiline_must_come_first() -> None:
    stages = [*stage("labeldrop", ["a"]), *stage("multiline", {"firstline": "x"})]
    with pytest.raises(BadInput, match="must be the first stage"):
        pipeline(stages)


BAD_FILES: list[tuple[tuple[str | int, ...], Any, str]] = [
    (("server", "register_instrumentation"), False, "`server.register_instrumentation` is not kno"),
    (("tracing",), {}, "`tracing` is not known"),
    (("clients", 0, "tenant_id"), "x", "`clients[0].tenant_id` is not known"),
    (("clients", 0, "url"), "https://x/y", "speaks plain http"),
    (("clients", 0, "url"), None, "`clients[0].url` is missing"),
    (("clients", 0, "batchsize"), "a lot", "expected a size"),
    (("clients", 0, "batchwait"), 5, "expected a string"),
    (("clients", 0, "backoff_config", "max_retries"), 10, "must be 0 (no limit)"),
    (("clients",), [], "`clients` has 0 entries"),
    (("limits_config", "max_line_size_truncate"), False, "must be true"),
    (("scrape_configs",), [], "names no files"),
    (("scrape_configs", 0, "journal"), {}, "`scrape_configs[0].journal` is not known"),
    (("scrape_configs", 0, "static_configs", 0, "labels"), {}, "has no `__path__`"),
    (("positions",), "x", "expected a mapping"),
]


@pytest.mark.parametrize(("path", "value", "message"), BAD_FILES)
def test_file_is_refused_with_its_key(
    tmp_path: Path, path: tuple[str | int, ...], value: object, message: str
) -> None:
    document = yaml.safe_load(CHECKED_IN.read_text())
    at = document
    for part in path[:-1]:
        at = at[part]
    at[path[-1]] = value
    file = tmp_path / "promtail-config.yml"
    file.write_text(yaml.safe_dump(document))
    with pytest.raises(BadInput) as caught:
        read(file)
    assert str(caught.value).startswith(f"{file}: `")
    assert message in str(caught.value)


TIMES = [
    ("RFC3339Nano", None, "2026-11-24T11:10:10.691Z", 1795518610_691_000_000),
    ("RFC3339Nano", None, "2026-11-24T11:10:10Z", 1795518610_000_000_000),
    ("RFC3339Nano", None, "2026-11-24T12:40:10.5+01:30", 1795518610_500_000_000),
    ("RFC3339", None, "2026-11-24T06:10:10-05:00", 1795518610_000_000_000),
    ("2006-01-02 15:04:05.000 MST", None, "2026-11-24 11:10:10.691 GMT", 1795518610_691_000_000),
    ("2006-01-02 15:04:05,000", "UTC", "2026-11-24 11:10:10,691", 1795518610_691_000_000),
    ("2006-01-02 15:04:05", "Asia/Tokyo", "2026-11-24 20:10:10", 1795518610_000_000_000),
    ("RFC3339Nano", None, "2026-02-31T11:10:10Z", None),
    ("RFC3339Nano", None, "2026-11-24T11:10:60Z", None),
    ("RFC3339Nano", None, "2026-11-24 11:10:10Z", None),
    ("RFC3339Nano", None, "", None),
    ("2006-01-02 15:04:05 MST", "UTC", "2026-11-24 11:10:10 EST", 1795518610_000_000_000),
    ("2006-01-02 15:04:05 MST", "UTC", "2026-11-24 11:10:10 +02", 1795518610_000_000_000),
    ("2006-01-02 15:04:05 MST", "UTC", "2026-11-24 13:10:10 GMT+2", 1795518610_000_000_000),
    ("2006-01-02 15:04:05 MST", "UTC", "2026-11-24 11:10:10 est", None),
    ("2006-01-02 15:04:05 MST", "Europe/Berlin", "2026-11-24 12:10:10 CET", 1795518610_000_000_000),
    ("2006-01-02 15:04:05 MST", "Europe/Berlin", "2026-11-24 13:10:10 CEST", 1795518610 * 10**9),
    ("2006-01-02 15:04:05.000 MST", None, "2026-11-24 11:10:10 UTC", None),
    ("2006-01-02 15:04:05.000 MST", None, "2026-11-24 11:10:10.6915 UTC", None),
    ("2006-01-02 15:04:05", None, "2026-11-24 11:10:10.6915", 1795518610_691_500_000),
    ("RFC3339Nano", None, "0001-01-01T00:00:00Z", None),
    ("RFC3339Nano", None, "9999-12-31T23:59:59Z", None),
]


@pytest.mark.parametrize(("layout", "location", "text", "wanted"), TIMES)
def test_time_is_parsed(layout: str, location: str | None, text: str, wanted: int | None) -> None:
    assert parser(layout, location)(text) == wanted


def test_unknown_location_is_refused() -> None:
    with pytest.raises(ValueError, match="no time zone `Mars/Base`"):
        parser("RFC3339", "Mars/Base")


def raws(*texts: str) -> list[Raw]:
    found, at = [], 0
    for text in texts:
        found.append(Raw(start=at, end=at + len(text) + 1, text=text))
        at += len(text) + 1
    return found


BLOCKS = [
    (["> a", "> b"], ["> a"], ["> b"]),
    (["> a", "1", "2", "> b", "3"], ["> a\n1\n2"], ["> b\n3"]),
    (["1", "2", "> a"], ["1", "2"], ["> a"]),
    (["> a", "1", "2", "3", "4"], ["> a\n1\n2\n3", "4"], []),
    (["> " + "x" * 30, "y" * 30], ["> " + "x" * 30, "y" * 30], []),
    ([], [], []),
]


@pytest.mark.parametrize(("texts", "at_once", "later"), BLOCKS)
def test_lines_become_blocks(texts: list[str], at_once: list[str], later: list[str]) -> None:
    stage = Multiline(begins=finds("^>"), max_lines=4, max_wait_s=1.0)
    blocks = Blocks(stage, max_bytes=50)
    assert [block.text for block in blocks.add(raws(*texts), 0.0)] == at_once
    assert blocks.due(0.5) == []
    assert [(block.text, block.by_clock) for block in blocks.due(1.0)] == [(t, True) for t in later]
    assert blocks.rest() == []


def test_noted_block_stands_alone() -> None:
    stage = Multiline(begins=finds("^>"), max_lines=4, max_wait_s=1.0)
    note = Note(start=4, end=8, time_ns=5)
    noted = Raw(start=4, end=8, text="  b", note=note)
    first, last = Raw(start=0, end=4, text="> a"), Raw(start=8, end=12, text="  c")
    found = Blocks(stage, max_bytes=50).add([first, noted, last], 0.0)
    assert [(block.text, block.note) for block in found] == [
        ("> a", None), ("  b", note), ("  c", None)
    ]  # fmt: skip


def test_siblings_are_the_files_that_were_rotated() -> None:
    names = ["a.log", "a.log.1", "a.log.2.gz", "a.log-20261124", "a.logs", "aa.log.1"]
    assert siblings(Path("/x/a.log"), names) == ["a.log.1", "a.log-20261124"]


def test_braces_are_alternatives() -> None:
    assert expanded("/x/{a,b}-{1,2}.log") == [
        "/x/a-1.log",
        "/x/a-2.log",
        "/x/b-1.log",
        "/x/b-2.log",
    ]
