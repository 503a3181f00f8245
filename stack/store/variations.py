"""The hostile variations of `reproduce`: all under which a build must give the same."""

import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from stack.errors import HostCannot
from stack.paths import REPO
from stack.store.rebuild import Conditions
from stack.users import check_reachable, unprivileged

_YEARS = 9
_YEAR_S = 365.25 * 24 * 3600
MEMORY = Path("/dev/shm")
_ODD = "a deep/one - 'ö' #1 %20 \\ & \t/" + "/".join(["long" * 20] * 10)
_MAPPED = 1000
"""An ordinary user's id."""
_NOT_UTF8 = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


@dataclass(frozen=True, kw_only=True)
class Variation:
    """One way to build that must not matter."""

    name: str
    about: str
    conditions: Conditions = field(default_factory=Conditions)
    environment: Mapping[str, str] = field(default_factory=dict)
    folder: str = "out"
    """Below the folder of the whole comparison."""
    in_memory: bool = False
    """On the file system of /dev/shm, where there is room."""
    another_user: bool = False


def variations() -> tuple[Variation, ...]:
    """All of them, for this machine. The last one is everything at once."""
    faketime = _faketime()
    clock = Conditions(clock_s=0 if faketime else _YEARS * _YEAR_S)
    by = "libfaketime" if faketime else "Python's clock turned"
    user, mapped_to = _other_user()
    every = (
        Variation(name="place", about="a long path with odd characters", folder=_ODD),
        Variation(
            name="user",
            about=user,
            another_user=mapped_to is None,
            conditions=Conditions(mapped_to=mapped_to),
        ),
        Variation(name="umask", about="0o077", conditions=Conditions(umask=0o077)),
        Variation(name="zone", about="time zone UTC+5:45", environment={"TZ": "XXX-5:45"}),
        Variation(name="locale", about="C, so that names are ASCII", environment=_NOT_UTF8),
        Variation(name="host", about="host name", conditions=Conditions(host_name="other.invalid")),
        Variation(
            name="clock", about=f"{_YEARS} years on ({by})", conditions=clock, environment=faketime
        ),
        Variation(
            name="order",
            about="the last derivation first, other hash seed",
            conditions=Conditions(backwards=True),
            environment={"PYTHONHASHSEED": "4711"},
        ),
        Variation(name="threads", about="8 at once", conditions=Conditions(workers=8)),
        Variation(
            name="files",
            about="folders listed at random"
            + (", in memory" if MEMORY.is_dir() else ", on the same file system"),
            conditions=Conditions(shuffled=True),
            in_memory=MEMORY.is_dir(),
        ),
    )
    return (*every, _all_of(every))


def _all_of(every: Iterable[Variation]) -> Variation:
    together = Variation(name="all", about="all of these at once", folder=_ODD)
    plain = Conditions()
    for each in every:
        changed = {k: v for k, v in vars(each.conditions).items() if v != getattr(plain, k)}
        together = replace(
            together,
            conditions=replace(together.conditions, **changed),
            environment={**together.environment, **each.environment},
            in_memory=together.in_memory or each.in_memory,
            another_user=together.another_user or each.another_user,
        )
    return together


def _faketime() -> dict[str, str]:
    """The environment in which libfaketime turns every clock; empty where it is not installed."""
    library = next(iter(sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))), None)
    if library is None:
        return {}
    days = int(_YEARS * 365.25)
    return {
        "LD_PRELOAD": str(library),
        "FAKETIME": f"+{days}d",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }


def _other_user() -> tuple[str, int | None]:
    """Who builds as another user, in words, and as which one of a user namespace: None for a real
    one, as whom only root can build, and only if that one may read Python and the sources."""
    user = unprivileged()
    if user is None:
        return "root of a user namespace", 0
    try:
        for entered in (REPO, Path(sys.prefix), Path(sys.base_prefix)):
            check_reachable(entered)
    except HostCannot:
        return f"user {_MAPPED} of a user namespace", _MAPPED
    return f"user `{user.pw_name}`", None
