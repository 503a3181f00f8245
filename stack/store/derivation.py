"""What the lock makes of a package: the derivation, whose canonical JSON names the output."""

import hashlib
import json
import platform
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass

from stack.errors import BadInput, HostCannot
from stack.names import choose
from stack.store import sources
from stack.store.artifact import Artifact
from stack.store.lock import Lock, Output
from stack.store.package import Package

SYSTEMS = {"x86_64": "amd64", "aarch64": "arm64"}
"""Name of a CPU as the kernel gives it -> the system's name, which is the distribution's."""


@dataclass(frozen=True, kw_only=True)
class Derivation:
    """The recipe for one output on one system. Its canonical JSON names the output.

    The tree hash that the output must have is part of it, as in Nix's fixed-output derivations:
    so a store path of this name is what the lock wants, whichever builder made it. It is None
    while the lock is being made, and for an optional package that nobody who made it could build.
    """

    package: Package
    system: str
    version: str
    artifacts: tuple[Artifact, ...]
    needs: tuple["Derivation", ...]
    output: Output | None
    sources: str = ""
    """Digest of the page's own sources, where the package is one."""

    @property
    def name(self) -> str:
        return self.package.name

    def json(self) -> str:
        """Canonical: sorted keys, no spaces, ASCII."""
        arguments = asdict(self.package)
        for said_elsewhere in ("name", "debs", "zips", "tars", "optional", "on_demand", "needs"):
            del arguments[said_elsewhere]
        for program in arguments["programs"]:
            for seldom in ("starts_itself", "libraries", "environment"):
                if not program[seldom]:
                    del program[seldom]
        if self.package.page:
            del arguments["page"]["folder"]  # what is in it, `sources` says
        else:
            del arguments["page"]
        recipe = {
            "name": self.name,
            "version": self.version,
            "system": self.system,
            "builder": _builder(self.package),
            "artifacts": [artifact.sha256 for artifact in self.artifacts],
            "needs": [need.store_name for need in self.needs],
            "arguments": arguments,
            "output": self.output.sha256 if self.output else None,
            **({"sources": self.sources} if self.sources else {}),
        }
        return json.dumps(recipe, sort_keys=True, separators=(",", ":"))

    @property
    def store_name(self) -> str:
        """`<hash>-<name>-<version>`: the name of the output's folder in any store."""
        return f"{hashlib.sha256(self.json().encode()).hexdigest()[:32]}-{self.name}-{self.version}"

    def closure(self) -> dict[str, "Derivation"]:
        """This derivation and all that it needs, by package name, the needed ones first."""
        found: dict[str, Derivation] = {}
        for need in self.needs:
            found |= need.closure()
        return found | {self.name: self}


def _builder(package: Package) -> str:
    if package.page:
        return "esbuild"
    return "upstream" if package.releases else "debian"


def host_system() -> str:
    """The system of this machine. Raises HostCannot for a CPU that the lock does not cover."""
    machine = platform.machine()
    if machine not in SYSTEMS:
        raise HostCannot(
            f"this machine's CPU is `{machine}`; packages are pinned for {', '.join(SYSTEMS)}",
            cure="Use a machine of one of these kinds.",
        )
    return SYSTEMS[machine]


def known_system(name: str) -> str:
    """`name` itself. Raises BadInput for a system that the lock does not cover."""
    if name not in SYSTEMS.values():
        raise BadInput(
            f"there is no system called `{name}`",
            cure=f"There are {' and '.join(SYSTEMS.values())}.",
        )
    return name


def derive(packages: Iterable[Package], lock: Lock, system: str) -> dict[str, Derivation]:
    """Derivations of all packages, by name. Raises BadInput for an artifact that is not pinned."""
    by_name = {package.name: package for package in packages}
    done: dict[str, Derivation] = {}

    def visit(package: Package) -> Derivation:
        if package.name not in done:
            artifacts = _artifacts(package, lock, system)
            done[package.name] = Derivation(
                package=package,
                system=system,
                # An epoch's colon would split the loader's list of library folders.
                version=artifacts[0].version.rpartition(":")[2],
                artifacts=artifacts,
                needs=tuple(visit(by_name[need]) for need in package.needs),
                output=lock.outputs.get((system, package.name)),
                sources=sources.digest(package.page) if package.page else "",
            )
        return done[package.name]

    for package in by_name.values():
        visit(package)
    return done


def _artifacts(package: Package, lock: Lock, system: str) -> tuple[Artifact, ...]:
    """What the package is made of, first that which gives the version.

    A page is the same for every system: it has the tool that bundles it for each of them, of which
    the machine that builds takes its own.
    """
    if not package.page:
        return tuple(lock.artifact(each, system) for each in (*package.debs, *package.releases))
    named = [each for each in lock.tarballs if each.name == package.page.version_of]
    if not named:
        raise BadInput(
            f"`{lock.npm_file.name}` pins no package `{package.page.version_of}`",
            cure=f"`doit lock --update {package.name}` pins what the page is bundled from.",
        )
    return (named[0], *(each for each in lock.tarballs if each is not named[0]))


def chosen(names: Iterable[str] | None, derivations: Mapping[str, Derivation]) -> list[str]:
    """Those that `names` mean, or all of them. Raises BadInput for an unknown one and suggests the
    nearest."""
    if names is None:
        return list(derivations)
    return choose(list(names), derivations, what="package")
