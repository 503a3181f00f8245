"""The documents of an image, and the folder and archives that hold images.

Layout: github.com/opencontainers/image-spec, version 1.1 (`image-layout.md`, `manifest.md`,
`config.md`). `Healthcheck` is Docker's addition to the configuration; others pass over it. What
`docker load` and podman read is the same folder in a tar, with Docker's `manifest.json` beside it.
"""

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from stack.deploy.images.layer import USER_ID, Blob, archive, entry, text_blob

_CREATED = "1970-01-01T00:00:01Z"
_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_CONFIG = "application/vnd.oci.image.config.v1+json"
_INDEX = "application/vnd.oci.image.index.v1+json"
_LAYER = "application/vnd.oci.image.layer.v1.tar"
_LAYOUT = {"imageLayoutVersion": "1.0.0"}
_NS_PER_S = 1_000_000_000


@dataclass(frozen=True, kw_only=True)
class Layer:
    """`origin` says in the image's history what it holds."""

    blob: Blob
    origin: str


@dataclass(frozen=True, kw_only=True)
class Runs:
    """What a container of the image does."""

    entrypoint: tuple[str, ...]
    arguments: tuple[str, ...]
    environment: Mapping[str, str]
    ports: tuple[int, ...]
    folder: str
    """Working directory and volume."""
    stop_signal: str
    health: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Written:
    """An image in a layout."""

    name: str
    tag: str
    system: str
    config: Blob
    """Its digest is the image's ID for Docker."""
    manifest: Blob
    layers: tuple[Layer, ...]
    release: str = ""
    """Another tag: of all images that were made together."""

    @property
    def reference(self) -> str:
        return f"{self.name}:{self.tag}"

    @property
    def references(self) -> tuple[str, ...]:
        return (self.reference, *((f"{self.name}:{self.release}",) if self.release else ()))

    @property
    def blobs(self) -> tuple[Blob, ...]:
        return (*(layer.blob for layer in self.layers), self.config, self.manifest)


def write_image(
    layout: Path,
    name: str,
    *,
    tag: str,
    system: str,
    layers: Sequence[Layer],
    runs: Runs,
    labels: Mapping[str, str],
) -> Written:
    """Put the documents of an image into the layout that holds its layers."""
    config = text_blob(layout, _json(_config(system, layers, runs, labels)))
    manifest = {
        "schemaVersion": 2,
        "mediaType": _MANIFEST,
        "config": _descriptor(_CONFIG, config),
        "layers": [_descriptor(_LAYER, layer.blob) for layer in layers],
    }
    return Written(
        name=name,
        tag=tag,
        system=system,
        config=config,
        manifest=text_blob(layout, _json(manifest)),
        layers=tuple(layers),
    )


def write_index(layout: Path, images: Sequence[Written]) -> None:
    """Say which images the layout holds, and drop the blobs of others. The index comes last."""
    _replace(layout / "oci-layout", _json(_LAYOUT))
    _replace(layout / "index.json", _json(_index(images)))
    kept = {blob.sha256 for image in images for blob in image.blobs}
    for at in (layout / "blobs" / "sha256").iterdir():
        if at.name not in kept:
            at.unlink()


def write_archive(layout: Path, images: Sequence[Written], file: Path) -> None:
    """Images as a tar for `docker load`, with each layer once; written aside, then renamed into
    place."""
    docker = [
        {
            "Config": image.config.name,
            "RepoTags": list(image.references),
            "Layers": [layer.blob.name for layer in image.layers],
        }
        for image in images
    ]
    texts = {
        "index.json": _json(_index(images)),
        "manifest.json": _json(docker),
        "oci-layout": _json(_LAYOUT),
    }
    blobs = {blob for image in images for blob in image.blobs}
    partial = file.with_name(f".{file.name}.part")
    try:
        with partial.open("wb") as out, archive(out) as tar:
            for blob in sorted(blobs, key=lambda blob: blob.sha256):
                with (layout / blob.name).open("rb") as content:
                    tar.addfile(entry(blob.name, mode=0o644, size=blob.size_bytes), content)
            for name, text in texts.items():
                encoded = text.encode()
                tar.addfile(entry(name, mode=0o644, size=len(encoded)), io.BytesIO(encoded))
        partial.replace(file)
    finally:
        partial.unlink(missing_ok=True)


def _config(
    system: str, layers: Sequence[Layer], runs: Runs, labels: Mapping[str, str]
) -> dict[str, object]:
    config: dict[str, object] = {
        "User": f"{USER_ID}:{USER_ID}",
        "ExposedPorts": {f"{port}/tcp": {} for port in runs.ports},
        "Env": [f"{key}={value}" for key, value in sorted(runs.environment.items())],
        "Entrypoint": list(runs.entrypoint),
        "Cmd": list(runs.arguments),
        "Volumes": {runs.folder: {}},
        "WorkingDir": runs.folder,
        "Labels": dict(sorted(labels.items())),
        "StopSignal": runs.stop_signal,
    }
    if runs.health:
        config["Healthcheck"] = {
            "Test": ["CMD", *runs.health],
            "Interval": 10 * _NS_PER_S,
            "Timeout": 5 * _NS_PER_S,
            "StartPeriod": 60 * _NS_PER_S,
            "Retries": 3,
        }
    return {
        "created": _CREATED,
        "architecture": system,
        "os": "linux",
        "config": config,
        "rootfs": {"type": "layers", "diff_ids": [layer.blob.digest for layer in layers]},
        "history": [{"created": _CREATED, "created_by": layer.origin} for layer in layers],
    }


def _index(images: Sequence[Written]) -> dict[str, object]:
    manifests = []
    for image in images:
        described = _descriptor(_MANIFEST, image.manifest)
        described["platform"] = {"architecture": image.system, "os": "linux"}
        described["annotations"] = {"org.opencontainers.image.ref.name": image.reference}
        manifests.append(described)
    return {"schemaVersion": 2, "mediaType": _INDEX, "manifests": manifests}


def _descriptor(media_type: str, blob: Blob) -> dict[str, object]:
    return {"mediaType": media_type, "digest": blob.digest, "size": blob.size_bytes}


def _json(document: object) -> str:
    return json.dumps(document, sort_keys=True, separators=(",", ":"))


def _replace(file: Path, text: str) -> None:
    partial = file.with_name(f".{file.name}.part")
    partial.write_text(text)
    partial.replace(file)
