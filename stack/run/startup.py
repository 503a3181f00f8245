"""Starting services in order and waiting until each answers its own protocol."""

import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait

from stack.errors import HostCannot
from stack.run.choice import instead_of
from stack.run.service import Layout, Service
from stack.run.supervisor import Supervisor
from stack.store.disk import said

READY_WITHIN_S = 60.0
"""Seconds that a service may take from start to ready; a loaded machine needs far fewer."""

_CRASHED = {"BACKOFF", "FATAL", "EXITED", "UNKNOWN"}
_EVERY_S = 0.05
_PROBES_PER_LOOK = 10


OnReady = Callable[[str, float], None]
"""Told the name of each service that is ready, and seconds since the start."""


def start_all(
    layout: Layout,
    supervisor: Supervisor,
    services: Mapping[str, Service],
    on_ready: OnReady = lambda service, seconds: None,
) -> None:
    """Start the services, each as soon as those in its `after` are ready; return when all are.

    Raises HostCannot for the first that crashes or is not ready in time, with its log's last lines.
    """
    run = _Run(layout, supervisor, on_ready)
    ready = {name: threading.Event() for name in services}
    with ThreadPoolExecutor(len(services)) as pool:
        try:
            futures = [
                pool.submit(run.bring_up, service, [ready[n] for n in service.after if n in ready],
                            ready[service.name])
                for service in services.values()
            ]  # fmt: skip
            done, _ = wait(futures, return_when=FIRST_EXCEPTION)
        finally:  # also when Ctrl-C comes between two of them
            run.cancelled.set()
    _raise_first(done)


class _Run:
    def __init__(self, layout: Layout, supervisor: Supervisor, on_ready: OnReady) -> None:
        self.layout = layout
        self.supervisor = supervisor
        self.on_ready = on_ready
        self.started = time.monotonic()
        self.cancelled = threading.Event()

    def bring_up(
        self, service: Service, after: list[threading.Event], ready: threading.Event
    ) -> None:
        for event in after:
            while not event.wait(_EVERY_S):
                if self.cancelled.is_set():
                    return
        if service.init and not self.layout.data(service.name).exists():
            service.init(self.layout)
        elif service.renew:
            service.renew(self.layout)
        self.supervisor.start_process(service.name)
        self._wait(service)
        if not self.cancelled.is_set():
            ready.set()
            self.on_ready(service.name, time.monotonic() - self.started)

    def _wait(self, service: Service) -> None:
        deadline = time.monotonic() + READY_WITHIN_S
        while not self.cancelled.is_set():
            for _ in range(_PROBES_PER_LOOK):
                reason = service.ready(self.layout)
                if reason is None or self.cancelled.wait(_EVERY_S):
                    return
            self._look(service)
            if time.monotonic() > deadline:
                raise self._failure(service, f"not ready after {READY_WITHIN_S:g} s: {reason}")

    def _look(self, service: Service) -> None:
        """Raise when the process is gone: no probe would ever succeed."""
        state = self.supervisor.states().get(service.name)
        if state is None or state.status in _CRASHED:
            status = state.status if state else "supervisord is gone"
            raise self._failure(service, f"stopped while starting ({status})")

    def _failure(self, service: Service, what: str) -> HostCannot:
        log = self.layout.log(service.name)
        try:
            lines = log.read_text(errors="replace").splitlines()[-3:]
        except FileNotFoundError:
            lines = []
        tail = "".join(f"\n    {line}" for line in lines)
        cure = f"Its full log is {log}."
        if trouble := said(tail, self.layout.directory):
            cure = f"{trouble.what}. {trouble.cure} {cure}"
        else:
            cure = f"{cure} {instead_of(service.name, self.layout.packages)}".rstrip()
        return HostCannot(f"`{service.name}` {what}.{tail}", cure=cure)


def _raise_first(done: "set[Future[None]]") -> None:
    for future in done:
        if error := future.exception():
            raise error
