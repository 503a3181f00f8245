"""Earlier runs: written, read, compared."""

import json
from pathlib import Path

import pytest

from scenarios.proof import history
from scenarios.proof.case import Link, LinkState
from scenarios.proof.history import Trend, append, read, trends
from scenarios.proof.result import Proof, Result
from scenarios.proof.verdict import Outcome, Verdict
from stack.errors import BadInput, HostCannot


def proof(seconds: float, *, speed: float = 60, outcome: Outcome = Outcome.PROVEN) -> Proof:
    verdict = Verdict(
        alert="A", outcome=outcome, reason="", zero=100.0,
        links=(Link(name="notified", state=LinkState.DONE, at=100 + seconds),),
    )  # fmt: skip
    return Proof(started=0, took_s=9, speed=speed, results=(Result(verdict=verdict),),
                 packages={}, folder=Path(), interrupted=False)  # fmt: skip


@pytest.mark.parametrize(
    ("seconds", "slower"),
    [((5,), False), ((5, 9), False), ((5, 5, 5, 6.6), False), ((5, 5, 5, 6.7), True),
     ((9, 9, 9, 5), False), ((5, 5, 50, 6.7), True)],
)  # fmt: skip
def test_trend_is_slower_by_more_than_a_third_of_what_is_usual(
    seconds: tuple[float, ...], slower: bool
) -> None:
    assert Trend(alert="A", seconds=seconds).slower == slower


def test_trend_draws_from_zero_up() -> None:
    assert Trend(alert="A", seconds=(1, 2, 0)).polyline(10, 4) == "0.0,2.0 5.0,0.0 10.0,4.0"


def test_history_grows_by_a_line_per_run(tmp_path: Path) -> None:
    file = tmp_path / "h.jsonl"
    assert read(file) == []
    for seconds in (3.0, 4.0):
        append(file, proof(seconds))
    append(file, proof(9.0, speed=1))
    append(file, proof(9.0, outcome=Outcome.FAILED))
    assert trends(read(file), proof(5.0))["A"].seconds == (3.0, 4.0, 5.0)
    assert trends(read(file), proof(5.0, outcome=Outcome.FAILED)) == {}
    first = json.loads(file.read_text().splitlines()[0])
    assert first["alerts"]["A"]["notified_s"] == 3.0
    assert first["started"] == "1970-01-01T00:00:00+00:00"


def test_history_keeps_the_last_runs(tmp_path: Path) -> None:
    file = tmp_path / "h.jsonl"
    for seconds in range(30):
        append(file, proof(seconds + 1.0))
    assert len(trends(read(file), proof(5.0))["A"].seconds) == history.RUNS_SHOWN


@pytest.mark.parametrize(
    "row",
    ["{", "[]", '{"speed": 1}', '{"speed": "x", "alerts": {}}', "[" * 20_000,
     f'{{"speed": {"9" * 400}, "alerts": {{}}}}'],
)  # fmt: skip
def test_history_that_cannot_be_read_is_named_with_its_line(tmp_path: Path, row: str) -> None:
    file = tmp_path / "h.jsonl"
    append(file, proof(1.0))
    file.write_text(file.read_text() + row + "\n")
    with pytest.raises(BadInput, match=r"h\.jsonl` line 2 is not a recorded proof run"):
        read(file)


def test_history_in_a_missing_folder_is_refused(tmp_path: Path) -> None:
    """Before anything is proven, and where the folder went meanwhile."""
    with pytest.raises(BadInput, match="there is no folder"):
        read(tmp_path / "none" / "h")
    with pytest.raises(HostCannot, match="No such file or directory"):
        append(tmp_path / "none" / "h", proof(1.0))
