"""`ip("…")`: an address, a range `a-b` or a CIDR block, searched for in a text.

What counts as an address in a line, and where the search continues after one, follows Loki's
documentation "Matching IP addresses" and its filter: IPv4 begins with a digit and has a dot within
four characters, IPv6 with hexadecimal digits and a colon.
"""

import re
from collections.abc import Callable
from ipaddress import (
    IPv4Address,
    IPv6Address,
    ip_address,
    ip_network,
)

from stack.logql.errors import LogQLError

Address = IPv4Address | IPv6Address

_CANDIDATE = re.compile(
    r"(?P<v4>(?=\d[^.]{0,2}\.|\d[\s\S]{0,2}\.)[\d.]+)"
    r"|(?P<v6>(?=::[\da-fA-F]|[\da-fA-F]{1,4}:)[\da-fA-F:.]+)",
    re.ASCII,
)


def found_in(pattern: str) -> Callable[[str], bool]:
    """Whether a text contains an address that `pattern` covers. Raises LogQLError."""
    covers = _covers(pattern)

    def test(text: str) -> bool:
        at = 0
        while found := _CANDIDATE.search(text, at):
            address = _address(found.group())
            if address is not None and covers(address):
                return True
            at = found.end() + 1
        return False

    return test


def _address(text: str) -> Address | None:
    try:
        return ip_address(text)
    except ValueError:
        return None


def _covers(pattern: str) -> Callable[[Address], bool]:
    single = _address(pattern)
    if single is not None:
        return lambda address: address == single
    try:
        if "/" in pattern:
            block = ip_network(pattern, strict=False)
            return lambda address: address in block
        low_text, dash, high_text = pattern.partition("-")
        low, high = ip_address(low_text), ip_address(high_text)
        if dash and low.version == high.version and int(low) <= int(high):
            return lambda address: (
                address.version == low.version and int(low) <= int(address) <= int(high)
            )
    except ValueError:
        pass
    raise LogQLError(f'ip: invalid pattern: "{pattern}"')
