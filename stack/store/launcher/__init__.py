"""A program of some hundred bytes that starts another with the loader of its own closure.

The kernel wants an absolute path for a script's interpreter and for a program's loader, and a store
has none to give: it may be anywhere, on a machine with neither shell nor C library. So this stands
in a program's place. It asks the kernel where it stands itself, and continues from there.

`amd64.s` and `arm64.s` are its source; `_CODE` is what the GNU assembler makes of them (a test
does it again). Layout of the file around it: elf(5). Imports only the standard library; which
programs get a launcher, and with which arguments, is said in `stack.store.builder`.
"""

import struct
from collections.abc import Sequence

OUTPUT, STORE = "\1", "\2"
"""What stands in a launcher's texts for the paths of its output's folder and of the store."""

_CODE = {
    "amd64": bytes.fromhex("""
        4889e5488b4500488d04c5001201004883e0f04829c4488d3d490100004889e6ba00100000b8590000000f05
        483d001000000f83c2000000488d35360100000fb60e48ffc6488d3c0448ffcf4839e70f82a5000000803f2f
        75efffc975eb4989fc4929e448ffcf4839e70f828a000000803f2f75ef4989fd4929e5488dbc24001000004c
        8db42400100100803e00742a49893e4983c608ac4489e13c01740e4489e93c027407aa84c075ecebde4889f2
        4889e6f3a44889d6ebdd488b4d00488d75104c89f7f348a54c8db42400100100498b3e803f2f750bb8500000
        000f0585c07517488b5500488d54d510498d7608488b3eb83b0000000f05bf02000000488d3518000000ba48
        000000b8010000000f05bf7e000000b83c0000000f0563616e6e6f742073746172743a20746865206c6f6164
        6572206f662069747320636c6f737572652c2069747320666f6c646572206f72202f70726f63206973206d69
        7373696e670a2f70726f632f73656c662f65786500
    """),
    "arm64": bytes.fromhex("""
        fd030091bc0340f9094082d22900a0f2290d1c8b29ed7c92a90309cb3fed7c92f30300917406409195424091
        f60315aa600c8092010b0010e20313aa030082d2c80980d2010000d41f0440f102070054970a0070ea164038
        6b02008b6b0500d17f0113eb430600546c0140399fbd007161ffff544a05007121ffff54780113cb6b0500d1
        7f0113eb230500546c0140399fbd007161ffff54790113cbec0240394c020034d48600f8ec164038ed0318aa
        9f050071e0000054ed0319aa9f090071800000548c1600380cffff35f4ffff17ee0313aaadfeffb4cc154038
        8c160038ad0500d1fcffff17ab4300916c8540f8cc8600f89c0700d1bcffffb5a08640f80c0040399fbd0071
        81000054280680d2010000d4c0000035a00240f9e10315aae2030baaa81b80d2010000d4400080d2e1000010
        020980d2080880d2010000d4c00f80d2a80b80d2010000d463616e6e6f742073746172743a20746865206c6f
        61646572206f662069747320636c6f737572652c2069747320666f6c646572206f72202f70726f6320697320
        6d697373696e670a2f70726f632f73656c662f65786500
    """),
}

_MACHINE = {"amd64": 62, "arm64": 183}
_PAGE_BYTES = {"amd64": 0x1000, "arm64": 0x10000}  # the largest that such a kernel may have
_ADDRESS = 0x400000
_HEADERS_BYTES = 64 + 2 * 56
_READ, _WRITE, _RUN = 4, 2, 1
_LOAD, _STACK = 1, 0x6474E551

_TEXTS_BYTES = 65536  # what the code has room for
_PATH_BYTES = 4096
_TEXTS = 60


def launcher(system: str, file: str, arguments: Sequence[str], *, cwd: str = ".") -> bytes:
    """The content of an executable `file` (path in its output) that runs `arguments`.

    The first argument is the program, an absolute path; the launcher's own arguments, without
    its name, follow the last. `cwd` becomes the working directory, `.` keeps it. Raises ValueError
    for more texts than it has room for.
    """
    texts = [cwd, *arguments]
    joined = "".join(texts)
    paths = joined.count(OUTPUT) + joined.count(STORE)
    if len(texts) > _TEXTS or len(joined) + len(texts) + paths * _PATH_BYTES > _TEXTS_BYTES:
        raise ValueError(f"`{file}`: too long for a launcher: {texts}")
    table = bytes([file.count("/") + 1]) + b"".join(t.encode() + b"\0" for t in texts) + b"\0"
    return _elf(system, _CODE[system] + table)


def _elf(system: str, code: bytes) -> bytes:
    """A static program of one read-only segment, which holds the whole file."""
    size, page = _HEADERS_BYTES + len(code), _PAGE_BYTES[system]
    start = _ADDRESS + _HEADERS_BYTES
    ident = b"\x7fELF" + bytes([2, 1, 1])  # 64 bits, little-endian, version 1
    header = struct.pack(
        "<16sHHIQQQIHHHHHH", ident, 2, _MACHINE[system], 1, start, 64, 0, 0, 64, 56, 2, 64, 0, 0
    )
    load = struct.pack("<IIQQQQQQ", _LOAD, _READ | _RUN, 0, _ADDRESS, _ADDRESS, size, size, page)
    stack = struct.pack("<IIQQQQQQ", _STACK, _READ | _WRITE, 0, 0, 0, 0, 0, 16)
    return header + load + stack + code
