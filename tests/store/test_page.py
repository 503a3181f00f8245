"""A page is bundled from its sources and npm's tarballs alone, the same everywhere."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from stack.errors import BadInput, CheckFailed, HostCannot
from stack.progress import Quiet
from stack.store import builder, bundle, npmlock, npmpin, page, sbom, sources, tree
from stack.store.artifact import Tarball
from stack.store.derivation import Derivation, derive
from stack.store.imports import import_bundle
from stack.store.lock import Lock, Output
from stack.store.package import Copy, Package, Page
from stack.store.packageset import PackageSet, realise
from tests.store.test_npm import tarball_of

# What stands in for esbuild: it shows what it was given, and copies the entry.
TOOL = b"""#!/bin/sh
entry=$1; out=${2#--outdir=}; shift 2
[ -f node_modules/lib/index.js ] || { echo "Could not resolve lib" >&2; exit 1; }
cat "$entry" node_modules/lib/index.js > "$out/main.js"
{ echo "$@"; env | grep -v ^PWD=; cat node_modules/gone/index.js; } > "$out/seen"
"""


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    (folder / "page").mkdir(parents=True)
    (folder / "page" / "main.js").write_text("import 'lib';\n")
    (folder / "page" / "index.html").write_text("<!doctype html>\n")
    (folder / "page" / "notes.txt").write_text("none of the page's")
    return folder


def tarball(name: str, files: dict[str, bytes]) -> tuple[Tarball, bytes]:
    content = tarball_of(files)
    made = npmlock.tarball(
        name,
        "1.0.0",
        places=[f"node_modules/{name}"],
        integrity=npmpin.integrity(content),
        sha256=hashlib.sha256(content).hexdigest(),
        size=len(content),
        licence="MIT",
    )
    return made, content


@pytest.fixture
def contents() -> dict[Tarball, bytes]:
    return dict(
        [
            tarball("lib", {"index.js": b"1;\n", "LICENSE": b"Do as you like.\r\n"}),
            tarball("other", {"index.js": b"2;\n", "LICENSE": b"Do as you like.\n"}),
            tarball("font", {"files/a.woff2": b"font"}),
            *(
                tarball(name, {"bin/esbuild": TOOL + f"# {name}\n".encode()})
                for name in page.TOOLS.values()
            ),
        ]
    )


@pytest.fixture
def package(source: Path) -> Package:
    return Package(
        name="site",
        page=Page(
            folder=str(source),
            sources=("page/*.js", "page/*.html"),
            entry="page/main.js",
            into="share/site",
            version_of="lib",
            options=("--own",),
            stubs=("gone",),
            copies=(
                Copy(what="page/index.html", to="index.html"),
                Copy(what="node_modules/font/files", to="fonts"),
            ),
        ),
    )


@pytest.fixture
def derivation(package: Package, contents: dict[Tarball, bytes], tmp_path: Path) -> Derivation:
    lock = Lock(
        suite="",
        release="",
        snapshot="",
        artifacts=tuple(contents),
        outputs={},
        file=tmp_path / "lock.toml",
    )
    return derive([package], lock, "amd64")["site"]


def built(derivation: Derivation, contents: Any, into: Path) -> Path:
    into.mkdir(parents=True)
    builder.build(derivation, contents.__getitem__, into)
    return into / "share" / "site"


def test_page_holds_bundle_copies_and_licences(
    derivation: Derivation, contents: Any, tmp_path: Path
) -> None:
    made = built(derivation, contents, tmp_path / "out")
    found = {str(at.relative_to(made)) for at in made.rglob("*") if at.is_file()}
    assert found == {"main.js", "seen", "index.html", "fonts/a.woff2", "licences.txt"}
    assert (made / "main.js").read_text() == "import 'lib';\n1;\n"
    assert {at.name for at in (tmp_path / "out").iterdir()} == {"share"}


def test_page_licences_stand_once_with_all_that_they_are_of(
    derivation: Derivation, contents: Any, tmp_path: Path
) -> None:
    text = (built(derivation, contents, tmp_path / "out") / "licences.txt").read_text()
    assert "lib 1.0.0, other 1.0.0\n\nDo as you like.\n" in text
    assert "font 1.0.0\n\n(its package.json says: MIT)" in text
    assert "esbuild" not in text


def test_page_tool_sees_no_environment_and_stubs_for_what_is_left_out(
    derivation: Derivation, contents: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NODE_PATH", "/elsewhere")
    seen = (built(derivation, contents, tmp_path / "out") / "seen").read_text()
    assert "NODE_PATH" not in seen
    assert "--own" in seen
    assert seen.endswith("module.exports = {};\n")


def test_page_is_the_same_in_another_place_and_for_another_system(
    derivation: Derivation, contents: Any, tmp_path: Path
) -> None:
    one, two = tmp_path / "one", tmp_path / "a much longer - 'ö' place" / "two"
    built(derivation, contents, one)
    built(replace(derivation, system="arm64"), contents, two)
    assert tree.manifest(one) == tree.manifest(two)


def test_page_name_follows_its_sources(
    package: Package, derivation: Derivation, source: Path
) -> None:
    (source / "page" / "notes.txt").write_text("still none of the page's")
    assert package.page
    assert sources.digest(package.page) == derivation.sources
    (source / "page" / "main.js").write_text("import 'lib'; 2;\n")
    changed = replace(derivation, sources=sources.digest(package.page))
    assert changed.store_name != derivation.store_name
    assert changed.version == "1.0.0"


def test_page_whose_sources_changed_meanwhile_is_not_built(
    derivation: Derivation, contents: Any, source: Path, tmp_path: Path
) -> None:
    (source / "page" / "main.js").write_text("changed")
    with pytest.raises(CheckFailed, match="changed while they were read"):
        built(derivation, contents, tmp_path / "out")


def test_page_that_does_not_bundle_says_what_the_tool_said(
    derivation: Derivation, contents: Any, tmp_path: Path
) -> None:
    without = tuple(a for a in derivation.artifacts if a.name != "lib")
    with pytest.raises(BadInput, match="cannot be bundled:\nCould not resolve lib"):
        built(replace(derivation, artifacts=without), contents, tmp_path / "out")
    assert list((tmp_path / "out").rglob("node_modules")) == []


def test_page_needs_a_tool_for_this_cpu(
    derivation: Derivation, contents: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page.platform, "machine", lambda: "riscv64")
    with pytest.raises(HostCannot, match="no esbuild is pinned for this machine's CPU, `riscv64`"):
        built(derivation, contents, tmp_path / "out")


def test_page_names_a_file_that_is_not_there_to_copy(
    package: Package, derivation: Derivation, contents: Any, tmp_path: Path
) -> None:
    assert package.page
    wrong = replace(package.page, copies=(Copy(what="page/gone.svg", to="gone.svg"),))
    changed = replace(derivation, package=replace(package, page=wrong))
    with pytest.raises(BadInput, match=r"wants `gone\.svg`, which is not there"):
        built(changed, contents, tmp_path / "out")


def test_page_without_its_first_package_is_not_derived(package: Package, tmp_path: Path) -> None:
    lock = Lock(
        suite="", release="", snapshot="", artifacts=(), outputs={}, file=tmp_path / "lock.toml"
    )
    with pytest.raises(BadInput, match=r"`npm-lock\.json` pins no package `lib`"):
        derive([package], lock, "amd64")


@pytest.fixture
def package_set(
    package: Package, derivation: Derivation, contents: Any, mirror: Any, tmp_path: Path
) -> PackageSet:
    """The page alone, pinned, with its tarballs in a registry."""
    mirror.files |= {each.path: content for each, content in contents.items()}
    built(derivation, contents, tmp_path / "pin")
    found = tree.manifest(tmp_path / "pin")
    lock = Lock(
        suite="test",
        release="1",
        snapshot="20260101T000000Z",
        artifacts=tuple(contents),
        outputs={("amd64", "site"): Output(sha256=found.sha256, size=found.size)},
        file=tmp_path / "lock.toml",
    )
    return PackageSet(
        lock=lock,
        packages=(package,),
        system="amd64",
        cache=tmp_path / "cache",
        mirrors=(),
        registries=(mirror.url,),
    )


def test_page_is_realised_from_the_registry_once(package_set: PackageSet, mirror: Any) -> None:
    made = realise(None, package_set, Quiet())["site"]
    assert (made / "share/site/main.js").is_file()
    asked = len(mirror.requests)
    assert realise(None, package_set, Quiet())["site"] == made
    assert len(mirror.requests) == asked == 5


def test_page_goes_to_a_machine_without_a_registry(package_set: PackageSet, tmp_path: Path) -> None:
    file = tmp_path / "bundle.tar"
    bundle.write(bundle.gathered(["site"], [], Quiet(), package_set), file, Quiet())
    there = replace(package_set, cache=tmp_path / "there", registries=("http://127.0.0.1:9",))
    paths, new = import_bundle(file, Quiet(), there)
    assert new == 5
    assert (paths["site"] / "share/site/index.html").is_file()


def test_page_is_in_the_bill_of_materials_with_all_that_it_is_made_of(
    package_set: PackageSet, contents: Any
) -> None:
    bill = json.loads(sbom.document(Quiet(), package_set, []))
    (found,) = (each for each in bill["components"] if each["name"] == "lib")
    (lib,) = (each for each in contents if each.name == "lib")
    assert found["purl"] == "pkg:npm/lib@1.0.0"
    assert found["licenses"] == [{"acknowledgement": "declared", "expression": "MIT"}]
    assert {each["alg"]: each["content"] for each in found["hashes"]}["SHA-256"] == lib.sha256
    assert {each["alg"] for each in found["hashes"]} == {"SHA-256", "SHA-512"}
    (site,) = (each for each in bill["dependencies"] if each["ref"] == "package:site")
    assert "pkg:npm/%40esbuild/linux-x64@1.0.0" in site["dependsOn"]
