"""On a machine without a network the virtual environment is made from a bundle's wheels."""

import io
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from hashlib import sha256
from pathlib import Path

import pytest

from stack import bootstrap
from stack.paths import REPO
from stack.store import archive, requirements

ECHO = (
    "import os, sys, greeting; print(greeting.TEXT, *sys.argv[1:], os.environ['STACK_CALLED_FROM'])"
)
NAME = "greeting-1.0-py3-none-any.whl"


def wheel() -> bytes:
    file = io.BytesIO()
    info = "greeting-1.0.dist-info"
    with zipfile.ZipFile(file, "w") as made:
        made.writestr("greeting.py", "TEXT = 'hello'\n")
        made.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: greeting\nVersion: 1.0\n")
        made.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        made.writestr(f"{info}/RECORD", "")
    return file.getvalue()


WHEEL = wheel()


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A checkout with the real bootstrap that wants a package which no index has."""
    made = tmp_path / "clone"
    (made / "stack").mkdir(parents=True)
    (made / "stack" / "store").mkdir()
    for name in ("", "store/"):
        shutil.copy(REPO / "stack" / f"{name}__init__.py", made / "stack" / name)
    for name in (
        "bootstrap", "errors", "jsontext", "paths", "store/archive", "store/requirements"
    ):  # fmt: skip
        shutil.copy(REPO / "stack" / f"{name}.py", made / "stack" / f"{name}.py")
    tasks = made / "stack" / "tasks"
    tasks.mkdir()
    (tasks / "__init__.py").touch()
    (tasks / "__main__.py").write_text(ECHO)
    (tasks / "front.py").write_text("def main(arguments, *, bare): return None\n")
    pin = f"greeting==1.0 \\\n    --hash=sha256:{sha256(WHEEL).hexdigest()}\n"
    (made / "requirements.txt").write_text(pin)
    return made


def bundle(file: Path, wheels: dict[str, bytes]) -> None:
    label = json.dumps({"wheels": requirements.digest(wheels)}).encode()
    with file.open("wb") as made:
        contents = {f"wheels/{name}": content for name, content in wheels.items()}
        archive.write(made, {"bundle.json": label, **contents}, lambda count: None)


def run(clone: Path, *arguments: str) -> tuple[int, str, str]:
    """Without a network: where an index would be, nothing listens."""
    code = "import sys; from stack.bootstrap import main; main(sys.argv[1:])"
    nowhere = {
        "PIP_INDEX_URL": "http://127.0.0.1:9/",
        "PIP_RETRIES": "0",
        "PIP_CONFIG_FILE": os.devnull,
    }
    ran = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=clone.parent,
        capture_output=True,
        text=True,
        env={**os.environ, **nowhere, "PYTHONPATH": str(clone)},
        timeout=120,
        check=False,
    )
    return ran.returncode, ran.stdout, ran.stderr


def test_bootstrap_takes_the_wheels_of_the_bundle_that_is_imported(clone: Path) -> None:
    bundle(clone.parent / "x.tar", {NAME: WHEEL})
    code, output, errors = run(clone, "import", "x.tar")
    assert (code, output) == (0, f"hello import x.tar {clone.parent}\n"), errors
    assert "with 1 locked packages from the bundle" in errors
    assert not (clone / ".venv-wheels").exists()


@pytest.mark.parametrize(
    ("wheels", "exit_code", "told"),
    [
        pytest.param(
            {NAME: WHEEL + b"x"}, 2, "its SHA-256 .* is not in requirements", id="damaged"
        ),
        pytest.param(
            {"other-1.0.whl": WHEEL}, 2, "not the name of a wheel of greeting", id="renamed"
        ),
        pytest.param(
            {"greeting-1.0-cp1-none-any.whl": WHEEL}, 3, "No matching", id="another Python's"
        ),
    ],
)
def test_bootstrap_refuses_wheels(
    clone: Path, wheels: dict[str, bytes], exit_code: int, told: str
) -> None:
    bundle(clone.parent / "x.tar", wheels)
    code, output, errors = run(clone, "import", "x.tar")
    assert (code, output) == (exit_code, "")
    assert re.search(told, errors)
    assert "Traceback" not in errors
    assert not (clone / ".venv-wheels").exists()


@pytest.mark.parametrize(
    ("content", "told"),
    [
        pytest.param(None, "there is no file", id="absent"),
        pytest.param(b"text", "`x.tar` is cut off at byte 4", id="short"),
        pytest.param(b"text" * 1000, "`x.tar` is not a bundle", id="text"),
    ],
)
def test_bootstrap_refuses_what_is_not_a_bundle(
    clone: Path, content: bytes | None, told: str
) -> None:
    if content is not None:
        (clone.parent / "x.tar").write_bytes(content)
    code, _, errors = run(clone, "import", "x.tar")
    assert code == 2
    assert told in errors
    assert not (clone / ".venv").exists()


@pytest.mark.parametrize(
    ("arguments", "file"),
    [
        pytest.param(["status"], None, id="quiet: another task"),
        pytest.param([], None, id="quiet: none"),
        pytest.param(["import"], None, id="quiet: no file"),
        pytest.param(["import", "--artifact", "x.zip"], None, id="quiet: an artifact"),
        pytest.param(["import", "x.tar"], "x.tar", id="a bundle"),
        pytest.param(["import", "--artifact", "x.zip", "--verbose", "y.tar"], "y.tar", id="both"),
    ],
)
def test_bootstrap_knows_which_argument_is_the_bundle(
    arguments: list[str], file: str | None
) -> None:
    assert bootstrap._bundle(arguments) == (Path(file).absolute() if file else None)


def test_bootstrap_imports_nothing_but_the_standard_library() -> None:
    """What it reads a bundle with must work before anything is installed."""
    code = "import sys; sys.path.insert(0, '.'); import stack.bootstrap, stack.store.requirements"
    isolated = [sys.executable, "-I", "-S", "-c", code]
    assert subprocess.run(isolated, cwd=REPO, timeout=60, check=False).returncode == 0
