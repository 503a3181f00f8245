"""What one downloadable file is: pinned by its hash, wherever it comes from."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Artifact:
    """One downloadable file. `path` is relative to the root of a mirror; of an upstream release, it
    is the whole URL.
    """

    name: str
    version: str
    architecture: str
    path: str
    sha256: str
    size: int = 0
    """Bytes; 0 while it is not known: nobody who made the lock could download it."""
    snapshot: str = ""
    """A moment at which the permanent archive held it, if it is not that of the lock: an update of
    other packages left it as it was."""

    @property
    def upstream(self) -> bool:
        """Whether it is the release of an upstream project, which no mirror of Debian has."""
        return "://" in self.path

    def __str__(self) -> str:
        return f"{self.name} {self.version} ({self.architecture})"


@dataclass(frozen=True, kw_only=True)
class Tarball(Artifact):
    """A package of npm. `path` is relative to the root of a registry."""

    places: tuple[str, ...]
    """Folders to unpack it into: `node_modules/NAME`, or below those of packages that want this
    version where others want another."""
    integrity: str
    """What the registry says of its content: `sha512-` and base64 (w3.org/TR/SRI)."""
    licence: str = ""
    """As its own `package.json` declares it; empty if it declares none."""

    def __str__(self) -> str:
        return f"{self.name} {self.version} (npm)"
