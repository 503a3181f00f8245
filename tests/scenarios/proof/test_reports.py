"""Which reports are kept: never fewer than asked for, none that is written, the latest always."""

import subprocess
import sys
from pathlib import Path

import pytest

from scenarios.proof import run
from scenarios.proof.reports import held, make_latest, new_folder, prune, stamped
from stack.errors import BadInput
from stack.paths import REPO


def made(reports: Path, count: int, kind: str = "") -> list[Path]:
    folders = []
    for _ in range(count):
        with new_folder(reports, kind) as folder:
            (folder / "report.html").write_text("<p>whole</p>")
            folders.append(folder)
    return folders


def there(reports: Path) -> list[str]:
    return sorted(one.name for one in reports.iterdir())


def test_last_ones_are_kept_and_others_go_whole(tmp_path: Path) -> None:
    folders = made(tmp_path, 5)
    prune(tmp_path, 5)
    assert there(tmp_path) == [one.name for one in folders]
    prune(tmp_path, 2)
    assert there(tmp_path) == [one.name for one in folders[3:]]


def test_each_kind_is_counted_by_itself_and_what_is_not_ours_stays(tmp_path: Path) -> None:
    proofs, dashboards = made(tmp_path, 2), made(tmp_path, 2, "dashboards-")
    day = stamped("quiet-day-")
    for name in (f"{day}.json", f"{day}.locust.log", "notes.txt", "2026"):
        (tmp_path / name).write_text("")
    (tmp_path / "2020-01-01T000000.000000Z").symlink_to(tmp_path.parent)
    before = there(tmp_path)
    prune(tmp_path, 1)
    assert set(before) - set(there(tmp_path)) == {proofs[0].name}
    prune(tmp_path, 1, "dashboards-")
    assert set(before) - set(there(tmp_path)) == {proofs[0].name, dashboards[0].name}
    later = stamped("quiet-day-")
    (tmp_path / f"{later}.json").write_text("")
    prune(tmp_path, 1, "quiet-day-")
    left = [name for name in there(tmp_path) if name.startswith("quiet-day-")]
    assert left == [f"{later}.json"], "with all that belongs to the older day"


def test_report_that_is_written_stays_whoever_prunes(tmp_path: Path) -> None:
    with new_folder(tmp_path) as running:
        made(tmp_path, 3)
        script = f"from pathlib import Path; from scenarios.proof.reports import prune;\
                   prune(Path({str(tmp_path)!r}), 1)"
        subprocess.run([sys.executable, "-c", script], cwd=REPO, check=True)
        assert running.is_dir()
        assert len(there(tmp_path)) == 2
    prune(tmp_path, 1)
    assert not running.exists(), "nobody writes to it any more"


def test_report_of_a_killed_run_is_as_any_other(tmp_path: Path) -> None:
    script = (
        "import os; from pathlib import Path; from scenarios.proof.reports import new_folder\n"
        f"with new_folder(Path({str(tmp_path)!r})): os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", script], cwd=REPO, check=False)
    (killed,) = tmp_path.iterdir()
    made(tmp_path, 1)
    prune(tmp_path, 1)
    assert not killed.exists()


def test_latest_stays_however_old_it_is(tmp_path: Path) -> None:
    oldest, *_, newest = made(tmp_path, 4)
    make_latest(oldest)
    prune(tmp_path, 1)
    assert there(tmp_path) == sorted([oldest.name, newest.name, "latest"])
    assert (tmp_path / "latest" / "report.html").read_text() == "<p>whole</p>"


def test_reader_reads_on_in_what_is_pruned(tmp_path: Path) -> None:
    oldest, _ = made(tmp_path, 2)
    with (oldest / "report.html").open() as page:
        prune(tmp_path, 1)
        assert not oldest.exists()
        assert page.read() == "<p>whole</p>"


def test_prune_takes_up_what_a_killed_one_left(tmp_path: Path) -> None:
    (tmp_path / ".pruned-2026-01-01T000000.000000Z" / "deep").mkdir(parents=True)
    prune(tmp_path, 1)
    assert there(tmp_path) == []


def test_file_that_is_held_stays(tmp_path: Path) -> None:
    day = tmp_path / f"{stamped('quiet-day-')}.locust.log"
    day.touch()
    (tmp_path / f"{stamped('quiet-day-')}.json").touch()
    with held(day):
        prune(tmp_path, 1, "quiet-day-")
        assert day.exists()


def test_no_report_kept_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="--keep-reports is 0, expected 1 or more"):
        run.verify_alerts(["HighCPUUsage"], reports=tmp_path, keep_reports=0)
    assert there(tmp_path) == []
