"""Assembles images: the layers of a service's closure, one layer of its own, and the documents."""

import tarfile
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from stack.deploy.images.declared import DATA, IMAGES, Image, Script
from stack.deploy.images.layer import STORE, USER_ID, entry, members_layer, store_layer
from stack.deploy.images.oci import Layer, Runs, Written, write_archive, write_image, write_index
from stack.errors import BadInput, CheckFailed, HostCannot
from stack.names import choose
from stack.run.choice import behind
from stack.run.service import Service
from stack.run.services import SERVICES
from stack.store import tree
from stack.store.derivation import Derivation
from stack.store.packageset import PackageSet, realise

REPOSITORY = "residency-lab"

_LABEL = "org.opencontainers.image."

_USERS = {
    "etc/passwd": f"root:x:0:0::/:/\nlab:x:{USER_ID}:{USER_ID}::{DATA}:/\n",
    "etc/group": f"root:x:0:\nlab:x:{USER_ID}:\n",
}
"""PostgreSQL asks for the name of its user."""


@dataclass(frozen=True, kw_only=True)
class Assembled:
    """The images in a folder, and why each of the other services has none."""

    images: tuple[Written, ...]
    left_out: Mapping[str, str]


def assemble(
    folder: Path, services: Iterable[str] | None = None, package_set: PackageSet | None = None
) -> Assembled:
    """Make `folder` hold exactly these images: an OCI layout, and `SERVICE.tar` for each."""
    package_set = package_set or PackageSet()
    lock = package_set.pinned()
    derivations = package_set.derivations(lock)
    left_out = {s.name: r for s in SERVICES.values() if (r := _reason(s, derivations))}
    chosen = choose([*(services or ())], SERVICES, what="service")
    chosen = chosen or [name for name in SERVICES if name not in left_out]
    for name in chosen:
        if name in left_out:
            raise BadInput(f"`{name}` has no image: {left_out[name]}.")
    _claim(folder)
    packages = {SERVICES[name].package or "" for name in chosen}
    paths = realise(sorted(packages), package_set)
    try:
        layers = _layers(folder, {name: derivations[name] for name in paths}, paths)
        made = [
            _image(folder, SERVICES[name], derivations[SERVICES[name].package or ""], layers, paths)
            for name in chosen
        ]
        for old in folder.glob("*.tar"):
            if old.stem in SERVICES and old.stem not in chosen:
                old.unlink()
        with ThreadPoolExecutor() as pool:
            list(pool.map(lambda n, i: write_archive(folder, i, folder / f"{n}.tar"), chosen, made))
        write_index(folder, made)
    except OSError as error:
        raise HostCannot(
            f"`{error.filename or folder}` cannot be written: {error.strerror}.",
            cure="Make room, or choose another folder with --output.",
        ) from error
    return Assembled(images=tuple(made), left_out={} if services else left_out)


def _reason(service: Service, derivations: Mapping[str, Derivation]) -> str:
    """Why the service has no image, "" if it has one."""
    if choice := behind(service.name):
        return f"none is made for {choice.what}; here they are by {choice.coming()}"
    if service.package is None:
        return "one of the lab's own Python programs, which run from no package"
    if service.name not in IMAGES:
        return "stack/deploy/images/declared.py does not say how it runs in a container"
    if derivations[service.package].output is None:
        return f"the lock has no hash of its package `{service.package}` yet"
    return ""


def _claim(folder: Path) -> None:
    """Make the folder, unless it holds what is not ours."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        empty = not any(folder.iterdir())
    except OSError as error:
        raise HostCannot(f"`{folder}` cannot be used: {error.strerror}.") from error
    if not empty and not (folder / "oci-layout").exists() and not (folder / "blobs").exists():
        raise BadInput(
            f"`{folder}` contains something other than images.",
            cure="Name a new folder: --output DIR.",
        )


def _layers(
    folder: Path, derivations: Mapping[str, Derivation], paths: Mapping[str, Path]
) -> dict[str, Layer]:
    """A layer for each store path, by package."""

    def made(name: str) -> Layer:
        found = tree.manifest(paths[name])
        output = derivations[name].output
        if output is None or found.sha256 != output.sha256:
            raise CheckFailed(
                f"`{paths[name]}` no longer matches the lock: its tree hash is {found.sha256}.",
                cure="`doit verify-store` names the file and repairs it. No image was made.",
            )
        return Layer(
            blob=store_layer(folder, paths[name], found), origin=f"store path {paths[name].name}"
        )

    with ThreadPoolExecutor() as pool:
        return dict(zip(paths, pool.map(made, paths), strict=True))


def _image(
    folder: Path,
    service: Service,
    derivation: Derivation,
    layers: Mapping[str, Layer],
    paths: Mapping[str, Path],
) -> Written:
    image = IMAGES[service.name]
    root = f"/{STORE}/{paths[derivation.name].name}"
    own = members_layer(folder, _members(image, root))
    environment = {"PATH": f"{root}/bin:/bin", **image.environment}
    runs = Runs(
        entrypoint=(image.program if image.program[0] == "/" else f"{root}/bin/{image.program}",),
        arguments=image.arguments,
        environment=environment,
        ports=tuple(sorted(service.ports.values())),
        folder=DATA,
        stop_signal=f"SIG{service.stop_signal}",
        health=(f"{root}/bin/{image.health[0]}", *image.health[1:]) if image.health else (),
    )
    return write_image(
        folder,
        f"{REPOSITORY}/{service.name}",
        # Debian's versions have characters that a tag may not have.
        tag=derivation.version.replace("+", "_").replace("~", "_"),
        system=derivation.system,
        layers=[
            *(layers[name] for name in derivation.closure()),
            Layer(blob=own, origin="users, folders and what starts the service"),
        ],
        runs=runs,
        labels={
            f"{_LABEL}title": service.name,
            f"{_LABEL}description": service.about,
            f"{_LABEL}version": derivation.version,
        },
    )


def _members(image: Image, root: str) -> list[tuple[tarfile.TarInfo, bytes]]:
    folder = tarfile.DIRTYPE
    found = [
        (entry("bin", kind=folder, mode=0o755), b""),
        (entry("data", kind=folder, mode=0o700, user=USER_ID), b""),
        (entry("etc", kind=folder, mode=0o755), b""),
        *_texts(_USERS, 0o644),
        (entry("tmp", kind=folder, mode=0o1777), b""),
    ]
    for file in image.files:
        name = file.path.lstrip("/")
        if isinstance(file, Script):
            found += _texts({name: file.text}, 0o755)
        else:
            link = f"{root}/{file.target}"
            found.append((entry(name, kind=tarfile.SYMTYPE, mode=0o777, link=link), b""))
    return found


def _texts(texts: Mapping[str, str], mode: int) -> list[tuple[tarfile.TarInfo, bytes]]:
    return [
        (entry(name, mode=mode, size=len(text.encode())), text.encode())
        for name, text in texts.items()
    ]
