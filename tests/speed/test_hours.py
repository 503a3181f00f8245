"""Which moments lie in a time interval of Alertmanager's."""

import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import httpx
import pytest
import yaml

from stack.errors import BadInput
from stack.run.ports import free
from stack.run.services import alertmanager
from stack.speed import hours
from stack.store.packageset import realise
from tests.waiting import eventually


def covers(entry: Mapping[str, Any], moment: str) -> bool:
    document = {"time_intervals": [{"name": "it", "time_intervals": [entry]}]}
    return bool(hours.around(hours.read(document), datetime.fromisoformat(moment)))


TIMES = {"times": [{"start_time": "08:00", "end_time": "17:30"}]}


@pytest.mark.parametrize(
    ("entry", "inside", "outside"),
    [
        (TIMES, "2025-01-15T08:00+00:00", "2025-01-15T07:59:59+00:00"),
        (TIMES, "2025-01-15T17:29:59+00:00", "2025-01-15T17:30+00:00"),
        ({**TIMES, "location": "America/New_York"}, "2025-07-01T12:00+00:00",
         "2025-01-01T12:00+00:00"),
        ({"weekdays": ["monday:friday"]}, "2025-01-15T12:00+00:00", "2025-01-19T12:00+00:00"),
        ({"weekdays": ["Sunday"]}, "2025-01-19T12:00+00:00", "2025-01-20T00:00+00:00"),
        ({"days_of_month": ["-3:-1"]}, "2025-02-26T12:00+00:00", "2025-02-25T12:00+00:00"),
        ({"days_of_month": ["30:31"]}, "2025-01-30T12:00+00:00", "2025-02-28T12:00+00:00"),
        ({"days_of_month": ["28:31"]}, "2025-02-28T12:00+00:00", "2025-02-27T12:00+00:00"),
        ({"months": ["july:8", "december"]}, "2025-08-31T12:00+00:00", "2025-09-01T12:00+00:00"),
        ({"years": ["2024:2025"]}, "2025-12-31T23:59+00:00", "2026-01-01T00:00+00:00"),
        ({"weekdays": ["saturday"], **TIMES}, "2025-01-18T12:00+00:00", "2025-01-18T18:00+00:00"),
    ],
)  # fmt: skip
def test_a_moment_lies_in_what_it_fits_in_every_part(
    entry: dict[str, Any], inside: str, outside: str
) -> None:
    assert covers(entry, inside)
    assert not covers(entry, outside)


def test_few_moments_show_each_interval_inside_and_outside() -> None:
    known = hours.read({"time_intervals": [
        {"name": "nights", "time_intervals": [{"times": [
            {"start_time": "22:00", "end_time": "24:00"},
            {"start_time": "00:00", "end_time": "06:00"}]}]},
        {"name": "leap-day", "time_intervals": [{"days_of_month": ["29"], "months": ["february"]}]},
        {"name": "over", "time_intervals": [{"years": ["1970"]}]},
    ]})  # fmt: skip
    assert hours.states(known, hours.MOMENT) == [
        (hours.MOMENT, frozenset()),
        (datetime(2025, 1, 15, 22, tzinfo=UTC), {"nights"}),
        (datetime(2028, 2, 29, tzinfo=UTC), {"nights", "leap-day"}),
    ]


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"times": [{"start_time": "22:00", "end_time": "06:00"}]}, "22:00 is not before 06:00"),
        ({"times": [{"start_time": "8:00", "end_time": "17:00"}]}, "is no range of times"),
        ({"times": ["22:00"]}, "is no range of times"),
        ({"weekdays": ["friday:monday"]}, "ends before it begins"),
        ({"weekdays": ["1:5"]}, "`weekdays`: `1:5` is no range"),
        ({"months": ["Sept"]}, "`months`: `sept` is no range".replace("sept", "Sept")),
        ({"location": "Berlin"}, "`location`: `Berlin` is no time zone"),
        ({"weekdays": "monday"}, "`weekdays` is not a list"),
        ("nights", "it is not a mapping"),
    ],
)
def test_what_is_no_interval_is_refused_with_its_place(entry: Any, said: str) -> None:
    document = {"time_intervals": [{"name": "it", "time_intervals": [entry]}]}
    with pytest.raises(BadInput) as refused:
        hours.read(document)
    assert "time_intervals[0].time_intervals[0]: " in refused.value.what
    assert said in refused.value.what


def _drawn(draw: Random, now: datetime) -> dict[str, Any]:
    """An interval that begins or ends about now, more often than not."""

    def about(value: int, spread: int, first: int, last: int) -> str:
        ends = sorted(min(max(value + draw.randint(-spread, spread), first), last) for _ in "ab")
        return f"{ends[0]}:{ends[1]}"

    zone = draw.choice([None, "UTC", "Asia/Tokyo", "America/New_York", "Pacific/Kiritimati"])
    days = [f"{a}:{b}" for n, a in enumerate(_DAYS) for b in _DAYS[n:]]
    start = draw.randint(0, 1439)
    end = draw.randint(start + 1, 1440)
    parts: dict[str, Any] = {
        "times": [{"start_time": f"{start // 60:02}:{start % 60:02}",
                   "end_time": f"{end // 60:02}:{end % 60:02}"}],
        "weekdays": [draw.choice(days)],
        "days_of_month": [draw.choice([about(now.day, 1, 1, 31), "-2:-1", "-31:-20", "31"])],
        "months": [about(now.month, 1, 1, 12)],
        "years": [about(now.year, 1, 2000, 2100)],
    }  # fmt: skip
    chosen = draw.sample(sorted(parts), draw.randint(1, 3))
    return {**{key: parts[key] for key in chosen}, **({"location": zone} if zone else {})}


_DAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")


def test_alertmanager_mutes_what_we_say_it_does(tmp_path: Path) -> None:
    """Two hundred intervals, each of a route of its own, asked of the real program now."""
    draw, now = Random(18), datetime.now(UTC)
    names = [f"interval-{number}" for number in range(200)]
    document = {
        "route": {"receiver": "nobody", "group_wait": "0s", "routes": [
            {"receiver": "nobody", "matchers": [f"route={name}"], "group_by": ["route"],
             "mute_time_intervals": [name]} for name in names]},
        "receivers": [{"name": "nobody"}],
        "time_intervals": [{"name": name, "time_intervals": [_drawn(draw, now)]}
                           for name in names],
    }  # fmt: skip
    file = tmp_path / "alertmanager.yml"
    file.write_text(yaml.safe_dump(document))
    program = realise(["alertmanager"])["alertmanager"] / "bin" / "alertmanager"
    port = free([alertmanager.SERVICE])["alertmanager"]["http"]
    url = f"http://127.0.0.1:{port}/api/v2"
    with subprocess.Popen(
        [program, f"--config.file={file}", f"--storage.path={tmp_path}", "--log.level=error",
         f"--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address="],
    ) as process:  # fmt: skip
        try:
            eventually(lambda: _answers(url), "it to be ready")
            before = hours.around(hours.read(document), datetime.now(UTC))
            httpx.post(f"{url}/alerts", json=[{"labels": {"route": name}} for name in names])
            eventually(lambda: len(_muted(url)) >= len(before), "all that rest to be muted")
            muted = _muted(url)
            after = hours.around(hours.read(document), datetime.now(UTC))
        finally:
            process.terminate()
    assert 20 < len(before) < 180
    assert before & after <= muted <= before | after


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/status").is_success
    except httpx.HTTPError:
        return False


def _muted(url: str) -> set[str]:
    groups = httpx.get(f"{url}/alerts/groups", params={"muted": "true"}).json()
    return {
        alert["labels"]["route"]
        for group in groups
        for alert in group["alerts"]
        if alert["status"].get("mutedBy")
    }
