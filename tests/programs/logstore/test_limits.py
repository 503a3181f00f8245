"""Loki's limits, in Loki's words; what is good in a push is kept all the same."""

import time
from collections import Counter
from dataclasses import replace

import pytest

from stack.paths import REPO
from stack.programs.logstore.ingest import Ingest, Push
from stack.programs.logstore.push import Pushed
from stack.programs.logstore.settings import load
from tests.programs.logstore.conftest import SECOND, T0, entries

LIMITS = load(REPO / "stack/config/loki/loki-config.yml").limits
HOUR = 3600 * SECOND
STREAM = '{service="a"}'


class Counted:
    def __init__(self) -> None:
        self.lines, self.reasons = 0, Counter()

    def received(self, lines: int, size_bytes: int) -> None:
        self.lines += lines

    def discarded(self, reason: str, lines: int, size_bytes: int) -> None:
        self.reasons[reason] += lines


def ingest(store, now_s: float = T0 / SECOND, **limits) -> Ingest:
    made = Ingest(store, replace(LIMITS, **limits), Counted(), clock=lambda: now_s)
    made.counted = made._counts
    return made


def pushed(*at: int, labels: object = STREAM, line: str = "line") -> Pushed:
    return Pushed(labels, list(at), [line] * len(at), False)


def take(made: Ingest, *streams: Pushed) -> tuple[int, str]:
    ((outcome,), _) = made.take([Push(streams=streams)])
    return tuple(outcome)


def test_limits_let_good_lines_pass(store):
    made = ingest(store)
    assert take(made, pushed(T0, T0 + 1), pushed(T0, labels={"b": "c"})) == (204, "")
    assert made.counted.lines == 3
    assert made.counted.reasons == {}


def test_limits_let_an_empty_stream_pass(store):
    assert take(ingest(store), pushed()) == (204, "")
    assert entries(store) == []


@pytest.mark.parametrize(
    ("stream", "limits", "reason", "words"),
    [
        (pushed(T0 - 8 * 24 * HOUR), {}, "greater_than_max_sample_age",
         f"entry for stream '{STREAM}' has timestamp too old: 2023-11-06T22:13:20Z, oldest "
         "acceptable timestamp is: 2023-11-07T22:13:20Z"),
        (pushed(T0 + HOUR), {}, "too_far_in_future",
         f"entry for stream '{STREAM}' has timestamp too new: 2023-11-14T23:13:20Z"),
        (pushed(T0, line="ä" * 6), {"line_bytes": 11}, "line_too_long",
         f"max entry size '11' bytes exceeded for stream '{STREAM}' while adding an entry with "
         "length '12' bytes"),
        (pushed(T0, labels={f"l{count}": "x" for count in range(16)}), {},
         "max_label_names_per_series", "has 16 label names; limit 15"),
        (pushed(T0, labels={"n" * 1025: "x"}), {}, "label_name_too_long",
         "has label name too long: 'nnn"),
        (pushed(T0, labels={"n": "x" * 2049}), {}, "label_value_too_long",
         "has label value too long: 'xxx"),
        (pushed(T0, labels='{a="1", a="2"}'), {}, "duplicate_label_names",
         "has duplicate label name: 'a'"),
        (pushed(T0, labels="{}"), {}, "missing_labels",
         "error at least one label pair is required per stream"),
        (Pushed(STREAM, [T0], ["line"], True), {}, "disallowed_structured_metadata",
         f"stream '{STREAM}' includes structured metadata, but this feature is disallowed"),
    ],
    ids=lambda value: value if isinstance(value, str) and "_" in value and " " not in value else "",
)  # fmt: skip
def test_limits_refuse_one_stream_and_keep_the_other(store, stream, limits, reason, words):
    made = ingest(store, **limits)
    status, message = take(made, stream, pushed(T0, labels='{good="yes"}'))
    assert status == 400
    assert words in message
    assert reason in made.counted.reasons
    assert [labels for labels, *_ in entries(store)] == ['{"good":"yes"}']


def test_limits_count_errors_that_are_alike(store):
    _, message = take(ingest(store), pushed(T0 + HOUR, T0 + HOUR), pushed(T0 - 9999 * HOUR))
    assert message.startswith("2 errors like: entry for stream")
    assert "; 1 errors like: " in message


def test_limits_cut_lines_when_asked_to(store):
    made = ingest(store, line_bytes=5, truncate_lines=True)
    assert take(made, pushed(T0, line="äöü")) == (204, "")
    assert [line for *_, line in entries(store)] == ["äö"]


@pytest.mark.parametrize("text", ["", "a", "{a=b}", '{a="b"', '{1="b"}', '{a="b" c="d"}'])
def test_limits_refuse_a_whole_push_with_labels_that_cannot_be_read(store, text):
    status, message = take(ingest(store), pushed(T0, labels=text), pushed(T0))
    assert status == 400
    assert message.startswith("couldn't parse labels")
    assert entries(store) == []


def test_limits_say_that_a_push_has_no_streams(store):
    assert take(ingest(store))[0] == 422


def test_limits_accept_what_is_out_of_order_within_the_window(store):
    made = ingest(store, now_s=T0 / SECOND + 7200)
    assert take(made, pushed(T0 + HOUR)) == (204, "")
    assert take(made, pushed(T0, T0 + HOUR // 2)) == (204, "")
    status, message = take(made, pushed(T0 - 1, T0 + 1))
    assert status == 400
    assert "entry too far behind, entry timestamp is: 2023-11-14T22:13:19Z" in message
    assert f"total ignored: 1 out of 2 for stream: {STREAM}" in message
    assert [at for _, at, _ in entries(store)] == [T0, T0 + 1, T0 + HOUR // 2, T0 + HOUR]


def test_limits_refuse_more_streams_than_allowed(store):
    made = ingest(store, streams=2)
    streams = [pushed(T0, labels=f'{{n="{count}"}}') for count in range(3)]
    status, message = take(made, *streams)
    assert status == 429
    assert message.startswith(
        'maximum active stream limit exceeded when trying to create stream {n="2"}'
    )
    assert take(made, *streams[:2]) == (204, "")
    assert len(entries(store)) == 2


def test_what_others_push_leaves_room_for_the_shippers_streams(store):
    made = Ingest(store, replace(LIMITS, streams=20), Counted(), keeps_room=True)
    now_ns = time.time_ns()
    many = [pushed(now_ns, labels=f'{{n="{count}"}}') for count in range(100)]
    assert take(made, *many)[0] == 429
    assert len(entries(store)) == 18
    own = [pushed(now_ns, labels=f'{{own="{count}"}}') for count in range(3)]
    ((outcome,), _) = made.take([Push(streams=own[:2], own=True)])
    assert tuple(outcome) == (204, "")
    ((outcome,), _) = made.take([Push(streams=own, own=True)])
    assert outcome.status == 429
    assert len(entries(store)) == 20


def test_rate_of_others_is_not_the_shippers(store):
    made = ingest(store, rate_bytes=100, burst_bytes=100)
    assert take(made, pushed(T0, line="x" * 90))[0] == 204
    assert take(made, pushed(T0 + 1, line="x" * 90))[0] == 429
    ((outcome,), _) = made.take([Push(streams=[pushed(T0 + 2, line="x" * 90)], own=True)])
    assert tuple(outcome) == (204, "")


def test_limits_refuse_more_bytes_than_the_rate(store):
    made = ingest(store, rate_bytes=100, burst_bytes=100)
    assert take(made, pushed(T0, line="x" * 60))[0] == 204
    status, message = take(made, pushed(T0 + 1, line="x" * 60))
    assert status == 429
    assert message.startswith("ingestion rate limit exceeded for user fake (limit: 100 bytes/sec)")
    assert len(entries(store)) == 1


def test_limits_refuse_more_bytes_of_one_stream(store):
    made = ingest(store, stream_rate_bytes=100, stream_burst_bytes=100)
    status, message = take(made, pushed(T0, line="x" * 101), pushed(T0, labels='{b="c"}'))
    assert status == 429
    assert message.startswith("Per stream rate limit exceeded (limit: 100B/sec)")
    assert len(entries(store)) == 1
