"""Commands that a message offers for an instance mean that one, as it was."""

import pytest

from stack.errors import BadInput
from stack.run import naming
from stack.run.instance import Instance, Record, existing, instances_dir
from stack.run.ports import free, shifted
from stack.run.services import SERVICES
from stack.tasks.instance import down

DEFAULT, CHOSEN = shifted(SERVICES.values(), 0), free(SERVICES.values())
MOVED = shifted(SERVICES.values(), 10000)


@pytest.mark.parametrize(
    ("name", "speed", "ports", "command"),
    [
        ("default", 1.0, DEFAULT, "doit up"),
        ("default", 60.0, MOVED, "doit up --speed 60 --port-offset 10000"),
        ("fast", 60.0, MOVED, "doit up --instance fast --speed 60 --port-offset 10000"),
        ("proof-1", 1.5, CHOSEN, "doit up --instance proof-1 --speed 1.5"),
    ],
)
def test_instance_is_offered_again_with_its_speed_and_ports(
    name: str, speed: float, ports: dict[str, dict[str, int]], command: str
) -> None:
    assert naming.up(name, speed, ports) == command


def test_instance_of_an_older_stack_keeps_its_offset() -> None:
    older = {service: MOVED[service] for service in ("prometheus", "inbox")}
    assert naming.up("fast", 1.0, older) == "doit up --instance fast --port-offset 10000"


@pytest.fixture
def fast(tmp_path, monkeypatch) -> Instance:
    """An instance called `fast`, which nobody runs."""
    monkeypatch.setenv("STACK_STATE", str(tmp_path))
    (instances_dir() / "fast").mkdir(parents=True)
    Record(
        name="fast", speed=60.0, ports=MOVED, packages={}, config_root="", hash="", created=0.0
    ).write(instances_dir() / "fast")
    return Instance.open("fast")


def test_name_that_no_instance_has_is_answered_with_the_nearest(fast: Instance) -> None:
    assert fast.up == "doit up --instance fast --speed 60 --port-offset 10000"
    with pytest.raises(BadInput, match=r"`fsat` \(there is: `fast`\).\n  Did you mean fast\?"):
        existing("fsat")
    with pytest.raises(BadInput, match="`doit up --instance other` starts one"):
        existing("other")
    assert existing("default") is None


def test_down_of_a_mistyped_name_says_that_nothing_was_stopped(fast: Instance, capsys) -> None:
    down("fsat", wipe=False)
    assert capsys.readouterr().out == (
        "there is no instance `fsat`, so nothing was stopped. Did you mean fast?\n"
    )


def test_down_says_what_became_of_the_data(fast: Instance, capsys) -> None:
    down("fast", wipe=False)
    assert capsys.readouterr().out == (
        f"instance `fast` was not running; its data and logs stay in {fast.directory}"
        " (`doit down --instance fast --wipe` removes them)\n"
    )
    down("fast", wipe=True)
    assert capsys.readouterr().out == (
        "instance `fast` was not running; its data and logs were removed\n"
    )
    assert not fast.directory.exists()
    down("default", wipe=False)
    assert capsys.readouterr().out == "instance `default` was not running, and has no data\n"
