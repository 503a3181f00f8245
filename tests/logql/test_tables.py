"""The parser's tables come from the cache, where nobody else can have put them."""

import os
import pickle
import shutil
from pathlib import Path

import pytest

from stack.logql import builder, tables

GRAMMAR = (Path(tables.__file__).parent / "grammar.lark").read_text()
QUERY = 'sum by (level) (rate({service="backend"} |= "x" | json [5m])) > 2'


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("STACK_CACHE", str(tmp_path))
    return tmp_path / "tables"


def parsed() -> object:
    return tables.parser(GRAMMAR, builder.Builder()).parse(QUERY)


def test_tables_are_built_once(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = parsed()
    [kept] = cache.iterdir()

    def never(*_: object) -> None:
        raise AssertionError("built again")

    monkeypatch.setattr("lark.lark.load_grammar", never)
    assert parsed() == first
    assert [kept] == list(cache.iterdir())


def test_another_grammar_has_tables_of_its_own(cache: Path) -> None:
    parsed()
    tables.parser(GRAMMAR + "\n// changed\n", builder.Builder())
    assert len(list(cache.iterdir())) == 2


@pytest.mark.parametrize("left", [0, 70, 5000])
def test_damaged_tables_are_built_again(
    cache: Path, left: int, capfd: pytest.CaptureFixture[str]
) -> None:
    first = parsed()
    [kept] = cache.iterdir()
    kept.write_bytes(kept.read_bytes()[:left])
    assert parsed() == first
    assert kept.stat().st_size > 5000
    assert capfd.readouterr().err == ""


class Evil:
    """Makes a folder when it is loaded."""

    def __reduce__(self) -> object:
        return os.mkdir, (os.environ["STACK_CACHE"] + "/was-here",)


def test_folder_is_closed_whatever_the_umask_is(cache: Path) -> None:
    before = os.umask(0)
    try:
        parsed()
    finally:
        os.umask(before)
    assert cache.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("mode", [0o777, 0o770, 0o755])
def test_what_lies_in_a_folder_that_others_enter_is_not_loaded(cache: Path, mode: int) -> None:
    first = plant(cache)
    cache.chmod(mode)
    assert parsed() == first
    assert not (cache.parent / "was-here").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_what_lies_in_a_folder_of_somebody_else_is_not_loaded(cache: Path) -> None:
    first = plant(cache)
    os.chown(cache, 65534, 65534)
    assert parsed() == first
    assert not (cache.parent / "was-here").exists()


def test_what_lies_behind_a_link_is_not_loaded(cache: Path) -> None:
    first = plant(cache)
    cache.symlink_to(cache.rename(cache.with_name("elsewhere")))
    assert parsed() == first
    assert not (cache.parent / "was-here").exists()


def plant(cache: Path) -> object:
    """Put something into the file that is loaded; what was parsed before."""
    first = parsed()
    [kept] = cache.iterdir()
    digest, _, _ = kept.read_bytes().partition(b"\n")
    kept.write_bytes(digest + b"\n" + pickle.dumps(Evil()))
    return first


def test_plant_would_be_loaded(cache: Path) -> None:
    plant(cache)
    parsed()
    assert (cache.parent / "was-here").exists()


@pytest.mark.parametrize("what", ["a file", "no cache at all"])
def test_cache_that_cannot_be_used_only_costs_time(cache: Path, what: str) -> None:
    first = parsed()
    shutil.rmtree(cache)
    if what == "a file":
        cache.write_text("no folder")
    else:
        cache.parent.rmdir()
        cache.parent.write_text("no folder")
    assert parsed() == first
