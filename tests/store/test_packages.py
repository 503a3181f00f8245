"""The real packages: built from the real lock, complete, relocatable, and running."""

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from stack.paths import cache_dir
from stack.store.packages import PACKAGES
from stack.store.packageset import PackageSet, closure, realise
from tests.store.empty_root import asked, told

NEEDED = [package for package in PACKAGES if not package.optional]
"""What can always be had; the browser, too, though nothing of the stack runs from it."""
PROGRAMS = [(package.name, each.name) for package in NEEDED for each in package.programs]


@pytest.fixture(scope="module")
def paths() -> dict[str, Path]:
    return realise([package.name for package in NEEDED])


def output_of(*command: object, **options: object) -> str:
    ran = subprocess.run(
        [str(word) for word in command],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        **options,  # type: ignore[call-overload]
    )
    assert ran.returncode == 0, f"{command}: {ran.stdout}{ran.stderr}"
    return ran.stdout + ran.stderr


def version_in(path: Path) -> str:
    """The upstream version in a store path's name."""
    return path.name.split("-", 2)[2].partition("+")[0].partition("-")[0]


@pytest.mark.parametrize(("package", "program"), PROGRAMS)
def test_program_says_its_version(paths: dict[str, Path], package: str, program: str) -> None:
    said = output_of(paths[package] / "bin" / program, asked(program))
    assert told(program, version_in(paths[package])) in said


def test_programs_start_however_they_are_called(paths: dict[str, Path], tmp_path: Path) -> None:
    promtool = paths["prometheus"] / "bin" / "promtool"
    (tmp_path / "linked").symlink_to(promtool)
    (tmp_path / "folder with space").symlink_to(promtool.parent)
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin", "CDPATH": "/", "LD_LIBRARY_PATH": "/none"}
    for called in (
        "linked",
        f"{tmp_path}/linked",
        f"{tmp_path}/folder with space/promtool",
        os.path.relpath(promtool, tmp_path),
        "./folder with space/promtool",
    ):
        ran = output_of("/bin/sh", "-c", f"'{called}' --version", cwd=tmp_path, env=environment)
        assert ran.startswith("promtool, version"), called


def test_promtool_keeps_the_working_directory(paths: dict[str, Path], tmp_path: Path) -> None:
    (tmp_path / "here.yml").write_text("groups: []\n")
    promtool = paths["prometheus"] / "bin" / "promtool"
    assert "SUCCESS" in output_of(promtool, "check", "rules", "here.yml", cwd=tmp_path)


def test_programs_run_from_a_store_that_was_moved(paths: dict[str, Path], tmp_path: Path) -> None:
    for path in closure("postgres_exporter"):
        shutil.copytree(path, tmp_path / "other place" / path.name, symlinks=True)
    moved = tmp_path / "other place" / paths["postgres_exporter"].name
    assert "0.17" in output_of(moved / "bin" / "postgres_exporter", "--version")


def is_elf(at: Path) -> bool:
    if at.is_symlink() or not at.is_file():
        return False
    with at.open("rb") as file:
        return file.read(4) == b"\x7fELF"


@pytest.mark.parametrize("package", [package.name for package in NEEDED if not package.page])
def test_every_library_comes_from_the_closure(paths: dict[str, Path], package: str) -> None:
    (loader,) = paths["glibc"].glob("usr/lib/*/ld-linux-*")
    own = paths[package] / loader.parent.relative_to(paths["glibc"])
    folders = f"{own}:{own}/pulseaudio:{loader.parent}"
    static = {at.resolve() for at in paths[package].glob("bin/*")} | {
        paths[package] / "usr/bin/busybox",
        loader,
    }
    needed = [at for at in paths[package].rglob("*") if is_elf(at) and at not in static]
    assert needed or package == "busybox"  # which is static
    command = [loader, "--inhibit-cache", "--library-path", folders, "--list"]
    for at in needed:
        for line in output_of(*command, at).splitlines():
            name, arrow, found = line.strip().partition(" => ")
            assert not arrow or found.startswith(str(loader.parents[4])), f"{at}: {name} {found}"


@pytest.fixture
def unprivileged() -> dict[str, object]:
    """How to start a process as a user whom PostgreSQL accepts."""
    if os.geteuid() != 0:
        return {}
    return {"user": "nobody", "group": "nogroup", "extra_groups": []}


def test_postgresql_initialises_and_serves_another_user(
    paths: dict[str, Path], open_folder: Path, unprivileged: dict[str, object]
) -> None:
    bin_ = paths["postgresql"] / "bin"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options: dict[str, object] = {
        **unprivileged,
        "env": {"PATH": "/usr/bin:/bin", "LC_ALL": "no_SUCH.locale", "TZ": "GMT"},
        "cwd": open_folder,
    }
    unicode = ("--encoding=UTF8", "--locale=C", "--locale-provider=builtin")
    data = ("-D", open_folder / "data")
    output_of(
        bin_ / "initdb", *data, *unicode, "--builtin-locale=C.UTF-8", "-U", "lab", "-N", **options
    )
    settings = f"-k {open_folder} -p {port} -c listen_addresses=127.0.0.1 -c timezone=GMT"
    log = ("-l", open_folder / "log")
    started = subprocess.run(
        [bin_ / "pg_ctl", *data, *log, "-w", "-o", settings, "start"],
        stdout=subprocess.DEVNULL,
        timeout=60,
        check=False,
        **options,  # type: ignore[call-overload]
    )
    try:
        assert started.returncode == 0, (open_folder / "log").read_text()
        asked = (
            "create extension pg_stat_statements; select upper('ä'), current_setting('timezone')"
        )
        psql = (bin_ / "psql", "-h", "127.0.0.1", "-p", port, "-U", "lab", "-d", "postgres")
        assert "Ä|GMT" in output_of(*psql, "-Atc", asked)
        postmaster = int((open_folder / "data" / "postmaster.pid").read_text().split()[0])
        assert Path(f"/proc/{postmaster}/comm").read_text() == "postgres\n"
        environment = Path(f"/proc/{postmaster}/environ").read_bytes()
        assert b"LD_LIBRARY_PATH" not in environment
    finally:
        output_of(bin_ / "pg_ctl", *data, "-w", "-m", "immediate", "stop", **options)


_BUILD = """
import sys
from pathlib import Path
from stack.store.packageset import PackageSet, realise
from tests.store.empty_root import asked
from tests.store.empty_root import asked
print(*realise(package_set=PackageSet(cache=Path(sys.argv[1]))).values())
"""


@pytest.mark.nightly
def test_build_elsewhere_by_another_user_gives_the_same(
    paths: dict[str, Path], open_folder: Path, other_user: dict[str, object]
) -> None:
    """The lock's tree hashes are what says so: a build that gives others fails."""
    cached = cache_dir() / "artifacts"
    cache = open_folder / "cache"
    if cached.exists():
        shutil.copytree(cached, cache / "artifacts")
        for folder in (cache, cache / "artifacts"):
            folder.chmod(0o777)
    built = output_of(sys.executable, "-c", _BUILD, cache, **other_user).split()
    names = {Path(word).name for word in built}
    assert {paths[one.name].name for one in PACKAGES if one.by_default} <= names


def test_package_for_another_cpu_is_built_here(tmp_path: Path) -> None:
    """Its tree hash is in the lock, and a build that gives another one fails."""
    realise(["node_exporter"], PackageSet(system="arm64"))  # has the artifacts
    (tmp_path / "artifacts").symlink_to(cache_dir() / "artifacts")
    built = realise(["node_exporter"], PackageSet(system="arm64", cache=tmp_path))
    assert set(built) == {"glibc", "node_exporter"}
    program = built["node_exporter"] / "libexec" / "node_exporter"
    for at in (program, built["node_exporter"] / "bin" / "node_exporter"):
        assert int.from_bytes(at.read_bytes()[18:20], "little") == 183  # EM_AARCH64 (elf(5))
    assert (built["glibc"] / "usr/lib/aarch64-linux-gnu/ld-linux-aarch64.so.1").is_file()
    if emulator := shutil.which("qemu-aarch64-static") or shutil.which("qemu-aarch64"):
        libraries = ("--library-path", built["glibc"] / "usr/lib/aarch64-linux-gnu")
        loader = program.parent / "loader" / "node_exporter"
        assert "1.9.0" in output_of(emulator, loader, *libraries, program, "--version")
