"""What Prometheus is told of backups, as node_exporter reads it."""

from pathlib import Path

import pytest

from stack.run import backedup
from stack.run.backedup import BackedUp
from stack.run.service import Layout


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout(
        name="default", directory=tmp_path, config_root=tmp_path, speed=1.0, ports={},
        addresses={}, packages={},
    )  # fmt: skip


def text(layout: Layout) -> str:
    (file,) = backedup.folder(layout).iterdir()  # nothing half written lies beside it
    return file.read_text()


def test_series_are_there_before_the_first_backup(layout: Layout) -> None:
    backedup.begin(layout)
    assert "\nbackup_last_success_timestamp_seconds 0.0\n" in text(layout)
    assert "\nbackup_last_run_successful 1.0\n" in text(layout)
    assert backedup.told(layout) == BackedUp()


def test_what_is_told_stays_when_the_stack_is_started_again(layout: Layout) -> None:
    backedup.begin(layout)
    told = BackedUp(taken=1_700_000_000.25, successful=False, size_bytes=12_345_678)
    backedup.tell(layout, told)
    backedup.begin(layout)
    assert backedup.told(layout) == told
    assert "\nbackup_last_run_successful 0.0\n" in text(layout)


@pytest.mark.parametrize("damage", ["", "backup_last_run_successful 1\n", "{", "x 1e\n"])
def test_file_that_nobody_can_read_is_as_if_there_was_no_backup(
    layout: Layout, damage: str
) -> None:
    backedup.begin(layout)
    (file,) = backedup.folder(layout).iterdir()
    file.write_text(damage)
    assert backedup.told(layout) == BackedUp()
