"""The runner around the scenarios: what it does when nothing can be played."""

import errno
import io
import os
import shutil
import threading
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from scenarios.dashboards.run import verify_dashboards
from scenarios.proof import catalogue, reports, run, workers
from scenarios.proof.estimate import START_S, exact, total_s, words
from scenarios.proof.evidence import Evidence, Full, Watched
from scenarios.proof.result import Proof, Result
from scenarios.proof.slots import Slots, check_writable
from scenarios.proof.verdict import failed
from scenarios.quiet.run import quiet_day
from stack.errors import BadInput, CheckFailed, HostCannot
from stack.paths import CONFIG_ROOT, REPO

RULE = """
groups:
  - name: more
    rules: [{alert: Forgotten, expr: up == 0, labels: {severity: info}}]
"""


@pytest.fixture(autouse=True)
def hopeless(monkeypatch: pytest.MonkeyPatch, state_dir: Path) -> None:
    """No instance comes up."""

    @contextmanager
    def running(name: str, **_: object) -> Iterator[None]:
        raise HostCannot(f"`{name}`: disk full", cure="Make room.")
        yield

    monkeypatch.setattr(workers, "running", running)


def test_proof_is_blocked_when_no_instance_comes_up(tmp_path: Path) -> None:
    with pytest.raises(HostCannot, match="blocked on this host: .*DiskSpaceWarning"):  # noqa: RUF043
        run.verify_alerts(reports=tmp_path)
    skipped = ET.parse(tmp_path / "latest" / "junit.xml").getroot().iter("skipped")
    assert all("disk full" in str(one.get("message")) for one in skipped)


@pytest.mark.parametrize(
    ("cores", "quickness", "speed", "wanted"),
    [
        (2, 1.0, 60, 3), (2, 1.7, 60, 3), (2, 0.85, 60, 3), (2, 0.6, 60, 2), (2, 0.3, 60, 1),
        (1, 0.2, 60, 1), (8, 0.5, 60, 6), (2, 0.3, 1, 6),
    ],
)  # fmt: skip
def test_a_slow_machine_carries_fewer_instances_at_once(
    monkeypatch: pytest.MonkeyPatch, cores: int, quickness: float, speed: float, wanted: int
) -> None:
    monkeypatch.setattr(run, "_cores", lambda: cores)
    monkeypatch.setattr(run, "_quickness", lambda: quickness)
    monkeypatch.setattr(run, "INSTANCE_BYTES", 1)
    assert run.instances_at_once(speed, 6) == wanted


def test_rule_without_scenario_fails_the_proof(tmp_path: Path) -> None:
    rules = tmp_path / "stack" / "config" / "prometheus" / "rules"
    shutil.copytree(REPO / "stack" / "config" / "prometheus" / "rules", rules)
    (rules / "more.yml").write_text(RULE)
    with pytest.raises(CheckFailed, match="not proven: Forgotten"):
        run.verify_alerts(reports=tmp_path / "reports", config_root=tmp_path / "stack" / "config")


def test_rule_without_scenario_is_no_matter_for_a_chosen_one(tmp_path: Path) -> None:
    rules = tmp_path / "stack" / "config" / "prometheus" / "rules"
    shutil.copytree(REPO / "stack" / "config" / "prometheus" / "rules", rules)
    (rules / "more.yml").write_text(RULE)
    with pytest.raises(HostCannot, match="blocked on this host: PostgreSQLDown"):
        run.verify_alerts(
            ["PostgreSQLDown"],
            reports=tmp_path / "reports",
            config_root=tmp_path / "stack" / "config",
        )


def test_scenario_without_rule_fails_the_proof(tmp_path: Path) -> None:
    with pytest.raises(CheckFailed, match="DiskSpaceWarning"):
        run.verify_alerts(reports=tmp_path, config_root=tmp_path / "empty")


def test_reports_of_tests_do_not_lie_among_the_users_own() -> None:
    assert not reports.reports_dir().is_relative_to(REPO)


def test_reports_lie_in_the_checkout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("STACK_REPORTS")
    assert reports.reports_dir() == REPO / "reports"


TASKS: dict[str, Callable[..., int]] = {
    "verify-alerts": partial(run.verify_alerts, ["HighCPUUsage"]),
    "verify-dashboards": partial(verify_dashboards, ["overview/301"]),
    "quiet-day": partial(quiet_day, 1, speed=960),
}

UNUSABLE = [
    ("alertmanager/alertmanager.yml", "receiver: on-call\n", "receiver: on-cal\n",
     r"alertmanager\.yml.*undefined receiver \"on-cal\""),
    ("prometheus/rules/database.yml", "min by (instance) (pg_up", "minn by (instance) (pg_up",
     r"database\.yml:\d+: `PostgreSQLDown`: not valid PromQL"),
    ("prometheus/prometheus.yml", "scrape_interval:", "scrape_intervall:",
     r"prometheus\.yml:\d+: field scrape_intervall not found"),
    ("loki/rules/logs.yml", "sum by", "summ by", r"logs\.yml:\d+: "),
]  # fmt: skip


@pytest.mark.parametrize(
    ("file", "old", "new", "said"), UNUSABLE, ids=[Path(row[0]).stem for row in UNUSABLE]
)
@pytest.mark.parametrize("task", TASKS)
def test_configuration_that_no_program_starts_with_starts_nothing(
    tmp_path: Path, task: str, file: str, old: str, new: str, said: str
) -> None:
    root = tmp_path / "stack" / "config"
    shutil.copytree(CONFIG_ROOT, root)
    text = (root / file).read_text()
    assert old in text
    (root / file).write_text(text.replace(old, new, 1))
    reports = tmp_path / "reports"
    with pytest.raises(BadInput, match=said) as found:
        TASKS[task](config_root=root, reports=reports)
    assert found.value.exit_code == 2
    assert not reports.exists()


@pytest.mark.parametrize("task", TASKS)
def test_state_that_cannot_be_written_is_no_verdict(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, task: str
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("STACK_STATE", str(tmp_path / "file"))
    with pytest.raises(HostCannot, match=r"cannot write `.*/file/instances`: Not a dir") as found:
        TASKS[task](reports=tmp_path / "reports")
    assert found.value.cure == "Set STACK_STATE to a folder that you can write to."
    assert not (tmp_path / "reports").exists()


def test_state_is_made_so_that_postgresql_may_enter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STACK_STATE", str(tmp_path / "deep" / "state"))
    before = os.umask(0o077)
    try:
        check_writable()
        with Slots() as slots:
            slots.take()
    finally:
        os.umask(before)
    folders = [tmp_path / "deep", tmp_path / "deep/state", tmp_path / "deep/state/instances"]
    assert [oct(one.stat().st_mode & 0o777) for one in folders] == ["0o755"] * 3


def test_reports_that_cannot_be_written_are_no_verdict(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(HostCannot, match=r"cannot write `.*/file/.*`: Not a directory"):
        run.verify_alerts(["HighCPUUsage"], reports=tmp_path / "file")


def test_evidence_on_a_full_disk_is_no_verdict(tmp_path: Path) -> None:
    class FullDisk(io.StringIO):
        def flush(self) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

    evidence = Evidence(instance="i", file=FullDisk(), lock=threading.Lock())
    evidence.add(Watched(at=1))
    assert [one.what for one in evidence.of("A") if isinstance(one, Full)] == [
        "the evidence cannot be written: No space left on device"
    ]


def test_thread_that_ends_is_told() -> None:
    def broken() -> None:
        raise ZeroDivisionError("division by zero")

    told: list[str] = []
    with run._threads_that_end(told.append):
        thread = threading.Thread(target=broken, name="knocker")
        thread.start()
        thread.join()
    assert told == ["thread `knocker` ended: ZeroDivisionError: division by zero"]


def test_speed_below_one_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"--speed is 0\.5, expected 1 or more"):
        run.verify_alerts(speed=0.5, reports=tmp_path)


def test_slots_are_not_shared() -> None:
    with Slots() as one, Slots() as other:
        names = [one.take(), one.take(), other.take()]
        assert len(set(names)) == 3
        one.give_back(names[0])
        assert other.take() == names[0]


def test_plan_says_how_long_it_will_take(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(HostCannot):
        run.verify_alerts(["PostgreSQLDown,DiskSpaceWarning"], speed=1, reports=tmp_path)
    _, said, *_ = capsys.readouterr().err.splitlines()
    assert said.startswith("2 alerts in 1 group on up to 1 instance at once, at speed 1: about 1")
    assert said.endswith(" min")


def test_broken_declaration_fails_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found, _ = catalogue.survey()
    file = catalogue.FOLDER / "database" / "postgresql_down.py"
    sound = [one for one in found if one.file != file]
    broken = {file: "postgresql_down.py: ZeroDivisionError: division by zero"}
    monkeypatch.setattr(catalogue, "survey", lambda: (sound, broken))
    with pytest.raises(CheckFailed, match="not proven: .*PostgreSQLDown"):  # noqa: RUF043
        run.verify_alerts(["PostgreSQLDown", "DiskSpaceWarning"], reports=tmp_path)
    cases = ET.parse(tmp_path / "latest" / "junit.xml").getroot().iter("testcase")
    said = {case.get("name"): [str(one.get("message")) for one in case] for case in cases}
    assert "ZeroDivisionError" in said["PostgreSQLDown"][0]
    assert "disk full" in said["DiskSpaceWarning"][0]


@pytest.mark.parametrize(
    ("lengths", "instances", "total"),
    [([], 2, 6), ([10], 2, 16), ([10, 8, 3], 2, 17), ([10, 8, 3], 1, 27)],
)
def test_estimate_packs_groups_onto_instances(
    lengths: list[float], instances: int, total: float
) -> None:
    assert total_s(lengths, free=[START_S] * instances) == total


@pytest.mark.parametrize(
    ("seconds", "said"), [(45, "45 s"), (720, "12 min"), (12_000, "3 h 20 min")]
)
def test_estimate_is_said_as_people_say_it(seconds: float, said: str) -> None:
    assert words(seconds) == said


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(1.4, "1 s"), (89.6, "1 min 30 s"), (105, "1 min 45 s"), (120.2, "2 min"), (720, "12 min")],
)
def test_what_is_no_estimate_is_said_to_the_second(seconds: float, said: str) -> None:
    assert exact(seconds) == said


def test_faithful_proof_runs_all_at_once_and_a_fast_one_by_cores() -> None:
    assert run.instances_at_once(1, 9) == 9
    assert run.instances_at_once(60, 999) <= run.INSTANCES_PER_CORE * (os.cpu_count() or 1)
    assert run.instances_at_once(60, 1) == 1


def test_reason_of_each_that_is_not_proven_stands_at_the_end(tmp_path: Path) -> None:
    def ended(count: int) -> str:
        results = [Result(verdict=failed(f"A{n}", f"never became\n  pending {n}"))
                   for n in range(count)]  # fmt: skip
        proof = Proof(started=0, took_s=1, speed=60, results=results, packages={}, folder=tmp_path,
                      interrupted=False)  # fmt: skip
        with pytest.raises(CheckFailed) as caught:
            run._end(proof, [])
        return caught.value.what

    assert ended(2) == (
        "not proven: A0, A1.\n  A0: never became pending 0\n  A1: never became pending 1"
    )
    lines = ended(12).splitlines()
    assert lines[10:] == ["  A9: never became pending 9", "  … and 2 more"]
