"""`doit why`: which services need a package or an artifact, and through what."""

from collections.abc import Iterable, Iterator, Mapping

from stack.errors import BadInput
from stack.names import choose
from stack.run.choice import behind
from stack.run.service import Service
from stack.run.services import ALL
from stack.store.artifacts import artifacts_of
from stack.store.derivation import Derivation
from stack.store.packageset import PackageSet


def why(packages: list[str]) -> None:
    """Print for each package or artifact which services need it, and through what."""
    if not packages:
        raise BadInput(
            "name a package or an artifact.", cure="`doit why glibc`, or `doit why libicu76`."
        )
    package_set = PackageSet()
    derivations = package_set.derivations(package_set.pinned())
    parts = [each.name for each in artifacts_of(derivations.values())]
    for name in choose(
        packages, {**derivations, **dict.fromkeys(parts)}, what="package or artifact"
    ):
        for line in reasons(name, derivations, ALL.values()):
            print(line)


def reasons(
    name: str, derivations: Mapping[str, Derivation], services: Iterable[Service]
) -> Iterator[str]:
    """A headline, then one line per service that needs the package or artifact `name`."""
    found = [
        (service, package, path)
        for service in services
        for package in _packages(service)
        if package in derivations
        for path in _paths(derivations[package], name)
    ]
    paths = [(service.name, path) for service, _, path in found]
    count = len({service for service, _ in paths})
    by = f"needed by {count} service{'' if count == 1 else 's'}:"
    yield f"{name}: {by if paths else 'no service needs it'}"
    width = max((len(service) for service, _ in paths), default=0)
    wanting = {
        choice.wanting(package): choice
        for service, package, _ in found
        if (choice := behind(service.name))
    }
    yield from (f"  {who}; here: {choice.coming()}" for who, choice in wanting.items())
    yield from (f"  {service:{width}} -> {' -> '.join(path)}" for service, path in paths)


def _packages(service: Service) -> tuple[str, ...]:
    """The packages that a service runs from; where there is a choice, of either program."""
    choice = behind(service.name)
    if choice:
        return (service.name, *choice.own_packages)
    return (service.package,) if service.package else ()


def _paths(root: Derivation, name: str) -> Iterator[tuple[str, ...]]:
    """Every way from a derivation to the package, or else the artifact, called `name`."""
    here = f"{root.name} {root.version}"
    if root.name == name:
        yield (here,)
        return
    for artifact in root.artifacts:
        if artifact.name == name:
            yield here, f"{name} {artifact.version}"
    for need in root.needs:
        for path in _paths(need, name):
            yield here, *path
