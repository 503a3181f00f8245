"""The Compose files as Compose merges them: by the store's own, which needs no Docker for that."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from typing import Any

from stack import jsontext
from stack.deploy.compose.files import Project
from stack.errors import BadInput
from stack.store.packageset import realise

_TIMEOUT_S = 60


def compose(project: Project, *arguments: str) -> list[str]:
    """The command that has Compose do something with the project."""
    program = realise(["compose"])["compose"] / "bin" / "docker-compose"
    named = [part for file in project.files for part in ("--file", str(file))]
    return [str(program), "--project-directory", str(project.root), *named, *arguments]


def rendered(project: Project, variables: Mapping[str, str] | None = None) -> dict[str, Any]:
    """What the files come to, as Compose writes it. `variables` come before `.env`'s.

    Raises BadInput with Compose's own words for files that it refuses.
    """
    text = run(compose(project, "config", "--format", "json"), variables or {})
    read = jsontext.read(text.encode())
    assert isinstance(read, dict)
    return read


def rendered_text(project: Project) -> str:
    """The same as YAML, for people. Raises as `rendered`."""
    return run(compose(project, "config"), {})


def run(command: Sequence[str], variables: Mapping[str, str]) -> str:
    """What Compose prints. Raises BadInput with its own words where it fails."""
    ran = subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=_TIMEOUT_S,
        check=False,
        env={**os.environ, **variables},
    )
    if ran.returncode:
        lines = [line for line in ran.stderr.splitlines() if line.strip()]
        raise BadInput(
            f"Compose refuses the files: {lines[-1] if lines else 'it does not say why'}",
            cure="Fix what it names; nothing was started or stopped.",
        )
    return ran.stdout
