"""What of a backup's end is recorded, so that an alert follows where one should."""

import json
from pathlib import Path

import pytest

from stack.deploy.backup import recorded as module
from stack.deploy.backup.catalogue import Backup, Manifest, Stored
from stack.deploy.backup.recorded import recall, recorded
from stack.errors import BadInput, CheckFailed, HostCannot
from stack.run import backedup
from stack.run.backedup import BackedUp
from stack.run.instance import Instance
from tests.deploy.backup.test_catalogue import made

NAME = "default"
EARLIER = BackedUp(taken=1000.0, size_bytes=7)


@pytest.fixture
def instance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Instance:
    monkeypatch.setenv("STACK_STATE", str(tmp_path))
    folder = tmp_path / "instances" / NAME
    folder.mkdir(parents=True)
    record = {"name": NAME, "speed": 1.0, "ports": {}, "packages": {}, "config_root": "/",
              "hash": "abc", "created": 1.0}  # fmt: skip
    (folder / "instance.json").write_text(json.dumps(record))
    instance = Instance.open(NAME)
    backedup.begin(instance.layout)
    backedup.tell(instance.layout, EARLIER)
    return instance


def test_success_is_of_when_it_was_begun(instance: Instance) -> None:
    manifest = Manifest(
        format=1, instance=NAME, speed=1.0, taken=2000.5, hash="abc", answers={},
        files={"a": Stored(size=3, sha256=""), "b": Stored(size=4, sha256="")},
    )  # fmt: skip
    with recorded(NAME) as succeeded:
        succeeded(Backup(directory=Path("/"), manifest=manifest))
    assert backedup.told(instance.layout) == BackedUp(taken=2000.5, size_bytes=7)


@pytest.mark.parametrize(
    "failure", [HostCannot("full"), CheckFailed("answers otherwise"), RuntimeError("a slip")]
)
def test_failure_is_recorded_and_the_newest_stays_the_newest(
    instance: Instance, failure: Exception
) -> None:
    with pytest.raises(type(failure)), recorded(NAME):
        raise failure
    assert backedup.told(instance.layout) == BackedUp(taken=1000.0, size_bytes=7, successful=False)


@pytest.mark.parametrize("other", [BadInput("another is being taken"), KeyboardInterrupt()])
def test_wrong_use_and_ctrl_c_are_no_failure(instance: Instance, other: BaseException) -> None:
    with pytest.raises(type(other)), recorded(NAME):
        raise other
    assert backedup.told(instance.layout) == EARLIER


def test_instance_made_anew_has_the_newest_backup_of_its_name(instance: Instance) -> None:
    backedup.tell(instance.layout, BackedUp())
    recall(instance)
    assert backedup.told(instance.layout) == BackedUp()
    made({"a": b"123"}, taken=1.0)
    made({"a": b"1234"}, taken=2.0)
    recall(instance)
    assert backedup.told(instance.layout) == BackedUp(taken=2.0, size_bytes=4)


def test_there_is_nothing_to_record_of_an_instance_that_is_not(instance: Instance) -> None:
    with pytest.raises(BadInput, match="there is no instance `nobody`"), module.recorded("nobody"):
        pass
