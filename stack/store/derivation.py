"""What the lock makes of a package: the derivation, whose canonical JSON names the output."""

import hashlib
import json
import platform
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from difflib import get_close_matches

from stack.errors import BadInput, HostCannot
from stack.store.lock import Artifact, Lock, Output
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

    @property
    def name(self) -> str:
        return self.package.name

    def json(self) -> str:
        """Canonical: sorted keys, no spaces, ASCII."""
        arguments = asdict(self.package)
        for said_elsewhere in ("name", "debs", "zips", "tars", "optional", "needs"):
            del arguments[said_elsewhere]
        recipe = {
            "name": self.name,
            "version": self.version,
            "system": self.system,
            "builder": "upstream" if self.package.releases else "debian",
            "artifacts": [artifact.sha256 for artifact in self.artifacts],
            "needs": [need.store_name for need in self.needs],
            "arguments": arguments,
            "output": self.output.sha256 if self.output else None,
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
            artifacts = tuple(
                lock.artifact(each, system) for each in (*package.debs, *package.releases)
            )
            done[package.name] = Derivation(
                package=package,
                system=system,
                # An epoch's colon would split the loader's list of library folders.
                version=artifacts[0].version.rpartition(":")[2],
                artifacts=artifacts,
                needs=tuple(visit(by_name[need]) for need in package.needs),
                output=lock.outputs.get((system, package.name)),
            )
        return done[package.name]

    for package in by_name.values():
        visit(package)
    return done


def chosen(names: Iterable[str] | None, derivations: Mapping[str, Derivation]) -> list[str]:
    """`names`, or all of them. Raises BadInput for an unknown one and suggests the nearest."""
    if names is None:
        return list(derivations)
    wanted = list(names)
    for name in wanted:
        if name not in derivations:
            near = get_close_matches(name, derivations) or sorted(derivations)
            raise BadInput(f"there is no package called `{name}`", cure=f"Did you mean {near[0]}?")
    return wanted
