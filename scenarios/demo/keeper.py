"""The process that holds one incident, and puts everything right when it ends:

    python -m scenarios.demo.keeper --instance NAME --incident ALERT --seconds REAL_SECONDS

It is two: one holds the fault, the other waits for it and undoes the fault if the first is killed.
Where both are, `put_right` is left to the next `doit up`, `doit down` or `doit incident`.
"""

import argparse
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import replace

from loadgen.faults.base import FaultFailed, lies_in, undo
from loadgen.traffic import Crew
from scenarios.demo import marks
from scenarios.demo.incident import Incident, choose, known
from scenarios.demo.ledger import Entry, Ledger
from scenarios.proof.endings import SIGNALS
from stack.check.configuration import read
from stack.errors import LabError
from stack.run.instance import Instance

LOOK_EVERY_S = 0.5


def put_right(instance: Instance, incident: Incident, ledger: Ledger) -> str:
    """Undo what an incident did, and close its entry; why that was not possible, or "".

    Whether it was in force does not matter. Of an instance that is down nothing is left but what
    lies in its data: the entry of such a fault stays for the next `doit up`.
    """
    entry = ledger.read(incident.name)
    if entry is None:
        return ""
    running, fault = instance.is_running(), incident.scenario.fault
    if not running and lies_in(fault):
        return f"instance `{instance.name}` is down; the next `doit up` undoes it"
    try:
        if running:
            undo(fault, instance)
    except Exception as error:  # a fault's own code: the entry stays, to be tried again
        why = f"{type(error).__name__}: {error}" if not _expected(error) else str(error)
        ledger.write(replace(entry, failed=why))
        return why
    ended = time.time()
    marks.end(instance, entry.mark, ended)
    ledger.close(entry, incident, ended)
    return ""


def _expected(error: Exception) -> bool:
    return isinstance(error, FaultFailed | LabError)


def hold(instance: Instance, incident: Incident, ledger: Ledger, seconds: float) -> bool:
    """Inject, wait, undo; whether all is right again. A signal ends the wait."""
    stop = threading.Event()
    for number in SIGNALS:
        signal.signal(number, lambda *_: stop.set())
    began = time.time()
    entry = Entry(
        name=incident.name, keeper=os.getppid(), began=began, until=began + seconds,
        touches=sorted(incident.scenario.touches),
    )  # fmt: skip
    ledger.write(entry)
    traffic = incident.scenario.traffic
    with Crew(instance, ledger.folder) as crew:
        crew.join(traffic.kind, incident.found.file, lambda figures: None)
        try:
            incident.scenario.fault.inject(instance)
        except Exception as error:
            traceback.print_exc()
            undo(incident.scenario.fault, instance)
            ledger.write(replace(entry, failed=str(error) or type(error).__name__))
            return True  # nothing of it is left
        entry = replace(entry, injected=True, mark=marks.begin(instance, incident, began))
        ledger.write(entry)
        over = time.monotonic() + seconds
        while time.monotonic() < over and instance.is_running():
            if stop.wait(min(LOOK_EVERY_S, max(0.0, over - time.monotonic()))):
                break
        why = put_right(instance, incident, ledger)
    print(why, file=sys.stderr)
    return not why


def guarded(held: Callable[[], bool], undo: Callable[[], str]) -> int:
    """Run `held` in a process of its own; if that is killed or fails, `undo` here: exit code."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            code = 0 if held() else 1
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(code)
    for number in SIGNALS:
        signal.signal(number, lambda number, _: os.kill(child, number))
    _, status = os.waitpid(child, 0)
    if status == 0:
        return 0
    why = undo()
    print(why, file=sys.stderr)
    return 1 if why else 0


def main() -> int:
    parser = argparse.ArgumentParser(prog="keeper")
    parser.add_argument("--instance", required=True)
    parser.add_argument("--incident", required=True)
    parser.add_argument("--seconds", type=float, required=True)
    asked = parser.parse_args()
    instance = Instance.open(asked.instance)
    incidents = known(read(instance.layout.config_root), instance.speed)
    incident = choose(asked.incident, incidents)
    ledger = Ledger(directory=instance.directory)
    with ledger.kept(incident.name) as ours:
        if not ours:
            return 1
        return guarded(
            lambda: hold(instance, incident, ledger, asked.seconds),
            lambda: put_right(instance, incident, ledger),
        )


if __name__ == "__main__":
    sys.exit(main())
