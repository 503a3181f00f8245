"""A Docker daemon loads the images and runs them, where one is available."""

import json
import re
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from stack.deploy.images.declared import IMAGES
from stack.paths import REPO
from tests.deploy.daemon import NoDaemon, private_daemon
from tests.leftovers import fresh

pytestmark = [pytest.mark.nightly, pytest.mark.timeout(600)]

Docker = Callable[..., str]


@pytest.fixture(scope="module")
def docker() -> Iterator[Docker]:
    try:
        with private_daemon() as daemon:
            yield daemon.docker
    except NoDaemon as reason:
        pytest.skip(str(reason))


@pytest.fixture(scope="module")
def loaded(docker: Docker, layout: Path) -> Iterator[list[str]]:
    """References of all images."""
    said = docker("load", "--input", str(layout / "all.tar"))
    found = re.findall(r"^Loaded image: (\S+)$", said, re.MULTILINE)
    assert len(found) == 2 * len(IMAGES), said
    yield found
    docker("image", "rm", "--force", *found)


@pytest.fixture
def image(request: pytest.FixtureRequest, loaded: list[str]) -> str:
    """The image of the service that the test is for, by its version."""
    return next(one for one in loaded if one.startswith(f"residency-lab/{request.param}:"))


@pytest.mark.parametrize("image", ["prometheus"], indirect=True)
def test_image_has_the_id_that_was_promised(image: str, docker: Docker, layout: Path) -> None:
    index = json.loads((layout / "index.json").read_text())
    (digest,) = (
        described["digest"]
        for described in index["manifests"]
        if described["annotations"]["org.opencontainers.image.ref.name"] == image
    )
    manifest = json.loads((layout / "blobs" / digest.replace(":", "/")).read_text())
    # The ID is the configuration's digest, or the manifest's with containerd's image store.
    found = docker("image", "inspect", "--format", "{{.Id}}", image).strip()
    assert found in (manifest["config"]["digest"], digest)


@pytest.mark.parametrize("image", ["prometheus"], indirect=True)
def test_image_tells_its_version(image: str, docker: Docker) -> None:
    told = docker("run", "--rm", "--network", "none", image, "--version")
    assert told.startswith("prometheus, version 2.")


HEALTHY = ("prometheus", "alertmanager", "postgresql", "node-exporter", "worker")
"""Those that need little to be well; under Compose, all are (`tests/deploy/compose`)."""


@pytest.mark.parametrize(
    ("image", "service"), [(s, s) for s in HEALTHY], indirect=["image"], ids=HEALTHY
)
def test_started_image_is_healthy(image: str, service: str, docker: Docker) -> None:
    """The health check asks the program itself: Prometheus for /-/ready, the others likewise."""
    folder = fresh("lab-", "/var/tmp")
    folder.chmod(0o755)
    (folder / "password").write_text("secret")
    (folder / "prometheus.yml").write_text("global: {scrape_interval: 1s}\n")
    mounts = {
        "prometheus": [f"{folder}:/etc/prometheus:ro"],
        "alertmanager": [f"{REPO}/stack/config/alertmanager:/etc/alertmanager:ro"],
        "postgresql": [f"{folder}/password:/password:ro"],
    }.get(service, [])
    options = [option for mount in mounts for option in ("--volume", mount)]
    options += ["--env", "POSTGRES_PASSWORD_FILE=/password"]
    container = docker("run", "--detach", "--network", "none", *options, image).strip()
    try:
        deadline = time.monotonic() + 120
        state = "starting"
        while state == "starting":
            assert time.monotonic() < deadline, docker("logs", container)
            time.sleep(0.5)
            state = docker("inspect", "--format", "{{.State.Health.Status}}", container).strip()
        assert state == "healthy", docker("inspect", container)
    finally:
        docker("rm", "--force", "--volumes", container)
        shutil.rmtree(folder)
