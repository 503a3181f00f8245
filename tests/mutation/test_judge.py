"""Who notices a mutant of our own configuration."""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from stack.check.configuration import load
from stack.errors import HostCannot
from stack.mutation.everything import mutants
from stack.mutation.judge import By, Verdict, Worker, judged
from stack.mutation.mutant import Mutant
from stack.paths import CONFIG_ROOT
from stack.tasks.check import host_setup

EVERY = mutants(load(CONFIG_ROOT))


def one_of(subject: str, what: str) -> Mutant:
    return next(one for one in EVERY if one.subject == subject and one.what == what)


@pytest.fixture(scope="module")
def worker(tmp_path_factory: pytest.TempPathFactory) -> Worker:
    return Worker(host_setup(), tmp_path_factory.mktemp("mutants"))


def judge(worker: Worker, mutant: Mutant) -> Verdict:
    (verdict,) = worker.judge([mutant])
    return verdict


@pytest.mark.parametrize(
    ("subject", "what", "by"),
    [
        ("HighErrorRate", "with `> 0.05` raised to `> 0.06`", By.TESTS),
        ("HighErrorRate", "without `for`", By.TESTS),
        ("DiskSpaceWarning", "without its `severity`", By.CHECK),
        ("DatabaseLoginFailures", "with `> 0.2` raised to `> 2`", By.TESTS),
        ("route to `heartbeat`", "left out", By.CHECK),
        ("the 1st inhibit rule", "left out", By.CHECK),
        ("job `backend`", "left out", By.CHECK),
        ("template `slack.lab.color`", "without `danger`", By.CHECK),
    ],
)
def test_who_notices(worker: Worker, subject: str, what: str, by: By) -> None:
    verdict = judge(worker, one_of(subject, what))
    assert verdict.by is by
    assert verdict.said


def test_what_changes_nothing_survives(worker: Worker) -> None:
    mutant = one_of("HighErrorRate", "without `for`")
    same = replace(mutant, content=(CONFIG_ROOT / mutant.path).read_text(), what="as it is")
    assert judge(worker, same).by is By.NOBODY


def test_what_no_program_reads_is_noticed_and_leaves_no_trace(worker: Worker) -> None:
    mutant = one_of("HighErrorRate", "without `for`")
    broken = replace(mutant, content="groups: [", kind="annotation", what="cut short")
    assert judge(worker, broken).by is By.CHECK
    assert judge(worker, mutant).by is By.TESTS


@pytest.mark.nightly
def test_batch_says_of_each_what_it_would_say_alone(worker: Worker) -> None:
    some = EVERY[:240:20]
    together = [one.by for one in worker.judge(some)]
    assert together == [judge(worker, one).by for one in some]


def trees() -> dict[Path, str]:
    return {path: hashlib.sha256(path.read_bytes()).hexdigest()
            for path in CONFIG_ROOT.rglob("*") if path.is_file()}  # fmt: skip


@pytest.mark.nightly
def test_processes_share_the_work_and_the_configuration_stays_as_it_is() -> None:
    before = trees()
    some = EVERY[:2000:80]
    found = [*judged(host_setup, some, workers=2)]
    assert {one.mutant.name for one in found} == {one.name for one in some}
    assert trees() == before


def broken() -> Callable[[], None]:
    raise SystemExit(9)


@pytest.mark.nightly
def test_process_that_dies_is_told() -> None:
    with pytest.raises(HostCannot, match="was killed"):
        [*judged(broken, EVERY[:2], workers=1)]  # type: ignore[arg-type]
