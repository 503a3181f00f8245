"""What every test may use: a state folder of its own that PostgreSQL's user may enter."""

import os
import shutil
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from zlib import crc32

import pytest
from hypothesis import HealthCheck, settings

from tests import leftovers

# How long an example takes is the machine's affair.
settings.register_profile("lab", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("lab")

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell leaves it so for what it starts in the background, and every child would inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)


_ENDING = ExitStack()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--share", metavar="K/N",
        help="only one in N of the tests, always the same ones; with K from 1 to N all have run",
    )  # fmt: skip


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not (given := config.getoption("--share")):
        return
    number, _, of = given.partition("/")
    if not (number.isdecimal() and of.isdecimal() and 1 <= int(number) <= int(of)):
        raise pytest.UsageError(f"--share is `{given}`, expected K/N with K from 1 to N")
    # By its name: another test more or less does not move the others to another night.
    mine = {one for one in items if crc32(one.nodeid.encode()) % int(of) == int(number) - 1}
    config.hook.pytest_deselected(items=[one for one in items if one not in mine])
    items[:] = [one for one in items if one in mine]


def pytest_configure() -> None:
    leftovers.sweep()
    _ENDING.enter_context(leftovers.run())


def pytest_unconfigure() -> None:
    _ENDING.close()


@pytest.fixture(scope="session", autouse=True)
def _reports(tmp_path_factory: pytest.TempPathFactory) -> None:
    """No proof of a test, wherever it is started, takes the place of the user's own last one."""
    folder = tmp_path_factory.mktemp("reports")
    folder.chmod(0o777)
    os.environ["STACK_REPORTS"] = str(folder)


@pytest.fixture(scope="module")
def state_dir() -> Iterator[Path]:
    """STACK_STATE for the tests of one module; whatever runs in it is stopped at the end.

    Not pytest's own folder, which only its owner may enter.
    """
    folder = leftovers.fresh("lab-")
    folder.chmod(0o755)
    before = os.environ.get("STACK_STATE")
    os.environ["STACK_STATE"] = str(folder)
    yield folder
    from stack.run.instance import instances_dir
    from stack.run.lifecycle import bring_down

    for path in sorted(instances_dir().glob("*/")):
        bring_down(path.name, wipe=True)
    shutil.rmtree(folder)
    if before is None:
        del os.environ["STACK_STATE"]
    else:
        os.environ["STACK_STATE"] = before
