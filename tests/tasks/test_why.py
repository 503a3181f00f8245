"""`doit why` says which services need a package or an artifact."""

from pathlib import Path

import pytest

from stack.errors import BadInput
from stack.run.choice import LOGS
from stack.run.service import Service
from stack.tasks.closure import closure
from stack.tasks.images import images
from stack.tasks.why import reasons, why
from tests.tasks.packages import ALL


@pytest.fixture
def services() -> list[Service]:
    def service(name: str, package: str | None) -> Service:
        return Service(
            name=name, about="", package=package, command=lambda at: [], ready=lambda at: None
        )

    return [service("site", "web"), service("postgres", "db"), service("ours", None)]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        pytest.param("odd", ["odd: no service needs it"], id="quiet: nobody"),
        pytest.param("web", ["web: needed by 1 service:", "  site -> web 1"], id="directly"),
        pytest.param(
            "assets",
            ["assets: needed by 1 service:", "  site -> web 1 -> assets 2"],
            id="an artifact",
        ),
        pytest.param(
            "libc",
            [
                "libc: needed by 2 services:",
                "  site     -> web 1 -> base 1 -> libc 2",
                "  postgres -> db 1 -> base 1 -> libc 2",
            ],
            id="an artifact of what two need",
        ),
    ],
)
def test_why_names_services_and_paths(name: str, said: list[str], services: list[Service]) -> None:
    assert list(reasons(name, ALL, services)) == said


def test_why_suggests_the_nearest_package_or_artifact(services: list[Service]) -> None:
    with pytest.raises(BadInput, match=r"(?s)`asets`.*Did you mean assets\?"):
        list(reasons("asets", ALL, services))


def test_why_explains_the_checked_in_packages(capsys: pytest.CaptureFixture[str]) -> None:
    why(["glibc", "prometheus", "libc6"])
    assert "glibc 2." in capsys.readouterr().out


def test_why_asks_for_a_name() -> None:
    with pytest.raises(BadInput, match="name a package or an artifact"):
        why([])


@pytest.mark.parametrize("name", LOGS.packages)
@pytest.mark.parametrize(
    ("wish", "runs"), [("embedded", "(STACK_LOGS=embedded)"), ("loki", "here: Loki and Promtail")]
)
def test_why_says_what_keeps_the_logs_here(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    wish: str,
    runs: str,
) -> None:
    monkeypatch.setenv("STACK_LOGS", wish)
    why([name])
    said = capsys.readouterr().out
    assert f"{name}: needed by 1 service:" in said
    assert runs in said
    closure([name])
    assert "logs by " in capsys.readouterr().out


def test_image_of_what_keeps_the_logs_is_refused_with_what_runs(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("STACK_LOGS", "embedded")
    with pytest.raises(BadInput, match="STACK_LOGS=embedded"):
        images(["loki"], str(tmp_path / "images"))
