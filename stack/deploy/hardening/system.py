"""What other users, and other programs, of the machine can see: processes, folders, secrets."""

import stat
from collections.abc import Iterator
from pathlib import Path

import psutil

from stack.deploy.hardening.verdict import Said, of
from stack.run import production
from stack.run.instance import Instance
from stack.run.supervisor import processes

_SHORTEST = 12
"""Characters of a secret that are looked for; a shorter one may be any word."""

_SHOWN = 3


def users(instance: Instance) -> Iterator[Said]:
    """Nothing runs as root, or has its powers."""
    mighty = []
    running = processes(instance.directory)
    for process in running:
        try:
            status = Path(f"/proc/{process.pid}/status").read_text()
        except OSError:
            continue
        fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
        if fields["Uid"].split()[1] == "0" or int(fields["CapEff"], 16):
            mighty.append(fields["Name"])
    said = f"of {len(running)} processes, as root or with its powers: {_some(sorted(set(mighty)))}"
    cure = "; start it as an ordinary user" if mighty else ""
    yield of(not mighty, said + cure)


def folders(instance: Instance) -> Iterator[Said]:
    """Nobody else reads its data, secrets and logs."""
    wrong = [what for what, _ in production.readable(instance.layout)]
    for folder in (instance.logs_dir, instance.directory / "control"):
        mode = folder.stat().st_mode
        if mode & (stat.S_IROTH | stat.S_IWOTH | stat.S_IRGRP | stat.S_IWGRP):
            wrong.append(f"`{folder}` is {stat.filemode(mode)}")
    yield of(not wrong, "; ".join(wrong) or f"`{instance.directory}` is closed")


def passwords(instance: Instance) -> Iterator[Said]:
    """None is a default, short, or kept in the clear where a hash would do."""
    wrong = [what for what, _ in production.passwords(instance.layout)]
    yield of(not wrong, "; ".join(wrong) or "none is a default, short or in the users' file")


def secrets(instance: Instance) -> Iterator[Said]:
    """No secret is in an argument, an environment, a log or the configuration."""
    known = {
        text.encode(): file.name
        for file in sorted(instance.layout.secret("").iterdir())
        if file.is_file() and len(text := file.read_text().strip()) >= _SHORTEST
        and "\n" not in text and " " not in text
    }  # fmt: skip
    running = processes(instance.directory)
    places = {f"/proc/{one.pid}/{name}": one for one in running for name in ("cmdline", "environ")}
    files = [*instance.logs_dir.iterdir(), *instance.config_dir.rglob("*"),
             instance.directory / "supervisord.conf"]  # fmt: skip
    found = set()
    for place in [*map(Path, places), *(file for file in files if file.is_file())]:
        try:
            held = place.read_bytes()
        except (OSError, psutil.Error):
            continue
        owner = places.get(str(place))
        where = f"{_name(owner)}'s {place.name}" if owner else place.name
        found |= {f"{name} in {where}" for secret, name in known.items() if secret in held}
    yield of(
        not found,
        f"{len(known)} secrets looked for in {len(running)} processes and {len(files)} files,"
        f" found: {_some(sorted(found))}",
    )


def _name(process: psutil.Process) -> str:
    try:
        return str(process.name())
    except psutil.Error:
        return str(process.pid)


def _some(found: list[str]) -> str:
    more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    return (", ".join(found[:_SHOWN]) or "none") + more
