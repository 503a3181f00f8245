"""`doit images` prints the digest of each image, and why the other services have none."""

import json
import re
from pathlib import Path

import pytest

from stack.deploy.images.declared import IMAGES
from stack.run.services import SERVICES
from stack.tasks.images import images


def test_images_prints_digests_and_what_is_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    images([], str(tmp_path))
    out = capsys.readouterr().out
    described = json.loads((tmp_path / "index.json").read_text())["manifests"]
    assert len(described) == len(IMAGES)
    for one in described:
        name = re.escape(one["annotations"]["org.opencontainers.image.ref.name"])
        assert re.search(rf"^{name} .* {one['digest']}$", out, re.MULTILINE)
    for service in set(SERVICES) - set(IMAGES):
        assert f"{service}: left out: " in out
