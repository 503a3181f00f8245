"""Made-up derivations: two packages with one below both, and one on its own."""

from stack.store.artifact import Artifact
from stack.store.derivation import Derivation
from stack.store.lock import Output
from stack.store.package import Package


def made(name: str, debs: dict[str, int], *needs: Derivation, size: int = 0) -> Derivation:
    """A derivation whose artifacts have these sizes in bytes; of size 0: not pinned."""
    return Derivation(
        package=Package(name=name, debs=tuple(debs), needs=tuple(need.name for need in needs)),
        system="amd64",
        version="1",
        artifacts=tuple(
            Artifact(
                name=deb,
                version="2",
                architecture="amd64",
                path=deb,
                sha256=f"{ord(deb[0]):064x}",
                size=bytes_,
            )
            for deb, bytes_ in debs.items()
        ),
        needs=needs,
        output=Output(sha256="0" * 64, size=size) if size else None,
    )


BASE = made("base", {"libc": 1_000_000}, size=5_000_000)
WEB = made("web", {"webserver": 2_000_000, "assets": 20_000}, BASE, size=7_000_000)
DB = made("db", {"database": 3_000_000}, BASE, size=8_000_000)
ODD = made("odd", {"release": 0})
ALL = {each.name: each for each in (BASE, WEB, DB, ODD)}
