"""Where npm's packages are: the registry that this host is configured for."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from stack.errors import HostCannot
from stack.store import disk

_NPM_TIMEOUT_S = 30
_SETTING = re.compile(r"^\s*registry\s*=\s*[\"']?([^\s\"']+)", re.MULTILINE)


def registry(settings: tuple[Path, ...] | None = None) -> str:
    """Base URL of the registry, without a slash at the end.

    As npm finds it: `NPM_CONFIG_REGISTRY` in the environment, the user's `.npmrc`, the host's; then
    what npm itself says, if it is installed: it knows more places, and its own default. `settings`:
    the files, unless given those. Raises HostCannot where nothing names one.
    """
    for found in _said(_files() if settings is None else settings):
        if found.startswith(("http://", "https://")):
            return found.rstrip("/")
    raise HostCannot(
        "no npm registry is configured on this host, and npm is not installed",
        cure="Name one in NPM_CONFIG_REGISTRY, or as `registry=URL` in ~/.npmrc.",
    )


def _said(settings: tuple[Path, ...]) -> Iterator[str]:
    for name in ("NPM_CONFIG_REGISTRY", "npm_config_registry"):
        yield os.environ.get(name, "")
    for file in settings:
        try:
            match = _SETTING.search(file.read_text(errors="replace"))
        except OSError:
            continue  # what we may not read, or is not there, says nothing
        if match:
            yield re.sub(r"\$\{(\w+)\}", lambda name: os.environ.get(name[1], ""), match[1])
    yield _of_npm()


def _files() -> tuple[Path, ...]:
    """npm's documentation, "npmrc": the user's, then the host's."""
    user = os.environ.get("NPM_CONFIG_USERCONFIG") or "~/.npmrc"
    host = os.environ.get("NPM_CONFIG_GLOBALCONFIG")
    everywhere = (host,) if host else ("/etc/npmrc", "/usr/local/etc/npmrc")
    return tuple(Path(file).expanduser() for file in (user, *everywhere))


def _of_npm() -> str:
    npm = shutil.which("npm")
    if npm is None:
        return ""
    try:
        with disk.scratch() as folder:  # npm writes a log of each call, and it is not our home
            ran = subprocess.run(
                [npm, "config", "get", "registry"],
                capture_output=True,
                text=True,
                timeout=_NPM_TIMEOUT_S,
                cwd="/",  # the settings of whichever project this was called from are none of ours
                env=os.environ | {"NPM_CONFIG_CACHE": str(folder), "NPM_CONFIG_LOGS_MAX": "0"},
            )
    except (OSError, subprocess.SubprocessError):
        return ""
    return ran.stdout.strip() if ran.returncode == 0 else ""
