"""What the task puts together: scenarios of alerts, and routing cases."""

import xml.etree.ElementTree as ET
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from scenarios.proof import workers
from scenarios.routing import run as routing
from scenarios.tasks.verify_alerts import verify_alerts
from stack.errors import BadInput, HostCannot


@pytest.fixture(autouse=True)
def hopeless(monkeypatch: pytest.MonkeyPatch, state_dir: Path) -> None:
    """No instance comes up."""

    @contextmanager
    def running(name: str, **_: object) -> Iterator[None]:
        raise HostCannot(f"`{name}`: disk full", cure="Make room.")
        yield

    monkeypatch.setattr(workers, "running", running)


def blocked(reports: Path) -> list[str | None]:
    cases = ET.parse(reports / "latest" / "junit.xml").getroot().iter("testcase")
    return [one.get("name") for one in cases if one.find("skipped") is not None]


@pytest.mark.parametrize(
    ("only", "played"),
    [
        (["routing/silence"], ["routing/silence"]),
        (["PostgreSQLDown,routing/silence"], ["PostgreSQLDown", "routing/silence"]),
        (["routing"], sorted(routing.names())),
    ],
)
def test_routes_are_chosen_by_name_beside_alerts(
    tmp_path: Path, only: list[str], played: list[str]
) -> None:
    with pytest.raises(HostCannot, match="blocked on this host"):
        verify_alerts(only, reports=tmp_path)
    assert sorted(map(str, blocked(tmp_path))) == played


def test_all_alerts_and_routes_are_played_when_none_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(HostCannot, match="blocked on this host"):
        verify_alerts(reports=tmp_path)
    assert set(routing.names()) < set(blocked(tmp_path))
    _, said, *_ = capsys.readouterr().err.splitlines()
    assert f" and {len(routing.names())} routing cases on up to " in said


def test_history_lies_where_the_user_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As `--output` of other tasks: tasks themselves run in the checkout."""
    monkeypatch.setenv("STACK_CALLED_FROM", str(tmp_path))
    (tmp_path / "runs.jsonl").write_text("no run\n")
    with pytest.raises(BadInput, match=f"{tmp_path}/runs.jsonl` line 1 is not a recorded"):
        verify_alerts(["routing/silence"], history="runs.jsonl", reports=tmp_path / "reports")


def test_unknown_route_starts_nothing(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="routing/silent"):
        verify_alerts(["routing/silent"], reports=tmp_path)
    assert list(tmp_path.iterdir()) == []
