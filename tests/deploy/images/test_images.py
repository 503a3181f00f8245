"""Images are what the specification says, the same from any store, and hold what they must."""

import ast
import hashlib
import importlib.metadata
import io
import json
import re
import tarfile
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from stack.deploy.images.assembly import assemble
from stack.deploy.images.declared import IMAGES
from stack.deploy.images.python import needed
from stack.errors import BadInput, CheckFailed
from stack.paths import REPO, cache_dir
from stack.run.services import SERVICES
from stack.store import tree
from stack.store.packageset import PackageSet, realise
from stack.store.requirements import normal

DIGEST = re.compile(r"sha256:[0-9a-f]{64}")

TYPES = {
    "index": "application/vnd.oci.image.index.v1+json",
    "manifest": "application/vnd.oci.image.manifest.v1+json",
    "config": "application/vnd.oci.image.config.v1+json",
    "layer": "application/vnd.oci.image.layer.v1.tar",
}
"""Media types of the image specification, version 1.1, `media-types.md`."""


def read(layout: Path, described: dict[str, Any], kind: str) -> bytes:
    """The blob of a descriptor, which must be as `descriptor.md` wants it."""
    assert described["mediaType"] == TYPES[kind]
    assert DIGEST.fullmatch(described["digest"])
    content = (layout / "blobs" / described["digest"].replace(":", "/")).read_bytes()
    assert len(content) == described["size"]
    assert f"sha256:{hashlib.sha256(content).hexdigest()}" == described["digest"]
    return content


def parts(layout: Path) -> dict[str, tuple[dict[str, Any], dict[str, Any]]]:
    """Manifest and configuration of every image, by service."""
    found = {}
    for described in json.loads((layout / "index.json").read_text())["manifests"]:
        name = described["annotations"]["org.opencontainers.image.ref.name"]
        manifest = json.loads(read(layout, described, "manifest"))
        config = json.loads(read(layout, manifest["config"], "config"))
        found[name.partition("/")[2].partition(":")[0]] = manifest, config
    return found


def files(layout: Path, manifest: dict[str, Any]) -> dict[str, tarfile.TarInfo]:
    """Every entry of an image's layers, by path."""
    found: dict[str, tarfile.TarInfo] = {}
    for layer in manifest["layers"]:
        found |= entries(layout, json.dumps(layer))
    return found


@cache
def entries(layout: Path, layer: str) -> dict[str, tarfile.TarInfo]:
    """Those of one layer; images share most of theirs."""
    with tarfile.open(fileobj=io.BytesIO(read(layout, json.loads(layer), "layer"))) as archive:
        return {member.name: member for member in archive}


@pytest.mark.nightly
def test_layout_is_what_the_specification_says(layout: Path) -> None:
    assert json.loads((layout / "oci-layout").read_text()) == {"imageLayoutVersion": "1.0.0"}
    index = json.loads((layout / "index.json").read_text())
    assert (index["schemaVersion"], index["mediaType"]) == (2, TYPES["index"])
    assert set(parts(layout)) == set(IMAGES)
    named = set()
    for described in index["manifests"]:
        named |= {described["digest"]}
    for manifest, config in parts(layout).values():
        assert (manifest["schemaVersion"], manifest["mediaType"]) == (2, TYPES["manifest"])
        assert config["os"] == "linux"
        assert config["architecture"] in ("amd64", "arm64")
        assert config["rootfs"]["type"] == "layers"
        # Uncompressed: a layer's digest is that of its content, too.
        digests = [layer["digest"] for layer in manifest["layers"]]
        assert config["rootfs"]["diff_ids"] == digests
        assert len(config["history"]) == len(digests)
        named |= {manifest["config"]["digest"], *digests}
    # Nothing twice, nothing that no image has.
    assert {f"sha256:{at.name}" for at in (layout / "blobs/sha256").iterdir()} == named


@pytest.mark.nightly
@pytest.mark.parametrize("service", IMAGES)
def test_image_says_how_it_runs(layout: Path, service: str) -> None:
    config = parts(layout)[service][1]["config"]
    ports = SERVICES[service].ports.values()
    assert config["ExposedPorts"] == {f"{port}/tcp": {} for port in ports}
    assert config["User"] == "65532:65532"
    assert config["Labels"]["org.opencontainers.image.title"] == service
    assert config["Labels"]["org.opencontainers.image.version"]
    assert config["StopSignal"] == f"SIG{SERVICES[service].stop_signal}"
    assert config["Healthcheck"]["Test"][0] == "CMD"


@pytest.mark.nightly
@pytest.mark.parametrize("service", IMAGES)
def test_image_holds_what_it_starts(layout: Path, service: str) -> None:
    manifest, config = parts(layout)[service]
    there = files(layout, manifest)
    started = [config["config"]["Entrypoint"][0]]
    if health := config["config"].get("Healthcheck"):
        started.append(health["Test"][1])
    for program in started:
        at = there[program.lstrip("/")]
        if at.issym() and at.linkname[0] == "/":
            at = there[at.linkname[1:]]
        elif at.issym():
            at = there[str(Path(at.name).parent / at.linkname).replace("/bin/../", "/")]
        assert at.mode & 0o111
    (volume,) = config["config"]["Volumes"]
    data = there[volume.lstrip("/")]
    assert data.uid == data.gid == 65532
    assert there["tmp"].mode == 0o1777
    # The files of a closure are nobody's to change, and carry nobody's clock.
    closed = [at for name, at in there.items() if name.startswith("store/")]
    assert {(at.uid, at.gid, at.uname, at.mtime) for at in closed} == {(0, 0, "", 1)}
    assert not [at.name for at in closed if at.mode & 0o6222 and not at.issym()]


@pytest.mark.nightly
def test_glibc_is_one_layer_that_all_share(layout: Path) -> None:
    first = {manifest["layers"][0]["digest"] for manifest, _ in parts(layout).values()}
    assert len(first) == 1


@pytest.mark.nightly
def test_archive_is_what_docker_load_reads(layout: Path) -> None:
    """Every image by its version and by the release, and every layer once."""
    with tarfile.open(layout / "all.tar") as archive:
        contents = {m.name: m for m in archive}
        assert len(contents) == len(archive.getmembers())
        assert {at.uid for at in contents.values()} == {0}
        found = {}
        for docker in json.load(archive.extractfile("manifest.json")):
            version, release = docker["RepoTags"]
            match = re.fullmatch(r"residency-lab/([a-z-]+):\w[\w.-]{0,127}", version)
            found[match[1]] = docker
            assert re.fullmatch(rf"residency-lab/{match[1]}:[0-9a-f]{{12}}", release)
        for service, (manifest, _) in parts(layout).items():
            wanted = [manifest["config"], *manifest["layers"]]
            names = [f"blobs/{one['digest'].replace(':', '/')}" for one in wanted]
            assert [found[service]["Config"], *found[service]["Layers"]] == names
        for name in contents:
            if name.startswith("blobs/"):
                content = hashlib.file_digest(archive.extractfile(name), "sha256")
                assert content.hexdigest() == Path(name).name


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> PackageSet:
    """Another store, built from the same artifacts under another umask."""
    cache = tmp_path_factory.mktemp("else") / "where" / "cache"
    (cache / "artifacts").mkdir(parents=True)
    for artifact in (cache_dir() / "artifacts").iterdir():
        (cache / "artifacts" / artifact.name).symlink_to(artifact)
    return PackageSet(cache=cache)


SMALL = ("node-exporter", "postgres-exporter")


@pytest.mark.nightly
def test_two_stores_give_the_same_bytes(
    layout: Path, elsewhere: PackageSet, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    assemble(other, SMALL, elsewhere)
    mine, theirs = parts(layout), parts(other)
    for service in SMALL:
        assert theirs[service] == mine[service]


def test_flipped_bit_in_the_store_is_refused(elsewhere: PackageSet, tmp_path: Path) -> None:
    path = realise(["node_exporter"], elsewhere)["node_exporter"]
    program = path / "libexec" / "node_exporter"
    content = bytearray(program.read_bytes())
    content[len(content) // 2] ^= 1
    program.chmod(0o755)
    program.write_bytes(content)
    program.chmod(0o555)
    try:
        with pytest.raises(CheckFailed, match=r"(?s)no longer matches the lock.*doit verify-store"):
            assemble(tmp_path / "out", ["node-exporter"], elsewhere)
        assert not (tmp_path / "out" / "index.json").exists()
    finally:
        tree.remove(path)


def test_second_run_replaces_the_first(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    assemble(folder, ["postgres-exporter"])
    digest = parts(folder)
    (folder / "blobs" / "sha256" / ".new-killed").write_text("half")
    assemble(folder, ["postgres-exporter"])
    assert parts(folder) == digest
    assemble(folder, ["node-exporter"])
    assert set(parts(folder)) == {"node-exporter"}
    assert {at.name for at in folder.iterdir()} == {
        "blobs",
        "index.json",
        "oci-layout",
        "node-exporter.tar",
    }
    # Four layers, of glibc, busybox, the exporter and what starts it; and two documents.
    assert len(list((folder / "blobs" / "sha256").iterdir())) == 6


def test_flipped_bit_in_an_image_is_repaired_by_the_next_run(tmp_path: Path) -> None:
    assemble(tmp_path, ["node-exporter"])
    good = {at: at.read_bytes() for at in tmp_path.rglob("*") if at.is_file()}
    for at, content in good.items():
        at.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    assemble(tmp_path, ["node-exporter"])
    assert {at: at.read_bytes() for at in tmp_path.rglob("*") if at.is_file()} == good


def test_folder_with_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "letter").write_text("mine")
    with pytest.raises(BadInput, match="contains something other than images"):
        assemble(tmp_path, ["node-exporter"])
    assert [at.name for at in tmp_path.iterdir()] == ["letter"]


@pytest.mark.parametrize(
    ("service", "said"),
    [
        ("simulated-host", "`simulated-host` has no image: it is for a machine without containers"),
        ("node", "no service `node`"),
    ],
)
def test_service_without_an_image_is_refused(tmp_path: Path, service: str, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        assemble(tmp_path / "out", [service])
    assert not (tmp_path / "out").exists()


@pytest.mark.nightly
def test_lab_s_own_programs_need_nothing_but_their_image(layout: Path) -> None:
    """Whatever they import is in a layer, compiled, at the path that Python is told."""
    manifest, config = parts(layout)["backend"]
    there = files(layout, manifest)
    environment = dict(entry.split("=", 1) for entry in config["config"]["Env"])
    programs, wheels = environment["PYTHONPATH"].split(":")
    compiled = "__pycache__/__main__.cpython-313.pyc"
    assert f"{programs[1:]}/stack/programs/scheduler/{compiled}" in there
    assert f"{wheels[1:]}/fastapi/__pycache__/applications.cpython-313.pyc" in there
    assert [
        name for name in there if name.endswith("lib/python3.13/__pycache__/os.cpython-313.pyc")
    ]
    # Nothing of the tests, of other rooms, or of whoever made it.
    inside = {
        name.removeprefix(f"{programs[1:]}/") for name in there if name.startswith(programs[1:])
    }
    assert {name.split("/")[1] for name in inside if "/" in name} >= {"programs", "logql", "speed"}
    assert not [name for name in inside if name.startswith(("stack/store", "stack/run", "tests"))]


def test_programs_import_no_distribution_that_images_lack() -> None:
    """A program that imports something new says so in `python.WANTED`."""
    known = {normal(name) for name in needed()}
    owners = importlib.metadata.packages_distributions()
    strange = set()
    for room in ("programs", "logql", "speed"):
        for file in (REPO / "stack" / room).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text())):
                names = [node.module] if isinstance(node, ast.ImportFrom) else []
                names += [one.name for one in node.names] if isinstance(node, ast.Import) else []
                for name in filter(None, names):
                    top = name.partition(".")[0]
                    if top in owners and not {normal(one) for one in owners[top]} & known:
                        strange.add((file.relative_to(REPO).as_posix(), top))
    assert not strange
