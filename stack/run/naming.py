"""How an instance is named on a command line, and how it is brought up again as it was."""

from collections.abc import Mapping

from stack.run.services import ALL


def option(instance: str) -> str:
    """Nothing for the one that is meant anyway."""
    return "" if instance == "default" else f" --instance {instance}"


def up(
    instance: str,
    speed: float = 1.0,
    ports: Mapping[str, Mapping[str, int]] = {},
    backends: int = 1,
) -> str:
    """The command that brings it up so: without its speed and its ports, `doit up` would make it
    another one, perhaps on the ports of a neighbour."""
    said = f"doit up{option(instance)}"
    if speed != 1:
        said += f" --speed {speed:g}"
    if offset := offset_of(ports):
        said += f" --port-offset {offset}"
    if backends != 1:
        said += f" --backends {backends}"
    return said


def offset_of(ports: Mapping[str, Mapping[str, int]]) -> int:
    """What was added to every default port; 0 where they were chosen one by one."""
    found = {
        port - ALL[service].ports[name]
        for service, named in ports.items()
        for name, port in named.items()
        if service in ALL and name in ALL[service].ports
    }
    return found.pop() if len(found) == 1 else 0
