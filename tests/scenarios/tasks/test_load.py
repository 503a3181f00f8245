"""`doit load`: what it refuses, whom it loads, and how it ends."""

import signal
from pathlib import Path

import pytest

from loadgen.host import checked
from scenarios.tasks import load as task
from stack.errors import BadInput, LabError
from tests.scenarios.tasks.conftest import Clinic, Doit
from tests.waiting import eventually

HERE = ["http://127.0.0.1:8000", "http://localhost:8000/", "http://[::1]:8000", "http://127.9.9.9"]
ELSEWHERE = ["http://example.org", "http://198.51.100.7:8000", "http://127.0.0.1.example.org:80",
             "https://localhost.example.org", "http://[::2]:80", "http://0.0.0.0:8000"]  # fmt: skip
NOWHERE = ["", "127.0.0.1:8000", "ftp://127.0.0.1", "http://", "http://127.0.0.1:99999",
           "http://127.0.0.1:8000/path", "http://127.0.0.1:0", "http://[::1"]  # fmt: skip


@pytest.mark.parametrize("host", HERE)
def test_this_machine_may_be_loaded(host: str) -> None:
    assert checked(host) == host.rstrip("/")


@pytest.mark.parametrize("host", ELSEWHERE)
def test_another_machine_is_refused_unless_it_is_meant(host: str) -> None:
    with pytest.raises(BadInput, match="is not this machine") as refused:
        checked(host)
    assert "--yes-this-host" in refused.value.cure
    assert checked(host, even_foreign=True) == host


@pytest.mark.parametrize("host", NOWHERE)
def test_what_is_no_address_is_refused_even_when_it_is_meant(host: str) -> None:
    with pytest.raises(BadInput, match="is not the address of a server"):
        checked(host, even_foreign=True)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--users", "0"), "0 is out of range: 1 to 5000"),
        (("--rate", "many"), "`many` is not a number"),
        (("--rate", "nan"), "`nan` is not a number that anything can have"),
        (("--rate", "0"), "0 is out of range: 0.1 to 5000"),
        (("--shape", "triangle"), "`triangle` is none of clinic-day, spike, soak, steps"),
        (("--for", "2d"), "--for is 2d, expected 1s to 1d"),
        (("--users", "5", "--rate", "5"), "--users and --rate do not go together"),
        (("--instance", "nobody"), "there is no instance `nobody`"),
        (("--host", "http://example.org"), "is not this machine"),
        (("--host", "http://127.0.0.1:9"), "is no instance's scheduler"),
        (("--rate", "1e999"), "is not a number that anything can have"),
        (("--users", "2.5"), "`2.5` is not a whole number"),
        (("--for", "0s"), "`0s` is not a duration"),
        (("--password-file", "/nowhere"), "--password-file: `/nowhere`: No such file"),
        (("--password-file", "/dev/null"), "is not one line, the password alone"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_wrong_use_is_told_in_a_line_and_nothing_is_sent(
    words: tuple[str, ...], said: str, doit: Doit
) -> None:
    run = doit(*words)
    out, err = run.communicate(timeout=120)
    assert run.returncode == 2, out + err
    assert said in err
    assert "Traceback" not in err


@pytest.mark.parametrize("model", [("--users", "5"), ("--rate", "20")], ids=["waiting", "open"])
@pytest.mark.nightly
def test_ctrl_c_ends_it_with_locusts_report(
    model: tuple[str, ...], clinic: str, doit: Doit, tmp_path: Path
) -> None:
    html = tmp_path / "report.html"
    run = doit("--host", clinic, *model, "--shape", "spike", "--html", str(html),
               "--processes", "2", SCHEDULER_PASSWORD="secret")  # fmt: skip
    eventually(lambda: Clinic.requests > 10, "some requests", within_s=90)
    run.send_signal(signal.SIGINT)
    out, err = run.communicate(timeout=90)
    assert run.returncode == 130, out + err
    assert "Aggregated" in out + err
    assert "Response time percentiles" in out + err
    assert "<html" in html.read_text()
    assert err.rstrip().endswith("interrupted")
    assert "Traceback" not in out + err


def test_time_over_is_a_good_end(clinic: str, doit: Doit, tmp_path: Path) -> None:
    run = doit("--host", clinic, "--rate", "20", "--for", "2s", "--csv", str(tmp_path / "a"),
               SCHEDULER_PASSWORD="secret")  # fmt: skip
    out, err = run.communicate(timeout=90)
    assert run.returncode == 0, out + err
    assert (tmp_path / "a_stats.csv").exists()


class Dying:
    """An instance whose scheduler is another one each time that somebody looks, then is gone."""

    name = "default"

    def __init__(self, *pids: int) -> None:
        self._pids = [*pids]

    def is_running(self) -> bool:
        return bool(self._pids)

    def pid(self, service: str) -> int:
        return self._pids.pop(0)


def test_scheduler_that_dies_under_load_is_told_and_load_goes_on(
    capsys: pytest.CaptureFixture[str],
) -> None:
    watch = task._Watch(Dying(7, 7, 8, 8))  # type: ignore[arg-type]
    assert [watch.look() for _ in range(3)] == [True, True, True]
    assert "instance `default`: its scheduler died under the load at" in capsys.readouterr().err
    assert watch.died


def test_instance_that_is_gone_ends_the_load(capsys: pytest.CaptureFixture[str]) -> None:
    watch = task._Watch(Dying(7))  # type: ignore[arg-type]
    assert not watch.look()
    assert "instance `default`: it died under the load at" in capsys.readouterr().err


def test_supervisor_that_does_not_answer_counts_as_gone() -> None:
    class Silent(Dying):
        def is_running(self) -> bool:
            raise LabError("no answer")

    assert not task._Watch(Silent(7)).look()  # type: ignore[arg-type]
