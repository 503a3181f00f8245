"""Whether an address lies in a neighbouring network namespace of this machine, as tests make them.

A process in a namespace that `ip netns add` made knows that whoever it reaches without a router,
over one end of a pair of virtual interfaces (veth), is on the same machine. A container knows
nothing of the kind: its network may span machines.
"""

import array
import fcntl
import ipaddress
import socket
import struct
from pathlib import Path

NAMED = Path("/run/netns")
OURS = Path("/proc/self/ns/net")
ROUTES = Path("/proc/self/net/route")

_SIOCETHTOOL, _ETHTOOL_GDRVINFO = 0x8946, 0x3
"""linux/sockios.h and linux/ethtool.h."""
_DRVINFO_BYTES = 196


def is_next(address: str) -> bool:
    """False also for what is no IPv4 address. No name is looked up."""
    try:
        wanted = ipaddress.IPv4Address(address)
        return _is_named() and _driver(_interface(ROUTES.read_text(), wanted)) == "veth"
    except (ValueError, OSError):
        return False


def _is_named() -> bool:
    """Whether this process lives in a namespace that has a name."""
    ours = OURS.stat()
    return any(one.stat().st_ino == ours.st_ino and one.stat().st_dev == ours.st_dev
               for one in NAMED.iterdir())  # fmt: skip


def _interface(routes: str, address: ipaddress.IPv4Address) -> str:
    """By which an address is reached without a router, from the kernel's table (proc(5)).

    Raises ValueError when there is none."""
    best: tuple[int, str, int] | None = None
    for line in routes.splitlines()[1:]:
        name, network, gateway, _, _, _, _, mask = line.split()[:8]
        bits = _number(mask)
        if int(address) & bits == _number(network) and (best is None or bits > best[0]):
            best = (bits, name, _number(gateway))
    if best is None or best[2]:
        raise ValueError(f"{address} is behind a router")
    return best[1]


def _number(word: str) -> int:
    """Of the hexadecimal form, in the byte order of the machine."""
    return int(ipaddress.IPv4Address(struct.pack("=I", int(word, 16))))


def _driver(interface: str) -> str:
    """Of a network interface. Raises OSError."""
    answer = array.array("B", struct.pack("=I", _ETHTOOL_GDRVINFO).ljust(_DRVINFO_BYTES, b"\0"))
    where, _ = answer.buffer_info()
    asked = struct.pack("16sP", interface.encode(), where).ljust(40, b"\0")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, _SIOCETHTOOL, asked)
    return answer.tobytes()[4:36].partition(b"\0")[0].decode()
