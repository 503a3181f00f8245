"""Numbers in paths, `/messages/{id:id}`, that a database can be asked for.

Starlette's own `int` converts as many digits as there are. A database takes no more than nineteen,
and Python refuses thousands: an error of the program rather than a page that is not there.
"""

from starlette.convertors import Convertor, register_url_convertor

NOBODYS = 10**18
"""What every larger number becomes: no row ever has it."""


class _Id(Convertor[int]):
    regex = "[0-9]+"

    def convert(self, value: str) -> int:
        return int(value) if len(value) < len(str(NOBODYS)) else NOBODYS

    def to_string(self, value: int) -> str:
        return str(value)


def known() -> None:
    """Have Starlette know them, before routes are made."""
    register_url_convertor("id", _Id())
