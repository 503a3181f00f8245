"""The week behind an instance: busy when the clinic is, the same for a seed, and possible."""

from itertools import pairwise
from pathlib import Path

import pytest

from scenarios.demo import history
from scenarios.demo.history import Series, course, moments
from scenarios.demo.week import BEGINS_AT_H, DAYS, week
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
    assert len(times) < 4000


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
def test_instance_is_given_a_past_once(state_dir: Path) -> None:
    with running("past", speed=60) as instance:
        assert not history.has_past(instance)
        lived = week(1, instance.record.created, 60)
        count = history.write(instance, lived, within_s=3, say=print)
        assert count > 100_000
        assert history.has_past(instance)
        asked = {"query": "count(up)", "time": f"{lived.began + 60}"}
        [found] = history._ask(instance, "/api/v1/query", **asked)["result"]
        assert int(found["value"][1]) > 5
