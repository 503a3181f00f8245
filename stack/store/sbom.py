"""The bill of materials of the packages: a CycloneDX 1.6 document, the same on every machine.

https://cyclonedx.org/docs/1.6/json/ says what the fields mean.
"""

import base64
import hashlib
import json
import os
import re
import tomllib
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from importlib import metadata
from pathlib import Path, PurePosixPath
from uuid import UUID

from cyclonedx.model import (
    ExternalReference,
    ExternalReferenceType,
    HashAlgorithm,
    HashType,
    Property,
    XsUri,
)
from cyclonedx.model.bom import Bom, BomMetaData
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.license import (
    DisjunctiveLicense,
    License,
    LicenseAcknowledgement,
    LicenseExpression,
)
from cyclonedx.output.json import JsonV1Dot6
from cyclonedx.spdx import is_expression, is_supported_id
from packageurl import PackageURL
from packaging.markers import Marker

from stack import progress
from stack.paths import REPO
from stack.store import deb, disk, requirements
from stack.store.artifact import Artifact, Tarball
from stack.store.artifacts import artifacts_of, collected
from stack.store.bundle import aside
from stack.store.derivation import Derivation
from stack.store.licences import ELSEWHERE, Licence, declared
from stack.store.lock import Lock
from stack.store.mirrors import ARCHIVE
from stack.store.packageset import PackageSet, closures
from stack.store.requirements import Requirement

_OURS = "residency-lab"
_DECLARED = LicenseAcknowledgement.DECLARED
_PLATFORM = {
    "sys_platform": "linux",
    "platform_system": "Linux",
    "platform_python_implementation": "CPython",
    "implementation_name": "cpython",
}
"""Where the lab runs: what the requirements' markers are judged by, on every machine."""


def write(file: Path, report: progress.Progress, package_set: PackageSet) -> int:
    """Write the bill of materials to a file; how many components it has.

    Raises LabError, and then what stood there before still does.
    """
    with aside(file) as made:
        text = document(report, package_set)
        made.write(text.encode())
    return len(json.loads(text)["components"])


def document(
    report: progress.Progress,
    package_set: PackageSet,
    pinned: Iterable[Requirement] | None = None,
) -> str:
    """The bill of materials as canonical JSON. Fetches the artifacts, whose licences it reads.

    `pinned`: the Python requirements, unless given the checked-in ones. Raises LabError where an
    artifact of a package that is not optional is not available.
    """
    lock = package_set.pinned()
    derivations = closures(known := package_set.derivations(lock), known)
    licences = _licences(derivations, package_set, lock, report)
    lab = Component(
        name=_OURS,
        version=tomllib.loads((REPO / "pyproject.toml").read_text())["project"]["version"],
        type=ComponentType.APPLICATION,
        bom_ref=_OURS,
    )
    bom = Bom(metadata=BomMetaData(component=lab), serial_number=_serial(derivations, lock))
    parts = {
        artifact: _artifact(artifact, lock, licences[artifact])
        for artifact in artifacts_of(derivations.values())
    }
    packages = {name: _package(each) for name, each in derivations.items()}
    wanted = requirements.load() if pinned is None else pinned
    python = [_requirement(each) for each in wanted if _applies(each)]
    bom.components.update(parts.values(), packages.values(), python)
    bom.register_dependency(lab, [*packages.values(), *python])
    for name, each in derivations.items():
        needs = [packages[need.name] for need in each.needs]
        bom.register_dependency(packages[name], [*needs, *(parts[a] for a in each.artifacts)])
    return _canonical(bom)


def _canonical(bom: Bom) -> str:
    """The library puts in when it was written; equal contents shall be equal bytes."""
    written = json.loads(JsonV1Dot6(bom).output_as_string())
    del written["metadata"]["timestamp"]
    return json.dumps(written, indent=2, sort_keys=True) + "\n"


def _serial(derivations: Mapping[str, Derivation], lock: Lock) -> UUID:
    """A serial number that another bill has only if it is of the same things (UUID version 8)."""
    names = sorted(each.store_name for each in derivations.values())
    what = "\n".join([lock.snapshot, *names, requirements.REQUIREMENTS.read_text()])
    number = int.from_bytes(hashlib.sha256(what.encode()).digest()[:16])
    number = number & ~(0xF << 76) & ~(0x3 << 62) | 0x8 << 76 | 0x2 << 62
    return UUID(int=number)


def _package(derivation: Derivation) -> Component:
    properties = [Property(name=f"{_OURS}:store-path", value=derivation.store_name)]
    if derivation.output:
        tree = Property(name=f"{_OURS}:tree-sha256", value=derivation.output.sha256)
        properties.append(tree)
    return Component(
        name=derivation.name,
        version=derivation.version,
        type=ComponentType.APPLICATION,
        bom_ref=f"package:{derivation.name}",
        properties=properties,
    )


def _artifact(artifact: Artifact, lock: Lock, licences: list[Licence]) -> Component:
    if isinstance(artifact, Tarball):
        return _tarball(artifact, licences)
    if artifact.upstream:
        url, properties = artifact.path, []
        purl = PackageURL(
            "generic",
            None,
            artifact.name,
            artifact.version,
            {"checksum": f"sha256:{artifact.sha256}", "download_url": url},
        )
    else:
        url = f"{ARCHIVE}/{artifact.snapshot or lock.snapshot}/{artifact.path}"
        # pool/COMPONENT/LETTER/SOURCE/FILE
        source = PurePosixPath(artifact.path).parent.name
        properties = [Property(name=f"{_OURS}:debian-source", value=source)]
        place = {"arch": artifact.architecture, "distro": lock.suite}
        purl = PackageURL("deb", "debian", artifact.name, artifact.version, place)
    return Component(
        name=artifact.name,
        version=artifact.version,
        bom_ref=str(purl),
        purl=purl,
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=artifact.sha256)],
        external_references=[
            ExternalReference(type=ExternalReferenceType.DISTRIBUTION, url=XsUri(url))
        ],
        licenses=_given(licences),
        properties=properties,
    )


def _given(licences: list[Licence]) -> list[License]:
    """CycloneDX takes one expression, or a list of single licences."""
    expression = " AND ".join(
        f"({each.name})" if " OR " in each.name and len(licences) > 1 else each.name
        for each in licences
    )
    if licences and all(each.spdx for each in licences):
        return [LicenseExpression(expression, acknowledgement=_DECLARED)]
    return [
        DisjunctiveLicense(id=each.name, acknowledgement=_DECLARED)
        if is_supported_id(each.name)
        else DisjunctiveLicense(name=each.name, acknowledgement=_DECLARED)
        for each in licences
    ]


def _tarball(tarball: Tarball, licences: list[Licence]) -> Component:
    """Of npm: where it is from no registry is named, any will do."""
    scope, _, name = tarball.name.rpartition("/")
    purl = PackageURL("npm", scope or None, name, tarball.version)
    sha512 = base64.b64decode(tarball.integrity.removeprefix("sha512-")).hex()
    return Component(
        name=tarball.name,
        version=tarball.version,
        bom_ref=str(purl),
        purl=purl,
        hashes=[
            HashType(alg=HashAlgorithm.SHA_256, content=tarball.sha256),
            HashType(alg=HashAlgorithm.SHA_512, content=sha512),
        ],
        licenses=_given(licences),
    )


def _licences(
    derivations: Mapping[str, Derivation],
    package_set: PackageSet,
    lock: Lock,
    report: progress.Progress,
) -> dict[Artifact, list[Licence]]:
    """Of each artifact: as its own copyright file declares it, or npm's `package.json`. Upstream's
    carry none."""
    every = artifacts_of(derivations.values())
    tarballs = [artifact for artifact in every if isinstance(artifact, Tarball)]
    debs = [a for a in every if not a.upstream and not isinstance(a, Tarball)]
    files = collected(debs, package_set.store(lock), report)
    reading = report.doing(f"reading the copyright files of {len(debs)} packages")
    with reading, ThreadPoolExecutor(os.cpu_count()) as pool:
        read = pool.map(lambda artifact: _of_deb(artifact, files[artifact]), debs)
        found = dict(zip(debs, read, strict=True))
    found |= {each: _of_npm(each) for each in tarballs}
    return {a: found[a] if a in found else _elsewhere(a.name) for a in every}


def _of_deb(artifact: Artifact, file: Path) -> list[Licence]:
    folder = f"usr/share/doc/{artifact.name}"
    wanted = {folder, f"{folder}/copyright"}
    with disk.scratch() as root:
        deb.unpack(file.read_bytes(), root, name=artifact.name, wanted=wanted.__contains__)
        for link in (root / folder, root / folder / "copyright"):
            if link.is_symlink():  # to the documents of another package of the same source
                names = [p for p in link.readlink().parts if p not in ("..", "copyright")]
                return _elsewhere(names[-1] if names else artifact.name)
        if not (root / folder / "copyright").is_file():
            return []
        text = (root / folder / "copyright").read_text(errors="replace")
    found = declared(text)
    return found or [Licence(name=f"see {folder}/copyright in the package", spdx=False)]


def _of_npm(tarball: Tarball) -> list[Licence]:
    """As its `package.json` declares it, which the lock has."""
    said = tarball.licence
    return [Licence(name=said, spdx=is_expression(said))] if said else []


def _elsewhere(package: str) -> list[Licence]:
    known = ELSEWHERE.get(package, "")
    return [Licence(name=known or f"see the package {package}", spdx=bool(known))]


def _applies(requirement: Requirement) -> bool:
    return not requirement.marker or Marker(requirement.marker).evaluate(_PLATFORM)


def _requirement(requirement: Requirement) -> Component:
    purl = PackageURL("pypi", None, requirement.name, requirement.version)
    hashes = [HashType(alg=HashAlgorithm.SHA_256, content=sha) for sha in requirement.sha256]
    return Component(
        name=requirement.name,
        version=requirement.version,
        bom_ref=str(purl),
        purl=purl,
        hashes=hashes,
        licenses=_given(_of_python(requirement.name)),
    )


def _of_python(name: str) -> list[Licence]:
    """As the installed package's metadata declare it; the environment is the locked one."""
    try:
        about = metadata.metadata(name)
    except metadata.PackageNotFoundError:
        return []
    fields = [*(about.get_all("License-Expression") or ()), *(about.get_all("License") or ())]
    said = next(iter(fields), "")
    if said and "\n" not in said and is_expression(said):
        return [Licence(name=said, spdx=True)]
    classified = [
        re.sub(r"^License :: (OSI Approved :: )?", "", line)
        for line in about.get_all("Classifier") or ()
        if line.startswith("License :: ") and line != "License :: OSI Approved"
    ]
    short = [said] if said and len(said) < 80 and "\n" not in said else []
    return [Licence(name=each, spdx=False) for each in classified or short]
