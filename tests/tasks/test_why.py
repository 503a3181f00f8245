"""`doit why` says which services need a package or an artifact."""

import pytest

from stack.errors import BadInput
from stack.run.choice import CHOICES, Choice
from stack.run.service import Service
from stack.tasks.closure import closure
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


@pytest.mark.parametrize(("name", "near"), [("promtheus", "prometheus"), ("libicv76", "libicu76")])
def test_why_suggests_the_nearest_package_or_artifact(name: str, near: str) -> None:
    with pytest.raises(BadInput, match=rf"(?s)`{name}`.*Did you mean.* {near}"):
        why([name])


def test_why_takes_patterns(capsys: pytest.CaptureFixture[str]) -> None:
    why(["node*", "libicu*"])
    told = capsys.readouterr().out
    assert "node_exporter: needed by 1 service" in told
    assert "libicu76: needed by" in told


def test_why_explains_the_checked_in_packages(capsys: pytest.CaptureFixture[str]) -> None:
    why(["glibc", "prometheus", "libc6"])
    assert "glibc 2." in capsys.readouterr().out


def test_why_asks_for_a_name() -> None:
    with pytest.raises(BadInput, match="name a package or an artifact"):
        why([])


@pytest.mark.parametrize(
    ("choice", "name"), [(choice, name) for choice in CHOICES for name in choice.packages]
)
@pytest.mark.parametrize("real", [False, True], ids=["the lab's own", "the real one"])
def test_why_says_which_of_two_runs_here(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    choice: Choice,
    name: str,
    real: bool,
) -> None:
    wish = choice.real if real else choice.own
    runs = f"here: {choice.real_name}" if real else f"({choice.variable}={choice.own})"
    monkeypatch.setenv(choice.variable, wish)
    why([name])
    said = capsys.readouterr().out
    assert f"{name}: needed by 1 service:" in said
    assert runs in said
    closure([name])
    assert f"{choice.what} by " in capsys.readouterr().out


def test_why_knows_what_the_labs_own_needs(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STACK_GRAFANA", "viewer")
    why(["viewer"])
    said = capsys.readouterr().out
    assert "viewer: needed by 1 service:\n  the lab's viewer needs it where it runs; here: " in said
