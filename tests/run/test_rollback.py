"""Back to what ran before: quickly, with the data, or not at all. One instance for the file."""

import random
import re
import socket
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from stack.errors import BadInput, HostCannot
from stack.run import generations, rollback, startup
from stack.run.instance import Instance, Record
from stack.run.lifecycle import bring_down, bring_up
from stack.run.services import SERVICES
from stack.run.supervisor import SETTINGS
from stack.store import tree

NAME = "back"
MARKED = "a mark of the second generation"


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory, copy_config: Callable[[Path], Path]) -> Path:
    """A copy of the configuration, whose rules a test may change."""
    return copy_config(tmp_path_factory.mktemp("config"))


@pytest.fixture(scope="module")
def made(state_dir: Path, config: Path, offset: str) -> Iterator[None]:
    """An instance with two generations, which differ in one rule; it runs the second."""
    bring_up(NAME, port_offset=int(offset), config_root=config)
    rules = config / "prometheus" / "rules" / "database.yml"
    rules.write_text(re.sub(r"summary: .*", f"summary: {MARKED}", rules.read_text(), count=1))
    bring_up(NAME, port_offset=int(offset), config_root=config)
    yield
    bring_down(NAME, wipe=True)


@pytest.fixture
def stack(made: None) -> Instance:
    """The instance, in its second generation."""
    rollback.roll_back(NAME, 2)
    return Instance.open(NAME)


def pids(stack: Instance) -> dict[str, int]:
    return {name: state.pid for name, state in stack.supervisor.states().items()}


def rules(stack: Instance) -> str:
    return httpx.get(f"{stack.url('prometheus')}/api/v1/rules", timeout=30).text


def spoiled(generation: generations.Generation) -> Path:
    """The rules of a generation as they may look when Prometheus cannot start with them."""
    return generation.contents.config / "prometheus" / "rules" / "database.yml"


def test_rollback_restarts_what_differs_and_keeps_the_rest(stack: Instance) -> None:
    before = pids(stack)
    cluster = (stack.layout.data("postgresql") / "PG_VERSION").stat().st_mtime
    assert MARKED in rules(stack)
    back, changed = rollback.roll_back(NAME, None)
    assert changed == {"prometheus"}
    assert {name for name, pid in pids(back).items() if pid != before[name]} == {"prometheus"}
    assert MARKED not in rules(back)
    assert (stack.layout.data("postgresql") / "PG_VERSION").stat().st_mtime == cluster
    assert back.record == generations.chosen(back, 1).record == Record.read(back.directory)
    assert not (back.directory / ".before").exists()


def test_rollback_to_what_runs_restarts_nothing(stack: Instance) -> None:
    before = pids(stack)
    assert rollback.roll_back(NAME, 2)[1] == frozenset()
    assert pids(stack) == before


def test_tasks_tell_of_generations_and_their_difference(stack: Instance, doit) -> None:
    listed = doit("generations", "--instance", NAME)
    assert re.search(r"^ +1 .*\n\* +2 .*1 place in the configuration", listed.stdout, re.MULTILINE)
    told = doit("diff", "1", "2", "--instance", NAME)
    assert told.stdout.startswith("--- prometheus/rules/database.yml\n")
    assert f"+    summary: {MARKED}" in re.sub(" +", " ", told.stdout).replace(
        "+ summary", "+    summary"
    )
    back = doit("rollback", "--instance", NAME)
    assert back.returncode == 0, back.stderr
    assert re.match(rf"instance `{NAME}` is in generation 1 \([\d.]+ s\)\nrestarted: prometheus\n",
                    back.stdout)  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("rollback", "9"), r"has no generation 9 \(it has: 1, 2\)"),
        (("rollback", "one"), "`one` is not a generation"),
        (("rollback", "1", "2"), "name one generation"),
        (("diff", "1"), "name two generations"),
        (("diff", "1", "9"), "has no generation 9"),
    ],
    ids=["no such number", "no number", "two numbers", "one of two", "other unknown"],
)
def test_wrong_use_is_told_in_two_lines(stack: Instance, doit, arguments, said: str) -> None:
    done = doit(*arguments, "--instance", NAME)
    assert done.returncode == 2
    assert re.search(said, done.stderr)
    assert len(done.stderr.splitlines()) == 2


def test_rollback_that_fails_half_way_leaves_what_ran(stack: Instance) -> None:
    first = generations.chosen(stack, 1)
    good = spoiled(first).read_text()
    before = pids(stack)
    spoiled(first).write_text("groups: no\n")
    try:
        said = "(?s)generation 1 did not come up, so what ran before is running again: .prometheus."
        with pytest.raises(HostCannot, match=f"{said} stopped while starting"):
            rollback.roll_back(NAME, 1)
    finally:
        spoiled(first).write_text(good)
    now = Instance.open(NAME)
    assert now.record == stack.record
    assert MARKED in rules(now)
    assert {name for name, pid in pids(now).items() if pid != before[name]} == {"prometheus"}


def test_rollback_without_a_package_touches_nothing(stack: Instance) -> None:
    first = generations.chosen(stack, 1)
    before = pids(stack)
    lost = {**first.record.packages, "prometheus": "/nowhere/0-prometheus-1"}
    replace(first.record, packages=lost).write(first.directory)
    try:
        with pytest.raises(HostCannot, match="runs prometheus from `/nowhere/0-prometheus-1`"):
            rollback.roll_back(NAME, 1)
    finally:
        first.record.write(first.directory)
    assert pids(stack) == before


def test_rollback_to_a_port_that_is_taken_touches_nothing(stack: Instance) -> None:
    first = generations.chosen(stack, 1)
    before = pids(stack)
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        ports = {**first.record.ports, "alertmanager": {"http": port}}
        replace(first.record, ports=ports).write(first.directory)
        try:
            with pytest.raises(HostCannot, match=f"`alertmanager` needs port {port}, but"):
                rollback.roll_back(NAME, 1)
        finally:
            first.record.write(first.directory)
    assert pids(stack) == before


@pytest.mark.nightly
def test_rollback_starts_what_is_down(stack: Instance) -> None:
    bring_down(NAME)
    back, _ = rollback.roll_back(NAME, 1)
    assert back.is_running()
    assert MARKED not in rules(back)


@pytest.mark.nightly
def test_up_goes_forward_again(stack: Instance, config: Path, offset: str) -> None:
    rollback.roll_back(NAME, 1)
    again = bring_up(NAME, port_offset=int(offset), config_root=config)
    assert (again.record.generation, again.hash) == (2, stack.hash)
    assert [g.number for g in generations.generations(again.directory)] == [1, 2]


@pytest.mark.nightly
def test_rollback_after_an_up_that_failed(
    stack: Instance, config: Path, offset: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = config / "prometheus" / "rules" / "database.yml"
    good = file.read_text()
    file.write_text(good.replace("for: 1m", "for: 2m"))
    never = replace(SERVICES["inbox"], ready=lambda layout: "still asleep")
    monkeypatch.setitem(SERVICES, "inbox", never)
    monkeypatch.setattr(startup, "READY_WITHIN_S", 0.0)
    try:
        with pytest.raises(HostCannot, match="not ready after 0 s"):
            bring_up(NAME, port_offset=int(offset), config_root=config)
    finally:
        file.write_text(good)
        monkeypatch.undo()
    assert not Instance.open(NAME).is_running()
    back, _ = rollback.roll_back(NAME, None)
    assert back.record.generation == 2
    assert back.is_running()


def test_up_that_is_refused_leaves_what_runs(stack: Instance, config: Path, offset: str) -> None:
    before = pids(stack)
    file = config / "prometheus" / "rules" / "database.yml"
    good = file.read_text()
    file.write_text(good.replace("min by", "mean by"))
    try:
        with pytest.raises(BadInput, match=r"database\.yml:\d+: .*parse error"):
            bring_up(NAME, port_offset=int(offset), config_root=config)
    finally:
        file.write_text(good)
    assert pids(stack) == before


def older(directory: Path) -> None:
    """Make a folder's settings those of a commit in which cadvisor lay elsewhere."""
    settings = directory / SETTINGS
    text = settings.read_text()
    assert "-m stack.programs.cadvisor" in text
    settings.write_text(text.replace("-m stack.programs.cadvisor", "-m stack.containers"))


def test_rollback_to_a_generation_of_an_older_commit(stack: Instance) -> None:
    older(generations.chosen(stack, 1).directory)
    back, changed = rollback.roll_back(NAME, 1)
    assert changed == {"prometheus"}
    assert "-m stack.programs.cadvisor" in (back.directory / SETTINGS).read_text()


def test_what_an_older_commit_started_can_be_restarted_and_rolled_back(stack: Instance) -> None:
    stack.stop_service("cadvisor")
    older(stack.directory)
    stack.supervisor.reload()
    with pytest.raises(HostCannot, match="No module named stack"):
        stack.start_service("cadvisor")
    stack.restart_service("cadvisor")
    assert stack.service_running("cadvisor")
    stack.stop_service("cadvisor")
    older(stack.directory)
    stack.supervisor.reload()
    back, changed = rollback.roll_back(NAME, 1)
    assert changed == {"prometheus", "cadvisor"}
    assert back.service_running("cadvisor")


def _killed_at_random(doit, begun, times: int) -> None:
    """kill -9 a rollback, again and again; each next one must get there, whatever it finds."""
    chance = random.Random(5)
    longest_s = 3.0
    store = {
        path: tree.manifest(path).sha256
        for path in map(Path, Instance.open(NAME).record.packages.values())
    }
    for nth in range(times):
        target = 1 + nth % 2
        process = begun("rollback", str(target), "--instance", NAME)
        try:
            process.wait(chance.uniform(0.2, longest_s))
        except subprocess.TimeoutExpired:
            process.kill()
        process.communicate()
        done = doit("rollback", str(target), "--instance", NAME)
        assert done.returncode == 0, done.stderr
        now = Instance.open(NAME)
        assert now.record == generations.chosen(now, target).record
        assert (MARKED in rules(now)) == (target == 2)
        assert set(SERVICES) == {name for name, pid in pids(now).items() if pid}
    assert {path: tree.manifest(path).sha256 for path in store} == store


@pytest.mark.nightly
def test_killed_rollback_is_repaired_by_the_next(stack: Instance, doit, begun) -> None:
    _killed_at_random(doit, begun, 2)


@pytest.mark.nightly
@pytest.mark.timeout(1800)
def test_fifty_killed_rollbacks_are_repaired_by_the_next(stack: Instance, doit, begun) -> None:
    _killed_at_random(doit, begun, 50)
