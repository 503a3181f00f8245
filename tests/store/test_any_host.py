"""Every program starts where there is nothing of a host but its kernel: no shell, no C library."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from stack.store.packages import PACKAGES
from stack.store.packageset import closure, realise
from tests.store.empty_root import Order, asked, told

NOBODY = 65534
NEEDED = [package for package in PACKAGES if not package.optional]
PROGRAMS = [(package.name, each.name) for package in NEEDED for each in package.programs]


@pytest.fixture(scope="module")
def paths() -> dict[str, Path]:
    return realise([package.name for package in NEEDED])


@pytest.fixture
def empty(tmp_path: Path) -> Order:
    """An order that has yet to say what to run; skips where no namespace is possible."""
    order = Order(root=str(tmp_path), closure=(), files={}, links={}, uid=NOBODY, command=())
    probe = "import sys; from tests.store import empty_root; empty_root.leave()"
    tried = subprocess.run([sys.executable, "-c", probe], capture_output=True, timeout=60)
    if tried.returncode:
        pytest.skip(f"no namespaces here: {tried.stderr.decode().splitlines()[-1]}")
    return order


def ran(order: Order, **changes: object) -> subprocess.CompletedProcess[str]:
    whole = Order(**{**vars(order), **changes})  # type: ignore[arg-type]
    return subprocess.run(whole.argv(), capture_output=True, text=True, timeout=120, check=False)


def inside(path: Path) -> str:
    return f"/store/{path.name}"


@pytest.mark.parametrize(("package", "program"), PROGRAMS)
def test_program_says_its_version_in_an_empty_root(
    paths: dict[str, Path], empty: Order, package: str, program: str
) -> None:
    got = ran(
        empty,
        closure=tuple(map(str, closure(package))),
        command=(f"{inside(paths[package])}/bin/{program}", asked(program)),
    )
    assert got.returncode == 0, got.stderr
    upstream = paths[package].name.split("-", 2)[2].partition("+")[0].partition("-")[0]
    assert told(program, upstream) in got.stdout + got.stderr


def test_the_root_is_empty(paths: dict[str, Path], empty: Order) -> None:
    busybox = f"{inside(paths['postgresql'])}/usr/bin/busybox"
    got = ran(
        empty,
        closure=tuple(map(str, closure("postgresql"))),
        command=(busybox, "find", "/", "-xdev", "-maxdepth", "2"),
    )
    expected = {"/", "/store", "/proc", "/dev", "/dev/null", "/dev/zero", "/dev/urandom"}
    expected |= {"/dev/shm", "/tmp", *map(inside, closure("postgresql"))}
    assert set(got.stdout.split()) == expected, got.stderr


_SERVE = """
set -e
initdb -D /tmp/data -U lab -N --encoding=UTF8 --locale=C --locale-provider=builtin \\
    --builtin-locale=C.UTF-8 -c timezone=GMT -c log_timezone=GMT > /tmp/initdb.log
pg_ctl -D /tmp/data -w -l /tmp/log -o "-k /tmp -c listen_addresses=" start > /dev/null
psql -h /tmp -U lab -d postgres -Atc "select upper('ä'), current_setting('timezone')"
pg_ctl -D /tmp/data -w -m immediate stop > /dev/null
"""


def test_postgresql_serves_a_query_in_an_empty_root(paths: dict[str, Path], empty: Order) -> None:
    """With the closure's own shell in the place where PostgreSQL looks for one, and a name for the
    user that it runs as."""
    here = inside(paths["postgresql"])
    uid = os.geteuid() or NOBODY
    got = ran(
        empty,
        closure=tuple(map(str, closure("postgresql"))),
        files={"etc/passwd": f"lab:x:{uid}:{uid}::/tmp:/bin/sh\n"},
        links={"bin/sh": f"{here}/usr/bin/busybox"},
        command=("/bin/sh", "-c", f"PATH={here}/bin\n{_SERVE}"),
    )
    assert got.stdout == "Ä|GMT\n", got.stderr
