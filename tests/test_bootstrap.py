"""The way in: a virtual environment from locked requirements, then doit in it."""

import ast
import os
import re
import shutil
import signal
import subprocess
import sys
import zipfile
from hashlib import sha256
from pathlib import Path

import pytest

from stack.paths import REPO
from tests.waiting import eventually

ECHO = "import sys, greeting; print(greeting.TEXT, *sys.argv[1:])\n"


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A checkout with the real bootstrap, one tiny locked wheel, and a cli that echoes."""
    (tmp_path / "stack").mkdir()
    shutil.copy(REPO / "stack" / "bootstrap.py", tmp_path / "stack")
    (tmp_path / "stack" / "__init__.py").touch()
    tasks = tmp_path / "stack" / "tasks"
    tasks.mkdir()
    (tasks / "__init__.py").touch()
    (tasks / "__main__.py").write_text(ECHO)
    (tasks / "front.py").write_text("def main(arguments, *, bare): return None\n")
    wheel = tmp_path / "greeting-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("greeting.py", "TEXT = 'hello'\n")
        info = "greeting-1.0.dist-info"
        archive.writestr(
            f"{info}/METADATA", "Metadata-Version: 2.1\nName: greeting\nVersion: 1.0\n"
        )
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    digest = sha256(wheel.read_bytes()).hexdigest()
    (tmp_path / "requirements.txt").write_text(
        f"--no-index\n--find-links .\ngreeting==1.0 --hash=sha256:{digest}\n"
    )
    return tmp_path


def start(clone: Path, *arguments: str) -> subprocess.Popen[str]:
    code = "import sys; from stack.bootstrap import main; main(sys.argv[1:])"
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        cwd=clone,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(clone)},
        start_new_session=True,
    )


def run(clone: Path, *arguments: str) -> tuple[int, str, str]:
    with start(clone, *arguments) as process:
        try:
            output, errors = process.communicate(timeout=120)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)  # with the pip that it waits for
            raise
    return process.returncode, output, errors


def test_bootstrap_first_run_makes_the_environment_and_the_second_does_not(clone: Path) -> None:
    code, output, errors = run(clone, "up", "--speed", "60")
    assert (code, output) == (0, "hello up --speed 60\n"), errors
    assert "making .venv with 1 locked packages" in errors
    assert run(clone, "status") == (0, "hello status\n", "")


def test_bootstrap_refuses_a_wrong_hash_and_trusts_nothing_of_it(clone: Path) -> None:
    requirements = clone / "requirements.txt"
    good = requirements.read_text()
    requirements.write_text(good[:-65] + "0" * 64 + "\n")
    code, output, errors = run(clone)
    assert (code, output) == (3, "")
    assert "THESE PACKAGES DO NOT MATCH THE HASHES" in errors
    assert "Traceback" not in errors
    requirements.write_text(good)
    assert run(clone)[0] == 0


@pytest.mark.nightly
def test_bootstrap_killed_half_way_starts_from_scratch(clone: Path) -> None:
    process = start(clone)
    eventually((clone / ".venv" / "bin" / "python").exists, "its Python", within_s=60)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    code, output, errors = run(clone, "again")
    assert (code, output) == (0, "hello again\n"), errors


@pytest.mark.nightly
def test_bootstrap_replaces_a_link_to_another_environment(clone: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (clone / ".venv").symlink_to(other)
    code, output, errors = run(clone, "up")
    assert (code, output) == (0, "hello up\n"), errors
    assert list(other.iterdir()) == []


@pytest.mark.parametrize("lacks", ["ensurepip", "venv"])
def test_bootstrap_names_what_this_python_lacks(clone: Path, lacks: str) -> None:
    code = f"import sys; sys.modules['{lacks}'] = None; from stack.bootstrap import main; main([])"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=clone,
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "PYTHONPATH": str(clone)},
        check=False,
    )
    assert done.returncode == 3
    assert "cannot make a virtual environment" in done.stderr
    assert "-venv`" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (clone / ".venv").exists()


def test_bootstrap_refuses_a_python_for_musl_in_a_sentence(clone: Path) -> None:
    code = (
        "import sysconfig; sysconfig.get_config_var = lambda name: 'cpython-311-x86_64-linux-musl';"
        "from stack.bootstrap import main; main([])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=clone,
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "PYTHONPATH": str(clone)},
        check=False,
    )
    assert done.returncode == 3
    assert "is built for musl" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (clone / ".venv").exists()


def test_bootstrap_says_why_pip_cannot_be_put_in(clone: Path) -> None:
    """As where ensurepip is there and its wheels are not."""
    (clone / "venv.py").write_text(
        "import subprocess\n"
        "def create(*_, **__): raise subprocess.CalledProcessError(1, 'x', b'no wheels of pip')\n"
    )
    status, _, errors = run(clone)
    assert status == 3
    assert "cannot make a virtual environment: no wheels of pip" in errors


AS_IF_OLD = """
import runpy, sys
sys.version_info = (3, 9, 18)
try:
    runpy.run_path("dodo.py", run_name="__main__")
finally:
    assert not [name for name in sys.modules if name.partition(".")[0] == "stack"]
"""


def old_pythons() -> list[Path]:
    """Interpreters of Python 3.6 to 3.10 that this machine happens to have."""
    found = [Path(f"/usr/bin/python3.{minor}") for minor in range(6, 11)]
    for minor in range(6, 11):
        found += (Path.home() / ".pyenv" / "versions").glob(f"3.{minor}.*/bin/python")
    return [python for python in found if python.exists()]


def test_old_python_reads_one_sentence_and_ends_with_3() -> None:
    ast.parse((REPO / "dodo.py").read_text(), feature_version=(3, 7))
    commands = [[sys.executable, "-c", AS_IF_OLD]]
    commands += [[str(python), "dodo.py", "status"] for python in old_pythons()]
    for command in commands:
        ran = subprocess.run(
            command, cwd=REPO, capture_output=True, text=True, timeout=60, check=False
        )
        assert ran.returncode == 3, ran.stderr
        said = r"Python 3\.\d+ is too old: run this with Python 3\.11 or newer\.\n"
        assert re.fullmatch(said, ran.stderr)


@pytest.mark.nightly
def test_bootstrap_twice_at_once_makes_one_environment(clone: Path) -> None:
    both = [start(clone, str(number)) for number in range(2)]
    outputs = {process.communicate(timeout=120)[0] for process in both}
    assert outputs == {"hello 0\n", "hello 1\n"}


@pytest.fixture
def bare(clone: Path) -> Path:
    """A checkout with the real tasks, whose environment is not made yet and cannot be."""
    shutil.rmtree(clone / "stack" / "tasks")
    for name in ("tasks", "config"):
        shutil.copytree(REPO / "stack" / name, clone / "stack" / name)
    for file in (REPO / "stack").glob("*.py"):
        shutil.copy(file, clone / "stack")
    shutil.copy(REPO / "dodo.py", clone)
    (clone / "requirements.txt").write_text("--no-index\nabsent==1.0 --hash=sha256:00\n")
    return clone


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ("list", 0, "Run a stack:\n"),
        ("help up", 0, "Usage: doit up"),
        ("verify-alerts --help", 0, "Usage: doit verify-alerts"),
        ("completion bash", 0, "_doit() {\n"),
        ("verfy-alerts", 2, "there is no task `verfy-alerts`."),
        ("up --sped 3", 2, "`doit up`: there is no option `--sped`."),
    ],
)
def test_help_and_wrong_use_are_answered_before_anything_is_made(
    bare: Path, words: str, code: int, said: str
) -> None:
    done = subprocess.run(
        [sys.executable, "-S", "dodo.py", *words.split()],
        cwd=bare, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == code, done.stderr
    assert (done.stdout or done.stderr).startswith(said)
    assert not list(bare.glob(".venv*"))


def test_bootstrap_puts_a_command_that_works_from_anywhere(clone: Path, tmp_path: Path) -> None:
    shutil.copy(REPO / "dodo.py", clone)
    assert run(clone)[0] == 0
    command = clone / ".venv" / "bin" / "doit"
    ours = command.read_text()
    command.write_text("#!/bin/sh\necho doit itself\n")  # as a package of that name puts it
    assert run(clone)[0] == 0
    assert command.read_text() == ours
    elsewhere = tmp_path / "some where"
    elsewhere.mkdir()
    done = subprocess.run(
        [str(command), "up", "a b"], cwd=elsewhere, capture_output=True, text=True, timeout=60,
        check=False, env={"PATH": "/usr/bin:/bin"},
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "hello up a b\n"), done.stderr


def test_doit_of_the_package_index_answers_as_the_command_does() -> None:
    """Whoever has that in their PATH, and runs it here."""
    for words in (["list"], ["up", "--sped", "3"], ["help", "up"]):
        theirs, ours = (
            subprocess.run(
                [sys.executable, *which, *words],
                cwd=REPO, capture_output=True, text=True, timeout=60, check=False,
            )
            for which in (["-m", "doit"], ["dodo.py"])
        )  # fmt: skip
        assert (theirs.returncode, theirs.stdout, theirs.stderr) == (
            ours.returncode, ours.stdout, ours.stderr,
        )  # fmt: skip
