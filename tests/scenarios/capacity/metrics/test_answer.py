"""What is said of figures: the line, the walls, what was predicted, lost, or is not known."""

import json
import math

import pytest

from scenarios.capacity.metrics.answer import Found
from scenarios.capacity.metrics.receiver import Answers, Compared, Kept
from scenarios.capacity.metrics.sizes import Size
from tests.scenarios.capacity.metrics.made import EACH, answer, size


def found(*targets: int, reached: Size | None = None, **more: object) -> Found:
    return Found(
        series_each=EACH, sizes=[size(one) for one in targets], reached=reached,
        available_bytes=20e9, **more,  # type: ignore[arg-type]
    )  # fmt: skip


def test_line_walls_and_bytes_are_those_of_the_figures() -> None:
    one = answer(found(50, 100, 150))
    assert one.memory is not None
    assert one.memory.slope == pytest.approx(4000)
    assert one.memory.at_nought == pytest.approx(100e6)
    assert one.memory_wall == pytest.approx((20e9 / 1.2 - 100e6) / 4000)
    assert one.cpu_wall == pytest.approx((2 - 0.01) / 5e-6)
    # A sample more takes a byte; a chunk takes 40 bytes by itself, for 120 samples; the index takes
    # 120 bytes a series, for the 1,440 samples of two hours.
    assert one.bytes_per_sample == pytest.approx(1 + 40 / 120 + 120 / 1440)


def test_paragraph_says_what_it_takes_what_it_carries_and_which_wall_comes_first() -> None:
    said = answer(found(50, 100, 150, reached=size(500))).sentence
    assert "4 ± " in said
    assert "KB of memory for each series" in said
    assert "5 ± " in said
    assert "4,100,000 series by its memory and 400,000 samples/s by its CPU" in said
    assert "at an interval of 5 s CPU is the wall, at 3,100 schedulers" in said
    assert "A sample takes 1.42 bytes on the disk." in said
    assert "For 500 schedulers 1.40 ± 0.00 GB were predicted and 1.40 measured, 1.00 x" in said


def test_memory_is_the_wall_where_it_ends_first() -> None:
    one = found(50, 100, 150)
    one.available_bytes = 1e9
    assert "memory is the wall" in answer(one).sentence


def test_prediction_that_is_off_is_said() -> None:
    one = answer(found(50, 100, 150, reached=size(500, memory=2e9)))
    assert one.predictions[0].ratio == pytest.approx(2e9 / 1.4e9)
    assert any("1.43 x what was predicted, more than 15 % off" in note for note in one.notes)
    assert not one.shortcomings


def test_one_size_makes_no_line_and_is_said_as_it_is() -> None:
    one = answer(found(50))
    assert "what more take is not known from one size" in one.sentence
    assert not one.sizing
    assert math.isinf(one.memory_wall)


def test_nothing_measured_is_no_result() -> None:
    one = answer(Found(ended="Prometheus ended by itself: no space left on device"))
    assert one.sentence.startswith("No result: Prometheus ended by itself")
    assert one.shortcomings == ["Prometheus ended by itself: no space left on device"]


def test_run_that_was_ended_says_what_there_is_and_that_it_was() -> None:
    one = answer(found(50, 100, ended="it was interrupted"))
    assert "KB of memory for each series" in one.sentence
    assert one.sentence.endswith("It ended early: it was interrupted.")


def test_noise_and_failed_scrapes_are_said() -> None:
    one = found(50, 100)
    one.sizes.append(size(150, missed=3, others=1.4))
    notes = " ".join(answer(one).notes)
    assert "other programs took up to 1.4 of 2 cores" in notes
    assert "with 150 schedulers" in notes


def test_sizing_is_of_the_stack_s_interval_and_of_the_measured_one() -> None:
    rows = answer(found(50, 100, 150)).sizing
    assert {one.interval_s for one in rows} == {5.0, 15.0}
    at = {(one.targets, one.interval_s): one for one in rows}
    assert at[100, 15.0].samples_per_s == pytest.approx(100 * EACH / 15)
    assert at[100, 5.0].memory_bytes == pytest.approx(100e6 + 4000 * 100 * EACH)
    assert at[10_000, 5.0].beyond
    assert not at[1000, 5.0].beyond


KEPT = Kept(seconds=180.0, away_s=60.0, caught_up_s=4.0, series=4000, samples=48_000)
SAME = Answers(
    alert="A", expression="a > 1", moments=8, alike=8, firing=1, measured_alike=8, apart=0.01
)


@pytest.mark.parametrize(
    ("compared", "said", "short"),
    [
        (
            Compared(kept=KEPT, answers=[SAME]),
            "After 60 s without its receiver none of 48,000 samples is missing, 4 s after it was"
            " back. 1 of 1 rules give the same alerts there.",
            "",
        ),
        (
            Compared(kept=Kept(**{**vars(KEPT), "missing": {"up{}": 3}})),
            "3 of 48,000 samples are missing",
            "3 samples are missing at the receiver",
        ),
        (
            Compared(kept=Kept(**{**vars(KEPT), "trouble": "the receiver did not come back: x"})),
            "The receiver did not come back: x.",
            "the receiver did not come back: x",
        ),
        (
            Compared(kept=KEPT, answers=[Answers(**{**vars(SAME), "alike": 7})]),
            "0 of 1 rules give the same alerts",
            "other alerts there: A",
        ),
        (
            Compared(kept=Kept(**{**vars(KEPT), "dropped": 5.0})),
            "none of 48,000 samples",
            "Prometheus gave up 5 samples",
        ),
    ],
    ids=["all-there", "lost", "never-back", "other-alerts", "given-up"],
)
def test_remote_write_is_judged_by_what_is_there(compared: Compared, said: str, short: str) -> None:
    one = answer(found(50, 100, 150, compared=compared), remote_write=True)
    assert said in one.sentence
    assert one.shortcomings == ([short] if short else [])


def test_cost_of_remote_write_is_a_ratio() -> None:
    one = answer(found(50, 100, cost=(size(100), size(100, memory=720e6))), remote_write=True)
    assert "costs it 1.00 x the CPU and 2.00 x the memory" in one.sentence


def test_document_is_json_without_what_json_lacks() -> None:
    one = answer(found(50, 100, reached=size(500), compared=Compared(kept=KEPT, answers=[SAME])),
                 remote_write=True)  # fmt: skip
    text = json.dumps(one.document(), allow_nan=False)
    said = json.loads(text)
    assert said["answer"] == one.sentence
    assert said["lines"]["memory"]["error"] is None, "two points: nobody knows"
    assert said["predictions"][0]["ratio"] == pytest.approx(1.0)
    assert said["remote_write"]["kept"]["samples"] == 48_000
