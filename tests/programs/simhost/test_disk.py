"""The simulated disks under the real node_exporter: as root, as an ordinary user, and nowhere."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stack.errors import BadInput, CheckFailed, HostCannot
from stack.paths import REPO
from stack.programs.simhost import disk
from stack.programs.simhost.enter import DATA_BYTES, disk_unavailable

Eventually = Callable[[Callable[[], object], str], object]

DATA = '{device="/dev/vdb1",device_error="",fstype="ext4",mountpoint="/data"}'
AVAILABLE, SIZE = f"node_filesystem_avail_bytes{DATA}", f"node_filesystem_size_bytes{DATA}"

# A user namespace that allows no further ones, and in it a process without capabilities.
NO_NAMESPACES = [
    *("unshare", "--user", "--map-root-user", "sh", "-c"),
    "echo 0 > /proc/sys/user/max_user_namespaces && "
    'exec setpriv --bounding-set=-all --inh-caps=-all "$@"',
    "sh",
]

needs_disk = pytest.mark.skipif(
    disk_unavailable() is not None, reason=f"no simulated disk: {disk_unavailable()}"
)
needs_tools = pytest.mark.skipif(
    not (shutil.which("unshare") and shutil.which("setpriv")), reason="no util-linux"
)


def python_for_all() -> str | None:
    """A Python that an ordinary user may run; root's own often lies in its home."""
    for python in (sys.executable, "/usr/bin/python3"):
        check = [python, "-c", "import sys; sys.exit(sys.version_info < (3, 11))"]
        try:
            done = subprocess.run(check, user="nobody", extra_groups=[], timeout=20, check=False)
        except OSError:
            continue
        if done.returncode == 0:
            return python
    return None


@pytest.fixture(params=["as I am", "as nobody"])
def somebodys_host(request: pytest.FixtureRequest, host: Any) -> Any:
    if request.param == "as nobody":
        if os.geteuid() != 0 or (python := python_for_all()) is None:
            pytest.skip("only root can become nobody, and nobody needs a Python")
        host.user, host.python = "nobody", python
        shutil.chown(host.root.parent, "nobody")
    return host


def mounts_below(root: Path) -> list[str]:
    escaped = str(root).replace(" ", "\\040")
    return [line for line in Path("/proc/self/mounts").read_text().splitlines() if escaped in line]


@needs_disk
def test_disk_fills_and_clears_and_leaves_nothing(
    somebodys_host: Any, node_exporter: Path, eventually: Eventually
) -> None:
    host = somebodys_host
    host.live()
    exporter = host.export(node_exporter)
    healthy = host.metrics()
    assert healthy[SIZE] == DATA_BYTES
    assert 0.6 < healthy[AVAILABLE] / healthy[SIZE] <= 0.7
    assert disk.usage(exporter.pid, host.root) == (DATA_BYTES, healthy[AVAILABLE])

    for free_percent in (15, 5.5, 40, 0):
        disk.fill(exporter.pid, host.root, free_percent=free_percent)
        available = host.metrics()[AVAILABLE]
        assert 0 <= DATA_BYTES * free_percent / 100 - available < 4096

    disk.clear(exporter.pid, host.root)
    assert host.metrics()[AVAILABLE] == healthy[AVAILABLE]

    assert mounts_below(host.root) == []
    exporter.terminate()
    exporter.wait(10)
    assert list((host.root / "root").iterdir()) == []
    with pytest.raises(CheckFailed, match=f"process {exporter.pid} of the simulated host is gone"):
        disk.fill(exporter.pid, host.root, free_percent=15)


@needs_disk
def test_disk_metrics_hold_no_figure_of_this_machine(host: Any, node_exporter: Path) -> None:
    host.live()
    host.export(node_exporter)
    metrics = host.metrics()
    assert host.control.parent.stat().st_mode  # the host still stands
    failed = [
        s for s, v in metrics.items() if s.startswith("node_scrape_collector_success") and not v
    ]
    assert failed == []
    labels = " ".join(metrics)
    assert {m for m in labels.split('"') if m.startswith("/")} == {
        "/", "/data", "/dev/vda1", "/dev/vdb1",
    }  # fmt: skip
    assert 'node_network_receive_bytes_total{device="eth0"}' in metrics
    assert sum(s.startswith("node_network_receive_bytes_total") for s in metrics) == 2
    assert metrics["node_memory_MemTotal_bytes"] == 16 * 1024**3
    assert sum('mode="idle"' in s for s in metrics) == 4
    inodes = [v for s, v in metrics.items() if s.startswith("node_filesystem_files{")]
    assert sorted(inodes) == [1024, 4096]


@needs_disk
@pytest.mark.parametrize("free_percent", [-1, 80, 101, float("nan")])
def test_disk_fill_refuses_what_cannot_be(host: Any, free_percent: float) -> None:
    process = host.enter("sleep", "60")
    mounted = host.wait_for_disk(process.pid)
    with pytest.raises(BadInput, match="expected 0 to"):
        disk.fill(process.pid, host.root, free_percent=free_percent)
    assert disk.usage(process.pid, host.root) == mounted


def test_disk_fill_refuses_a_process_without_the_disk(tmp_path: Path) -> None:
    """Never this machine's own disk, even with everything else in place."""
    (tmp_path / "root/data").mkdir(parents=True)
    fill_file = tmp_path / "root/data/fill"
    fill_file.touch()
    with pytest.raises(HostCannot, match="has no disk of its own at"):
        disk.fill(os.getpid(), tmp_path, free_percent=50)
    assert fill_file.stat().st_size == 0


@needs_disk
def test_disk_fill_refuses_a_link_out_of_the_disk(host: Any, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.touch()
    process = host.enter("sleep", "60")
    host.wait_for_disk(process.pid)
    inside = Path(f"/proc/{process.pid}/root{host.root}/root/data/fill")
    inside.unlink()
    inside.symlink_to(outside)
    with pytest.raises(HostCannot, match="cannot be opened"):
        disk.fill(process.pid, host.root, free_percent=15)
    assert outside.stat().st_size == 0


@needs_disk
def test_enter_keeps_the_process_id_and_the_user(host: Any) -> None:
    script = "import os; print('I am', os.getpid(), os.geteuid(), flush=True)"
    process = host.enter(sys.executable, "-c", script)
    assert process.wait(20) == 0
    assert host.log() == f"I am {process.pid} {os.geteuid()}\n"


@needs_disk
def test_disk_is_found_through_a_link_to_the_host(host: Any, tmp_path: Path) -> None:
    process = host.enter("sleep", "60")
    mounted = host.wait_for_disk(process.pid)
    (tmp_path / "link").symlink_to(host.root)
    assert disk.usage(process.pid, tmp_path / "link") == mounted


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--root", "/nowhere"], "`--root DIR` and `-- PROGRAM` are required"),
        (["--", "true"], "`--root DIR` and `-- PROGRAM` are required"),
        (["--root", "/nowhere", "--data-size", "0", "--", "true"], "`--data-size` is 0, expected"),
    ],
)
def test_enter_refuses_wrong_use(arguments: list[str], message: str) -> None:
    command = [sys.executable, "-m", "stack.programs.simhost.enter", *arguments]
    done = subprocess.run(command, cwd=REPO, capture_output=True, text=True, timeout=30)
    assert done.returncode == 2
    assert message in done.stderr


def test_enter_names_a_program_that_is_not_there(host: Any) -> None:
    assert host.enter("/no/such/program").wait(20) == 3
    assert "`/no/such/program`: No such file" in host.log()
    assert "Traceback" not in host.log()


@needs_tools
def test_enter_without_namespaces_runs_the_program_without_disks(
    host: Any, node_exporter: Path
) -> None:
    host.live()
    host.before = NO_NAMESPACES
    process = host.export(node_exporter)
    log = host.log()
    assert log.count("simulated host without disks: no user namespace for uid 0: ") == 1
    metrics = host.metrics()
    assert not [series for series in metrics if series.startswith("node_filesystem_avail")]
    assert metrics['node_scrape_collector_success{collector="filesystem"}'] == 1
    assert metrics['node_scrape_collector_success{collector="cpu"}'] == 1
    with pytest.raises(HostCannot, match="has no disk of its own"):
        disk.fill(process.pid, host.root, free_percent=15)


@needs_tools
def test_check_says_why_there_is_no_disk() -> None:
    command = [*NO_NAMESPACES, sys.executable, "-m", "stack.programs.simhost.enter", "--check"]
    done = subprocess.run(command, cwd=REPO, capture_output=True, text=True, timeout=30)
    assert done.returncode == 3
    assert (
        done.stderr
        == "no user namespace for uid 0: the limit user.max_user_namespaces is reached\n"
    )
