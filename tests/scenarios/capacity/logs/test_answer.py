"""What is said of a measurement: a paragraph, what it lacks, JSON and a page."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from scenarios.capacity.answer import Baseline, Machine
from scenarios.capacity.limits import MACHINE
from scenarios.capacity.logs import report
from scenarios.capacity.logs.answer import Answer
from scenarios.capacity.logs.questions import Question, questions
from scenarios.capacity.logs.run import USUAL, kept_s, objective_of
from scenarios.capacity.logs.stored import Disk, Stored, Volume
from scenarios.capacity.plots import library
from scenarios.capacity.search import Found
from scenarios.capacity.window import OTHERS, Step, Verdict, Window
from stack.errors import BadInput
from stack.paths import CONFIG_ROOT

MB = 1_000_000


def step(rate: float, verdict: Verdict = Verdict.HOLDS, *, late: int = 0, **usage: float) -> Step:
    bad = verdict is Verdict.BREACHES
    window = Window(
        seconds=3.0, offered=round(3 * rate), dropped=0, late=late, failed=0,
        by_name={"line": [1.4 if bad else 0.2] * 300}, in_flight=(20, 400 if bad else 20),
        usage={name.replace("_", " "): value for name, value in usage.items()},
        figures={"cores of shipper": 0.05 + rate / 2e4, "cores of store": rate / 1e5,
                 "bytes/s written": 300 * rate, "lines/s stored": rate, OTHERS: 0.1,
                 "memory of store": 150 * MB, "lag P50": 0.2},
    )  # fmt: skip
    why = "21.9 % over 1 s, the limit is 5 %" if bad else ""
    return Step(rate=rate, windows=(window,) * 3, verdict=verdict, why=why)


def answer(*steps: Step, volumes: bool = True, **more: object) -> Answer:
    took = {n: {"logs: Lines": [n / 5e5 + 0.01 * i for i in range(3)], "rule `X`": [0.01] * 3}
            for n in (50_000, 150_000, 450_000)}  # fmt: skip
    stored = Stored(
        volumes=[Volume(lines=n, took=one) for n, one in took.items()],
        disk=Disk(lines=400_000, stored_bytes=20 * MB, text_bytes=300.0), push_lines_s=2e4,
    )  # fmt: skip
    return replace(Answer(
        found=Found(steps=[*steps]), stored=stored if volumes else Stored(),
        objective=objective_of(""), plan=USUAL,
        machine=Machine(cpu="a CPU", cores=2, memory_bytes=8_000 * MB, system="Linux"),
        questions=[Question(whose="logs: Lines", query='{a="<b>"}', is_instant=False),
                   Question(whose="rule `X`", query="x", is_instant=True)],
        instance="Instance `capacity-logs`, abc: the lab's own", started=1.8e9, took_s=200.0,
        kept_s=7 * 86400.0, text_bytes=300.0, pair="The lab's own store and shipper",
    ), **more)  # type: ignore[arg-type]  # fmt: skip


KNEE = (
    step(4000.0),
    step(8000.0, CPU_of_shipper=0.7),
    step(10000.0, Verdict.BREACHES, CPU_of_shipper=0.97),
)


def test_paragraph_says_how_many_what_is_full_what_it_costs_and_what_takes_longest() -> None:
    said = answer(*KNEE).sentence
    assert "The lab's own store and shipper take 9000 ± 1000 lines/s (2.7 MB/s)" in said
    assert "with 95 of 100 lines queryable within 1 s" in said
    assert "First at its limit: CPU of shipper, 97 % in use at 10000 lines/s" in said
    assert "Beyond it: 21.9 % over 1 s" in said
    assert "A thousand lines/s take 0.05 cores of the shipper and 0.01 cores of the store." in said
    assert "A line of 300 bytes takes 50 on the disk: 38.9 GB a day at 9000 lines/s" in said
    assert "272 GB for the 7 days that they are kept" in said
    assert "`logs: Lines` takes longest: 0.91 s with 450000 lines in the hour, 2 ±" in said
    assert "arrivals" not in said
    assert answer(*KNEE).shortcomings == []


def test_machine_that_others_have_is_not_taken_for_the_pairs_limit() -> None:
    bad = step(900.0, Verdict.BREACHES, **{MACHINE: 1.0})
    window = replace(bad.windows[0], figures={**bad.windows[0].figures, OTHERS: 1.7})
    found = answer(step(500.0, **{MACHINE: 1.0}), replace(bad, windows=(window,) * 3))
    assert "the machine, of whose 2 cores other programs had 1.7 at 900 lines/s" in found.sentence
    assert "Noisy: other programs took up to 1.7 of 2 cores meanwhile." in found.notes


@pytest.mark.parametrize(
    ("steps", "more", "said", "lacks"),
    [
        ((), {}, "was not measured", []),
        ((step(500.0, Verdict.BREACHES),), {}, "Not even 500 lines/s (0.15 MB/s) are shipped",
         ["no rate that was tried is shipped in time"]),
        ((step(500.0, Verdict.BREACHES, late=900),), {}, "who writes the lines was the limit",
         ["who writes the lines was the limit, which is no result"]),
        ((step(500.0),), {}, "At least 500 lines/s", []),
        (KNEE, {"need": 9000.0}, "take 9000",
         ["9000 lines/s are needed, 8000 were shipped in time"]),
        (KNEE, {"need": 7000.0}, "take 9000", []),
        (KNEE, {"ended": "the store died under the load"}, "It ended early: the store died",
         ["the store died under the load"]),
        (KNEE, {"ended": "it was interrupted"}, "It ended early: it was interrupted", []),
        (KNEE, {"baseline": Baseline(knee=12000.0, half_width=100.0, machine={})}, "take 9000",
         ["the knee is 0.75 (0.66 to 0.84) of the baseline's; 0.90 is allowed"]),
        (KNEE, {"baseline": Baseline(knee=9100.0, half_width=100.0, machine={})}, "take 9000", []),
    ],
    ids=["nothing", "none holds", "generator", "no breach", "need", "enough", "died",
         "interrupted", "slower", "as before"],
)  # fmt: skip
def test_ends(
    steps: tuple[Step, ...], more: dict[str, object], said: str, lacks: list[str]
) -> None:
    found = answer(*steps, **more)
    assert said in found.sentence
    assert found.shortcomings == lacks


@pytest.mark.parametrize("found", [answer(*KNEE), answer(), answer(volumes=False),
                                   answer(*KNEE, volumes=False)],
                         ids=["whole", "no search", "nothing", "no questions"])  # fmt: skip
def test_report_is_whole_whatever_there_is(found: Answer, tmp_path: Path) -> None:
    folder = tmp_path / "one"
    folder.mkdir()
    file = report.write(found, folder)
    text = file.read_text()
    assert found.document()["answer"] == found.sentence
    written = (folder / "report.json").read_text()
    assert json.loads(written)["kind"] == "logs"
    assert "NaN" not in written
    assert "Infinity" not in written
    own = text.replace(library()["script"], "")
    assert not re.search(r"(src|href)=|https?://|@import|url\(", own)
    assert "&lt;b&gt;" in text or not found.stored.volumes
    assert text.count("<figure data-plot=") == len(report.plots(found))
    console = Console(record=True, width=140)
    report.tell(found, file, console)
    assert str(file) in console.export_text()


def test_questions_are_those_of_dashboards_and_log_rules() -> None:
    found = questions(CONFIG_ROOT)
    rules = [one for one in found if one.whose.startswith("rule ")]
    panels = [one for one in found if one not in rules]
    assert len(rules) > 3
    assert len(panels) > 5
    assert all(one.is_instant for one in rules)
    assert not any("$" in re.sub(r"`[^`]*`", "", one.query) for one in found), "variables"
    assert kept_s(CONFIG_ROOT) >= 86400


@pytest.mark.parametrize(("slo", "lag_s"), [("", 1.0), ("lag=2s", 2.0), ("lag=500ms", 0.5)])
def test_objective_is_a_second_unless_somebody_says_otherwise(slo: str, lag_s: float) -> None:
    assert objective_of(slo).latency_s == lag_s


@pytest.mark.parametrize("slo", ["latency=1s", "lag=0s", "lag=1", "lag=-1s", "lag=1e9s", "lag"])
def test_what_is_no_objective_of_logs_is_refused(slo: str) -> None:
    with pytest.raises(BadInput, match="is not an objective of logs"):
        objective_of(slo)
