"""Completion: what a shell offers at each place, and its silence where something is broken."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from scenarios.proof import catalogue
from scenarios.routing import run as routing
from scenarios.tasks import shelves
from stack.check.configuration import read
from stack.paths import CONFIG_ROOT, REPO
from stack.run.services import ALL
from stack.store.packages import PACKAGES
from stack.tasks import known
from stack.tasks.completion import SCRIPTS, candidates
from stack.tasks.dodofile import declared

TASKS, _ = declared()


def offered(*typed: str) -> list[str]:
    return [name for name, _ in candidates(typed, TASKS)]


@pytest.mark.parametrize(
    ("typed", "names"),
    [
        (["verify-a"], ["verify-alerts"]),
        (["up", "--p"], ["--port-offset", "--profile"]),
        (["down", "--"], ["--instance", "--wipe", "--verbose", "--help"]),
        (["verify-alerts", "postgresqld"], ["PostgreSQLDeadlocks", "PostgreSQLDown"]),
        (["verify-alerts", "--only", "data"], ["DatabaseFatalErrors", "DatabaseLoginFailures",
                                               "database"]),
        (["verify-alerts", "--speed", ""], []),
        (["verify-dashboards", "over"], ["overview"]),
        (["incident", "--for", ""], []),
        (["logs", "backend", "postgres-"], ["postgres-exporter"]),
        (["build", "prom"], ["prometheus", "promtail"]),
        (["build", "--system", "a"], ["amd64", "arm64"]),
        (["logql", "--output", "j"], ["jsonl"]),
        (["help", "quiet"], ["quiet-day"]),
        (["list-faults", "disk."], ["disk.DiskFilled", "disk.DiskFilling"]),
        (["list-users", "Res"], ["Resident"]),
        (["completion", ""], ["bash", "zsh", "fish"]),
        (["up", "x"], []),
    ],
    ids=lambda value: " ".join(value) or "nothing",
)  # fmt: skip
def test_what_may_stand_here(typed: list[str], names: list[str]) -> None:
    assert offered(*typed) == names


def test_every_task_is_offered_with_what_it_does() -> None:
    assert dict(candidates([""], TASKS)) == {name: one.summary for name, one in TASKS.items()}


def test_names_read_off_files_are_those_that_tasks_know() -> None:
    configuration = read(CONFIG_ROOT)
    alerts = {alert.name for alert in configuration.alerts}
    areas = catalogue.areas(catalogue.find(), catalogue.rules(configuration))
    assert set(known.alerts()) == alerts
    assert set(known.provable()) == alerts | set(areas) | {routing.names()[0].partition("/")[0]}
    assert set(known.services()) == set(ALL)
    assert set(known.packages()) == {package.name for package in PACKAGES}
    assert all(one.name in shelves.fault_names() for one in shelves.faults())


def test_instances_are_those_of_this_machine(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("STACK_STATE", str(tmp_path))
    assert offered("status", "--instance", "") == []
    (tmp_path / "instances" / "fast").mkdir(parents=True)
    (tmp_path / "instances" / "fast" / "instance.json").touch()
    assert offered("status", "--instance", "") == ["fast"]


ASK = {
    "bash": """
        source <(doit completion bash)
        COMP_WORDS=(%s) COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
        _doit
        printf '%%s\\n' "${COMPREPLY[@]}"
        """,
    "fish": """
        doit completion fish | source
        complete -C "%s"
        """,
    "zsh": """
        compdef() { }; _describe() { print -l $found }; _files() { print FILES }
        source <(doit completion zsh)
        words=(%s); CURRENT=$#words
        _doit
        """,
}


@pytest.fixture
def doit(tmp_path: Path) -> Path:
    """A folder with the command `doit`, in a checkout of its own."""
    for folder in ("stack", "scenarios"):
        shutil.copytree(REPO / folder, tmp_path / folder,
                        ignore=shutil.ignore_patterns("__pycache__"))  # fmt: skip
    shutil.copy(REPO / "dodo.py", tmp_path)
    command = tmp_path / "bin" / "doit"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\ncd {tmp_path} && exec {sys.executable} -m stack.tasks "$@"\n')
    command.chmod(0o755)
    return command.parent


def ask(shell: str, doit: Path, words: str) -> subprocess.CompletedProcess[str]:
    if not shutil.which(shell):
        pytest.skip(f"{shell} is not installed here")
    return subprocess.run(
        [shell, "-c", ASK[shell] % words],
        capture_output=True, text=True, timeout=60, check=False,
        env={"PATH": f"{doit}:{os.environ['PATH']}", "HOME": str(doit)},
    )  # fmt: skip


@pytest.mark.parametrize("shell", SCRIPTS)
def test_shells_complete(shell: str, doit: Path) -> None:
    done = ask(shell, doit, "doit verify-alerts --only PostgreSQLDo")
    assert done.stdout.split() == ["PostgreSQLDown"], done.stderr
    tasks = ask(shell, doit, "doit quiet").stdout
    assert tasks.startswith("quiet-day")


@pytest.mark.parametrize("shell", SCRIPTS)
@pytest.mark.parametrize("broken", ["dodo.py", "no command"])
def test_shells_stay_silent_when_something_is_broken(shell: str, doit: Path, broken: str) -> None:
    script = subprocess.run(
        [str(doit / "doit"), "completion", shell], capture_output=True, text=True, check=True
    ).stdout
    (doit / "script").write_text(script)
    if broken == "dodo.py":
        (doit.parent / "dodo.py").write_text("def task_(:\n")
    else:
        (doit / "doit").unlink()
    asked = ASK[shell].replace(f"<(doit completion {shell})", f"{doit}/script")
    asked = asked.replace(f"doit completion {shell} | source", f"source {doit}/script")
    if not shutil.which(shell):
        pytest.skip(f"{shell} is not installed here")
    done = subprocess.run(
        [shell, "-c", asked % "doit verify-alerts "],
        capture_output=True, text=True, timeout=60, check=False,
        env={"PATH": f"{doit}:{os.environ['PATH']}", "HOME": str(doit)},
    )  # fmt: skip
    assert done.stdout.strip() in ("", "FILES")
    assert done.stderr == ""
