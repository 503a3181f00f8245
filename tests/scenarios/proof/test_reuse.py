"""What is reused, what is kept, and what a proof says of both."""

import time
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from scenarios.proof import reuse, run, verdicts, workers
from scenarios.proof.result import Proof, Result
from scenarios.proof.reuse import Looked, Reuse, look
from scenarios.proof.verdict import Outcome, Verdict, failed
from scenarios.proof.verdicts import Record, Verdicts, key_of
from scenarios.routing import run as routing
from stack.errors import CheckFailed, HostCannot
from stack.paths import CONFIG_ROOT

A, B = "a" * 64, "b" * 64
PACKAGES = {"prometheus": "0-prometheus"}
LOOKED = Looked(of={"One": {"rule": A}, "Two": {"rule": A}}, packages=PACKAGES, newest_s=0.0)


def proof(folder: Path, **outcomes: Outcome) -> Proof:
    return Proof(
        started=time.time(), took_s=1.0, speed=60.0, packages=PACKAGES, folder=folder,
        interrupted=False,
        results=[
            Result(verdict=Verdict(alert=name, outcome=outcome, reason=""))
            for name, outcome in outcomes.items()
        ],
    )  # fmt: skip


@pytest.fixture
def kept(tmp_path: Path) -> Verdicts:
    return Verdicts(tmp_path / "verdicts")


def test_what_was_proven_is_reused_and_nothing_else(kept: Verdicts, tmp_path: Path) -> None:
    every = Looked(of={name: {"rule": A} for name in ("One", "Two", "Three", "Four")},
                   packages=PACKAGES, newest_s=0.0)  # fmt: skip
    first = Reuse(lambda: every, kept)
    outcomes = {"One": Outcome.PROVEN, "Two": Outcome.FAILED, "Three": Outcome.BLOCKED}
    assert first.keep(proof(tmp_path, **outcomes)) == ""
    later = Reuse(lambda: every, kept).unchanged(["One", "Two", "Three", "Four", "routing/x"])
    assert list(later.before) == ["One"]
    assert later.reasons == [
        "never proven: Two, Three, Four", "what it depends on is not known: routing/x"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("now", "said"),
    [
        (replace(LOOKED, newest_s=float("inf")), "not recorded: files were edited meanwhile"),
        (replace(LOOKED, packages={"prometheus": "1"}), "not recorded: the instances were made of"),
        (replace(LOOKED, of={"One": {"rule": B}}), ""),
        (replace(LOOKED, of={}), ""),
    ],
    ids=["touched", "other packages", "edited", "unknown"],
)
def test_what_changed_meanwhile_is_not_kept(
    kept: Verdicts, tmp_path: Path, now: Looked, said: str
) -> None:
    looks = iter([LOOKED, now])
    trouble = Reuse(lambda: next(looks), kept).keep(proof(tmp_path, One=Outcome.PROVEN))
    assert trouble.startswith(said)
    assert bool(trouble) == bool(said)
    assert not list(kept.folder.rglob("*.json"))


def test_a_package_that_was_built_meanwhile_is_an_input_like_others(
    kept: Verdicts, tmp_path: Path
) -> None:
    after = replace(LOOKED, of={"One": {"rule": A, "package viewer": B}})
    looks = iter([LOOKED, after])
    assert Reuse(lambda: next(looks), kept).keep(proof(tmp_path, One=Outcome.PROVEN)) == ""
    assert list(Reuse(lambda: after, kept).unchanged(["One"]).before) == ["One"]
    assert not Reuse(lambda: LOOKED, kept).unchanged(["One"]).before


def test_a_full_disk_is_said_and_harms_nothing(
    kept: Verdicts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device", "/cache/verdicts")

    monkeypatch.setattr(verdicts.sealed, "write", full)
    said = Reuse(lambda: LOOKED, kept).keep(proof(tmp_path, One=Outcome.PROVEN))
    assert said == ("not recorded: `/cache/verdicts`: No space left on device;"
                    " it is proven again.")  # fmt: skip


@pytest.fixture
def remembered(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, state_dir: Path) -> Verdicts:
    """A folder of verdicts of this test alone, on a machine where no instance comes up."""

    @contextmanager
    def running(name: str, **_: object) -> Iterator[None]:
        raise HostCannot(f"`{name}`: disk full", cure="Make room.")
        yield

    monkeypatch.setattr(workers, "running", running)
    found = Verdicts(tmp_path / "verdicts")
    monkeypatch.setattr(reuse, "Verdicts", lambda: found)
    return found


def remember(kept: Verdicts, *names: str) -> None:
    """As if they had been proven as they are now."""
    for name, known in look(names, CONFIG_ROOT, 60.0, routing).of.items():
        kept.keep(Record(
            alert=name, key=key_of(name, known), inputs=dict(known), took_s=1.0,
            proven="2026-03-01T14:05:00+00:00", commit="0123456789ab", report="/nowhere/one",
        ))  # fmt: skip


NAMES = ("DiskSpaceWarning", "routing/critical")


def test_a_proof_of_what_has_not_changed_needs_no_instance(
    remembered: Verdicts, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    remember(remembered, *NAMES)
    code = run.verify_alerts(NAMES, reports=tmp_path / "r", routing=routing, changed=True)
    assert code == 0
    said = capsys.readouterr().out
    assert "proven before: 2026-03-01 14:05 UTC, commit 0123456789ab, /nowhere/one" in said
    assert "0 proven, 2 proven before, 0 failed, 0 blocked" in said
    assert " saved" in said
    [*cases] = ET.parse(tmp_path / "r/latest/junit.xml").getroot().iter("testcase")
    assert [one.get("name") for one in cases] == list(NAMES)
    assert all("proven before" in str(skipped.get("message"))
               for one in cases for skipped in one.iter("skipped"))  # fmt: skip
    page = (tmp_path / "r/latest/report.html").read_text()
    assert "proven before" in page
    assert "0123456789ab" in page


def test_without_being_asked_all_is_played(remembered: Verdicts, tmp_path: Path) -> None:
    remember(remembered, *NAMES)
    with pytest.raises(HostCannot, match="blocked on this host: DiskSpaceWarning"):
        run.verify_alerts(NAMES, reports=tmp_path / "r", routing=routing)


def test_at_another_speed_all_is_played(
    remembered: Verdicts, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    remember(remembered, *NAMES)
    with pytest.raises(HostCannot, match="blocked on this host"):
        run.verify_alerts(NAMES, speed=30, reports=tmp_path / "r", routing=routing, changed=True)
    assert "speed changed: DiskSpaceWarning, routing/critical" in capsys.readouterr().out


def test_a_gap_fails_whatever_was_proven_before(
    remembered: Verdicts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    remember(remembered, *NAMES)
    monkeypatch.setattr(run.catalogue, "uncovered", lambda *_: {NAMES[0]: "without rule"})
    with pytest.raises(CheckFailed, match="without rule"):
        run.verify_alerts(NAMES, reports=tmp_path / "r", routing=routing, changed=True)


def test_a_failed_one_beside_those_of_before_is_told(tmp_path: Path) -> None:
    done = replace(proof(tmp_path, One=Outcome.PROVEN), before=[_record()], saved_s=90.0)
    assert done.counts == "1 proven, 1 proven before, 0 failed, 0 blocked"
    assert done.headline == "1 of 1 alerts proven, 1 proven before"
    bad = replace(done, results=[Result(verdict=failed("One", "late"))])
    assert bad.counts == "0 proven, 1 proven before, 1 failed, 0 blocked"


def _record() -> Record:
    return Record(alert="Two", key=A, inputs={}, proven="2026-03-01T14:05:00+00:00", commit="",
                  report="", took_s=1.0)  # fmt: skip
