"""`doit why` and `doit closure` tell who needs what, and what that weighs."""

from collections.abc import Callable
from typing import Any

import pytest

from stack.errors import BadInput
from stack.run.service import Service
from stack.store.derivation import Derivation
from stack.store.lock import Artifact, Output
from stack.store.package import Package
from stack.tasks import closure as explain


def made(name: str, debs: dict[str, int], *needs: Derivation, size: int = 0) -> Derivation:
    """A derivation whose artifacts have these sizes in bytes; of size 0: not pinned."""
    return Derivation(
        package=Package(name=name, debs=tuple(debs), needs=tuple(need.name for need in needs)),
        system="amd64",
        version="1",
        artifacts=tuple(
            Artifact(
                name=deb,
                version="2",
                architecture="amd64",
                path=deb,
                sha256=f"{ord(deb[0]):064x}",
                size=bytes_,
            )
            for deb, bytes_ in debs.items()
        ),
        needs=needs,
        output=Output(sha256="0" * 64, size=size) if size else None,
    )


BASE = made("base", {"libc": 1_000_000}, size=5_000_000)
WEB = made("web", {"webserver": 2_000_000, "assets": 20_000}, BASE, size=7_000_000)
DB = made("db", {"database": 3_000_000}, BASE, size=8_000_000)
ODD = made("odd", {"release": 0})
ALL = {each.name: each for each in (BASE, WEB, DB, ODD)}


@pytest.fixture
def services() -> list[Service]:
    def service(name: str, package: str | None) -> Service:
        return Service(
            name=name, about="", package=package, command=lambda at: [], ready=lambda at: None
        )

    return [service("site", "web"), service("postgres", "db"), service("ours", None)]


@pytest.mark.parametrize(
    ("name", "told"),
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
def test_why_names_services_and_paths(name: str, told: list[str], services: list[Service]) -> None:
    assert list(explain.reasons(name, ALL, services)) == told


def test_why_suggests_the_nearest_package_or_artifact(services: list[Service]) -> None:
    with pytest.raises(BadInput, match=r"(?s)`asets`.*Did you mean assets\?"):
        list(explain.reasons("asets", ALL, services))


def test_closure_of_all_counts_what_is_shared_once() -> None:
    assert list(explain.tree(ALL, [])) == [
        "                           unpacked    download",
        "web 1                        7.0 MB      2.0 MB",
        "  base 1                     5.0 MB      1.0 MB  shared by 2",
        "db 1                         8.0 MB      3.0 MB",
        "  base 1                     5.0 MB      1.0 MB  shared by 2",
        "odd 1                       unknown     unknown",
        "4 packages, 5 artifacts     20.0 MB      6.0 MB  what is shared counts once, what is "
        "unknown not at all",
    ]


def test_closure_of_a_named_package_shows_its_artifacts() -> None:
    lines = list(explain.tree(ALL, ["web"]))
    assert lines[1:-1] == [
        "web 1                        7.0 MB      2.0 MB",
        "  . webserver 2                          2.0 MB",
        "  . assets 2                              20 kB",
        "  base 1                     5.0 MB      1.0 MB",
        "    . libc 2                             1.0 MB",
    ]


@pytest.mark.parametrize(
    "call",
    [
        pytest.param(lambda: explain.why(["glibc", "prometheus", "libc6"]), id="why"),
        pytest.param(lambda: explain.closure([]), id="closure of all"),
        pytest.param(lambda: explain.closure(["postgresql"]), id="closure of one"),
    ],
)
def test_the_checked_in_packages_explain_themselves(
    call: Callable[[], Any], capsys: pytest.CaptureFixture[str]
) -> None:
    call()
    assert "glibc 2." in capsys.readouterr().out


def test_why_asks_what_for(services: list[Service]) -> None:
    with pytest.raises(BadInput, match="why what"):
        explain.why([])
