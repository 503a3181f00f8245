"""The week behind an instance: busy when the clinic is, the same for a seed, and possible."""

import json
import time
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import pytest

from scenarios.demo import history, lines
from scenarios.demo.history import Series, course, moments, pieces
from scenarios.demo.lines import LAST_S, MARK, Stream
from scenarios.demo.run import Demo
from scenarios.demo.week import BEGINS_AT_H, DAYS, week
from stack import loopback
from stack.run.lifecycle import running

NOW = 1_800_000_000.0
DAY_S = 86400.0


@pytest.mark.parametrize("speed", [1.0, 60.0])
def test_week_ends_in_the_morning_of_today(speed: float) -> None:
    lived = week(7, NOW, speed)
    assert lived.hour(NOW) == pytest.approx(BEGINS_AT_H)
    assert lived.activity(NOW) == lived.today.activity(BEGINS_AT_H)
    assert lived.hour(lived.began) == pytest.approx(BEGINS_AT_H - DAYS * 24)
    hours = [lived.began + count * 3600 / speed for count in range(DAYS * 24)]
    assert all(0 <= lived.activity(at) <= 1 for at in [lived.began - DAY_S, *hours, NOW])
    assert max(map(lived.activity, hours)) > 5 * min(map(lived.activity, hours))


def test_days_of_a_week_follow_each_other() -> None:
    names = [one.weekday for one in week(3, NOW, 1.0).days]
    assert len(set(names)) == DAYS
    assert week(3, NOW, 1.0) == week(3, NOW, 1.0)


@pytest.mark.parametrize("speed", [1.0, 60.0, 1000.0])
def test_samples_lie_before_the_instance_and_reach_back_a_week(speed: float) -> None:
    times = [then.at for then in moments(NOW, week(1, NOW, speed))]
    assert all(before < after for before, after in pairwise(times))
    assert times[-1] < NOW
    assert NOW - times[0] > 6.99 * DAY_S / speed
    assert len(times) < 7000
    parts = pieces(moments(NOW, week(1, NOW, speed)))
    assert [then.at for part in parts for then in part] == times
    assert (len(parts) > 1) is (speed < 1000)


def bucket(le: str, rate: float) -> Series:
    return Series(name="x_bucket", labels=(("job", "a"), ("le", le)), value=rate * 9, rate=rate)


def test_counters_never_fall_and_parts_never_exceed_what_contains_them() -> None:
    lived = week(1, NOW, 1.0)
    times = moments(NOW, lived)
    part, whole = (list(course(bucket(*one), lived, times)) for one in (("1", 2.0), ("+Inf", 3.0)))
    for values in (part, whole):
        assert all(before <= after for before, after in pairwise(values))
    assert all(one <= all_ for one, all_ in zip(part, whole, strict=True))
    assert part == list(course(bucket("1", 2.0), lived, times))
    assert part != list(course(bucket("1", 2.0), week(2, NOW, 1.0), times))


@pytest.mark.parametrize("rate", [0.0, 500.0])
def test_counter_that_is_older_than_the_instance_goes_on_where_its_past_ends(rate: float) -> None:
    lived = week(1, NOW, 1.0)
    received = Series(name="bytes_total", labels=(), value=1e12 + 60 * rate, rate=rate, first=1e12)
    values = list(course(received, lived, moments(NOW, lived)))
    assert values[-1] == pytest.approx(1e12)
    assert all(before <= after for before, after in pairwise(values))


@pytest.mark.parametrize("first", [100.0, 1e6])
def test_counter_that_is_younger_than_a_week_began_anew_on_the_way(first: float) -> None:
    """As when the machine has started since: else all that it had counted would seem to have come
    in one moment, that in which the instance began."""
    lived = week(1, NOW, 1.0)
    received = Series(name="bytes_total", labels=(), value=first + 30e3, rate=500.0, first=first)
    values = list(course(received, lived, moments(NOW, lived)))
    assert values[-1] == pytest.approx(first)
    assert [before > after for before, after in pairwise(values)].count(True) == 1
    assert max(abs(after - before) for before, after in pairwise(values) if after > before) < 1e6


def test_rates_over_five_minutes_have_a_line_over_the_whole_week() -> None:
    times = [then.at for then in moments(NOW, week(1, NOW, 1.0))]
    assert max(after - before for before, after in pairwise(times)) <= 300 / 2


def test_schedules_are_made_at_the_same_hours_of_each_day() -> None:
    """A rule looks whether one was made within a day: it is so at any moment of the week."""
    lived = week(1, NOW, 1.0)
    times = moments(NOW, lived)
    one = Series(name="schedule_generation_total", labels=(), value=1.0, rate=0.07)
    values = list(course(one, lived, times))
    assert values[-1] == lived.planned(NOW) == 2 * DAYS
    day_ago = {}
    for then, value in zip(times, values, strict=True):
        day_ago[then.at] = value
        before = [values[at] for at, earlier in enumerate(times) if earlier.at <= then.at - DAY_S]
        assert not before or value - before[-1] in (2.0, 3.0)


def test_as_many_people_were_at_work_yesterday_as_the_clinic_had() -> None:
    """A rule compares them with those at the same hour of the day before."""
    lived = week(1, NOW, 1.0)
    times = moments(NOW, lived)
    values = list(course(Series(name="active_users", labels=(), value=14.0), lived, times))
    most = 14 / lived.activity(NOW)
    for then, value in zip(times, values, strict=True):
        assert value == pytest.approx(min(lived.activity(then.at) * most, 28), abs=1.2)


def test_logs_follow_the_clinic_and_end_where_the_instance_begins() -> None:
    lived = week(1, NOW, 1.0)
    line = f'{{"timestamp": "2026-11-29T02:07:16.157Z", "request_id": "{"a" * 32}", "n": 1}}'
    stream = Stream(labels={"service": "backend", **MARK}, lines=[line], rate=2.0)
    entries = list(lines.course(stream, lived, NOW))
    assert entries == list(lines.course(stream, lived, NOW))
    times = [at for at, _ in entries]
    assert times == sorted(times)
    assert NOW - LAST_S < times[0] < NOW - LAST_S + 60
    assert NOW - 60 < times[-1] < NOW
    expected = sum(2 * lived.activity(at) / lived.activity(NOW) for at in
                   (NOW - LAST_S + second for second in range(int(LAST_S))))  # fmt: skip
    assert len(entries) == pytest.approx(expected, rel=0.05)
    idents = {json.loads(text)["request_id"] for _, text in entries}
    assert len(idents) == len(entries)
    for at, text in entries[:20]:
        written = datetime.fromisoformat(json.loads(text)["timestamp"]).timestamp()
        assert written == pytest.approx(at, abs=0.001)


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("2026-11-29 02:07:16.157 GMT [7] 00000 LOG:  x", "2027-01-15 08:00:00.500 GMT [7] 00000"),
        ("time=2026-11-29T02:07:16.157123456Z level=INFO a=2026-11-29T02:07:16.1Z",
         "time=2027-01-15T08:00:00.500000000Z level=INFO a=2026-11-29T02:07:16.1Z"),
        ("no time in it", "no time in it"),
    ],
)  # fmt: skip
def test_line_says_the_time_at_which_it_is_filed(line: str, wanted: str) -> None:
    assert lines.written_at(line, NOW + 0.5, "f" * 32).startswith(wanted)


@pytest.mark.parametrize(
    ("name", "value"),
    [("up", 1.0), ("pg_up", 1.0), ("node_filesystem_size_bytes", 7e9), ("x_failed", 0.0),
     ("process_start_time_seconds", NOW - 60)],
)  # fmt: skip
def test_what_stands_still_stood_still(name: str, value: float) -> None:
    one, lived = Series(name=name, labels=(), value=value), week(1, NOW, 1.0)
    assert set(course(one, lived, moments(NOW, lived))) == {value}


def test_gauges_follow_the_clinic_and_times_go_with_time() -> None:
    lived = week(1, NOW, 1.0)
    times = moments(NOW, lived)
    values = list(course(Series(name="pool_in_use", labels=(), value=8.0), lived, times))
    assert min(values) < 8 < max(values)
    assert all(value.is_integer() for value in values)
    last = Series(name="job_last_success_timestamp_seconds", labels=(), value=NOW - 30)
    assert list(course(last, lived, times)) == pytest.approx([then.at - 30 for then in times])


def test_labels_are_written_as_openmetrics_wants_them() -> None:
    one = Series(name="x", labels=(("a", 'say "no"\\\n'),), value=1.0)
    assert one.text == 'x{a="say \\"no\\"\\\\\\n"}'
    assert Series(name="x", labels=(), value=1.0).text == "x"


@pytest.mark.nightly
def test_instance_is_given_a_past_and_rules_that_look_back_a_day_are_right_at_once(
    state_dir: Path,
) -> None:
    with running("past", speed=60) as instance:
        assert not history.has_past(instance)
        show = Demo(instance=instance, seed=1, say=print)
        lived = week(1, time.time(), instance.speed)
        with show.people(lived):
            show.give_past(lived)
        assert history.has_past(instance)

        def asked(query: str, at: float) -> float:
            answer = {"query": query, "time": f"{at}"}
            [found] = history._ask(instance, "/api/v1/query", **answer)["result"]
            return float(found["value"][1])

        created, day_s = instance.record.created, DAY_S / 60
        assert asked("count(up)", lived.began + 60) > 5
        made = f'increase(schedule_generation_total{{outcome="success"}}[{day_s:.0f}s])'
        assert asked(f"sum({made})", created) > 0
        assert asked(f"sum(active_users offset {day_s:.0f}s)", created) >= 5
        firing = 'ALERTS{alertstate="firing", severity!="none"}'
        assert history._ask(instance, "/api/v1/query", query=firing)["result"] == []
        query = {"query": 'sum(count_over_time({written="afterwards"}[30s]))', "time": f"{created}"}
        logs = loopback.request(
            "GET", f"{instance.url('loki')}/loki/api/v1/query",
            query={name: [value] for name, value in query.items()}, timeout_s=30,
        ).json()  # fmt: skip
        assert float(logs["data"]["result"][0]["value"][1]) > 10
