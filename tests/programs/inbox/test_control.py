import json

import pytest

from stack.programs.inbox.control import Control, Wish
from stack.programs.inbox.message import Channel


def put(file, text):
    aside = file.with_suffix(".new")
    aside.write_text(text)
    aside.replace(file)


def test_control_without_a_file_is_healthy(tmp_path):
    assert Control(None).wish(Channel.SLACK) == Wish()
    assert Control(tmp_path / "absent.json").wish(Channel.SLACK) == Wish()


def test_control_follows_its_file(tmp_path):
    file = tmp_path / "control.json"
    control = Control(file)
    put(file, "{}")
    assert control.wish(Channel.SLACK) == Wish()
    put(file, json.dumps({"slack": {"status": 500}}))
    assert control.wish(Channel.SLACK) == Wish(status=500)
    assert control.wish(Channel.EMAIL) == Wish()
    put(file, json.dumps({"email": {"status": 451, "delay": 2}, "slack": {}}))
    assert control.wish(Channel.SLACK) == Wish()
    assert control.wish(Channel.EMAIL) == Wish(status=451, delay_s=2)
    file.unlink()
    assert control.wish(Channel.EMAIL) == Wish()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{",
        '{"fax": {"status": 500}}',
        '{"slack": 500}',
        '{"slack": {"status": 7}}',
        '{"slack": {"delay": -1}}',
        '{"slack": {"delay": 3600}}',
        '{"slack": {"dely": 2}}',
    ],
)
def test_control_leaves_nonsense_unheeded(tmp_path, text, capsys):
    file = tmp_path / "control.json"
    control = Control(file)
    put(file, json.dumps({"slack": {"status": 500}}))
    assert control.wish(Channel.SLACK) == Wish(status=500)
    put(file, text)
    assert control.wish(Channel.SLACK) == Wish(status=500)
    assert "inbox: control file" in capsys.readouterr().err
