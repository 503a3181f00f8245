"""The way in on a machine with nothing but Python 3.11: a virtual environment, then tasks in it.

Standard library only, since nothing else is there yet; only `dodo.py` imports it, after a look at
the version. The environment is made from
`requirements.txt`, where every file is pinned by its hash; pip finds them through the mirror that
the host's own pip settings name. `import BUNDLE` takes them from the bundle instead, so that it
works on a machine without a network.
"""

import fcntl
import hashlib
import itertools
import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import NoReturn

REPO = Path(__file__).resolve().parent.parent
VENV = REPO / ".venv"
REQUIREMENTS = REPO / "requirements.txt"
WHEELS = REPO / ".venv-wheels"
"""Unpacked from a bundle while the environment is made."""
STAMP = VENV / "made-from"


def main(arguments: list[str]) -> None:
    """Replace this process by the command in the virtual environment, making that first where
    needed; help and wrong use need none.

    Exits with 3 when the environment cannot be made.
    """
    try:
        if _made_from() != _digest():
            _answer(arguments)
        ensure_venv(_bundle(arguments))
    except OSError as error:
        _give_up(
            f"cannot write `{error.filename or VENV}`: {error.strerror}.",
            "Fix that and repeat the command.",
        )
    except KeyboardInterrupt:
        print(
            "\ninterrupted; the next run makes the virtual environment from scratch",
            file=sys.stderr,
        )
        raise SystemExit(130) from None
    os.environ["STACK_CALLED_FROM"] = str(Path.cwd())
    os.chdir(REPO)
    python = str(VENV / "bin" / "python")
    os.execv(python, [python, "-m", "stack.tasks", *arguments])


def _answer(arguments: list[str]) -> None:
    """Exit with the answer if Python alone can give it."""
    from stack.tasks.front import main as answered

    code = answered(arguments, bare=True)
    if code is not None:
        raise SystemExit(code)


def ensure_venv(bundle: Path | None = None) -> None:
    """Make `.venv` from the locked requirements unless it already is, with the wheels of an offline
    bundle where one is given. Safe to run twice at once.
    """
    wanted = _digest()
    if _made_from() == wanted:
        _put_command()
        return
    with (REPO / ".venv.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if _made_from() != wanted:
            _make(wanted, bundle)
    _put_command()


def _put_command() -> None:
    """`.venv/bin/doit` is `dodo.py`, from whatever folder it is called."""
    command = VENV / "bin" / "doit"
    python, file = shlex.quote(str(VENV / "bin" / "python")), shlex.quote(str(REPO / "dodo.py"))
    text = f'#!/bin/sh\nexec {python} {file} "$@"\n'
    if VENV.is_symlink() or (command.exists() and command.read_text() == text):
        return  # another checkout's stays as it is
    partial = command.with_suffix(".part")
    partial.write_text(text)
    partial.chmod(0o755)
    partial.replace(command)


def _bundle(arguments: list[str]) -> Path | None:
    """The bundle of `import BUNDLE`."""
    if arguments[:1] == ["import"]:
        for before, argument in itertools.pairwise(arguments):
            if not argument.startswith("-") and before != "--artifact":
                return Path(argument).absolute()
    return None


def _digest() -> str:
    python = f"{sys.version_info.major}.{sys.version_info.minor}\n".encode()
    return hashlib.sha256(python + REQUIREMENTS.read_bytes()).hexdigest()


def _made_from() -> str:
    """Digest that the environment was made from; empty when it is absent, unfinished or moved."""
    try:
        return STAMP.read_text() if (VENV / "bin" / "python").exists() else ""
    except FileNotFoundError:
        return ""


def _make(digest: str, bundle: Path | None) -> None:
    lines = REQUIREMENTS.read_text().splitlines()
    total = sum(line[:1].isalnum() and "==" in line for line in lines)
    shutil.rmtree(WHEELS, ignore_errors=True)
    try:
        carried = _unpack(bundle) if bundle else 0
        where = " from the bundle" if carried else ""
        print(f"first run: making {VENV.name} with {total} locked packages{where}", file=sys.stderr)
        if VENV.is_symlink():  # to another checkout's, which stays as it is
            VENV.unlink()
        shutil.rmtree(VENV, ignore_errors=True)
        _make_venv()
        _install(total, offline=carried > 0)
    finally:
        shutil.rmtree(WHEELS, ignore_errors=True)
    partial = STAMP.with_suffix(".part")
    partial.write_text(digest)
    partial.replace(STAMP)


def _make_venv() -> None:
    """Exits with 3 for a Python that lacks what it takes, as Debian's does at first."""
    if "musl" in str(sysconfig.get_config_var("SOABI")):
        _give_up(
            f"this Python ({sys.executable}) is built for musl, and some of what the lab needs is "
            "published for glibc alone.",
            "Run it where the C library is glibc: Debian, Ubuntu, Fedora, and most others but "
            "Alpine.",
        )
    try:
        import ensurepip  # noqa: F401  # what venv would only find missing in a process of its own
        import venv

        venv.create(VENV, with_pip=True)
    except (ImportError, subprocess.CalledProcessError) as error:
        shutil.rmtree(VENV, ignore_errors=True)
        said = getattr(error, "output", None) or str(error)
        text = said.decode(errors="replace") if isinstance(said, bytes) else said
        have = f"{sys.version_info.major}.{sys.version_info.minor}"
        _give_up(
            f"this Python ({sys.executable}) cannot make a virtual environment: "
            f"{['', *text.strip().splitlines()][-1] or type(error).__name__}",
            f"Install the rest of it (on Debian and Ubuntu: `apt install python{have}-venv`), or "
            "run this with another Python.",
        )


def _unpack(bundle: Path) -> int:
    """Unpack the bundle's wheels into WHEELS; how many there are. Exits with 2 if it is bad."""
    from stack.errors import BadInput
    from stack.store.archive import Archive
    from stack.store.requirements import check_wheels, unpack_wheels

    if not bundle.is_file():
        _give_up(f"there is no file `{bundle}`.", "Name a bundle that can be read.", code=2)
    try:
        with bundle.open("rb") as file:
            archive = Archive(file, bundle.name)
            check_wheels(archive, REQUIREMENTS)
            WHEELS.mkdir()
            return unpack_wheels(archive, WHEELS)
    except BadInput as error:
        _give_up(error.what, error.cure, code=2)


def _install(total: int, *, offline: bool) -> None:
    command = [str(VENV / "bin" / "python"), "-m", "pip", "install", "--require-hashes"]
    command += ["--disable-pip-version-check", "--no-input", "--progress-bar=off"]
    command += ["-r", str(REQUIREMENTS)]
    environment = dict(os.environ)
    if offline:
        command += ["--no-index", "--find-links", str(WHEELS)]
        # Else pip would also look where this host's settings say, and wait for it.
        environment = {k: v for k, v in environment.items() if not k.startswith("PIP_")}
        environment["PIP_CONFIG_FILE"] = os.devnull
    log = REPO / ".venv-pip.log"
    collected = 0
    with (
        subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=environment,
        ) as pip,
        log.open("w") as record,
    ):
        assert pip.stdout is not None
        for line in pip.stdout:
            record.write(line)
            if line.startswith("Collecting "):
                collected += 1
                _progress(f"  {min(collected, total)}/{total} {line.split()[1]}")
            elif line.startswith("Installing collected"):
                _progress("  installing\n")
    if pip.returncode:
        errors = [text for text in log.read_text().splitlines() if text.startswith("ERROR")]
        reason = errors[-1] if errors else f"pip exited with {pip.returncode}"
        _give_up(
            f"the virtual environment cannot be made: {reason}",
            f"pip's whole output is in {log.name}; check that this host's pip reaches an index.",
        )
    log.unlink()


def _progress(text: str) -> None:
    """One line, overwritten on a terminal; elsewhere only the texts that end in a newline."""
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)
    elif text.endswith("\n"):
        print(text, end="", file=sys.stderr, flush=True)


def _give_up(what: str, cure: str, code: int = 3) -> NoReturn:
    print(f"{what}\n  {cure}", file=sys.stderr)
    raise SystemExit(code)
