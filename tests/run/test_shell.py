"""`doit shell`, and the commands of the runbooks, which are written for it."""

import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from stack.paths import REPO
from stack.run.instance import Instance
from stack.run.lifecycle import running
from stack.run.shell import environment, startup_file
from tests import runbooks
from tests.runbooks import PAGES, Command, in_shell, played

PLAYED = 6
"""Of so many runbooks one is played in any run, the rest at night."""


@pytest.fixture(scope="module")
def instance(state_dir: Path) -> Iterator[Instance]:
    with running("runbooks", speed=60) as instance:
        yield instance


@pytest.mark.parametrize(
    "page",
    [
        pytest.param(page, marks=() if count % PLAYED == 0 else pytest.mark.nightly)
        for count, page in enumerate(PAGES)
    ],
)
def test_commands_of_the_runbook_run_as_they_stand(instance: Instance, page: str) -> None:
    said = played(instance, page)
    assert said
    assert not [line for one in said for line in one.failed]


def test_misspelt_command_in_a_runbook_would_be_seen(
    instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    for wrong in ("psqll -c 'SELECT 1'", "psql -c 'SELEC 1'", "promtool query instant $NOWHERE up"):
        written = [Command(page="any", told="", line=line) for line in (wrong, "true")]
        monkeypatch.setattr(runbooks, "commands", lambda page, written=written: written)
        assert [bool(one.failed) for one in played(instance, "any")] == [True, False], wrong


def test_programs_speak_to_the_instance(instance: Instance) -> None:
    assert in_shell(instance, "psql -Atc 'SELECT current_database()'").stdout == "residency\n"
    assert in_shell(instance, "psql -U scheduler -Atc 'SELECT 1'").stdout == "1\n"
    assert (
        "Watchdog"
        in in_shell(instance, "until amtool alert | grep Watchdog; do sleep 0.1; done").stdout
    )
    assert (
        "Run a stack"
        in in_shell(instance, "cd / && promtool query instant $PROMETHEUS '1'; doit list").stdout
    )
    assert f"instance {instance.name} " in in_shell(instance, "cd / && doit status").stdout


def test_no_password_is_in_the_environment_and_files_are_private(instance: Instance) -> None:
    values = " ".join(environment(instance.layout).values())
    for secret in instance.layout.secret("").iterdir():
        if len(secret.read_text()) > len("admin"):
            assert secret.read_text() not in values, secret.name
    startup_file(instance.layout)
    for path in [instance.directory / "shell", *(instance.directory / "shell").rglob("*")]:
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0 or path.name == "bin", path


def test_task_ends_with_the_exit_code_of_the_command(
    instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    def code(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "stack.tasks", "shell", *words],
            cwd=REPO, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip

    monkeypatch.setenv("STACK_INSTANCE", instance.name)
    assert code("exit 7").returncode == 7
    done = code("psql", "-At", "-c", "SELECT 'a b'")
    assert (done.returncode, done.stdout) == (0, "a b\n"), done.stderr
    assert code("no-such-program").returncode == 127
    refused = code("--instance", "elsewhere", "true")
    assert refused.returncode == 2
    assert "there is no instance `elsewhere`" in refused.stderr


def test_every_alert_links_a_runbook_that_answers_here(instance: Instance) -> None:
    rules = httpx.get(f"{instance.url('prometheus')}/api/v1/rules", params={"type": "alert"})
    links = {
        rule["name"]: rule["annotations"]["runbook_url"]
        for group in rules.json()["data"]["groups"]
        for rule in group["rules"]
    }
    assert len(links) > 30
    with httpx.Client(timeout=30) as client:
        for alert, link in links.items():
            assert link == f"{instance.layout.url('inbox', 'http')}/runbooks/{alert}"
            page = client.get(link)
            assert page.status_code == 200
            assert f"<h1>{alert}</h1>" in page.text
