"""`doit import` says what it wants, and what is new."""

import shutil
from pathlib import Path

import pytest

from stack.errors import BadInput
from stack.paths import cache_dir
from stack.store import lock
from stack.store.packageset import realise
from stack.tasks.import_ import import_


@pytest.mark.parametrize(
    ("files", "artifact", "said"),
    [
        pytest.param([], "", "name a bundle, or a downloaded file", id="nothing"),
        pytest.param(["/nonsense"], "", "no file `/nonsense`", id="no such bundle"),
        pytest.param([], "/dev", "no file `/dev`", id="a folder"),
        pytest.param([], "/dev/null", "no file `/dev/null`", id="a device"),
    ],
)
def test_import_says_what_it_wants(files: list[str], artifact: str, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        import_(files, artifact)


def test_import_says_whether_an_artifact_was_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    realise(["glibc"])
    pinned = lock.load().artifact("libgcc-s1", "amd64")
    download = tmp_path / "download"
    shutil.copy(cache_dir() / "artifacts" / pinned.sha256, download)
    monkeypatch.setenv("STACK_CACHE", str(tmp_path / "cache"))
    import_([], str(download))
    import_([], str(download))
    assert capsys.readouterr().out.splitlines() == [
        f"download is {pinned}: kept for `doit build`",
        f"download is {pinned}: it was here already",
    ]
