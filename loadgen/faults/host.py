"""CPU, memory and network of the simulated host are strained; no real machine is."""

from collections.abc import Mapping
from dataclasses import dataclass

from loadgen.faults.base import FaultFailed, Target, read_control, update_control

SERVICE = "simulated-host"

_MOVES_EVERY_S = 0.2
"""How often the simulated host reads its control file and updates its figures."""


@dataclass(frozen=True, kw_only=True)
class HostStrained:
    """One resource of the simulated host stays at a level; made by the functions below."""

    resource: str
    """`cpu`, `memory` or `network`."""
    levels: Mapping[str, float]
    """Keys of the simulated host's control file, see `stack.programs.simhost.model.Targets`."""
    words: str
    shows_after_s: float = 0.0
    shows_within_s: float = 2 * _MOVES_EVERY_S
    lingers_s: float = 2 * _MOVES_EVERY_S

    @property
    def touches(self) -> frozenset[str]:
        """That resource alone: the host's others stay as they were."""
        return frozenset({f"{SERVICE}.{self.resource}"})

    def blocked(self, instance: Target) -> str | None:
        return None

    def inject(self, instance: Target) -> None:
        if not instance.service_running(SERVICE):
            raise FaultFailed(f"`{SERVICE}` is not running, so the fault could not show")
        update_control(instance.control_file(SERVICE), put=self.levels)

    def undo(self, instance: Target) -> None:
        update_control(instance.control_file(SERVICE), drop=set(self.levels))

    def verify(self, instance: Target) -> str | None:
        now = read_control(instance.control_file(SERVICE))
        left = {key: now[key] for key in self.levels if key in now}
        return f"the simulated host's control file still says {left}" if left else None

    def __str__(self) -> str:
        return self.words


def cpu(*, percent: float) -> HostStrained:
    """All CPUs together are `percent` busy."""
    return HostStrained(
        resource="cpu", levels={"cpu_percent": percent}, words=f"CPU at {percent:g} %"
    )


def memory(*, percent: float) -> HostStrained:
    """`percent` of memory is not available."""
    return HostStrained(
        resource="memory", levels={"memory_percent": percent}, words=f"memory at {percent:g} %"
    )


def network(*, megabytes_per_s: float) -> HostStrained:
    """`eth0` receives that much; a megabyte is a million bytes."""
    return HostStrained(
        resource="network",
        levels={"network_receive_bytes_per_second": megabytes_per_s * 1e6},
        words=f"{megabytes_per_s:g} MB/s received",
    )


@dataclass(frozen=True, kw_only=True)
class InterfacesLeft(HostStrained):
    """Containers are gone, and their network interfaces were left behind, `count` of them."""

    @property
    def touches(self) -> frozenset[str]:
        """All of the host: so many figures may be more than Prometheus accepts."""
        return frozenset({SERVICE, "node-exporter"})


def leftover_interfaces(*, count: int) -> InterfacesLeft:
    """So many `veth` interfaces, sixteen figures each."""
    return InterfacesLeft(
        resource="network",
        levels={"leftover_interfaces": count},
        words=f"{count} network interfaces left behind",
    )
