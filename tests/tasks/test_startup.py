"""Commands that people type all day start at once: by what they import, not by a clock."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from stack.paths import REPO

ALWAYS_LATE = {
    "doit", "duckdb", "fastapi", "httpx", "lark", "locust", "gevent", "google.protobuf", "jinja2",
    "pytest", "stack.logql", "stack.speed", "stack.check", "loadgen",
}  # fmt: skip
"""What takes long to import, and no quick command needs."""

NEEDS_MORE = {"psutil", "rich", "yaml", "supervisor", "stack.store", "stack.run"}
"""What shows an instance, and help does not."""


@pytest.mark.parametrize(
    ("words", "late"),
    [
        ("list", ALWAYS_LATE | NEEDS_MORE),
        ("help", ALWAYS_LATE | NEEDS_MORE),
        ("verify-alerts --help", ALWAYS_LATE | NEEDS_MORE),
        ("verify-alerts --sped 3", ALWAYS_LATE | NEEDS_MORE),
        ("completion bash -- verify-alerts Post", ALWAYS_LATE | NEEDS_MORE),
        ("status", ALWAYS_LATE - {"doit"}),
        ("list-faults", (ALWAYS_LATE - {"doit"}) | NEEDS_MORE),
    ],
)
def test_quick_commands_import_little(words: str, late: set[str], tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "stack.tasks", *words.split()],
        cwd=REPO, capture_output=True, text=True, timeout=60, check=False,
        env={**os.environ, "STACK_STATE": str(tmp_path)},
    )  # fmt: skip
    lines = [line for line in done.stderr.splitlines() if line.startswith("import time:")]
    imported = {line.rpartition("|")[2].strip() for line in lines}
    assert "stack.tasks.front" in imported, "else nothing was looked at"
    parents = {name for one in imported for name in _parents(one)}
    assert late & parents == set()


def _parents(name: str) -> set[str]:
    parts = name.split(".")
    return {".".join(parts[:length]) for length in range(1, len(parts) + 1)}
