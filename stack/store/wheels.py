"""The Python requirements as wheels for this machine, to be carried to one without a network."""

import hashlib
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Collection, Sequence
from pathlib import Path

from stack.errors import HostCannot
from stack.progress import Progress
from stack.store import requirements
from stack.store.disk import make_folder, unusable

_PIP_TIMEOUT_S = 1800

_MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}

_LIBC = 41
"""glibc 2.41 of Debian 13: wheels for it and for older ones run there (PEP 600)."""


def wheels(cache: Path, report: Progress, pinned: Path = requirements.REQUIREMENTS) -> list[Path]:
    """The wheels that this Python installs on this machine, downloaded once into the cache.

    pip finds them through the host's own settings. Raises HostCannot if it does not.
    """
    place = f"{sysconfig.get_platform()} {sys.version_info[:2]}\n"
    return _kept(place, pinned, (), cache, report)


def wheels_of(
    names: Collection[str], system: str, version: str, cache: Path, report: Progress
) -> list[Path]:
    """The same of some pinned packages, by their normal names, for another Python: CPython of that
    version on Debian of that system. Raises as `wheels`.
    """
    place = f"{system} {version}\n"
    platforms = (f"manylinux_2_{minor}_{_MACHINES[system]}" for minor in range(_LIBC, 4, -1))
    options = ["--python-version", version, "--implementation", "cp"]
    options += [part for platform in platforms for part in ("--platform", platform)]
    with tempfile.TemporaryDirectory() as made:
        pinned = Path(made) / "requirements.txt"
        pinned.write_text(requirements.only(names))
        return _kept(place, pinned, options, cache, report)


def _kept(
    place: str, pinned: Path, options: Sequence[str], cache: Path, report: Progress
) -> list[Path]:
    key = hashlib.sha256(place.encode() + pinned.read_bytes()).hexdigest()[:32]
    folder = cache / "wheels" / key
    if not folder.is_dir() or _damaged(folder, pinned):
        shutil.rmtree(folder, ignore_errors=True)
        with report.doing("downloading the Python requirements with pip"):
            _download(folder, pinned, options)
    return sorted(folder.iterdir())


def _damaged(folder: Path, pinned: Path) -> list[str]:
    files = {
        at.name: hashlib.sha256(at.read_bytes()).hexdigest() for at in sorted(folder.iterdir())
    }
    return requirements.wrong_wheels(files, requirements.load(pinned))


def _download(folder: Path, pinned: Path, options: Sequence[str]) -> None:
    make_folder(folder.parent)
    with tempfile.TemporaryDirectory(prefix=".new-", dir=folder.parent) as made:
        aside = Path(made) / "wheels"
        command = [sys.executable, "-m", "pip", "download", "--require-hashes", "--no-deps"]
        command += ["--only-binary=:all:", "--disable-pip-version-check", "--no-input", "--quiet"]
        ran = subprocess.run(
            [*command, *options, "--requirement", str(pinned), "--dest", str(aside)],
            capture_output=True,
            text=True,
            timeout=_PIP_TIMEOUT_S,
        )
        if ran.returncode != 0:
            errors = [line for line in ran.stderr.splitlines() if line.startswith("ERROR")]
            raise HostCannot(
                f"pip cannot download the Python requirements: {[ran.stderr.strip(), *errors][-1]}",
                cure="Check that this host's pip reaches an index, or leave them out with "
                "`--no-python`: then the other machine needs a `.venv` of its own.",
            )
        try:
            aside.rename(folder)
        except OSError as error:
            if not folder.is_dir():  # else somebody else has just brought the same
                raise unusable(error, folder.parent) from error
