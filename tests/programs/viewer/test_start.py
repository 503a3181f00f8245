"""A viewer that cannot do its work says why and ends; without a page it still answers."""

import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from stack.paths import REPO
from tests.programs.viewer.bench import Source, arguments, free_port, furnish, running


def _sources(text: str) -> Callable[[Path], object]:
    return lambda folder: (folder / "provisioning/datasources/all.yml").write_text(text)


ENTRY = "datasources: [{name: P, uid: p, type: prometheus, url: 'http://127.0.0.1:7'}]"

FAULTS = [
    (_sources(ENTRY.replace(":7", ":8")), 2, "data source `P` is at `http://127.0.0.1:8`, which"),
    (_sources(ENTRY.replace("127.0.0.1:7", "evil.example")), 2, "no service of this instance"),
    (_sources(ENTRY.replace("http", "https")), 2, "not the HTTP address of a service"),
    (_sources(ENTRY.replace("127", "a@127")), 2, "not the HTTP address of a service"),
    (_sources(ENTRY.replace("127.0.0.1:7", "[::1")), 2, "`http://[::1`, which is not the HTTP"),
    (_sources(ENTRY.replace("1:7", "1:x")), 2, "`http://127.0.0.1:x`, which is not the HTTP"),
    (_sources(ENTRY.replace("type: prometheus", "type: graphite")), 2, "`datasources[0].type` is "
     "`graphite`, which the lab's viewer does not know"),
    (_sources(ENTRY.replace("uid: p, ", "")), 2, "`datasources[0].uid` is missing or not text"),
    (_sources(ENTRY.replace("[{", "[{name: P, uid: q, type: loki, url: 'http://127.0.0.1:7'}, {")),
     2, "`datasources[1].name` is `P`, which another data source has"),
    (_sources("datasources: 3"), 2, "`datasources` is not a list"),
    (_sources("datasources: ["), 2, "not valid YAML"),
    (lambda folder: (folder / "password").unlink(), 2, "cannot be read"),
    (lambda folder: (folder / "password").write_text("\n"), 2, "is empty"),
    (lambda folder: (folder / "page/index.html").unlink(), 2, "has no `index.html`"),
    (lambda folder: (folder / "annotations.sqlite").write_bytes(b"no database" * 99), 3,
     "annotations cannot be kept in"),
    (lambda folder: (folder / "annotations.sqlite").mkdir(), 3, "annotations cannot be kept in"),
]  # fmt: skip


@pytest.mark.parametrize(("spoil", "code", "said"), FAULTS, ids=[fault[2] for fault in FAULTS])
def test_what_cannot_be_used_is_said(
    tmp_path: Path, spoil: Callable[[Path], object], code: int, said: str
) -> None:
    furnish(tmp_path, 7)
    spoil(tmp_path)
    done = subprocess.run(
        arguments(tmp_path, free_port(), 7), cwd=REPO, capture_output=True, text=True, timeout=60,
        check=False,
    )  # fmt: skip
    assert done.returncode == code
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_port_that_is_taken_is_said(tmp_path: Path) -> None:
    furnish(tmp_path, 7)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = subprocess.run(
            arguments(tmp_path, port, 7), cwd=REPO, capture_output=True, text=True, timeout=60,
            check=False,
        )  # fmt: skip
    assert done.returncode == 3
    assert f"port `127.0.0.1:{port}` cannot be listened on" in done.stderr


def test_stops_when_told(tmp_path: Path) -> None:
    furnish(tmp_path, 7)
    with running(tmp_path, Source(port=7)) as viewer:
        viewer.process.terminate()
        assert viewer.process.wait(10) == 0
    assert "msg=listening" in viewer.log()
    assert "Traceback" not in viewer.log()
