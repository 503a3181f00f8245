"""Every line is in the store once, whatever happens to the file, the store and the shipper."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.waiting import eventually

from .conftest import FakeLoki, Place

STAMP = "2026-11-24T11:10:{:02}.{:03}Z"


def lines_of(count: int, first: int = 0) -> list[str]:
    return [
        f"{STAMP.format(n // 1000 % 60, n % 1000)} INFO line {n}"
        for n in range(first, first + count)
    ]


def test_lines_arrive_with_their_labels_and_times(place: Place, loki: FakeLoki) -> None:
    place.write("2026-11-24T11:10:10.691Z ERROR it broke")
    place.start()
    eventually(lambda: loki.kept)
    assert list(loki.kept) == [
        (
            '{job="test", level="ERROR"}',
            1795518610_691_000_000,
            "2026-11-24T11:10:10.691Z ERROR it broke",
        )
    ]


def test_lines_that_are_equal_in_time_and_text_are_all_kept(place: Place, loki: FakeLoki) -> None:
    line = "2026-11-24T11:10:10.691Z INFO the same"
    place.write(*[line] * 5)
    place.start()
    eventually(lambda: len(loki.kept) == 5)
    assert sorted(at % 1_000_000 for _, at, _ in loki.kept) == [0, 1, 2, 3, 4]


def test_lines_a_little_out_of_order_keep_the_order_of_the_file(
    place: Place, loki: FakeLoki
) -> None:
    seconds = (10.002, 10.001, 10.002, 10.001, 3.0, 3.0)
    written = [f"2026-11-24T11:10:{at:06.3f}Z INFO same" for at in seconds]
    place.write(*written)
    place.start()
    eventually(lambda: len(loki.kept) == 6)
    assert loki.lines() == written[4:] + written[:4]


def test_line_without_a_time_gets_that_of_its_reading(place: Place, loki: FakeLoki) -> None:
    place.write("no time", "none either", "no time")
    place.start()
    eventually(lambda: len(loki.kept) == 3)
    assert loki.lines() == ["no time", "none either", "no time"]


def test_restart_sends_nothing_twice_and_leaves_nothing_out(place: Place, loki: FakeLoki) -> None:
    place.write(*lines_of(100))
    place.start()
    eventually(lambda: len(loki.kept) == 100)
    place.stop()
    place.write(*lines_of(100, first=100))
    place.start()
    eventually(lambda: len(loki.kept) == 200)
    assert set(loki.kept.values()) == {1}
    assert loki.lines() == lines_of(200)


def test_answer_that_was_lost_makes_no_line_come_twice(place: Place, loki: FakeLoki) -> None:
    loki.after_keeping = [500, 503]
    place.write("no time of its own", *lines_of(10))
    place.start()
    eventually(lambda: loki.pushes >= 3 and len(loki.count()) == 11)
    assert len(loki.kept) == 11
    assert set(loki.kept.values()) >= {3}


@pytest.mark.parametrize("status", [429, 500, 503])
def test_store_that_says_no_for_now_is_asked_again(
    place: Place, loki: FakeLoki, status: int
) -> None:
    loki.answers = [status] * 4
    place.write(*lines_of(10))
    shipper = place.start()
    eventually(lambda: len(loki.kept) == 10)
    assert value(shipper, "promtail_batch_retries_total") == 4
    assert value(shipper, "promtail_dropped_entries_total") == 0


def test_lines_that_the_store_refuses_for_good_are_dropped_and_counted(
    place: Place, loki: FakeLoki, capsys: pytest.CaptureFixture[str]
) -> None:
    loki.answers = [400]
    place.write(*lines_of(7))
    shipper = place.start()

    def dropped() -> float:
        return value(shipper, "promtail_dropped_entries_total")

    eventually(lambda: dropped() + len(loki.kept) == 7)
    place.write(*lines_of(1, first=7))
    eventually(lambda: loki.lines()[-1:] == lines_of(1, first=7))
    assert dropped() + len(loki.kept) == 8
    said = capsys.readouterr().out
    told = 'msg="the store refused lines for good; they are dropped" status=400'
    assert f'{told} lines={dropped():g} problem="so it is"' in said


NO_ROOM = (
    'Maximum active stream limit exceeded when trying to create stream {level="ERROR"}, reduce the '
    "number of active streams (reduce labels or reduce label values)"
)


@pytest.mark.parametrize(
    ("status", "text", "reason"),
    [(429, NO_ROOM, "stream_limited"), (400, "entry too far behind", "ingester_error")],
)
def test_stream_that_is_refused_holds_back_no_other(
    place: Place, loki: FakeLoki, status: int, text: str, reason: str
) -> None:
    loki.refused = {'level="ERROR"': (status, text)}
    good, bad = lines_of(20), [line.replace(" INFO ", " ERROR ") for line in lines_of(5, first=50)]
    place.write(*good[:10], *bad, *good[10:])
    shipper = place.start()
    dropped = {"reason": reason}
    eventually(lambda: value(shipper, "promtail_dropped_entries_total", **dropped) == 5)
    place.write(*lines_of(1, first=90))
    eventually(lambda: loki.lines()[-1:] == lines_of(1, first=90))
    assert set(loki.lines()) == {*good, *lines_of(1, first=90)}
    assert value(shipper, "promtail_sent_entries_total") == 21


def test_store_without_room_for_a_stream_is_asked_again_at_first(
    place: Place, loki: FakeLoki
) -> None:
    """Some other stream may end meanwhile."""
    loki.refused = {'level="INFO"': (429, NO_ROOM)}
    place.write(*lines_of(3))
    shipper = place.start()
    eventually(lambda: loki.pushes >= 2)
    loki.refused = {}
    eventually(lambda: loki.lines() == lines_of(3))
    assert value(shipper, "promtail_dropped_entries_total") == 0


def test_shipper_says_who_it_is(place: Place, loki: FakeLoki) -> None:
    place.write(*lines_of(1))
    place.start("Bearer abc123")
    eventually(lambda: loki.says == ["Bearer abc123"])


def value(shipper: Any, name: str, **labels: str) -> float:
    """Of all samples of that name with these labels."""
    samples = [
        sample.value
        for family in shipper.metrics.registry.collect()
        for sample in family.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    ]
    return sum(samples)


def read_bytes(shipper: Any) -> int:
    """How far the only file was read, whether that was sent or not."""
    [tail] = [tail for trail in shipper.watch.trails.values() for tail in trail.tails]
    return int(tail.reader.offset)


def test_nothing_is_read_on_while_the_store_is_away(
    place: Place, loki: FakeLoki, capsys: pytest.CaptureFixture[str]
) -> None:
    port, loki.port = loki.port, 9  # the discard port, where nobody listens
    place.configure()
    batch = 1 << 20
    line = f"{STAMP.format(1, 1)} INFO {'x' * 900}"
    place.write(*[line] * 5000)
    shipper = place.start()
    eventually(lambda: value(shipper, "promtail_batch_retries_total") >= 3)
    assert read_bytes(shipper) < 3 * batch
    # All of it is behind: nothing arrived.
    assert value(shipper, "promtail_read_bytes_total") == 0
    assert value(shipper, "promtail_file_bytes_total") == place.log.stat().st_size
    assert capsys.readouterr().out.count("lines are held back") == 1
    place.stop()
    loki.port = port
    place.configure()
    shipper = place.start()
    eventually(lambda: len(loki.kept) == 5000)
    assert set(loki.kept.values()) == {1}
    eventually(lambda: value(shipper, "promtail_read_bytes_total") == place.log.stat().st_size)


def test_file_that_appears_later_is_read(place: Place, loki: FakeLoki) -> None:
    place.start()
    place.write(*lines_of(3), to=place.logs / "later.log")
    eventually(lambda: loki.lines() == lines_of(3))


def test_last_line_without_an_end_is_waited_for(
    place: Place, loki: FakeLoki, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.log.write_text(f"{lines_of(1)[0]}\n{STAMP.format(2, 2)} INFO half")
    place.start()
    eventually(lambda: len(loki.kept) == 1)
    with place.log.open("a") as file:
        file.write(" and half\n")
    eventually(lambda: len(loki.kept) == 2)
    assert loki.lines()[1].endswith("INFO half and half")


def test_last_line_without_an_end_is_sent_after_a_while(
    place: Place, loki: FakeLoki, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stack.programs.logship.reader.PARTIAL_S", 0.05)
    place.log.write_text(f"{STAMP.format(2, 2)} INFO half")
    place.start()
    eventually(lambda: loki.kept)
    with place.log.open("a") as file:
        file.write(" and half\n")
    eventually(lambda: len(loki.kept) == 2)
    assert {line for _, _, line in loki.kept} == {f"{STAMP.format(2, 2)} INFO half", " and half"}


def test_renamed_file_is_read_to_its_end_before_the_new_one(place: Place, loki: FakeLoki) -> None:
    place.write(*lines_of(100))
    place.start()
    eventually(lambda: len(loki.kept) == 100)
    place.write(*lines_of(50, first=100))
    place.log.rename(place.logs / "app.log.1")
    place.write(*lines_of(50, first=150))
    eventually(lambda: len(loki.kept) == 200)
    assert loki.lines() == lines_of(200)
    assert set(loki.kept.values()) == {1}


def test_files_rotated_twice_at_once_are_all_read(place: Place, loki: FakeLoki) -> None:
    place.write(*lines_of(10))
    place.start()
    eventually(lambda: len(loki.kept) == 10)
    rotate(place.log)
    place.write(*lines_of(10, first=10))
    rotate(place.log)
    place.write(*lines_of(10, first=20))
    eventually(lambda: len(loki.kept) == 30)
    assert set(loki.kept.values()) == {1}


def rotate(log: Path, keep: int = 3) -> None:
    """As supervisord does it."""
    for number in range(keep, 0, -1):
        old = log.with_name(f"{log.name}.{number - 1}") if number > 1 else log
        if old.exists():
            old.replace(log.with_name(f"{log.name}.{number}"))


def test_files_rotated_while_nobody_ships_are_all_read(place: Place, loki: FakeLoki) -> None:
    place.write(*lines_of(10))
    place.start()
    eventually(lambda: len(loki.kept) == 10)
    place.stop()
    place.write(*lines_of(10, first=10))
    for first in (20, 30):
        rotate(place.log)
        place.write(*lines_of(10, first=first))
    place.start()
    eventually(lambda: len(loki.kept) == 40)
    assert set(loki.kept.values()) == {1}
    assert loki.lines() == lines_of(40)


def test_what_is_written_to_a_file_after_it_was_renamed_is_read(
    place: Place, loki: FakeLoki
) -> None:
    with place.log.open("a") as late:
        place.write(*lines_of(10))
        place.start()
        eventually(lambda: len(loki.kept) == 10)
        rotate(place.log)
        place.write(*lines_of(10, first=20))
        eventually(lambda: len(loki.kept) == 20)
        late.write("".join(f"{line}\n" for line in lines_of(10, first=10)))
    eventually(lambda: len(loki.kept) == 30)
    assert set(loki.kept.values()) == {1}


def test_deleted_file_is_read_to_its_end(place: Place, loki: FakeLoki) -> None:
    loki.answers = [503] * 10
    place.write(*lines_of(10))
    shipper = place.start()
    eventually(lambda: loki.pushes)
    place.write(*lines_of(10, first=10))
    place.log.unlink()
    eventually(lambda: len(loki.kept) == 20)
    eventually(lambda: not [t for trail in shipper.watch.trails.values() for t in trail.tails])


def test_copied_and_cut_file_is_read_on_in_its_copy(place: Place, loki: FakeLoki) -> None:
    place.write(*lines_of(10))
    place.start()
    eventually(lambda: len(loki.kept) == 10)
    loki.answers = [503] * 5
    place.write(*lines_of(10, first=10))
    shutil.copy(place.log, place.logs / "app.log.1")
    os.truncate(place.log, 0)
    place.write(*lines_of(10, first=20))
    eventually(lambda: len(loki.kept) == 30)
    assert set(loki.kept.values()) <= {1, 2}
    assert set(loki.count().values()) == {1}


def test_file_copied_and_cut_while_nobody_ships_is_read_on_in_its_copy(
    place: Place, loki: FakeLoki
) -> None:
    place.write(*lines_of(10))
    place.start()
    eventually(lambda: len(loki.kept) == 10)
    place.stop()
    place.write(*lines_of(10, first=10))
    shutil.copy(place.log, place.logs / "app.log.1")
    os.truncate(place.log, 0)
    place.write(*lines_of(10, first=20))
    place.start()
    eventually(lambda: len(loki.kept) == 30)
    assert set(loki.kept.values()) == {1}


def test_cut_file_is_read_from_its_start(
    place: Place, loki: FakeLoki, capsys: pytest.CaptureFixture[str]
) -> None:
    place.write(*lines_of(10))
    place.start()
    eventually(lambda: len(loki.kept) == 10)
    os.truncate(place.log, 0)
    place.write(*lines_of(20, first=10))
    eventually(lambda: len(loki.kept) == 30)
    assert set(loki.kept.values()) == {1}
    assert "file was truncated; unread lines are lost" in capsys.readouterr().out


def test_file_replaced_while_nobody_ships_is_read_from_its_start(
    place: Place, loki: FakeLoki, capsys: pytest.CaptureFixture[str]
) -> None:
    place.write(*lines_of(10))
    place.start()
    eventually(lambda: len(loki.kept) == 10)
    place.stop()
    place.log.write_text("".join(f"{line}\n" for line in lines_of(30, first=10)))
    place.start()
    eventually(lambda: len(loki.kept) == 40)
    assert "file was replaced meanwhile" in capsys.readouterr().out


def kept(**changes: str) -> str:
    """A positions file of one file, where something stands that the shipper never wrote."""
    said = {"offset": "2", "inode": "5", "path": '"a"', "notes": "[]", "head": '"6162"', **changes}
    return (
        f'{{"version": 1, "files": [{{"job": "lab", "path": {said["path"]}, '
        f'"head": {said["head"]}, "inode": {said["inode"]}, "notes": {said["notes"]}, "mark": '
        f'{{"offset": {said["offset"]}, "own_ns": 0, "clock_ns": 0}}}}]}}'
    )


@pytest.mark.parametrize(
    "content",
    ["{", "[]", '{"files": [{}]}', "positions: {}", "\x00", '{"files": [{"mark": 1}]}',
     kept(offset='"2"'), kept(offset="-2"), kept(inode=str(2**63)), kept(path='"a\\u0000"'),
     kept(notes="[5]"), kept(head="6162")],
)  # fmt: skip
def test_positions_that_cannot_be_read_are_put_aside(
    place: Place, loki: FakeLoki, capsys: pytest.CaptureFixture[str], content: str
) -> None:
    place.write(*lines_of(10))
    place.positions.write_text(content)
    place.start()
    eventually(lambda: len(loki.kept) == 10)
    said = capsys.readouterr().out
    assert 'level=error source=promtail msg="reading all files from the start"' in said
    assert "moved aside to `positions.yaml.bad`" in said
    assert (place.folder / "positions.yaml.bad").read_text() == content


def test_line_that_is_too_long_is_cut(place: Place, loki: FakeLoki) -> None:
    place.write(f"{STAMP.format(1, 1)} INFO {'é' * 5000}", *lines_of(1, first=5000))
    place.start()
    eventually(lambda: len(loki.kept) == 2)
    cut = loki.lines()[0]
    assert len(cut.encode()) in (1023, 1024)
    assert cut.endswith("éé")


def test_stages_see_a_line_whole_that_is_cut_afterwards(place: Place, loki: FakeLoki) -> None:
    place.configure(
        stages=[{"json": {"expressions": {"level": "level"}}}, {"labels": {"level": "level"}}]
    )
    place.write(json.dumps({"message": "x" * 5000, "level": "error"}))
    place.start()
    eventually(lambda: len(loki.kept) == 1)
    assert [len(line) for line in loki.lines(labels='level="error"')] == [1024]


def test_bytes_that_are_no_text_are_replaced(place: Place, loki: FakeLoki) -> None:
    place.log.write_bytes(b"2026-11-24T11:10:10.691Z INFO \xff\xfe \xc3\n" + b"1\xff" * 500 + b"\n")
    place.start()
    eventually(lambda: len(loki.kept) == 2)
    assert "2026-11-24T11:10:10.691Z INFO \ufffd\ufffd \ufffd" in loki.lines()
    assert all(len(line.encode()) <= 1024 for line in loki.lines())


def test_line_that_never_ends_takes_no_memory(place: Place, loki: FakeLoki) -> None:
    place.log.write_bytes(b"1" * 30_000_000)
    shipper = place.start()
    eventually(lambda: shipper.ready and read_bytes(shipper) == 30_000_000)
    place.write("", *lines_of(1))
    eventually(lambda: len(loki.kept) == 2)
    assert sorted(map(len, loki.lines())) == [len(lines_of(1)[0]), 1024]
