"""Assembles images: the layers of a service's closure, one layer of its own, and the documents."""

import hashlib
import tarfile
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from stack import progress
from stack.deploy.images.declared import DATA, IMAGES, LOGGED, LOGS, Image
from stack.deploy.images.layer import STORE, USER_ID, entry, members_layer, store_layer
from stack.deploy.images.oci import Layer, Runs, Written, write_archive, write_image, write_index
from stack.deploy.images.python import Trees, trees
from stack.errors import BadInput, CheckFailed, HostCannot
from stack.names import choose
from stack.paths import cache_dir
from stack.run.service import Service
from stack.run.services import SERVICES
from stack.store import tree
from stack.store.derivation import Derivation, host_system
from stack.store.packageset import PackageSet, realise

PYTHON = "python"
"""Package that the lab's own programs run from in a container."""

REPOSITORY = "residency-lab"

_LABEL = "org.opencontainers.image."

_USERS = {
    "etc/passwd": f"root:x:0:0::/:/\nlab:x:{USER_ID}:{USER_ID}::{DATA}:/\n",
    "etc/group": f"root:x:0:\nlab:x:{USER_ID}:\n",
}
"""PostgreSQL asks for the name of its user."""


ALL = "all"
"""Stem of the archive that holds every image."""


@dataclass(frozen=True, kw_only=True)
class Assembled:
    """The images in a folder, and why each of the other services has none."""

    images: tuple[Written, ...]
    left_out: Mapping[str, str]
    archives: tuple[Path, ...]
    """What `docker load` reads."""

    @property
    def release(self) -> str:
        """The tag that all images have, where none was left out on purpose: 12 hex digits, which
        follow from what is in them."""
        return self.images[0].release


def assemble(
    folder: Path, services: Iterable[str] | None = None, package_set: PackageSet | None = None
) -> Assembled:
    """Make `folder` hold exactly these images: an OCI layout, and archives for `docker load`:
    `SERVICE.tar` for each of `services`, or `all.tar`."""
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
    paths = realise(sorted({one for name in chosen for one in _packages(name)}), package_set)
    try:
        with tempfile.TemporaryDirectory(dir=folder, prefix=".programs-") as aside:
            parts = _Parts(
                folder=folder,
                derivations=derivations,
                paths=paths,
                layers=_layers(folder, {name: derivations[name] for name in paths}, paths),
                trees=_trees(package_set, paths, Path(aside)),
            )
            parts.add_trees()
            made = [_image(parts, SERVICES[name]) for name in chosen]
            if parts.trees:
                tree.remove(parts.trees.programs)
        if not services:
            release = _release(made)
            made = [replace(image, release=release) for image in made]
        archives = _write_archives(folder, dict(zip(chosen, made, strict=True)), bool(services))
        write_index(folder, made)
    except OSError as error:
        raise HostCannot(
            f"`{error.filename or folder}` cannot be written: {error.strerror}.",
            cure="Make room, or choose another folder with --output.",
        ) from error
    return Assembled(images=tuple(made), left_out={} if services else left_out, archives=archives)


def _release(images: Sequence[Written]) -> str:
    said = "".join(sorted(f"{image.name} {image.config.digest}\n" for image in images))
    return hashlib.sha256(said.encode()).hexdigest()[:12]


def _write_archives(folder: Path, images: Mapping[str, Written], each: bool) -> tuple[Path, ...]:
    wanted = (
        {name: [image] for name, image in images.items()} if each else {ALL: [*images.values()]}
    )
    for old in folder.glob("*.tar"):
        if old.stem in (*SERVICES, ALL) and old.stem not in wanted:
            old.unlink()
    files = tuple(folder / f"{name}.tar" for name in wanted)
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda file: write_archive(folder, wanted[file.stem], file), files))
    return files


def _reason(service: Service, derivations: Mapping[str, Derivation]) -> str:
    """Why the service has no image, "" if it has one."""
    if service.name not in IMAGES:
        return "it is for a machine without containers"
    for package in _packages(service.name):
        if derivations[package].output is None:
            return f"the lock has no hash of its package `{package}` yet"
    return ""


def _packages(service: str) -> tuple[str, ...]:
    """What its image is made of, first that which it runs from."""
    return (SERVICES[service].package or PYTHON, *IMAGES[service].packages, "busybox")


def _trees(package_set: PackageSet, paths: Mapping[str, Path], aside: Path) -> Trees | None:
    """What Python needs beside itself, where one of the images runs on it."""
    if PYTHON not in paths:
        return None
    with progress.shown() as report:
        cache = package_set.cache or cache_dir()
        return trees(paths[PYTHON], package_set.system or host_system(), cache, aside, report)


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


@dataclass(frozen=True, kw_only=True)
class _Parts:
    """What images are put together from."""

    folder: Path
    derivations: Mapping[str, Derivation]
    paths: Mapping[str, Path]
    layers: dict[str, Layer]
    """Of each package, and of each tree that Python needs beside itself."""
    trees: Trees | None

    def add_trees(self) -> None:
        if self.trees:
            names = {
                "bytecode": (self.trees.bytecode, self.paths[PYTHON].name),
                "wheels": (self.trees.wheels, self.trees.wheels.name),
                "programs": (self.trees.programs, self.trees.programs.name),
            }
            for name, (at, stands) in names.items():
                blob = store_layer(self.folder, at, tree.manifest(at), stands)
                self.layers[name] = Layer(blob=blob, origin=f"{name} of the lab's own programs")

    def of(self, service: Service) -> list[Layer]:
        needed: dict[str, None] = {}
        for package in _packages(service.name):
            needed |= dict.fromkeys(self.derivations[package].closure())
        own = () if service.package else ("bytecode", "wheels", "programs")
        return [self.layers[name] for name in (*needed, *own)]


def _image(parts: _Parts, service: Service) -> Written:
    image, first = IMAGES[service.name], parts.derivations[service.package or PYTHON]
    roots = {name: f"/{STORE}/{path.name}" for name, path in parts.paths.items()}
    root = roots[first.name]

    def placed(program: str) -> str:
        return program if program[0] == "/" else f"{root}/bin/{program}"

    environment = {"PATH": f"{root}/bin:/bin", "SERVICE": service.name, **image.environment}
    program: tuple[str, ...] = (placed(image.program),)
    version = first.version
    if not service.package:
        assert parts.trees
        environment |= parts.trees.environment
        program = (placed("python"), "-m", f"stack.programs.{image.program}")
        version = parts.trees.programs.name[:12]
    own = members_layer(parts.folder, _members(image, roots))
    runs = Runs(
        entrypoint=(LOGGED.path, *program, *(text.format(**roots) for text in image.started_by)),
        arguments=image.arguments,
        environment=environment,
        ports=tuple(sorted(service.ports.values())),
        folder=image.data,
        stop_signal=f"SIG{service.stop_signal}",
        health=(placed(image.health[0]), *image.health[1:]),
    )
    return write_image(
        parts.folder,
        f"{REPOSITORY}/{service.name}",
        # Debian's versions have characters that a tag may not have.
        tag=version.replace("+", "_").replace("~", "_"),
        system=first.system,
        layers=[
            *parts.of(service),
            Layer(blob=own, origin="users, folders and what starts the service"),
        ],
        runs=runs,
        labels={
            f"{_LABEL}title": service.name,
            f"{_LABEL}description": service.about,
            f"{_LABEL}version": version,
        },
    )


def _members(image: Image, roots: Mapping[str, str]) -> list[tuple[tarfile.TarInfo, bytes]]:
    folder = tarfile.DIRTYPE
    found = [
        (entry("bin", kind=folder, mode=0o755), b""),
        *_folders(image.data, 0o700, USER_ID),
        (entry("etc", kind=folder, mode=0o755), b""),
        *_texts(_USERS, 0o644),
        (entry("tmp", kind=folder, mode=0o1777), b""),
    ]
    # Whoever gets the volume first gives it this mode, for all who write there.
    for path, mode in ((LOGS, 0o1777), *((path, 0o755) for path in image.folders)):
        there = {info.name for info, _ in found}
        found += [one for one in _folders(path, mode, USER_ID) if one[0].name not in there]
    busybox = f"{roots['busybox']}/usr/bin/busybox"
    for path in ("bin/busybox", "bin/sh", "bin/wget"):
        found.append((entry(path, kind=tarfile.SYMTYPE, mode=0o777, link=busybox), b""))
    for file in (LOGGED, *image.files):
        found += _texts({file.path.lstrip("/"): file.text}, 0o755)
    return found


def _folders(path: str, mode: int, user: int) -> list[tuple[tarfile.TarInfo, bytes]]:
    """A folder of the user's, below folders that all may enter."""
    *above, last = [str(each) for each in (*reversed(PurePosixPath(path[1:]).parents), path[1:])][
        1:
    ]
    made = [(entry(each, kind=tarfile.DIRTYPE, mode=0o755), b"") for each in above]
    return [*made, (entry(last, kind=tarfile.DIRTYPE, mode=mode, user=user), b"")]


def _texts(texts: Mapping[str, str], mode: int) -> list[tuple[tarfile.TarInfo, bytes]]:
    return [
        (entry(name, mode=mode, size=len(text.encode())), text.encode())
        for name, text in texts.items()
    ]
