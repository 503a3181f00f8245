"""Whether anybody notices a mutant: the unit tests of its alert, then everything that `doit check`
looks at, then the unit tests of all that reads its file."""

import shutil
import signal
import tempfile
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from enum import StrEnum
from multiprocessing import get_context
from pathlib import Path

from stack.check.configuration import Configuration, load
from stack.check.problem import Problem
from stack.check.run import Setup, first_problem
from stack.check.yamlfile import ConfigFile, compose, get, pairs, parse, text
from stack.errors import HostCannot
from stack.mutation import delivery, rules, ways
from stack.mutation.mutant import Mutant
from stack.mutation.twins import Twins
from stack.mutation.unittests import UnitTests
from stack.store import disk


class By(StrEnum):
    """Who noticed."""

    TESTS = "unit tests"
    CHECK = "check"
    PROOF = "a proof"
    NOBODY = "nobody"
    NONE_COULD = "means the same"
    """Nobody could: it gives the same, whatever was tried."""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What became of a mutant."""

    mutant: Mutant
    by: By
    said: str = ""
    """The test that failed, or the first problem."""


_AT_ONCE = 12
"""Mutants that share a start of promtool."""

_LOOKED_AT = ("annotation", "severity", "team", "metric")
"""Kinds of mutants of rules that `doit check` notices without running anything."""

_SAME = ("matcher", "matching", "grouping", "aggregation", "function", "set operator")
"""Kinds that may mean the same. Another number never does; no series may be near it."""

_worker: "Worker"


class Worker:
    """One copy of the configuration, in which one mutant after the other is tried."""

    def __init__(self, setup: Setup, folder: Path) -> None:
        root = Path(tempfile.mkdtemp(dir=folder)) / "config"
        shutil.copytree(setup.config_root, root)
        self._setup = replace(setup, config_root=root)
        self._sound = load(root)
        self._tests = UnitTests(self._sound, setup.programs)
        self._twins = Twins(setup.programs)

    def judge(self, mutants: Sequence[Mutant]) -> list[Verdict]:
        """Of each, in order: the cheaper question comes first."""
        known: dict[str, Verdict] = {}
        known |= self._all_checked(one for one in mutants if not _tests_first(one))
        open_ones = [one for one in mutants if rules.is_rules(one.path)
                     and (one.name not in known or known[one.name].by is By.NOBODY)]  # fmt: skip
        for name, said in self._tested(open_ones).items():
            mutant = next(one for one in open_ones if one.name == name)
            known[name] = Verdict(mutant=mutant, by=By.TESTS, said=f"test `{said}` fails")
        known |= self._all_checked(one for one in mutants if one.name not in known)
        return [self._or_same(known[one.name]) for one in mutants]

    def _or_same(self, verdict: Verdict) -> Verdict:
        if verdict.by is not By.NOBODY:
            return verdict
        try:
            same = self._means_the_same(verdict.mutant)
        except HostCannot:
            same = False
        return replace(verdict, by=By.NONE_COULD) if same else verdict

    def _means_the_same(self, mutant: Mutant) -> bool:
        """False where that cannot be told."""
        if mutant.path == delivery.FILE and mutant.kind in delivery.OF_ROUTES:
            path = self._sound.root / mutant.path
            changed = ConfigFile(path=path, root=compose(mutant.content))
            files = {**self._sound.files, path: changed}
            return ways.same(self._sound, Configuration(root=self._sound.root, files=files))
        if rules.is_rules(mutant.path) and mutant.kind in _SAME:
            rule = next(one for one in self._sound.alerts if one.name == mutant.subject)
            tests = self._tests.of(mutant.path, mutant.subject)
            told = " ".join(text(one) for _, one in pairs(get(rule.node, "annotations")))
            return self._twins.same(rule.expression, rules.expression(mutant), tests,
                                    values="$value" in told)  # fmt: skip
        return False

    def _all_checked(self, mutants: Iterable[Mutant]) -> dict[str, Verdict]:
        return {one.name: self._checked(one) for one in mutants}

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
            problem = first_problem(self._setup, self._configuration(path))
        except HostCannot as error:
            return Verdict(mutant=mutant, by=By.CHECK, said=error.what)
        finally:
            path.write_bytes(before)
        if not problem:
            return Verdict(mutant=mutant, by=By.NOBODY)
        tests = problem.check in ("prometheus/unit-test", "loki/unit-test")
        return Verdict(mutant=mutant, by=By.TESTS if tests else By.CHECK,
                       said=f"{problem.what} [{problem.check}]")  # fmt: skip

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


def _tests_first(mutant: Mutant) -> bool:
    """Whether unit tests are likely to notice; of the rest, a look at the rule says it at once."""
    return rules.is_rules(mutant.path) and mutant.kind not in _LOOKED_AT


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
