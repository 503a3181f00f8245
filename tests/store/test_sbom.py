"""The bill of materials is valid CycloneDX, names every part with hash, origin and licence, and is
the same everywhere."""

import json
import tarfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from stack.errors import BadInput, HostCannot
from stack.progress import Quiet
from stack.store import sbom
from stack.store.artifact import Artifact
from stack.store.requirements import Requirement

ISC = b"Format: x\n\nFiles: *\nLicense: ISC\n"
PYTHON = [
    Requirement(name="click", version="8", marker="", sha256=("a" * 64, "b" * 64)),
    Requirement(name="pywin32", version="1", marker="sys_platform == 'win32'", sha256=("c" * 64,)),
]


def written(world: Any) -> dict[str, Any]:
    text = sbom.document(Quiet(), world.package_set, PYTHON)
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    found: dict[str, Any] = json.loads(text)
    return found


def component(bill: dict[str, Any], name: str) -> dict[str, Any]:
    (found,) = (each for each in bill["components"] if each["name"] == name)
    return dict(found)


@pytest.fixture
def with_copyright(
    world: Any,
    publish: Callable[[str, bytes], Artifact],
    make_deb: Callable[..., bytes],
    make_member: Callable[..., tuple[tarfile.TarInfo, bytes]],
) -> Any:
    """The world with three packages: a declared licence, a link to another package's, free text."""
    doc = "./usr/share/doc"
    debs = {
        "tool": make_deb(make_member(f"{doc}/tool/copyright", ISC)),
        "libtool": make_deb(
            make_member(f"{doc}/libtool", kind=tarfile.SYMTYPE, link="gcc-14-base")
        ),
        "libbase": make_deb(make_member(f"{doc}/libbase/copyright", b"Do as you like.")),
    }
    artifacts = tuple(publish(name, content) for name, content in debs.items())
    return world.pinned_by(replace(world.lock, artifacts=artifacts))


def test_sbom_without_licences_is_valid(world: Any) -> None:
    bill = written(world)
    assert "licenses" not in component(bill, "libbase")


def test_sbom_names_each_part_with_hash_origin_and_licence(with_copyright: Any) -> None:
    bill = written(with_copyright)
    artifact = with_copyright.lock.artifact("libtool", "amd64")
    found = component(bill, "libtool")
    assert found["purl"] == "pkg:deb/debian/libtool@1.0?arch=amd64&distro=test"
    assert found["hashes"] == [{"alg": "SHA-256", "content": artifact.sha256}]
    assert found["externalReferences"][0]["url"].endswith(
        f"/archive/debian/20260101T000000Z/{artifact.path}"
    )
    said = {"acknowledgement": "declared"}
    gcc = "GPL-3.0-or-later WITH GCC-exception-3.1"
    assert found["licenses"] == [{**said, "expression": gcc}]
    assert component(bill, "libbase")["licenses"] == [
        {"license": {**said, "name": "see usr/share/doc/libbase/copyright in the package"}}
    ]


def test_sbom_names_what_went_into_what(world: Any) -> None:
    bill = written(world)
    goes_into = {each["ref"]: each.get("dependsOn", []) for each in bill["dependencies"]}
    assert goes_into["residency-lab"] == ["package:base", "package:tool", "pkg:pypi/click@8"]
    assert goes_into["package:tool"] == [
        "pkg:deb/debian/libtool@1.0?arch=amd64&distro=test",
        "pkg:deb/debian/tool@1.0?arch=amd64&distro=test",
    ]


def test_sbom_names_the_python_requirements_of_this_platform(world: Any) -> None:
    bill = written(world)
    hashes = [each["content"] for each in component(bill, "click")["hashes"]]
    assert hashes == ["a" * 64, "b" * 64]
    assert not any(each["name"] == "pywin32" for each in bill["components"])


def test_sbom_is_the_same_elsewhere_and_another_for_another_lock(
    world: Any, tmp_path: Path
) -> None:
    bill = written(world)
    assert written(world.elsewhere(tmp_path / "x")) == bill
    assert "timestamp" not in bill["metadata"]
    later = world.pinned_by(replace(world.lock, snapshot="20270101T000000Z"))
    assert written(later)["serialNumber"] != bill["serialNumber"]


def test_sbom_of_an_upstream_release_names_its_url(world: Any) -> None:
    url = "https://example.org/tool-1.0.zip"
    upstream = replace(world.lock.artifacts[0], path=url)
    found = sbom._artifact(upstream, world.lock, [])
    assert f"download_url={url}" in str(found.purl)
    assert [str(each.url) for each in found.external_references] == [url]


def test_sbom_says_which_artifact_cannot_be_had(world: Any, mirror: Any) -> None:
    mirror.files.clear()
    with pytest.raises(HostCannot, match="is not available"):
        sbom.document(Quiet(), world.package_set, PYTHON)


def test_sbom_refuses_a_folder_that_is_not_there(world: Any, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no folder"):
        sbom.write(tmp_path / "no" / "sbom.json", Quiet(), world.package_set)


def test_the_validator_finds_what_is_wrong(world: Any) -> None:
    bill = written(world)
    bill["components"][0]["type"] = "nonsense"
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(bill)) is not None
