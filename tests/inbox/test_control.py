import json

import pytest

from stack.inbox.control import Control
from stack.inbox.message import Channel


def put(file, text):
    aside = file.with_suffix(".new")
    aside.write_text(text)
    aside.replace(file)


def test_control_without_a_file_is_healthy(tmp_path):
    assert Control(None).status(Channel.SLACK) is None
    assert Control(tmp_path / "absent.json").status(Channel.SLACK) is None


def test_control_follows_its_file(tmp_path):
    file = tmp_path / "control.json"
    control = Control(file)
    put(file, "{}")
    assert control.status(Channel.SLACK) is None
    put(file, json.dumps({"slack": {"status": 500}}))
    assert control.status(Channel.SLACK) == 500
    assert control.status(Channel.EMAIL) is None
    put(file, json.dumps({"email": {"status": 451}, "slack": {}}))
    assert (control.status(Channel.SLACK), control.status(Channel.EMAIL)) == (None, 451)
    file.unlink()
    assert control.status(Channel.EMAIL) is None


@pytest.mark.parametrize(
    "text", ["", "[]", "{", '{"fax": {"status": 500}}', '{"slack": 500}', '{"slack":{"status":7}}']
)
def test_control_leaves_nonsense_unheeded(tmp_path, text, capsys):
    file = tmp_path / "control.json"
    control = Control(file)
    put(file, json.dumps({"slack": {"status": 500}}))
    assert control.status(Channel.SLACK) == 500
    put(file, text)
    assert control.status(Channel.SLACK) == 500
    assert "inbox: control file" in capsys.readouterr().err
