"""A Prometheus of its own that scrapes a fleet, with an instance's program, rules and flags.

The instance's own would be measured with all else that it does, at the interval that people chose
for it. This one differs from it in its targets and its interval alone, lives at speed 1, and can be
started again. Its job is called `backend`, so that the rules are about the fleet.
"""

import json
import os
import shutil
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any

import httpx
import psutil

from loadgen.fleet.process import MOST
from stack import loopback, yamltext
from stack.errors import HostCannot
from stack.run.ports import free
from stack.run.remote import RemoteWrite
from stack.run.service import Layout
from stack.run.services import SERVICES, prometheus
from stack.run.supervisor import MARK

NAME = prometheus.SERVICE.name
JOB = "backend"

_STARTS_WITHIN_S = 600.0
"""A WAL of many series takes long to read."""
_STOPS_WITHIN_S = 120.0
_ASKED_WITHIN_S = 60.0
_WRITTEN_WITHIN_S = 600.0
"""A block of many series, on a machine that has other things to do."""
_LOOK_EVERY_S = 0.02
_REFRESH = "5s"
_FULL_BYTES = 1 << 20
"""A disk with less room than that has none for what is scraped."""


class Died(Exception):
    """It ended by itself."""


@dataclass(frozen=True, kw_only=True)
class Block:
    """What it holds, written as a block."""

    samples: int
    series: int
    chunk_bytes: int
    index_bytes: int


class Monitor:
    """Runs as long as the `with` block lasts; its folder stays."""

    def __init__(
        self, layout: Layout, folder: Path, targets: Path, *, interval_s: float,
        remote_write: str = "",
    ) -> None:  # fmt: skip
        """`layout` is the instance's, `targets` the file that says where the fleet is,
        `remote_write` the address of a receiver."""
        ports = {**layout.ports, **free([SERVICES[NAME]])}
        self._instance = layout.directory
        self.layout = replace(
            layout, directory=folder, ports=ports, guarded=False, remote_write=RemoteWrite()
        )
        self._targets, self._interval_s, self._remote = targets, interval_s, remote_write
        self._process: subprocess.Popen[bytes] | None = None
        self._http = loopback.client(self.layout.url(NAME), timeout_s=_ASKED_WITHIN_S)

    def __enter__(self) -> "Monitor":
        try:
            self._write()
            self.start()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        self._http.close()
        if self._process and self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    @property
    def data(self) -> Path:
        return self.layout.data(NAME)

    @property
    def log(self) -> Path:
        return self.layout.log(NAME)

    @property
    def process(self) -> psutil.Process:
        """Raises psutil.NoSuchProcess."""
        return psutil.Process(self._process.pid if self._process else 0)

    def start(self) -> float:
        """Start it; seconds until it is ready, what it must read again included. Raises
        HostCannot."""
        began = time.perf_counter()
        with self.log.open("a") as said:
            self._process = subprocess.Popen(
                prometheus.command(self.layout), stdin=subprocess.DEVNULL, stdout=said, stderr=said,
                env={**os.environ, MARK: str(self._instance)}, process_group=0,
            )  # fmt: skip
        while time.perf_counter() - began < _STARTS_WITHIN_S:
            if self._process.poll() is not None:
                break
            try:
                if self._http.get("/-/ready").is_success:
                    return time.perf_counter() - began
            except httpx.HTTPError:
                pass
            time.sleep(_LOOK_EVERY_S)
        raise HostCannot(f"the Prometheus that is measured did not start: {self.trouble()}",
                         cure=f"Its log is {self.log}.")  # fmt: skip

    def stop(self) -> None:
        """As one stops it: in order. Raises Died when it had ended before."""
        process = self._process
        if process is None or process.poll() is not None:
            raise Died(f"Prometheus ended by itself: {self.trouble()}")
        process.terminate()
        try:
            process.wait(_STOPS_WITHIN_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def last_words(self) -> str:
        """The last line of its log, which says why it ended."""
        lines = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
        return lines[-1] if lines else "it says nothing"

    def trouble(self) -> str:
        """Why it does not work: a full disk, where its own log may not say so, or what it says."""
        free = shutil.disk_usage(self.data).free if self.data.exists() else _FULL_BYTES
        return f"the disk of `{self.data}` is full" if free < _FULL_BYTES else self.last_words()

    def check(self) -> None:
        """Raises Died when it does not run."""
        if self._process is None or self._process.poll() is not None:
            raise Died(f"Prometheus ended by itself: {self.trouble()}")

    def metrics(self) -> Mapping[str, float]:
        """Its own, by name; those with labels summed. Raises Died."""
        found: dict[str, float] = {}
        for line in self._asked("/metrics").text.splitlines():
            if line and not line.startswith("#"):
                series, _, value = line.rpartition(" ")
                name = series.partition("{")[0]
                found[name] = found.get(name, 0.0) + float(value)
        return found

    def query(self, expression: str, at: float | None = None) -> list[dict[str, Any]]:
        """What the expression gives, now or at that time in Unix seconds. Raises Died."""
        when = {} if at is None else {"time": f"{at:.3f}"}
        said = self._asked("/api/v1/query", {"query": expression, **when}).json()
        found: list[dict[str, Any]] = said["data"]["result"]
        return found

    def number(self, expression: str) -> float:
        """What it gives, where that is one number; 0 where it is nothing. Raises Died."""
        found = self.query(expression)
        return float(found[0]["value"][1]) if found else 0.0

    def block(self) -> Block:
        """What is in the head, written into a block and thrown away. Raises Died."""
        said = self._asked("/api/v1/admin/tsdb/snapshot", post=True, within_s=_WRITTEN_WITHIN_S)
        name = said.json()["data"]["name"]
        folder = self.data / "snapshots" / name
        try:
            samples = series = chunks = index = 0
            for block in folder.iterdir():
                meta = json.loads((block / "meta.json").read_text())["stats"]
                samples += meta.get("numSamples", 0)
                series += meta.get("numSeries", 0)
                chunks += size(block / "chunks")
                index += size(block / "index")
            return Block(samples=samples, series=series, chunk_bytes=chunks, index_bytes=index)
        finally:
            shutil.rmtree(folder.parent, ignore_errors=True)

    def wal_bytes(self) -> int:
        """What it reads again when it starts."""
        return size(self.data / "wal") + size(self.data / "chunks_head")

    def _asked(
        self, path: str, params: Mapping[str, str] | None = None, *, post: bool = False,
        within_s: float = _ASKED_WITHIN_S,
    ) -> httpx.Response:  # fmt: skip
        self.check()
        method = "POST" if post else "GET"
        try:
            answer = self._http.request(method, path, params=params, timeout=within_s)
        except httpx.HTTPError as error:
            self.check()
            raise Died(f"Prometheus does not answer: {error or type(error).__name__}") from None
        if not answer.is_success:
            raise Died(f"Prometheus answers {answer.status_code}: {answer.text.strip()[:300]}")
        return answer

    def _write(self) -> None:
        """Its configuration: the instance's own, but for whom it scrapes and how often."""
        for made in (self.data, self.layout.log("").parent):
            made.mkdir(parents=True, exist_ok=True)
        for path, text in prometheus.config(self.layout).items():
            file = self.layout.config(NAME) / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        main = self.layout.config(NAME) / "prometheus.yml"
        main.write_text(yamltext.write(self._configuration(yamltext.read(main.read_text()))))

    def _configuration(self, written: dict[str, Any]) -> dict[str, Any]:
        own = next(one for one in written["scrape_configs"] if one["job_name"] == JOB)
        every = f"{round(self._interval_s * 1000)}ms"
        job = {
            "job_name": JOB,
            "scrape_interval": every,
            "scrape_timeout": every,
            "sample_limit": own.get("sample_limit", 0),
            "target_limit": 2 * MOST,  # replaced instances stay for a while
            "file_sd_configs": [{"files": [str(self._targets)], "refresh_interval": _REFRESH}],
        }
        remote = [{"name": "remote", "url": self._remote}] if self._remote else []
        kept = {key: value for key, value in written.items()
                if key not in ("alerting", "scrape_configs", "remote_write")}  # fmt: skip
        return {**kept, "scrape_configs": [job], **({"remote_write": remote} if remote else {})}


def size(path: Path) -> int:
    """Bytes of a file, or of all files below a folder; what goes meanwhile does not count."""
    if path.is_file():
        return path.stat().st_size
    total = 0
    for file in path.rglob("*"):
        try:
            total += file.stat().st_size if file.is_file() else 0
        except FileNotFoundError:
            continue
    return total
