"""`doit why` says which services need a package or an artifact."""

import pytest

from stack.errors import BadInput
from stack.run.service import Service
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
