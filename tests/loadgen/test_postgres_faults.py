"""Faults of the database's sessions, on a real server that is set up as the stack's own."""

import subprocess
import sys
from types import SimpleNamespace

import pytest

from loadgen.faults.base import FaultFailed
from loadgen.faults.postgres import (
    ConnectionsHeld,
    Deadlocks,
    TransactionHeldOpen,
    connected,
    number,
)
from loadgen.faults.service import ServiceStopped
from stack.paths import REPO
from tests.loadgen.conftest import free_port
from tests.waiting import eventually

CLIENTS = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'"
OLDEST = (
    "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'fault-transactions'"
    " AND state = 'idle in transaction' AND xact_start IS NOT NULL"
)
COUNTED = "SELECT deadlocks FROM pg_stat_database WHERE datname = 'residency'"


def ask(target: SimpleNamespace, query: str) -> int:
    with connected(target, "test") as session:
        return number(session, query)


def test_postgresql_leaves_a_door_for_those_who_watch(target: SimpleNamespace) -> None:
    member = "SELECT pg_has_role('exporter', 'pg_use_reserved_connections', 'member')::int"
    assert ask(target, member) == 1
    assert ask(target, "SHOW reserved_connections") == 3


def test_connections_are_held_until_undone(target: SimpleNamespace) -> None:
    fault = ConnectionsHeld(total=30)
    assert fault.verify(target) is None
    fault.inject(target)
    assert ask(target, CLIENTS) == 31  # and the one that asks
    assert fault.verify(target) == "30 sessions `fault-connections` are still open"
    fault.undo(target)
    eventually(lambda: fault.verify(target) is None)
    fault.undo(target)


def test_connections_that_do_not_fit_are_refused_and_put_right(target: SimpleNamespace) -> None:
    fault = ConnectionsHeld(total=500)
    with pytest.raises(FaultFailed, match="room for 114 connections, expected 500"):
        fault.inject(target)
    fault.undo(target)
    eventually(lambda: fault.verify(target) is None)


HOLDER = """
import sys, time
from pathlib import Path
from types import SimpleNamespace
from loadgen.faults.postgres import ConnectionsHeld
port, secrets = int(sys.argv[1]), Path(sys.argv[2])
layout = SimpleNamespace(port=lambda service: port, secret=lambda name: secrets / name)
fault = ConnectionsHeld(total=10)
fault.inject(SimpleNamespace(layout=layout))
print("held", flush=True)
time.sleep(60)
"""


def test_connections_end_with_their_process(target: SimpleNamespace) -> None:
    port, secret = target.layout.port("postgresql"), target.layout.secret("")
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(port), str(secret)],
        cwd=REPO, stdout=subprocess.PIPE, text=True,
    ) as holder:  # fmt: skip
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        assert ConnectionsHeld(total=10).verify(target) is not None
        holder.kill()
    eventually(lambda: ConnectionsHeld(total=10).verify(target) is None)


def test_transaction_stays_open_until_undone(target: SimpleNamespace) -> None:
    fault = TransactionHeldOpen(until_s=30)
    assert ask(target, OLDEST) == 0
    fault.inject(target)
    assert ask(target, OLDEST) == 1
    fault.undo(target)
    eventually(lambda: fault.verify(target) is None)
    assert fault.shows_after_s == 30 < fault.shows_within_s


def test_deadlocks_are_counted_by_a_server_that_never_had_one(target: SimpleNamespace) -> None:
    fault = Deadlocks()
    assert ask(target, COUNTED) == 0
    fault.inject(target)
    eventually(lambda: ask(target, COUNTED) >= 2)
    fault.undo(target)
    eventually(lambda: fault.verify(target) is None)


def test_deadlocks_need_two_rows(target: SimpleNamespace) -> None:
    fault = Deadlocks(rows=(8, 9))
    with pytest.raises(FaultFailed, match="did not deadlock"):
        fault.inject(target)
    fault.undo(target)


def test_sessions_say_when_there_is_no_server(target: SimpleNamespace) -> None:
    port = free_port()
    nobody = SimpleNamespace(
        layout=SimpleNamespace(port=lambda service: port, secret=target.layout.secret)
    )
    for fault in (ConnectionsHeld(total=30), TransactionHeldOpen(until_s=30), Deadlocks()):
        with pytest.raises(FaultFailed, match="no connection to `postgresql`"):
            fault.inject(nobody)
        fault.undo(nobody)


def test_stopped_database_or_exporter_touches_what_these_disturb() -> None:
    disturbed = {"connections", "transactions", "deadlocks"}
    assert ServiceStopped(service="postgresql").touches > disturbed
    assert ServiceStopped(service="postgres-exporter").touches > disturbed
