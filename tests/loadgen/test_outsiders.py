"""What those who merely reach the database's port can make of its log: one event is one entry with
a level of its own, and nobody is paged."""

import random
import socket
import string
import struct
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

from loadgen.faults.postgres import connected
from loadgen.faults.sessions import SessionsTerminated
from stack.logql import Engine, MemorySource
from stack.logql.results import Vector
from stack.paths import CONFIG_ROOT
from stack.programs.logship.blocks import Blocks
from stack.programs.logship.reader import Reader
from stack.programs.logship.settings import read
from stack.programs.logship.stages import Line
from tests.waiting import eventually

FORGED = "\n2026-01-01 08:00:00.000 UTC [1] 57P01 PANIC:  hi"
STRANGERS = [
    ("somebody", "residency"),
    ("app user", "residency"),
    ("tab\tbed", "my database"),
    (f"x{FORGED}", "residency"),
    ("x", f"y{FORGED}"),
    ("x@y FATAL:", "z PANIC:"),
    ('"quoted" level=panic', "d"),
    ("", "residency"),
    ("x" * 200, "d" * 200),
    ("\x01\x7f\r", "é\u2028ü"),
]


def knock(port: int, user: str, database: str) -> None:
    """One attempt to log in with any names at all, to the server's refusal."""
    pairs = b"".join(
        key.encode() + b"\0" + value.encode() + b"\0"
        for key, value in (("user", user), ("database", database))
    )
    send(port, struct.pack("!ii", len(pairs) + 9, 196608) + pairs + b"\0")


def send(port: int, packet: bytes) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=20) as client:
        client.sendall(packet)
        kind = client.recv(1)
        if kind == b"R":  # it asks for a password
            client.sendall(b"p" + struct.pack("!i", 10) + b"guess\0")
        while client.recv(4096):
            pass


def entries(log: Path, begin: int) -> list[Line]:
    """What the shipper makes of the log from an offset on."""
    target = next(one for one in read(CONFIG_ROOT / "promtail/promtail-config.yml").targets
                  if one.job == "postgresql")  # fmt: skip
    with log.open("rb") as file:
        reader = Reader(file.fileno(), start=begin, head=b"", max_line_bytes=256 << 10, noted=[])
        blocks = Blocks(target.pipeline.multiline, max_bytes=256 << 10)
        found = []
        while raws := reader.read(0.0):
            found += blocks.add(raws, 0.0)
        return [target.pipeline.run(one.text, dict(target.labels)) for one in
                [*found, *blocks.rest()]]  # fmt: skip


def fires(alert: str, lines: list[Line]) -> bool:
    """Whether a rule's expression holds for these lines, written just now, each twenty times."""
    rules = yaml.safe_load((CONFIG_ROOT / "loki/rules/logs.yml").read_text())["groups"][0]["rules"]
    expression = next(rule["expr"] for rule in rules if rule["alert"] == alert)
    store = MemorySource()
    for count in range(20):
        for number, line in enumerate(lines):
            store.add(line.labels, 1_000_000_000_000 + count * 1_000_000 + number, line.text)
    result = Engine(store).query(expression, 1_001_000_000_000)
    return isinstance(result, Vector) and bool(result.samples)


@pytest.fixture
def log(target: SimpleNamespace) -> Path:
    return Path(target.layout.directory) / "log"


def test_each_refusal_is_one_fatal_entry_and_pages_nobody(
    target: SimpleNamespace, log: Path
) -> None:
    port, begin = target.layout.port("postgresql"), log.stat().st_size
    chance = random.Random(7)
    alphabet = string.printable + "é\u2028\x85"
    garbled = ["".join(chance.choices(alphabet, k=chance.randint(1, 60))) for _ in range(80)]
    attempts = [*STRANGERS, *zip(garbled[::2], garbled[1::2], strict=True)]
    for user, database in attempts:
        knock(port, user, database)
    send(port, struct.pack("!ii", 8, 0x00010000))  # a protocol that nobody speaks any more
    found: list[Line] = []

    def all_there() -> bool:
        found[:] = [one for one in entries(log, begin) if one.labels.get("level") != "log"]
        return len(found) >= len(attempts) + 1

    eventually(all_there)
    assert [one.labels.get("level") for one in found] == ["fatal"] * (len(attempts) + 1)
    assert fires("DatabaseLoginFailures", found)
    assert not fires("DatabaseFatalErrors", found)


def test_statements_stay_in_their_entry(target: SimpleNamespace, log: Path) -> None:
    begin = log.stat().st_size
    with connected(target, "test") as session, pytest.raises(Exception, match="nowhere"):
        session.execute(f"SELECT 1 FROM nowhere /* {FORGED}{FORGED} */".encode())
    found: list[Line] = []

    def there() -> bool:
        found[:] = entries(log, begin)
        return any("nowhere" in one.text for one in found)

    eventually(there)
    levels = [one.labels.get("level") for one in found]
    assert levels.count("error") == 1
    assert "panic" not in levels
    assert None not in levels


def test_sessions_that_were_let_in_and_ended_do_page(target: SimpleNamespace, log: Path) -> None:
    begin, fault = log.stat().st_size, SessionsTerminated()
    fault.inject(target)
    eventually(lambda: len(entries(log, begin)) > 4)
    assert fault.verify(target)
    fault.undo(target)
    assert fault.verify(target) is None
    found = entries(log, begin)
    assert {one.labels.get("level") for one in found} == {"fatal"}
    assert fires("DatabaseFatalErrors", found)
    assert not fires("DatabaseLoginFailures", found)
