"""Files that people or other programs write: configuration, control files, what was kept."""

import io
import json
from collections.abc import Callable
from contextlib import redirect_stderr
from pathlib import Path
from typing import Any

from loadgen import away, whose
from loadgen.faults.base import update_control
from scenarios.demo.ledger import Ledger
from scenarios.proof import evidence, history, kept, opening, rejudge
from stack.errors import BadInput
from stack.paths import REPO
from stack.programs.control import ControlFile
from stack.programs.dblink.__main__ import latency
from stack.programs.inbox.control import Control
from stack.programs.inbox.message import Channel
from stack.programs.logship import patterns, positions, settings
from stack.programs.logship.blocks import Blocks
from stack.programs.logship.reader import Raw
from stack.programs.simhost import tree
from stack.programs.simhost.files import proc_files
from stack.programs.simhost.model import levels_at
from stack.programs.simhost.model import targets as host_targets
from stack.programs.viewer import dashboards, datasources
from stack.programs.viewer.incidents import Incidents
from stack.programs.worker.wishes import wishes
from stack.run.instance import Instance
from stack.store import lock, npmlock
from tests.fuzz import scratch
from tests.fuzz.harness import Target
from tests.fuzz.logs import as_json
from tests.scenarios.proof import sealed

_CONFIG = REPO / "stack" / "config"
_PROMTAIL = _CONFIG / "promtail" / "promtail-config.yml"
_YAML = (b"&a ", b"*a", b"<<: ", b"!!int ", b"!!binary ", b"? ", b"- ", b"---\n", b"| ", b"0x_",
         b"~", b".inf", b".nan", b"2001-01-01", b"%YAML 9\n", b"{", b"}", b"[", b"]")  # fmt: skip

_SHA256 = "0" * 63 + "1"

_LOCK = f"""\
suite = "trixie"
release = "13.1"
snapshot = "20260101T000000Z"

[[artifact]]
name = "libbase"
version = "1.0"
architecture = "amd64"
path = "pool/libbase_1.0_amd64.deb"
sha256 = "{_SHA256}"
size = 5

[[artifact]]
name = "other"
version = "1.0"
architecture = "all"
path = "https://x.example/other.tar.gz"
sha256 = "{_SHA256}"

[output.amd64]
base = {{sha256 = "{_SHA256}", size = 1}}
"""
_NPM = {
    "name": "viewer", "lockfileVersion": 3, "requires": True,
    "packages": {
        "node_modules/a": {"version": "1.0.0", "integrity": f"sha512-{'A' * 86}==",
                           "license": "MIT", "sha256": _SHA256, "size": 5},
        "node_modules/@b/c/node_modules/a": {
            "version": "1.0.0", "integrity": f"sha512-{'A' * 86}==", "sha256": _SHA256, "size": 5},
    },
}  # fmt: skip
_POSITIONS = {
    "version": 1,
    "files": [
        {"job": "lab", "path": "/var/log/a.log", "inode": 5, "head": "6162",
         "mark": {"offset": 2, "own_ns": 1_700_000_000_000_000_000, "clock_ns": 0},
         "notes": [{"start": 0, "end": 2, "time_ns": 1_700_000_000_000_000_000}]},
    ],
}  # fmt: skip
_RECORD = {
    "name": "default", "speed": 1.0,
    "ports": {"backend": {"http": 8000}, "grafana": {"http": 3001}},
    "packages": {"grafana": "/x/grafana"}, "config_root": "/x", "hash": "a" * 64,
    "created": 1_700_000_000.5, "generation": 3,
}  # fmt: skip
_EVENTS = (
    evidence.Notification(at=5.0, instance="a", scenario="b", id=1, channel="slack",
                          destination="#a", kind="firing", alerts=("A",), subject="s"),
    evidence.AlertState(at=1.0, alert="A", labels={"a": "b"}, state="firing", active_at=0.5),
    evidence.Graph(at=2.0, query="up", threshold=1.0, lines=(((1.0, 2.0),),), names=("a",)),
    evidence.Gate(at=3.0, passed=True, reason=""),
)  # fmt: skip
_HISTORY = {"at": "2026-01-01", "speed": 60.0, "alerts": {"A": {"notified_s": 1.5}}}
_LEDGER = {"name": "slow-database", "keeper": 5, "began": 1.5, "until": 2.5, "mark": 3,
           "injected": True, "touches": ["database-link"], "failed": ""}  # fmt: skip
_STATE = {"boot_time_s": 5, "saved_at_s": 1.0, "uptime_s": 9.0, "busy_s": [1.0] * 4,
          "idle_s": [1.0] * 4, "load5": 1.0}  # fmt: skip


def _promtail_config(data: bytes) -> None:
    for target in settings.read(scratch.file("promtail.yml", data)).targets:
        patterns.of_target(target)


_PIPELINES = {one.job: one for one in settings.read(_PROMTAIL).targets}
_LINES = (
    b'{"timestamp": "2026-11-24T11:10:10.691Z", "level": "INFO", "path": "/x", "status": null}',
    b"Traceback (most recent call last):\n  File x",
    b'2026-11-24 11:10:10.691 GMT [7] 42P01 ERROR:  relation "x"\nSTATEMENT:  y',
    b"2026-11-24 11:10:10,691 INFO spawned: 'a' with pid 5",
    b'ts=2026-11-24T11:10:10.691Z caller=main.go:5 level=info msg="a level=error b"',
    b'logger=x t=2026-11-24T11:10:10.691234567+01:00 level=WARN msg="a \\" b"',
)


def _lines(data: bytes) -> None:
    """Through every pipeline of the lab's, one by one and as the blocks that they make."""
    text = data.decode(errors="replace")
    for target in _PIPELINES.values():
        labels = {**target.labels, "filename": "/var/log/residency/a.log"}
        target.pipeline.run(text, labels)
        raws, at = [], 0
        for line in text.split("\n")[:200]:
            raws.append(Raw(start=at, end=at + len(line) + 1, text=line))
            at += len(line) + 1
        blocks = Blocks(target.pipeline.multiline, max_bytes=1 << 20)
        for block in [*blocks.add(raws, 0.0), *blocks.rest()]:
            target.pipeline.run(block.text, labels)


def _positions(data: bytes) -> None:
    """What is read is written again, and compared with files."""
    path = scratch.file("positions", data)
    found, _ = positions.load(path)
    for one in found:
        assert one.mark.offset >= 0
        bytes.fromhex(one.head)
        sorted(one.notes, key=lambda note: note.start)
        assert {type(one.job), type(one.path)} == {str}
        assert {type(one.inode), type(one.mark.own_ns), type(one.mark.clock_ns)} == {int}
        Path(one.path)
        assert all(
            type(x) is int for note in one.notes for x in (note.start, note.end, note.time_ns)
        )
    positions.save(path, found)
    assert positions.load(path) == (found, "")


def _lock(data: bytes) -> None:
    scratch.folder("lock")
    found = lock.load(scratch.file("lock/lock.toml", data))
    lock.text(found)


def _npm(data: bytes) -> None:
    npmlock.text(npmlock.load(scratch.file("npm-lock.json", data)))


def _record(data: bytes) -> None:
    """As every command opens an instance, and asks it for addresses."""
    scratch.folder("instance")
    scratch.file("instance/instance.json", data)
    found = Instance.at(scratch.folder("instance"))
    assert found.up
    assert found.layout.addresses is not None
    assert found.speed > 0
    found.record.write(found.directory)
    for service, ports in found.ports.items():
        for name in ports:
            assert 0 < found.port(service, name) < 65536


def _whose(data: bytes) -> None:
    scratch.folder("instances")
    scratch.folder("instances/default")
    scratch.file("instances/default/instance.json", data)
    at = scratch.folder("instances")
    whose.at("http://127.0.0.1:8000", at)
    if found := whose.usual(at):
        assert found.url


def _evidence(data: bytes) -> None:
    for event in evidence.read(scratch.file("evidence.jsonl", data)):
        evidence.to_line(event)


def _sealed() -> Path:
    """The folder of a report, made once."""
    folder = scratch.folder("reports") / "one"
    if not folder.exists():
        sealed.written(folder)
    return folder


def _proof(data: bytes) -> None:
    folder = _sealed()
    (folder / kept.NAME).write_bytes(data)
    report = opening.read(folder)
    rejudge.changed(report)
    rejudge.judge_again(report)


def _event(data: bytes) -> None:
    evidence.to_line(evidence.from_line(data.decode(errors="replace")))


def _history(data: bytes) -> None:
    history.read(scratch.file("history.jsonl", data))


def _ledger(data: bytes) -> None:
    scratch.folder("demo")
    scratch.folder("demo/incidents")
    scratch.file("demo/incidents/x.json", data)
    for entry in Ledger(directory=scratch.folder("demo")).entries():
        entry.disturbs("backend")


def _state(data: bytes) -> None:
    scratch.folder("host")
    scratch.file("host/state.json", data)
    state = tree.load(scratch.folder("host"))
    if state:
        proc_files(state, levels_at(state.uptime_s, 1, host_targets({})))


def _control(read: Callable[[dict[str, object]], Any]) -> Callable[[bytes], None]:
    def feed(data: bytes) -> None:
        with redirect_stderr(io.StringIO()):
            ControlFile(scratch.file("control.json", data), read, who="x").value()

    return feed


def _inbox_control(data: bytes) -> None:
    with redirect_stderr(io.StringIO()):
        control = Control(scratch.file("control.json", data))
        for channel in Channel:
            control.wish(channel)


def _incidents(data: bytes) -> None:
    with redirect_stderr(io.StringIO()):
        Incidents(scratch.file("control.json", data))._file.value()


def _away(data: bytes) -> None:
    with redirect_stderr(io.StringIO()):
        away.Away(scratch.file("traffic.json", data)).is_away("Resident")


def _fault_control(data: bytes) -> None:
    update_control(scratch.file("faults.json", data), put={"a": 1}, drop=("b",))


def _dashboard(data: bytes) -> None:
    document = dashboards.parse(data, "x")
    provider = dashboards.Provider(path=Path("/x"), folder="a", folder_uid="a")
    found = dashboards.Dashboard(id=1, file=Path("/x/y.json"), provider=provider,
                                 document=document, version=1, changed=5.0)  # fmt: skip
    json.dumps([found.found(), found.whole()]).encode()


def _datasources(data: bytes) -> None:
    for source in datasources.read_file(scratch.file("datasources.yml", data)):
        json.dumps([source.as_json(), source.for_page(), source.address])


def _providers(data: bytes) -> None:
    dashboards.read_providers(scratch.file("dashboards.yml", data))


def _dumped(*documents: object) -> list[bytes]:
    return [json.dumps(one).encode() for one in documents]


def targets() -> list[Target]:
    grafana = _CONFIG / "grafana" / "provisioning"
    sources = (grafana / "datasources" / "datasources.yml").read_text()
    providers = (grafana / "dashboards" / "dashboards.yml").read_text()
    promtail = _PROMTAIL.read_text()
    panel = {"id": 1, "type": "timeseries", "targets": [{"expr": "up"}], "title": "a"}
    board = {"uid": "a", "title": "A b", "tags": ["x"], "panels": [panel], "version": 3}
    events = [evidence.to_line(one).encode() for one in _EVENTS]
    return [
        Target(name="promtail-config", feed=_promtail_config, raises=(BadInput,), short=150,
               seeds=[promtail.encode(), as_json(promtail)],
               words=(*_YAML, b"{a,b}", b"{a,b}" * 30, b"*", b"(?P<a>", b"Europe/Berlin", b"../etc",
                      b"MST", b"2006", b"05.000", b"RFC3339", b"location: ", b"labeldrop: ")),
        Target(name="lines", feed=_lines, seeds=_LINES,
               words=(b"ts=", b"time=", b"t=", b"level=", b'="', b'\\"', b"\n", b"2026-02-30",
                      b"T24:00:00Z", b"+99:99", b"GMT+99", b"MEST", b"9999-12-31 23:59:59.999 GMT",
                      b"[7] 42P01 ERROR:", b'{"level": ', b'"timestamp": ')),
        Target(name="positions", feed=_positions, seeds=_dumped(_POSITIONS), short=1000),
        Target(name="lock", feed=_lock, raises=(BadInput,), seeds=[_LOCK.encode()], short=500,
               words=(b"[[artifact]]\n", b"[output.amd64]\n", b"[[output]]\n", b"a.b.c = 1\n",
                      b"{", b"}", b'"""', b"'''", b"1979-05-27T07:32:00Z", b"size = true\n", b"inf",
                      b"size = -1\n", b"[", b"]", b'sha256 = ""\n', b"output = 1\n")),
        Target(name="npm-lock", feed=_npm, raises=(BadInput,), seeds=_dumped(_NPM),
               words=(b"node_modules/", b"@", b"..", b"/")),
        Target(name="record", feed=_record, raises=(BadInput,), seeds=_dumped(_RECORD), short=1000),
        Target(name="whose", feed=_whose, seeds=_dumped(_RECORD)),
        Target(name="evidence", feed=_evidence, seeds=[b"\n".join(events), *events]),
        Target(name="proof", feed=_proof, raises=(BadInput,),
               seeds=[(_sealed() / kept.NAME).read_bytes()]),
        Target(name="event", feed=_event, raises=(ValueError,), seeds=events, short=1500),
        Target(name="history", feed=_history, raises=(BadInput,), seeds=_dumped(_HISTORY)),
        Target(name="ledger", feed=_ledger, seeds=_dumped(_LEDGER)),
        Target(name="host-state", feed=_state, seeds=_dumped(_STATE)),
        Target(name="inbox-control", feed=_inbox_control,
               seeds=_dumped({"slack": {"status": 500, "delay": 2.5}, "email": {"delay": 1}}, {})),
        Target(name="worker-control", feed=_control(wishes),
               seeds=_dumped({"cpu_cores": 0.5, "memory_bytes": 5000, "crash_after_s": 1})),
        Target(name="host-control", feed=_control(host_targets),
               seeds=_dumped({"cpu_percent": 95, "leftover_interfaces": 3, "load": 1.5})),
        Target(name="link-control", feed=_control(latency), seeds=_dumped({"latency_s": 1.25})),
        Target(name="demo-control", feed=_incidents,
               seeds=_dumped({"incidents": "http://127.0.0.1:5000/"})),
        Target(name="traffic-control", feed=_away, seeds=_dumped({"Resident": "away"})),
        Target(name="fault-control", feed=_fault_control, seeds=_dumped({"b": 1, "c": {"d": 2}})),
        Target(name="dashboard", feed=_dashboard, raises=(BadInput,), seeds=_dumped(board)),
        Target(name="datasources", feed=_datasources, raises=(BadInput,), short=300,
               seeds=[sources.encode(), as_json(sources)], words=(*_YAML, b"http://[", b"@", b"?")),
        Target(name="providers", feed=_providers, raises=(BadInput,), short=300,
               seeds=[providers.encode(), as_json(providers)], words=_YAML),
    ]  # fmt: skip
