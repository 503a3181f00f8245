"""A launcher finds out where it stands and starts what its table says, needing only a kernel."""

import platform
import shutil
import subprocess
from pathlib import Path

import pytest

from stack.store import launcher as launchers
from stack.store.derivation import SYSTEMS
from stack.store.launcher import OUTPUT, STORE, launcher

SOURCES = Path(launchers.__file__).parent
SAYS = 'pwd; printf "<%s>" "$0" "$@" "$WORD"'
HERE = SYSTEMS[platform.machine()]


def emulator(system: str) -> list[str]:
    """What runs programs of a system here: nothing for this machine's own."""
    if system == HERE:
        return []
    cpu = next(cpu for cpu, name in SYSTEMS.items() if name == system)
    found = shutil.which(f"qemu-{cpu}-static") or shutil.which(f"qemu-{cpu}")
    if not found:
        pytest.skip(f"nothing here runs programs for {system}")
    return [found]


@pytest.fixture
def store(tmp_path: Path) -> Path:
    made = tmp_path / "any 'place' é"
    (made / "tool" / "usr" / "bin").mkdir(parents=True)
    (made / "tool" / "work here").mkdir()
    return made


def put(store: Path, system: str, *arguments: str, cwd: str = ".") -> Path:
    file = store / "tool" / "usr" / "bin" / "tool"
    file.write_bytes(launcher(system, "usr/bin/tool", arguments, cwd=cwd))
    file.chmod(0o755)
    return file


def ran(*command: object, cwd: Path = Path("/")) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env={"WORD": "of the environment"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("system", SYSTEMS.values())
def test_launcher_fills_in_paths_and_passes_arguments_and_environment(
    store: Path, system: str
) -> None:
    texts = (f"{OUTPUT}/lib:{STORE}/libc", "plain")
    file = put(store, system, "/bin/sh", "-c", SAYS, *texts)
    got = ran(*emulator(system), file, "a b", "", "ö")
    want = f"<{store}/tool/lib:{store}/libc><plain><a b><><ö><of the environment>"
    assert got.stdout == f"/\n{want}"


@pytest.mark.parametrize("system", SYSTEMS.values())
def test_launcher_goes_where_it_is_told_and_follows_links(store: Path, system: str) -> None:
    file = put(store, system, "/bin/sh", "-c", SAYS, OUTPUT, cwd=f"{OUTPUT}/work here")
    (store / "link").symlink_to(file)
    got = ran(*emulator(system), store / "link")
    assert got.stdout == f"{store}/tool/work here\n<{store}/tool><of the environment>"


@pytest.mark.parametrize("system", SYSTEMS.values())
def test_launcher_passes_thousands_of_arguments(store: Path, system: str) -> None:
    file = put(store, system, "/bin/sh", "-c", 'echo "$# $0"')
    assert ran(*emulator(system), file, *range(5000)).stdout == "4999 0\n"


@pytest.mark.parametrize("system", SYSTEMS.values())
@pytest.mark.parametrize(
    ("program", "cwd"), [(f"{OUTPUT}/none", "."), ("/bin/true", f"{OUTPUT}/none")]
)
def test_launcher_says_that_something_is_missing(
    store: Path, system: str, program: str, cwd: str
) -> None:
    got = ran(*emulator(system), put(store, system, program, cwd=cwd))
    assert (got.returncode, got.stdout) == (126, "")
    assert got.stderr.startswith("cannot start: ")


def test_launcher_refuses_more_than_it_has_room_for() -> None:
    with pytest.raises(ValueError, match="too long"):
        launcher("amd64", "bin/x", ["/bin/true", ":".join([STORE] * 16)])
    with pytest.raises(ValueError, match="too long"):
        launcher("amd64", "bin/x", ["/bin/true"] * 60)


@pytest.mark.parametrize(("cpu", "system"), SYSTEMS.items())
def test_code_is_what_the_source_says(tmp_path: Path, cpu: str, system: str) -> None:
    tools = [shutil.which(f"{cpu}-linux-gnu-{tool}") for tool in ("as", "objcopy")]
    if not all(tools):
        pytest.skip(f"no GNU assembler for {cpu} here")
    source, made, code = SOURCES / f"{system}.s", tmp_path / "made.o", tmp_path / "code"
    for command in ([tools[0], source, "-o", made], [tools[1], "-O", "binary", made, code]):
        subprocess.run([str(word) for word in command], check=True, timeout=60)
    assert code.read_bytes() == launchers._CODE[system]
