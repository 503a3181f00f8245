"""Which files a program is made of, found by its imports."""

from pathlib import Path

import pytest

from scenarios.proof.codefiles import Code
from stack.paths import REPO

FILES = {
    "stack/__init__.py": "",
    "stack/a.py": "from stack import b\nimport json\n",
    "stack/b.py": "def late():\n    from stack.deep.c import thing\n",
    "stack/deep/__init__.py": "",
    "stack/deep/c.py": "from .d import other\n",
    "stack/deep/d.py": "COMMAND = ['-m', 'stack.programs.p']\n",
    "stack/deep/page.html": "<p>",
    "stack/deep/looks/page.css": "p {}",
    "stack/deep/README.md": "",
    "stack/programs/__init__.py": "",
    "stack/programs/p/__init__.py": "",
    "stack/programs/p/__main__.py": "import stack.e\n",
    "stack/programs/p/web.py": "",
    "stack/e.py": "LEASH = 'leash.py'\nLIST = 'list.txt'\n",
    "stack/leash.py": "from stack.f import (\n    x,\n    y,\n)\n",
    "stack/f.py": "",
    "list.txt": "",
    "stack/unused.py": "",
    "stack/config/__init__.py": "",
    "stack/config/table.py": "",
    "stack/config/rules.yml": "",
    "stack/broken.py": "def (",
}

LEDGE = [
    "stack/__init__.py", "stack/a.py", "stack/b.py", "stack/deep/__init__.py", "stack/deep/c.py",
    "stack/deep/d.py", "stack/deep/page.html", "stack/deep/looks/page.css",
    "stack/programs/__init__.py", "stack/programs/p/__init__.py", "stack/programs/p/__main__.py",
    "stack/programs/p/web.py", "stack/e.py", "stack/leash.py", "stack/f.py", "list.txt",
]  # fmt: skip


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    for name, content in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content)
    return tmp_path


def test_imports_programs_and_what_lies_beside_are_followed(repo: Path) -> None:
    code = Code(repo)
    assert sorted(map(code.name, code.closure(repo / "stack/a.py"))) == sorted(LEDGE)


def test_what_is_left_out_leads_nowhere(repo: Path) -> None:
    code = Code(repo)
    found = code.closure(repo / "stack/a.py", but=[repo / "stack/b.py"])
    assert sorted(map(code.name, found)) == ["stack/__init__.py", "stack/a.py"]


def test_configuration_is_no_part_of_a_program_but_its_modules_are(repo: Path) -> None:
    (repo / "stack/f.py").write_text("from stack.config.table import x\n")
    code = Code(repo)
    found = set(map(code.name, code.closure(repo / "stack/f.py")))
    assert found == {"stack/__init__.py", "stack/f.py", "stack/config/__init__.py",
                     "stack/config/table.py"}  # fmt: skip


def test_what_is_remembered_is_true_for_the_same_text_alone(repo: Path) -> None:
    imports: dict[str, object] = {}
    first = Code(repo, imports).closure(repo / "stack/a.py")  # type: ignore[arg-type]
    assert Code(repo, imports).closure(repo / "stack/a.py") == first  # type: ignore[arg-type]
    (repo / "stack/f.py").write_text("import stack.unused\n")
    later = Code(repo, imports).closure(repo / "stack/a.py")  # type: ignore[arg-type]
    assert later - first == {repo / "stack/unused.py"}


def test_a_module_that_cannot_be_parsed_is_still_a_file(repo: Path) -> None:
    code = Code(repo)
    before = code.together(code.closure(repo / "stack/broken.py"))
    (repo / "stack/broken.py").write_text("def (x")
    again = Code(repo)
    assert again.together(again.closure(repo / "stack/broken.py")) != before


@pytest.mark.parametrize("name", [
    "scenarios/proof/chain.py", "scenarios/proof/watch.py", "scenarios/proof/gate.py",
    "stack/run/lifecycle.py", "stack/run/keeper.py", "stack/run/supervisord.py",
    "stack/programs/inbox/__main__.py", "stack/programs/scheduler/seed.py",
    "stack/programs/scheduler/schema.sql", "stack/programs/logstore/__main__.py",
    "stack/programs/simhost/enter.py", "stack/config/audience.py", "loadgen/leash.py",
    "loadgen/traffic.py", "stack/speed/rules.py", "stack/store/realisation.py",
])  # fmt: skip
def test_what_plays_and_judges_here_is_found(name: str) -> None:
    code = Code()
    found = code.closure(REPO / "scenarios/proof/run.py", but=[REPO / "scenarios/proof/usable.py"])
    assert REPO / name in found
    assert REPO / "dodo.py" not in found, "then every edit of a help text would concern all"
