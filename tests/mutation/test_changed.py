"""What a branch has changed, asked of a real git repository."""

import subprocess
from pathlib import Path

import pytest

from stack.errors import BadInput
from stack.mutation.changed import changed
from stack.mutation.mutant import Mutant


def git(folder: Path, *arguments: str) -> None:
    who = ("-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "init.defaultBranch=main")
    subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A configuration in a repository, with one commit."""
    root = tmp_path / "stack" / "config"
    root.mkdir(parents=True)
    (root / "a.yml").write_text("".join(f"line: {n}\n" for n in range(1, 21)))
    (root / "b.yml").write_text("b\n")
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-qm", "first")
    return root


def edit(file: Path, line: int, new: str) -> None:
    lines = file.read_text().splitlines(keepends=True)
    lines[line - 1] = new
    file.write_text("".join(lines))


def mutant(line: int, of: tuple[int, int] | None = None, path: str = "a.yml") -> Mutant:
    return Mutant(path=Path(path), line=line, kind="", subject="", what="", content="", of=of)


def test_edits_since_the_last_commit(root: Path) -> None:
    edit(root / "a.yml", 5, "other: 5\n")
    found = changed(root)
    assert found.since == "the last commit"
    assert found.lines == {Path("a.yml"): frozenset({5})}
    assert found.has(mutant(5))
    assert found.has(mutant(9, of=(4, 12)))
    assert not found.has(mutant(6))
    assert not found.has(mutant(5, path="b.yml"))


def test_commits_of_a_branch_count(root: Path) -> None:
    git(root, "switch", "-qc", "work")
    edit(root / "a.yml", 7, "other: 7\n")
    git(root, "commit", "-qam", "second")
    assert changed(root).lines == {Path("a.yml"): frozenset({7})}


def test_line_that_is_gone_changes_those_around_it(root: Path) -> None:
    edit(root / "a.yml", 5, "")
    assert changed(root).lines == {Path("a.yml"): frozenset({4, 5})}


def test_new_file_has_changed_as_a_whole(root: Path) -> None:
    (root / "c.yml").write_text("1\n2\n")
    assert changed(root).lines == {Path("c.yml"): frozenset({1, 2})}


def test_nothing_has_changed(root: Path) -> None:
    assert not changed(root).lines


def test_without_a_repository_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="in no git repository"):
        changed(tmp_path)
