"""`doit demo`: the whole stack with a week behind it, living a clinic day, incidents on cue."""

import random

from scenarios.demo import leftovers
from scenarios.demo.board import Board
from scenarios.demo.ledger import Ledger
from scenarios.demo.run import Demo
from scenarios.demo.stage import Stage
from scenarios.demo.web import served
from scenarios.proof.endings import as_interrupt, ended_by
from scenarios.tasks.incident import incident
from stack.errors import BadInput
from stack.loopback import HOST as LOCALHOST
from stack.run.instance import Instance, names
from stack.run.lifecycle import bring_up
from stack.run.naming import option


def demo(instance: str, speed: float, port_offset: int, seed: int | None, no_history: bool) -> None:
    """Show a living system until Ctrl-C; the instance stays up afterwards.

    Raises BadInput for an instance that runs at another speed, HostCannot when it does not come up
    or its past cannot be written.
    """
    stack = _up(instance, speed, port_offset)
    drawn = random.SystemRandom().randrange(10**6) if seed is None else seed
    show = Demo(instance=stack, seed=drawn, say=lambda words: print(f"  {words}", flush=True))
    print(f"demo, seed {drawn}", flush=True)
    try:
        with ended_by(as_interrupt()), served(Board(Stage(instance)), stack) as page:
            show.live(past=not no_history, on_show=lambda: _tour(stack, page))
    finally:
        if stack.is_running() and Ledger(directory=stack.directory).entries():
            incident([], end=True, lasts="", by_schedule=False, seed=None, instance=instance)
        print(f"the people have gone home; `doit down{option(instance)}` stops the instance")


def _up(name: str, speed: float, port_offset: int) -> Instance:
    if name in names():
        there = Instance.open(name)
        if there.is_running():
            if there.speed != speed:
                raise BadInput(
                    f"instance `{name}` runs at speed {there.speed:g}.",
                    cure=f"Use `--speed {there.speed:g}`, or `doit down{option(name)}` first.",
                )
            leftovers.clear(name)
            return there
    with leftovers.undone(name) as on_ready:

        def ready(service: str, seconds: float) -> None:
            print(f"  {service} ready after {seconds:.1f} s", flush=True)
            on_ready(service, seconds)

        return bring_up(name, speed=speed, port_offset=port_offset, on_ready=ready)


def _tour(stack: Instance, page: str) -> None:
    rows = {
        "dashboards": f"http://{LOCALHOST}:{stack.port('grafana')}/",
        "alerts": f"{stack.url('prometheus')}/classic/alerts",
        "messages": stack.url("inbox"),
        "scheduler": f"{stack.url('backend')}/docs",
        "incidents": f"{page} (buttons)",
    }
    print("on show:")
    for what, where in rows.items():
        print(f"  {what:<12} {where}")
    named = option(stack.name)
    print(f"`doit incident{named}` in another terminal lists what can go wrong, `doit incident"
          f" PostgreSQLDown{named}` begins one. Ctrl-C ends the show.", flush=True)  # fmt: skip
