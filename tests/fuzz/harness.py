"""Feeds what was made of good inputs to a reader, and says what it should not have done.

A finding is an error that the reader does not document, an input that takes more than a second, or
a run whose memory grows. Input number N of a target is always the same one, so that a finding can
be played again: `python -m tests.fuzz TARGET N`.
"""

import signal
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from random import Random
from types import FrameType

import psutil

from tests.fuzz.mutations import mutated

MOST_S = 1.0
"""Of the processor's time, for one input: a busy machine is nobody's fault."""

HANGS_S = 5.0
"""Then it is interrupted, with a traceback that says where."""

MOST_BYTES = 100 << 20
"""By which the process may grow in a run."""


class Hangs(BaseException):
    """Raised within a reader that does not end; nothing catches it by accident."""


@dataclass(frozen=True, kw_only=True)
class Target:
    """A reader of foreign bytes."""

    name: str
    feed: Callable[[bytes], object]
    """Reads one input, and does with it what the program does next."""
    seeds: Sequence[bytes]
    """Good inputs."""
    raises: tuple[type[BaseException], ...] = ()
    """The errors that it documents."""
    words: Sequence[bytes] = ()
    """What its language is made of."""
    mend: Callable[[bytes], bytes] = field(default=lambda data: data)
    """What makes a changed input pass a checksum, so that more than that is tested."""
    short: int = 600
    """Inputs in the ordinary suite."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    target: str
    number: int
    """Of the input; -1 for what the whole run did."""
    what: str
    trace: str = ""

    def __str__(self) -> str:
        again = f"python -m tests.fuzz {self.target} {self.number}" if self.number >= 0 else ""
        return f"{self.target}: {self.what}  {again}\n{self.trace}"


def made(target: Target, number: int) -> bytes:
    """The input of that number; the first ones are the good ones themselves."""
    if number < len(target.seeds):
        return target.seeds[number]
    random = Random(number)
    changed = mutated(random.choice(target.seeds), random, target.words, target.seeds)
    return target.mend(changed) if number % 2 else changed


def play(target: Target, number: int) -> Finding | None:
    """One input; None if all is well."""
    data = made(target, number)
    began = time.process_time()
    try:
        with _interrupted():
            target.feed(data)
    except target.raises:
        pass
    except (Exception, Hangs) as error:
        what = f"{type(error).__name__}: {error}"[:300]
        return Finding(target=target.name, number=number, what=what, trace=_trace(error))
    took_s = time.process_time() - began
    if took_s > MOST_S:
        what = f"takes {took_s:.1f} s, for {len(data)} bytes"
        return Finding(target=target.name, number=number, what=what)
    return None


def run(target: Target, first: int, count: int) -> Iterator[Finding]:
    """Many inputs, and what was found."""
    for number in range(min(len(target.seeds), 50)):  # what is imported and cached once
        with suppress(Exception):  # it will be found
            target.feed(target.seeds[number])
    before = _resident_bytes()
    for number in range(first, first + count):
        if found := play(target, number):
            yield found
    if (grown := _resident_bytes() - before) > MOST_BYTES:
        what = f"the process grew by {grown >> 20} MB over inputs {first} to {first + count}"
        yield Finding(target=target.name, number=-1, what=what)


@contextmanager
def _interrupted() -> Iterator[None]:
    before = signal.signal(signal.SIGPROF, _hangs)
    signal.setitimer(signal.ITIMER_PROF, HANGS_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def _hangs(number: int, frame: FrameType | None) -> None:
    raise Hangs(f"still reads after {HANGS_S:g} s")


def _trace(error: BaseException) -> str:
    """Its end: of one that recurses, a thousand lines say the same."""
    return "".join(traceback.format_exception(error)[-8:])


def _resident_bytes() -> int:
    return int(psutil.Process().memory_info().rss)
