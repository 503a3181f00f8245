"""A second Alertmanager or Prometheus on an instance: the lab's own program and settings.

For what the instance's own cannot show: an Alertmanager whose hours are seconds, and a Prometheus
that is slow enough to be restarted.
"""

import os
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import yaml

from stack.check.configuration import Configuration, read
from stack.errors import HostCannot
from stack.run.instance import Instance
from stack.run.ports import free
from stack.run.service import Layout, Service
from stack.run.services import alertmanager as alertmanagers
from stack.run.services import prometheus as prometheuses
from stack.run.supervisor import MARK

HOURS_ARE_SECONDS = 120.0
"""How many times faster than the instance: `repeat_interval: 4h` is 2 s then, at speed 60."""

SLOW = 3.0
"""How many times slower than the instance the second Prometheus lives: after a restart it sends
nothing for `DISCOVERY_S` at any speed, and no alert may run out meanwhile."""

DISCOVERY_S = 5.0
"""Real seconds until a Prometheus that starts knows its Alertmanagers and its targets
(discovery/manager.go, `updatert`)."""

READY_WITHIN_S = 15.0


class Second:
    """One process beside those of the instance, with whose mark it goes if this one is killed."""

    def __init__(self, service: Service, layout: Layout, instance: Instance) -> None:
        self.layout = layout
        self._service = service
        self._mark = {**os.environ, MARK: str(instance.directory)}
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return self.layout.url(self._service.name)

    @property
    def configuration(self) -> Configuration:
        """What it was rendered to."""
        return read(self.layout.config(self._service.name).parent)

    def start(self) -> None:
        """Return when it is ready. Raises HostCannot when it does not come up."""
        with self.layout.log(self._service.name).open("a") as log:
            process = self._process = subprocess.Popen(
                self._service.command(self.layout), stdin=subprocess.DEVNULL, stdout=log,
                stderr=log, env=self._mark,
            )  # fmt: skip
        give_up = time.monotonic() + READY_WITHIN_S
        while reason := self._service.ready(self.layout):
            if process.poll() is not None or time.monotonic() > give_up:
                raise HostCannot(
                    f"a second {self._service.name} does not start: {reason}.",
                    cure=f"Its log is {self.layout.log(self._service.name)}.",
                )
            time.sleep(0.05)

    def stop(self) -> None:
        """End it in order, so that it keeps what it knows."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def alertmanager(instance: Instance) -> Iterator[Second]:
    """The same configuration, faster, and the same inbox. Raises HostCannot."""
    layout = _layout(alertmanagers.SERVICE, instance, fast(instance.speed))
    files = alertmanagers.SERVICE.config(layout)
    layout.directory.mkdir()
    (layout.directory / "secrets").symlink_to(instance.directory / "secrets")
    with _running(alertmanagers.SERVICE, layout, files, instance) as made:
        yield made


@contextmanager
def prometheus(instance: Instance, rules: str) -> Iterator[Second]:
    """The same settings, flags and Alertmanager, nothing to scrape, and these rules, as scaled.

    Raises HostCannot.
    """
    layout = _layout(prometheuses.SERVICE, instance, slow(instance.speed))
    settings = yaml.safe_load(prometheuses.SERVICE.config(layout)["prometheus.yml"])
    files = {
        "prometheus.yml": yaml.safe_dump({**settings, "scrape_configs": []}),
        "rules/routing.yml": rules,
    }
    with _running(prometheuses.SERVICE, layout, files, instance) as made:
        yield made


def fast(speed: float) -> float:
    """The speed of a second Alertmanager; a faithful instance has a faithful one."""
    return speed * HOURS_ARE_SECONDS if speed > 1 else speed


def slow(speed: float) -> float:
    """The speed of a second Prometheus."""
    return max(1.0, speed / SLOW)


def _layout(service: Service, instance: Instance, speed: float) -> Layout:
    return replace(
        instance.layout,
        directory=instance.directory / f"second-{service.name}",
        speed=speed,
        ports={**instance.ports, **free([service])},
        guarded=False,
    )


@contextmanager
def _running(
    service: Service, layout: Layout, files: Mapping[str, str], instance: Instance
) -> Iterator[Second]:
    for path, text in files.items():
        _write(layout.config(service.name) / path, text)
    layout.data(service.name).mkdir(parents=True)
    layout.log(service.name).parent.mkdir()
    made = Second(service, layout, instance)
    try:
        made.start()
        yield made
    finally:
        made.stop()


def _write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
