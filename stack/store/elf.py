"""Which loader a program asks the kernel for: PT_INTERP of ELF files of 64 bits (elf(5))."""

import struct
from pathlib import Path

from stack.errors import BadInput

_HEADER_BYTES = 64
_SEGMENT = struct.Struct("<IIQQQQQQ")
_PT_INTERP = 3


def asks_for_loader(program: Path) -> bool:
    """Whether a program is linked dynamically. Raises BadInput for an ELF file whose headers lead
    nowhere."""
    return _interpreter(program) is not None


def ask_for_loader(program: Path, loader: str) -> None:
    """Have a program ask for another loader, by a path no longer than that which it has.

    A relative one begins at the working directory of the process that becomes the program. Raises
    BadInput where it has none, or the path does not fit.
    """
    found = _interpreter(program)
    if found is None:
        raise BadInput(f"`{program.name}` is linked statically: it asks for no loader")
    begin, length = found
    path = loader.encode() + b"\0"
    if len(path) > length or begin + length > program.stat().st_size:
        raise _malformed(program, f"there is no room for `{loader}` at byte {begin}")
    with program.open("r+b") as file:
        file.seek(begin)
        file.write(path.ljust(length, b"\0"))


def _interpreter(program: Path) -> tuple[int, int] | None:
    """Where the loader's path stands in the file, and for how many bytes; None without one."""
    with program.open("rb") as file:
        header = file.read(_HEADER_BYTES)
        if not header.startswith(b"\x7fELF"):
            return None
        if len(header) < _HEADER_BYTES or header[4:5] != b"\x02":
            raise _malformed(program, "its header is not that of a 64-bit program")
        offset, size, count = (
            int.from_bytes(header[at : at + length], "little")
            for at, length in ((32, 8), (54, 2), (56, 2))
        )
        length = program.stat().st_size
        if (count and size < _SEGMENT.size) or offset + size * count > length:
            raise _malformed(program, f"its {count} program headers do not fit {length} bytes")
        file.seek(offset)
        table = file.read(size * count)
    for at in range(0, len(table), size or 1):
        kind, _, begin, _, _, length, _, _ = _SEGMENT.unpack_from(table, at)
        if kind == _PT_INTERP:
            return begin, length
    return None


def _malformed(program: Path, why: str) -> BadInput:
    return BadInput(f"`{program.name}` is a malformed ELF file: {why}")
