"""What the tasks about instances print: `up`, `down`, `status`, `logs`, `restart`."""

import subprocess
import sys
import time
from collections.abc import Mapping, Sequence

import psutil
from rich.console import Console
from rich.table import Table
from rich.text import Text

from stack.errors import BadInput, CheckFailed, HostCannot
from stack.names import choose, meant
from stack.paths import given
from stack.progress import Way, chosen, result
from stack.run import naming
from stack.run.choice import CHOICES, behind, told
from stack.run.instance import Instance, existing, instances_dir, names
from stack.run.profile import PRODUCTION, Profile
from stack.run.remote import asked
from stack.run.services import ALL, SERVICES
from stack.run.startup import OnReady
from stack.run.supervisor import processes

_MIB = 1024 * 1024

_LEGIBLE = 20
"""Columns that say something of what a service is."""

_LATER = "added by the next `doit up`"


def up(
    instance: str,
    speed: float,
    port_offset: int,
    backends: int = 1,
    profile: str = "",
    certificate: str = "",
    key: str = "",
    remote_write: str = "",
    remote_write_settings: str = "",
    on_ready: OnReady = lambda service, seconds: None,
) -> None:
    """Bring the instance up, name each service as it becomes ready, then show the state."""
    from stack.run.lifecycle import bring_up

    started = time.monotonic()

    def ready(service: str, seconds: float) -> None:
        if chosen() is Way.AUTO:
            print(f"  {service} ready after {seconds:.1f} s")
        on_ready(service, seconds)

    stack = bring_up(
        instance,
        speed=speed,
        port_offset=port_offset,
        backends=backends,
        profile=_profile(profile, certificate, key),
        remote_write=asked(
            remote_write, str(given(remote_write_settings)) if remote_write_settings else ""
        ),
        on_ready=ready,
    )
    took = time.monotonic() - started
    result(
        f"all {len(stack.services)} services ready in {took:.1f} s",
        "up", instance=instance, seconds=took,
    )  # fmt: skip
    for choice in CHOICES:
        result(f"{choice.what} by {choice.reason(stack.layout.packages)}")
    if chosen() is Way.AUTO:
        print()
        _show(stack)


def _profile(name: str, certificate: str, key: str) -> Profile | None:
    """The one that is asked for. Raises BadInput for options that do nothing together."""
    if bool(certificate) != bool(key):
        raise BadInput("--certificate and --key go together.", cure="Name both files.")
    if certificate and name != PRODUCTION:
        raise BadInput(
            "a certificate of your own is for the production profile.",
            cure=f"Add --profile {PRODUCTION}.",
        )
    files = [str(given(file)) if file else "" for file in (certificate, key)]
    return Profile(name=name, certificate=files[0], key=files[1]) if name else None


def health(instance: str) -> None:
    """Say of each part of the instance whether it does what it is there for. Raises CheckFailed
    naming those that do not, BadInput for an instance that does not run."""
    from stack.run.health import Verdict, findings

    found = findings(running(instance))
    width = max(len(one.part) for one in found)
    for one in found:
        result(f"{one.part:<{width}}  {one.verdict:<4}  {one.said}", "health", part=one.part,
               verdict=one.verdict, said=one.said)  # fmt: skip
    bad = list(dict.fromkeys(one.part for one in found if one.verdict is Verdict.BAD))
    if bad:
        raise CheckFailed(
            f"not well: {', '.join(bad)}.",
            cure=f"`doit status{naming.option(instance)}` shows what runs,"
            f" `doit logs{naming.option(instance)} SERVICE` what it says.",
        )


def reload(instance: str) -> None:
    """Have the instance take over what was edited, and say what became of which service."""
    from stack.run.reload import reload as take_over

    changes = take_over(instance)
    for change in changes:
        how = "restarted" if change.restarted else "reloaded"
        result(f"{change.service} {how}: {', '.join(change.files)}")
    if not changes:
        result(f"instance `{instance}` runs with the files as they are: nothing to reload")


def down(instance: str, wipe: bool) -> None:
    """Stop the instance; its data stay unless `wipe`."""
    from stack.run.lifecycle import bring_down

    started, there = time.monotonic(), names()
    known = ["default", *there]
    if bring_down(instance, wipe=wipe):
        took = f"{time.monotonic() - started:.1f} s"
        print(f"instance `{instance}` is down ({took}){_data(instance, wipe)}")
    elif instance in known:
        print(
            f"instance `{instance}` was not running"
            + (_data(instance, wipe) if instance in there else ", and has no data")
        )
    else:
        result(
            f"there is no instance `{instance}`, so nothing was stopped. {meant(instance, known)}"
        )


def _data(instance: str, wiped: bool) -> str:
    """What became of the data of one that was stopped, or was down before."""
    if wiped:
        return "; its data and logs were removed"
    return (
        f"; its data and logs stay in {instances_dir() / instance}"
        f" (`doit down{naming.option(instance)} --wipe` removes them)"
    )


def status(instance: str) -> None:
    """Show the instance. Raises BadInput when there is none of that name, CheckFailed when it
    should run but a part of it does not."""
    stack = existing(instance)
    if stack is None:
        others = [name for name in names() if Instance.open(name).is_running()]
        result(f"instance `{instance}` does not exist; start it with `{naming.up(instance)}`")
        if others:
            result(f"running: {', '.join(others)} (see them with `--instance NAME`)")
        return
    left = [] if stack.is_running() else processes(stack.directory)
    if left:
        raise CheckFailed(
            f"instance `{instance}`: its supervisor is gone, but {len(left)} of its processes are "
            "still running.",
            cure=f"`doit down{naming.option(instance)}` ends them, `{stack.up}` starts it again.",
        )
    if not stack.is_running():
        result(f"instance `{instance}` is down; start it with `{stack.up}`")
        return
    stopped = _show(stack)
    if stopped:
        of = naming.option(instance)
        raise CheckFailed(
            f"not running: {', '.join(stopped)}.",
            cure=f"`doit logs{of} {stopped[0]}` shows why,"
            f" `doit restart{of} {stopped[0]}` starts it.",
        )


def restart(instance: str, services: list[str]) -> None:
    """Restart the services and wait until each is ready."""
    if not services:
        raise BadInput("name a service to restart.", cure=f"One or more of {', '.join(ALL)}.")
    stack = running(instance)
    for service in _parts(stack, services):
        started = time.monotonic()
        stack.restart_service(service)
        print(f"{service} ready after {time.monotonic() - started:.1f} s")


def logs(instance: str, services: list[str], follow: bool, lines: int) -> None:
    """Print the last `lines` lines of the services' logs (all when none is named)."""
    stack = Instance.open(instance)
    chosen = _parts(stack, services) or [*stack.services]
    files = [str(stack.layout.log(service)) for service in chosen]
    present = [file for file in files if stack.layout.log("").parent.exists()]
    tail = ["tail", f"--lines={lines}", *(["--follow=name", "--retry"] if follow else [])]
    sys.stdout.flush()
    try:
        subprocess.run([*tail, "--", *present], check=False)
    except FileNotFoundError:
        raise HostCannot(
            "`tail` is not installed on this host.", cure=f"The log files: {files}"
        ) from None


def _parts(stack: Instance, given: list[str]) -> list[str]:
    """The services of the instance that are meant. Raises BadInput."""
    found = choose(given, ALL, what="service")
    there = [name for name in found if name in stack.ports]
    # A pattern means what is there; whoever names one wants it.
    if newer := [name for name in found if name not in there and (name in given or not there)]:
        raise BadInput(
            f"`{newer[0]}` is newer than instance `{stack.name}`.",
            cure=f"`{stack.up}` adds it.",
        )
    return there


def running(name: str) -> Instance:
    """The instance called `name`. Raises BadInput when it does not run."""
    stack = Instance.open(name)
    if not stack.is_running():
        raise BadInput(f"instance `{name}` is not running.", cure=f"Start it with `{stack.up}`.")
    return stack


def _show(stack: Instance) -> list[str]:
    """Print the table; the names of services that do not run."""
    states, packages = stack.supervisor.states(), stack.layout.packages
    rows: list[tuple[str, ...]] = []
    stopped, total, families = [], 0, children()
    for service in {**SERVICES, **stack.services}.values():
        state, choice = states.get(service.name), behind(service.name)
        alive = bool(state and state.pid)
        memory = memory_bytes(state.pid, families) if state and alive else 0
        total += memory
        if service.name not in stack.ports:
            rows.append((service.name, "not part", "", "", "", f"{service.about}: {_LATER}"))
            continue
        if not alive:
            stopped.append(service.name)
        rows.append((
            service.name,
            "running" if alive else state.status.lower() if state else "gone",
            str(state.pid) if state and alive else "",
            f"{memory / _MIB:.0f} MB" if alive else "",
            _address(stack, service.name),
            service.about + (choice.note(service.name, packages) if choice else ""),
        ))  # fmt: skip
    console = Console(width=None if sys.stdout.isatty() else 140, highlight=False)
    console.print(_table(rows, console.width))
    total += memory_bytes(_supervisor_pid(stack), {})
    console.print(
        f"\ninstance {stack.name}  hash {stack.hash}  speed {stack.speed:g}"
        f"  memory {total / _MIB:.0f} MB  generation {stack.record.generation}  {stack.directory}"
        f"\n{told(packages, stack.ports)}{_elsewhere(stack)}"
    )
    return stopped


def _elsewhere(stack: Instance) -> str:
    to = stack.record.remote_write.to
    return f", metrics also to {to}" if to else ""


_COLUMNS = ("service", "state", "pid", "memory", "address", "what it is")
_SPARED = ("what it is", "pid", "memory", "address")
"""What a narrow terminal does without, in this order; the last of it that is left may be cut."""


def _table(rows: Sequence[Sequence[str]], width: int) -> Table:
    """As much of each service as there is room for."""
    needed = {
        name: max(len(name), *(len(row[nth]) for row in rows)) for nth, name in enumerate(_COLUMNS)
    }
    shown = [*_COLUMNS]
    for name in _SPARED:
        wanted = sum(needed[one] + 2 for one in shown) - 2
        if wanted - width > (needed[name] - _LEGIBLE if name == "what it is" else 0):
            shown.remove(name)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in shown:
        table.add_column(
            name, justify="right" if name in ("pid", "memory") else "left", no_wrap=True,
            min_width=0 if name == "what it is" else needed[name], overflow="ellipsis",
        )  # fmt: skip
    for row in rows:
        cells = zip(_COLUMNS, row, strict=True)
        style = "" if row[1] in ("running", "not part") else "red"
        table.add_row(
            *(Text(cell, style if name == "state" else "") for name, cell in cells if name in shown)
        )
    return table


def _address(stack: Instance, name: str) -> str:
    service = ALL[name]
    if "http" in service.ports:
        smtp = f" smtp:{stack.port(name, 'smtp')}" if "smtp" in service.ports else ""
        return f"{stack.url(name)}{service.page}{smtp}"
    return f"127.0.0.1:{stack.port(name)}" if service.ports else ""


def _supervisor_pid(stack: Instance) -> int:
    try:
        return int((stack.directory / "supervisord.pid").read_text())
    except (OSError, ValueError):
        return 0  # which no process has


def children() -> dict[int, list[int]]:
    """PID → those of its child processes, on the whole machine: one look, since it takes long."""
    found: dict[int, list[int]] = {}
    for process in psutil.process_iter(["ppid"]):
        found.setdefault(process.info["ppid"], []).append(process.pid)
    return found


def memory_bytes(pid: int, children: Mapping[int, Sequence[int]]) -> int:
    """Proportional set size in bytes, where shared pages count once; with all child processes.

    0 when there is no such process.
    """
    try:
        own = int(psutil.Process(pid).memory_full_info().pss)
    except psutil.Error:
        return 0
    return own + sum(memory_bytes(child, children) for child in children.get(pid, ()))
