"""Whether anybody notices a mutant: the unit tests of its alert, then everything that `doit check`
looks at, then the unit tests of all that reads its file."""

import shutil
import signal
import tempfile
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from enum import StrEnum
from multiprocessing import get_context
from pathlib import Path

from stack.check.configuration import Configuration, load
from stack.check.problem import Problem
from stack.check.run import Setup, find_problems
from stack.check.yamlfile import parse
from stack.errors import HostCannot
from stack.mutation import rules
from stack.mutation.mutant import Mutant
from stack.mutation.unittests import UnitTests
from stack.store import disk


class By(StrEnum):
    """Who noticed."""

    TESTS = "unit tests"
    CHECK = "check"
    NOBODY = "nobody"


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What became of a mutant."""

    mutant: Mutant
    by: By
    said: str = ""
    """The test that failed, or the first problem."""


_AT_ONCE = 12
"""Mutants that share a start of promtool."""

_worker: "Worker"


class Worker:
    """One copy of the configuration, in which one mutant after the other is tried."""

    def __init__(self, setup: Setup, folder: Path) -> None:
        root = Path(tempfile.mkdtemp(dir=folder)) / "config"
        shutil.copytree(setup.config_root, root)
        self._setup = replace(setup, config_root=root, mutant=True)
        self._sound = load(root)
        self._tests = UnitTests(self._sound, setup.programs)

    def judge(self, mutants: Sequence[Mutant]) -> list[Verdict]:
        """Of each, in order."""
        tested = self._tested([one for one in mutants if rules.is_rules(one.path)])
        return [
            Verdict(mutant=one, by=By.TESTS, said=f"test `{tested[one.name]}` fails")
            if one.name in tested
            else self._checked(one)
            for one in mutants
        ]

    def _tested(self, mutants: Sequence[Mutant]) -> dict[str, str]:
        try:
            return self._tests.noticed(mutants)
        except HostCannot as error:
            if len(mutants) == 1:
                return {mutants[0].name: error.what}
            return {name: said for one in mutants for name, said in self._tested([one]).items()}

    def _checked(self, mutant: Mutant) -> Verdict:
        path = self._setup.config_root / mutant.path
        before = path.read_bytes()
        path.write_text(mutant.content, encoding="utf-8")
        try:
            problems = find_problems(self._setup, self._configuration(path))
        except HostCannot as error:
            return Verdict(mutant=mutant, by=By.CHECK, said=error.what)
        finally:
            path.write_bytes(before)
        if not problems:
            return Verdict(mutant=mutant, by=By.NOBODY)
        first = problems[0]
        tests = first.check in ("prometheus/unit-test", "loki/unit-test")
        return Verdict(mutant=mutant, by=By.TESTS if tests else By.CHECK,
                       said=f"{first.what} [{first.check}]")  # fmt: skip

    def _configuration(self, path: Path) -> Configuration:
        """As it is with that file as it is now."""
        if path not in self._sound.files:
            return self._sound
        found = parse(path)
        files = dict(self._sound.files)
        del files[path]
        if isinstance(found, Problem):
            return Configuration(root=self._sound.root, files=files, problems=[found])
        order = {one: found if one == path else self._sound.files[one] for one in self._sound.files}
        return Configuration(root=self._sound.root, files=order)


def _begin(setup: Callable[[], Setup], folder: Path) -> None:
    # A terminal sends Ctrl-C to all of its processes; whoever listens ends them in order.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    global _worker
    _worker = Worker(setup(), folder)


def _judge(mutants: Sequence[Mutant]) -> list[Verdict]:
    return _worker.judge(mutants)


def judged(
    setup: Callable[[], Setup], mutants: Sequence[Mutant], workers: int
) -> Generator[Verdict, None, None]:
    """A verdict on each mutant, as they come in, from so many processes, each of which makes a
    `setup` of its own.

    Whoever stops listening ends them; no file of the configuration itself is written to. Raises
    HostCannot if one of the processes is killed.
    """
    batches = [mutants[at : at + _AT_ONCE] for at in range(0, len(mutants), _AT_ONCE)]
    with disk.scratch("mutants-") as folder:
        pool = ProcessPoolExecutor(workers, get_context("spawn"), _begin, (setup, folder))
        try:
            asked: list[Future[list[Verdict]]] = [pool.submit(_judge, one) for one in batches]
            for done in as_completed(asked):
                yield from done.result()
        except BrokenProcessPool as error:
            raise HostCannot(
                "a process that tried mutants was killed.",
                cure="If nobody did that, `dmesg` says why; memory may be short.",
            ) from error
        finally:
            pool.shutdown(cancel_futures=True)
