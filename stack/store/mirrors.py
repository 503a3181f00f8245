"""Where Debian's files are: the mirrors that this host is configured for."""

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

ARCHIVE = "https://snapshot.debian.org/archive/debian"
"""Keeps every file that Debian ever published: the last resort."""

_SUITES = re.compile(
    r"(bullseye|bookworm|trixie|forky|duke|sid|unstable|testing|stable|(old)+stable)"
    r"(-updates|-backports|-proposed-updates)?"
)
"""Suites that live in Debian's main archive: where these are, all of its pool is."""


def mirrors(snapshot: str, apt: Path = Path("/etc/apt")) -> tuple[str, ...]:
    """Base URLs, the preferred one first, without a slash at the end.

    `STACK_DEBIAN_MIRROR` in the environment (one or more, separated by spaces), then what apt uses,
    then the permanent archive as it was at `snapshot` (YYYYMMDDTHHMMSSZ).
    """
    found = os.environ.get("STACK_DEBIAN_MIRROR", "").split()
    one_line = [apt / "sources.list", *sorted((apt / "sources.list.d").glob("*.list"))]
    for file in one_line:
        found += _of_lines(_read(file).splitlines())
    for file in sorted((apt / "sources.list.d").glob("*.sources")):
        found += _of_stanzas(_read(file))
    bases = [uri.rstrip("/") for uri in (*found, f"{ARCHIVE}/{snapshot}")]
    return tuple(dict.fromkeys(bases))


def _read(file: Path) -> str:
    try:
        return file.read_text(errors="replace")
    except OSError:
        # A source that we may not read or that is not there says nothing about mirrors.
        return ""


def _of_lines(lines: Iterable[str]) -> Iterator[str]:
    """`deb [options] URI SUITE COMPONENT…`: sources.list(5), one-line style."""
    for line in lines:
        words = re.sub(r"\[[^]]*\]", " ", line.partition("#")[0]).split()
        if len(words) >= 4 and words[0] == "deb":
            yield from _usable([words[1]], [words[2]], words[3:])


def _of_stanzas(text: str) -> Iterator[str]:
    """`Types:`, `URIs:`, `Suites:`, `Components:`: sources.list(5), deb822 style."""
    plain = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    for stanza in re.split(r"\n\s*\n", plain):
        joined = re.sub(r"\n[ \t]+", " ", stanza)
        fields = {
            key.strip().lower(): value.split()
            for key, colon, value in (line.partition(":") for line in joined.splitlines())
            if colon
        }
        if fields.get("enabled", ["yes"])[0].lower() in ("no", "false", "0", "off"):
            continue
        if "deb" in fields.get("types", []):
            yield from _usable(
                fields.get("uris", []), fields.get("suites", []), fields.get("components", [])
            )


def _usable(uris: list[str], suites: list[str], components: list[str]) -> list[str]:
    ours = "main" in components and any(_SUITES.fullmatch(suite) for suite in suites)
    return [uri for uri in uris if ours and uri.startswith(("http://", "https://"))]
