"""What is measured: the shipper and the store of an instance, and what they say of themselves."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import psutil
from prometheus_client.parser import text_string_to_metric_families

from loadgen.loglines import Sample
from loadgen.traffic import PASSWORD
from scenarios.capacity.search import Died
from stack import loopback
from stack.errors import HostCannot
from stack.paths import REPO
from stack.run.choice import LOGS
from stack.run.instance import Instance
from stack.run.lifecycle import running

SHIPPER, STORE = "promtail", "loki"
"""Services, whichever programs run as them."""
PARTS = {SHIPPER: "shipper", STORE: "store"}

WRITES = "backend"
"""The service in whose place lines are written."""

SELECTOR = '{service="residency-scheduler-backend"}'
"""Of its lines, in stack/config/promtail/promtail-config.yml."""

OWN = "capacity-logs"
"""The instance that is made for it, and wiped."""

TRAFFIC_S, PEOPLE = 8, 30
"""Of a clinic whose requests give the sample of lines."""

TIMEOUT_S = 60.0


class Pair:
    """Of a running instance. To be closed."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        self._pids = {service: instance.pid(service) for service in PARTS}
        self.is_real = LOGS.of(instance.layout.packages) == LOGS.real
        self.name = LOGS.name(instance.layout.packages)
        self.store_url, self.shipper_url = instance.url(STORE), instance.url(SHIPPER)
        self.log = instance.logs_dir / f"{WRITES}.log"
        self.data = instance.layout.data(STORE)
        self._http = loopback.client(timeout_s=TIMEOUT_S)

    def __enter__(self) -> "Pair":
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    @property
    def about(self) -> str:
        return f"Instance `{self._instance.name}`, {self._instance.hash[:12]}: {self.name}"

    @property
    def cores(self) -> Mapping[str, int]:
        """How many each of the two can use at once: the lab's own are Python, with one lock."""
        many = (psutil.cpu_count() or 1) if self.is_real else 1
        return dict.fromkeys(PARTS.values(), many)

    def newest(self, since: float) -> float:
        """Unix time of the newest line since then, 0 when there is none. Raises OSError."""
        end = time.time() + 60
        asked = {"query": SELECTOR, "limit": "1", "direction": "backward",
                 "start": f"{int(since * 1e9)}", "end": f"{int(end * 1e9)}"}  # fmt: skip
        try:
            answer = self._http.get(f"{self.store_url}/loki/api/v1/query_range", params=asked)
            streams = answer.raise_for_status().json()["data"]["result"]
        except (httpx.HTTPError, ValueError, KeyError) as error:
            raise ConnectionError(f"the store does not answer: {error}") from None
        return max((int(at) / 1e9 for one in streams for at, _ in one["values"]), default=0.0)

    def check(self) -> None:
        """Raises Died when one of the two is not the process any more that it was."""
        for service, pid in self._pids.items():
            if self._instance.pid(service) != pid:
                raise Died(f"the {PARTS[service]} died under the load")

    def processes(self) -> dict[str, int]:
        """shipper, store → PID."""
        return {PARTS[service]: pid for service, pid in self._pids.items()}

    def figures(self) -> dict[str, float]:
        """What both say of themselves, by the name that Promtail and Loki have for it, summed over
        all labels. What does not answer is left out."""
        found: dict[str, float] = {}
        for url in (self.shipper_url, self.store_url):
            with suppress(httpx.HTTPError, ValueError):
                text = self._http.get(f"{url}/metrics").text
                for family in text_string_to_metric_families(text):
                    for sample in family.samples:
                        if sample.name.startswith(("promtail_", "loki_")):
                            found[sample.name] = found.get(sample.name, 0.0) + sample.value
        return found

    def unread_bytes(self) -> float:
        """What the shipper has not sent of the scheduler's file, by its own figures."""
        text = self._http.get(f"{self.shipper_url}/metrics").text
        sizes = {"promtail_file_bytes_total": 0.0, "promtail_read_bytes_total": 0.0}
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                if sample.name in sizes and sample.labels["path"] == str(self.log):
                    sizes[sample.name] = sample.value
        size, read = sizes.values()
        return max(0.0, size - read)


@contextmanager
def alone(folder: Path) -> Iterator[tuple[Pair, Path]]:
    """The pair of an instance of its own, and a file with lines of its scheduler; all others are
    stopped. Raises HostCannot when the instance cannot come up or its scheduler says nothing."""
    with running(OWN, speed=1.0) as instance:
        sample = _sample(instance, folder)
        others = [name for name, state in instance.supervisor.states().items()
                  if state.pid and name not in PARTS]  # fmt: skip
        for name in others:
            instance.stop_service(name)
        with Pair(instance) as pair:
            yield pair, sample


def _sample(instance: Instance, folder: Path) -> Path:
    """Lines about requests, as the scheduler has just written them."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("LOCUST_")}
    environment[PASSWORD] = instance.layout.secret("scheduler_password").read_text().strip()
    with (folder / "locust.log").open("w") as said:
        subprocess.run(
            [sys.executable, "-m", "locust", "-f", "loadgen/clinic.py", "--headless",
             "--only-summary", "--host", instance.url(WRITES), "-u", f"{PEOPLE}", "-r",
             f"{PEOPLE}", "-t", f"{TRAFFIC_S}s"],
            cwd=REPO, env=environment, stdin=subprocess.DEVNULL, stdout=said,
            stderr=subprocess.STDOUT, check=False, timeout=TIMEOUT_S,
        )  # fmt: skip
    lines = instance.layout.log(WRITES).read_text().splitlines()
    if not len(Sample(lines)):
        raise HostCannot(
            f"the scheduler of instance `{instance.name}` wrote no line about a request.",
            cure=f"`{folder / 'locust.log'}` says what became of the requests.",
        )
    file = folder / "sample.log"
    file.write_text("\n".join(lines) + "\n")
    return file
