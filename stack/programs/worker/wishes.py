"""What the control file asks of the worker."""

from dataclasses import dataclass

from stack.programs.control import number, only_known

_CORES_AT_MOST = 1.0
_MEMORY_AT_MOST = 512 * 1024 * 1024
_LIFE_AT_MOST_S = 3600.0


@dataclass(frozen=True, kw_only=True)
class Wishes:
    """How the worker should misbehave; nothing is set while it is healthy."""

    cpu_cores: float = 0.0
    """Share of one core that it uses in total."""
    memory_bytes: int = 0
    """Resident memory that it grows to."""
    crash_after_s: float | None = None
    """Age in seconds at which it crashes; immediately if it is older."""


def wishes(document: dict[str, object]) -> Wishes:
    """The wishes in the control file's JSON object. Raises BadInput."""
    only_known(document, ["cpu_cores", "memory_bytes", "crash_after_s"])
    return Wishes(
        cpu_cores=number(document, "cpu_cores", maximum=_CORES_AT_MOST) or 0.0,
        memory_bytes=int(number(document, "memory_bytes", maximum=_MEMORY_AT_MOST) or 0),
        crash_after_s=number(document, "crash_after_s", maximum=_LIFE_AT_MOST_S),
    )
