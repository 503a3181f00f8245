"""The licences of artifacts, as their packages' copyright files declare them.

Debian's machine-readable copyright files (copyright-format 1.0) name licences by short names of
their own; what has a name in the SPDX list gets that one. Such a file speaks for the whole source
package: what stands under a licence in it need not be part of the binary one.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_EQUALS = {
    "expat": "MIT",
    "mit": "MIT",
    "x11": "X11",
    "mit/x11": "MIT",
    "apache-2": "Apache-2.0",
    "artistic": "Artistic-1.0-Perl",
    "bsd-2-clause": "BSD-2-Clause",
    "bsd-3-clause": "BSD-3-Clause",
    "bsd-4-clause": "BSD-4-Clause",
    "zlib": "Zlib",
    "tcl": "TCL",
}
"""Debian's short names, in lower case, whose SPDX names differ in more than case."""

_EXCEPTIONS = {
    "autoconf": "Autoconf-exception-2.0",
    "bison": "Bison-exception-2.2",
    "libtool": "Libtool-exception",
    "linux-syscall-note": "Linux-syscall-note",
    "texinfo": "Texinfo-exception",
}

_GNU = re.compile(
    r"(?P<name>A?GPL|LGPL|GFDL(?:-NIV)?)-(?P<major>\d)(?:\.(?P<minor>\d))?(?P<later>\+?)"
)

ELSEWHERE = {
    # The copyright of GCC's libraries is in a package that contains nothing but that:
    # https://gcc.gnu.org/onlinedocs/libstdc++/manual/license.html
    "gcc-14-base": "GPL-3.0-or-later WITH GCC-exception-3.1",
    # Their archives hold a program and nothing else. LICENSING.md of the project: all is under
    # the AGPL but some folders, `clients/` among them, and Promtail is in that.
    "loki": "AGPL-3.0-only",
    "promtail": "Apache-2.0",
    # Its archive has the licence as a text, which nobody reads here; its package.json names it.
    "grafana": "AGPL-3.0-only",
}
"""Licences of what does not carry them along, or not in a form for machines."""


@dataclass(frozen=True, kw_only=True)
class Licence:
    """One licence: `name` is an SPDX expression if `spdx`, else the name that the package uses."""

    name: str
    spdx: bool


def declared(copyright_file: str) -> list[Licence]:
    """The licences of a machine-readable copyright file, sorted; empty if it is not one.

    Those of Debian's own packaging, `debian/*`, are left out.
    """
    if not re.match(r"\s*(Format|Format-Specification):", copyright_file):
        return []
    found = {
        licence
        for stanza in _stanzas(copyright_file)
        for name in _names(stanza)
        for licence in _split(name)
    }
    return sorted(found, key=lambda licence: licence.name)


def _split(name: str) -> list[Licence]:
    """What has to be kept all together counts one by one."""
    parts = [name] if " or " in name else re.split(r",? and ", name)
    return [Licence(name=spdx(part) or part, spdx=bool(spdx(part))) for part in parts]


def spdx(name: str) -> str:
    """The SPDX expression for what a `License:` field says; empty if a part of it has none."""
    for word, joined in ((r",? or ", " OR "), (r",? and ", " AND ")):
        parts = re.split(word, name)
        if len(parts) > 1:
            inner = [spdx(part) for part in parts]
            grouped = [f"({each})" if " OR " in each else each for each in inner]
            return joined.join(grouped) if all(inner) else ""
    name, with_, exception = name.strip().partition(" with ")
    plain = _single(name)
    if not with_:
        return plain
    special = _EXCEPTIONS.get(exception.removesuffix(" exception").lower(), "")
    return f"{plain} WITH {special}" if plain and special else ""


def _single(name: str) -> str:
    from cyclonedx.spdx import fixup_id

    gnu = _GNU.fullmatch(name)
    if gnu:
        kind = gnu["name"].removesuffix("-NIV")
        name = f"{kind}-{gnu['major']}.{gnu['minor'] or 0}-{'or-later' if gnu['later'] else 'only'}"
    return fixup_id(_EQUALS.get(name.lower(), name)) or ""


def _stanzas(text: str) -> Iterator[dict[str, str]]:
    """First lines of each stanza's fields, but all of `Files`. Format: deb822(5)."""
    for stanza in re.split(r"\n[ \t]*\n", text):
        joined = re.sub(r"(?<=\S)\n[ \t]+", "\n ", stanza)
        fields = re.findall(r"^([A-Za-z-]+):[ \t]*(.*(?:\n .*)*)", joined, re.MULTILINE)
        yield {name.lower(): value for name, value in fields}


def _names(stanza: dict[str, str]) -> Iterator[str]:
    files = stanza.get("files", "")
    licence = stanza.get("license", "").partition("\n")[0].strip()
    ours = files and not all(pattern.startswith("debian/") for pattern in files.split())
    if licence and (ours or "format" in stanza):
        yield licence
