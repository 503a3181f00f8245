"""A disk that fills up under the Prometheus that is measured ends the run with that reason."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from loadgen.fleet.roster import Plan
from scenarios.capacity.metrics.bench import Bench, Dwell
from scenarios.capacity.metrics.monitor import Died
from scenarios.capacity.metrics.sizes import Size
from stack.errors import HostCannot
from tests import leftovers
from tests.scenarios.capacity.metrics import made

pytestmark = [
    pytest.mark.nightly,
    pytest.mark.timeout(300),
    pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a small disk"),
]


@pytest.fixture
def disk() -> Iterator[Path]:
    folder = leftovers.fresh("lab-")
    subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=40m,mode=755", "small", str(folder)], check=True
    )
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)
        folder.rmdir()


def test_full_disk_is_named_and_nothing_is_left_on_it(disk: Path, tmp_path: Path) -> None:
    bench = Bench(
        layout=made.layout(tmp_path / "instance"), shape=made.shape(tmp_path / "shape"),
        folder=disk / "measured", interval_s=1.0,
        dwell=Dwell(settle_s=1.0, window_s=4.0, windows=30),
    )  # fmt: skip
    seen: list[Size] = []

    def tell(size: Size) -> None:
        seen.append(size)
        with suppress(OSError), (disk / "ballast").open("wb", buffering=0) as ballast:
            while True:
                ballast.write(b"x" * 4096)

    with pytest.raises((Died, HostCannot), match=r"is full|no space left"):
        bench.measure(Plan(targets=5), tell)
    assert seen, "what was measured before is told"
    assert not (disk / "measured" / "one").exists()
