"""What an upstream project released last, where it can be asked."""

import httpx
import pytest

from stack.store.artifact import Artifact
from stack.store.outdated import latest


def release(path: str) -> Artifact:
    return Artifact(
        name="loki", version="3.7.1", architecture="amd64", path=path, sha256="0" * 64, size=1
    )


PATH = "https://github.com/grafana/loki/releases/download/v3.7.1/loki-linux-amd64.zip"


@pytest.mark.parametrize(
    ("path", "answer", "newest"),
    [
        (PATH, httpx.Response(200, json={"tag_name": "v3.8.0"}), "3.8.0"),
        (PATH, httpx.Response(403), None),
        (PATH, httpx.Response(200, text="<html>"), None),
        (PATH, httpx.ConnectError("no route"), None),
        (
            "https://dl.grafana.com/grafana/x.tar.gz",
            httpx.Response(200, json={"tag_name": "v13"}),
            "13",
        ),
        ("https://example.org/loki.zip", httpx.Response(200, json={"tag_name": "v9"}), None),
    ],
    ids=["newer", "refused", "no JSON", "no network", "a site of its own", "no project known"],
)
def test_latest_of_an_upstream_project(
    path: str, answer: httpx.Response | Exception, newest: str | None
) -> None:
    def handle(request: httpx.Request) -> httpx.Response:
        project = "grafana/loki" if path == PATH else "grafana/grafana"
        assert request.url.path == f"/repos/{project}/releases/latest"
        if isinstance(answer, Exception):
            raise answer
        return answer

    with httpx.Client(transport=httpx.MockTransport(handle)) as client:
        assert latest(release(path), client) == newest
