"""What is said of a search: the answer first, what saturated, and when it is no good end."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from scenarios.capacity import report
from scenarios.capacity.answer import Baseline, read_baseline
from scenarios.capacity.limits import first
from scenarios.capacity.window import Verdict
from stack.errors import BadInput
from tests.scenarios.capacity.made import MACHINE, answer, step

BREACHES = Verdict.BREACHES
GOOD = (
    step(100, usage={"CPU of backend": 0.5, "machine": 0.4}),
    step(200, usage={"CPU of backend": 0.92, "machine": 0.6}),
    step(208, BREACHES, usage={"CPU of backend": 0.99, "machine": 0.7}, why="the queue grows"),
)


def test_answer_names_knee_interval_and_what_is_at_its_limit() -> None:
    found = answer(*GOOD)
    assert found.sentence == (
        "One scheduler carries 204 ± 4 arrivals/s (200 requests/s answered) with P95 within 2 s and"
        " at most 5 % errors (a test). First at its limit: CPU of backend, 92 % in use at 200"
        " arrivals/s. Beyond it: the queue grows."
    )
    assert found.shortcomings == []


@pytest.mark.parametrize(
    ("steps", "limit"),
    [
        (GOOD, "CPU of backend"),
        ((step(10, BREACHES, late=0.3, usage={"generator CPU": 1.0}),), "generator"),
        ((step(100, offered=80),), "generator"),
        ((step(100, late=0.3, usage={"CPU of backend": 0.97}),), "CPU of backend"),
        ((step(10, usage={"machine": 0.97}), step(20, BREACHES, usage={"machine": 1.0})),
         "machine"),
        ((step(10, usage={"machine": 0.97}), step(20, usage={"CPU of backend": 0.95})),
         "CPU of backend"),
        ((step(10, late=0.3), step(20, BREACHES, usage={"CPU of backend": 0.9})),
         "CPU of backend"),
        ((step(10), step(20, BREACHES, late=0.5, usage={"machine": 1.0, "generator CPU": 0.6})),
         "machine"),
        ((step(10), step(20, BREACHES, late=0.5, usage={"machine": 1.0, "generator CPU": 0.95})),
         "generator"),
        ((step(10), step(20, BREACHES, usage={"CPU of backend": 0.3})),
         "nothing that is measured"),
        ((step(10), step(20, BREACHES), step(40, BREACHES, usage={"database pool": 1.0})),
         "nothing that is measured"),
        ((step(10, usage={"machine": 0.87}),
          step(20, BREACHES, usage={"machine": 0.89, "database pool": 1.0})), "machine"),
        ((step(10, usage={"machine": 0.6}),
          step(20, BREACHES, usage={"machine": 0.7, "database pool": 1.0})), "database pool"),
        ((), "nothing that is measured"),
    ],
    ids=["a process", "late", "less than asked", "busy server and late", "machine",
         "machine, but a process filled it", "late and it held", "starved", "full itself",
         "unknown", "only beyond the knee", "pool of a busy machine", "pool", "nothing"],
)  # fmt: skip
def test_what_was_at_its_limit_first(steps: tuple, limit: str) -> None:  # type: ignore[type-arg]
    assert first(steps).what == limit


@pytest.mark.parametrize(
    ("given", "short"),
    [
        (answer(*GOOD, need=150), ""),
        (answer(*GOOD, need=205), "205 arrivals/s are needed, 200 held"),
        (answer(step(10, BREACHES, late=0.5)),
         "the load generator was the limit, which is no result"),
        (answer(step(10, BREACHES, late=0.5), need=50),
         "50 arrivals/s are needed, 0 held (the generator can do no more)"),
        (answer(step(10, BREACHES)), "the objective holds at no rate that was tried"),
        (answer(step(10), ended="the scheduler died; that step is void"), "the scheduler died"),
        (answer(), "the objective holds at no rate that was tried"),
        (answer(*GOOD, baseline=Baseline(knee=210, half_width=4, machine={})), ""),
        (answer(*GOOD, baseline=Baseline(knee=260, half_width=4, machine={})),
         "the knee is 0.78 (0.76 to 0.81) of the baseline's; 0.90 is allowed"),
        (answer(*GOOD, tolerance=0.3, baseline=Baseline(knee=260, half_width=4, machine={})), ""),
    ],
)  # fmt: skip
def test_what_makes_it_no_good_end(given: report.Answer, short: str) -> None:
    said = "; ".join(given.shortcomings)
    assert short in said
    assert bool(short) == bool(said)


def test_generator_that_was_the_limit_is_said_first_of_all() -> None:
    said = answer(step(5), step(10, BREACHES, late=0.5)).sentence
    assert said.startswith("No result: the load generator was the limit; it was late for 50 %")
    assert "held the objective at 5 arrivals/s, and what more it can do is not known" in said


def test_noise_of_others_is_noted() -> None:
    noisy = step(100)
    window = replace(noisy.windows[0], figures={"cores of others": 1.7})
    assert answer(replace(noisy, windows=(window,))).notes == [
        "Noisy: other programs took up to 1.7 of 2 cores meanwhile."
    ]


@pytest.mark.parametrize(
    "found",
    [answer(*GOOD), answer(step(10, BREACHES, late=0.5)), answer(), answer(step(10, BREACHES)),
     answer(*GOOD, baseline=Baseline(knee=260, half_width=4, machine={})),
     answer(GOOD[0], ended="it was interrupted")],
    ids=["knee", "generator", "nothing", "never", "baseline", "interrupted"],
)  # fmt: skip
def test_report_is_written_of_whatever_there_is(found: report.Answer, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    page = report.write(found, folder).read_text()
    assert page.index('class="answer"') < page.index("<h2>Steps")
    assert found.sentence.split(".")[0] in page.replace("&#39;", "'")
    assert not re.search(r"(src|href)=\"?http", page), "nothing comes from outside"
    assert (tmp_path / "latest").resolve() == folder.resolve()
    said = json.loads((folder / "report.json").read_text())
    assert said["answer"] == found.sentence
    assert len(said["steps"]) == len(found.found.steps)


def test_page_has_a_plot_for_each_question_and_marks_the_knee() -> None:
    plots = report.plots(answer(*GOOD))
    assert [[line.name for line in one.lines] for one in plots] == [
        ["P50", "P95", "P99"], ["offered", "served"], ["CPU of backend", "machine"],
    ]  # fmt: skip
    assert {one.knee for one in plots} == {(200, 208)}
    page = report.page(answer(*GOOD))
    assert page.count("<figure data-plot=") == 3
    assert "uPlot" in page


def test_own_report_is_a_baseline(tmp_path: Path) -> None:
    report.write(answer(*GOOD), tmp_path)
    found = read_baseline(tmp_path / "report.json", MACHINE)
    assert (found.knee, found.half_width) == (204, 4)


def test_baseline_that_cannot_be_compared_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="No such file"):
        read_baseline(tmp_path / "none.json", MACHINE)
    file = tmp_path / "report.json"
    file.write_text("{}")
    with pytest.raises(BadInput, match="of a run that found anything"):
        read_baseline(file, MACHINE)
    report.write(answer(), tmp_path)
    with pytest.raises(BadInput, match="of a run that found anything"):
        read_baseline(file, MACHINE)
    report.write(answer(*GOOD), tmp_path)
    with pytest.raises(BadInput, match="another machine: its cores is 2, here 4"):
        read_baseline(file, replace(MACHINE, cores=4))
