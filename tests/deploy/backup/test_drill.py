"""A backup of what runs, restored into another instance: it gives the same answers."""

import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pyrage
import pytest

from loadgen.faults.backups import NoRoomForBackup
from stack.deploy.backup import questions, restoring
from stack.deploy.backup.catalogue import Backup, backups, chosen, folder_of
from stack.deploy.backup.parts import connected
from stack.deploy.backup.restoring import drill, restore
from stack.deploy.backup.taking import take
from stack.errors import BadInput
from stack.paths import REPO
from stack.run import backedup, secrets
from stack.run.instance import Instance, names
from stack.run.lifecycle import bring_down, bring_up
from stack.run.profile import PRODUCTION, Profile
from stack.tasks import backup as tasks
from tests.waiting import eventually

NAME = "backed-up"

KEY = pyrage.x25519.Identity.generate()

pytestmark = pytest.mark.timeout(400)


@pytest.fixture(scope="module")
def stack(state_dir: Path) -> Iterator[Instance]:
    """One that has something of everything."""
    instance = bring_up(NAME, speed=60.0, free_ports=True)
    slack = instance.layout.secret("slack_api_url").read_text()
    assert httpx.post(slack, json={"text": "remember me"}).status_code == 200
    now = datetime.now(UTC)
    silence = {
        "matchers": [{"name": "alertname", "value": "Kept", "isRegex": False}],
        "startsAt": now.isoformat(), "endsAt": (now + timedelta(days=1)).isoformat(),
        "createdBy": "somebody", "comment": "until it is mended",
    }  # fmt: skip
    url = f"{instance.url('alertmanager')}/api/v2/silences"
    assert httpx.post(url, json=silence).status_code == 200
    with connected(instance.layout) as database:
        database.execute(
            "CREATE TABLE kept AS SELECT n, md5(n::text) FROM generate_series(1, 999) n"
        )
    eventually(
        lambda: len(questions.ask(instance.layout, time.time())["series by name"]) > 100,
        "metrics that have settled",
        within_s=60,
    )
    yield instance
    bring_down(NAME, wipe=True)


@pytest.mark.nightly
def test_restored_instance_answers_alike_and_nothing_of_it_stays(stack: Instance) -> None:
    before = names()
    made = take(NAME, keep=7, recipient=str(KEY.to_public()))
    assert found_in_clear(stack, made) == []
    assert made.manifest.recipient == str(KEY.to_public())
    answers = made.manifest.answers
    assert answers["messages"]["number"] >= "1"
    assert len(answers["silences"]) == 1
    assert answers["rows"]["public.kept"][0] == 999
    assert len(answers["series by name"]) > 100
    assert int(answers["newest log lines"]["number"]) > 20
    found = drill(made)
    assert found.differences == []
    assert 0 <= found.rpo_s < 5
    assert names() == before
    assert stack.is_running()


def secrets_of(instance: Instance) -> dict[str, str]:
    """All but the password that the README says."""
    return {
        name: instance.layout.secret(name).read_text()
        for name in secrets.KEPT
        if name != "grafana_admin_password"
    }


def found_in_clear(instance: Instance, made: Backup) -> list[str]:
    """Names of secrets that anybody can read in a backup, and in the dump that it has packed."""
    dump = subprocess.run(
        [instance.layout.program("postgresql", "pg_restore"), "--file=-",
         made.directory / "postgresql" / "dump"],
        capture_output=True, check=True,
    ).stdout  # fmt: skip
    assert b"COPY public.kept" in dump
    files = [path for path in made.directory.rglob("*") if path.is_file()]
    texts = [dump, *(path.read_bytes() for path in files)]
    return [
        name
        for name, secret in secrets_of(instance).items()
        if any(secret.encode() in text for text in texts)
    ]


@pytest.mark.nightly
def test_search_for_secrets_finds_one_that_is_in_the_clear(stack: Instance, tmp_path: Path) -> None:
    made = take(NAME, keep=7)
    shutil.copytree(made.directory, tmp_path / "copy")
    copied = Backup(directory=tmp_path / "copy", manifest=made.manifest)
    (tmp_path / "copy" / "note").write_text(f"shh: {secrets_of(stack)['web_password']}.")
    assert found_in_clear(stack, copied) == ["web_password"]


@pytest.mark.nightly
def test_wrong_key_is_refused_before_anything_is_touched(stack: Instance, tmp_path: Path) -> None:
    made = take(NAME, keep=7, recipient=str(KEY.to_public()))
    other = tmp_path / "key"
    other.write_text(f"{pyrage.x25519.Identity.generate()}\n")
    with pytest.raises(BadInput, match=rf"no key in `{other}` opens .* Nothing was changed"):
        restore(made, NAME, force=True, identity=other)
    assert Instance.open(NAME).is_running()
    with pytest.raises(BadInput, match="has no secrets"):
        restore(take(NAME, keep=7), NAME, force=True, identity=other)
    assert Instance.open(NAME).is_running()


@pytest.mark.nightly
def test_restored_with_the_key_it_has_the_secrets_of_then(stack: Instance, tmp_path: Path) -> None:
    made = take(NAME, keep=7, recipient=str(KEY.to_public()))
    key = tmp_path / "key"
    key.write_text(f"# created: then\n# public key: {KEY.to_public()}\n{KEY}\n")
    then = secrets_of(stack)
    try:
        again = restore(made, "as-then", free_ports=True, identity=key)
        assert secrets_of(again) == then
        with connected(again.layout) as database:
            assert database.execute("SELECT count(*) FROM kept").fetchone() == (999,)
        anew = restore(made, "as-then", force=True, free_ports=True)
        assert set(secrets_of(anew).items()).isdisjoint(then.items())
    finally:
        bring_down("as-then", wipe=True)


@pytest.mark.nightly
def test_difference_is_named(stack: Instance, monkeypatch: pytest.MonkeyPatch) -> None:
    """A drill that could not fail would prove nothing."""
    made = take(NAME, keep=7)
    real = restoring._put_back

    def forgetful(backup, instance, tell) -> None:
        real(backup, instance, tell)
        with connected(instance.layout) as database:
            database.execute("UPDATE kept SET n = 0 WHERE n = 7")
        (silence,) = httpx.get(f"{instance.url('alertmanager')}/api/v2/silences").json()
        url = f"{instance.url('alertmanager')}/api/v2/silence/{silence['id']}"
        assert httpx.delete(url).status_code == 200

    monkeypatch.setattr(restoring, "_put_back", forgetful)
    found = drill(made)
    assert [one.partition(":")[0] for one in found.differences] == ["silences", "rows"]
    assert "`public.kept` was [999, " in found.differences[1]


@pytest.mark.nightly
def test_what_runs_is_not_replaced_unless_that_is_meant(stack: Instance) -> None:
    made = take(NAME, keep=7)
    with pytest.raises(BadInput, match="is running, and all that it has would be replaced"):
        restore(made, NAME)
    with connected(stack.layout) as database:
        database.execute("DROP TABLE kept")
    again = restore(made, NAME, force=True, free_ports=True)
    assert backedup.told(again.layout).taken == made.manifest.taken  # it is still to be backed up
    with connected(again.layout) as database:
        assert database.execute("SELECT count(*) FROM kept").fetchone() == (999,)
    assert "remember me" in httpx.get(f"{again.url('inbox')}/api/messages").text


@pytest.mark.nightly
def test_what_was_a_servers_stays_one(state_dir: Path) -> None:
    bring_up("server", free_ports=True, profile=Profile(name=PRODUCTION))
    try:
        made = take("server", keep=1)
        again = restore(made, "server", force=True, free_ports=True)
        assert again.layout.profile.is_production
        # Neither is it opened by an `up` that says nothing of it.
        again.take_down()
        assert bring_up("server", free_ports=True).layout.profile.is_production
    finally:
        bring_down("server", wipe=True)


@pytest.mark.nightly
def test_damaged_backup_is_refused_before_anything_is_touched(stack: Instance) -> None:
    made = take(NAME, keep=7)
    file = made.directory / "postgresql" / "dump"
    data = file.read_bytes()
    file.unlink()
    file.write_bytes(data[:-1])
    with pytest.raises(BadInput, match="`postgresql/dump` is damaged"):
        restore(made, NAME, force=True)
    assert Instance.open(NAME).is_running()
    shutil.rmtree(made.directory)


@pytest.mark.nightly
def test_backup_without_room_leaves_the_earlier_ones_and_is_recorded(stack: Instance) -> None:
    first = take(NAME, keep=7)
    fault = NoRoomForBackup()
    fault.inject(stack)
    assert fault.verify(stack) == "the last backup failed"
    assert first in backups(NAME)
    assert not list(folder_of(NAME).glob("*.part"))
    fault.undo(stack)
    assert fault.verify(stack) is None
    assert backedup.told(stack.layout).taken == backups(NAME)[-1].manifest.taken > 0


@pytest.mark.nightly
def test_what_is_down_is_not_backed_up(state_dir: Path) -> None:
    bring_up("at-rest", free_ports=True)
    bring_down("at-rest")
    with pytest.raises(BadInput, match="is down: it is backed up while it runs"):
        take("at-rest", keep=7)


@pytest.mark.nightly
def test_tasks_say_what_there_is(stack: Instance, capsys: pytest.CaptureFixture[str]) -> None:
    tasks.backup(NAME, keep=7, verify=False)
    assert "without secrets: a restored stack has new ones" in capsys.readouterr().out
    public = str(KEY.to_public())
    tasks.backup(NAME, keep=7, verify=False, recipient=public)
    tasks.backups(NAME)
    said = capsys.readouterr().out
    assert f"its secrets are in it, encrypted to {public}" in said
    newest, before = [line for line in said.splitlines() if line.startswith("20")][:2]
    assert newest.startswith(f"{chosen('latest', NAME).name} ")
    assert newest.endswith(f" for {public[:9]}…")
    assert before.rstrip().endswith(" none")
    assert f"`doit backup --verify --instance {NAME}` also proves" in said


@pytest.mark.nightly
@pytest.mark.timeout(900)
def test_killed_at_any_moment_leaves_the_earlier_ones(stack: Instance) -> None:
    first = take(NAME, keep=7)
    command = [sys.executable, "-m", "stack.tasks", "backup", "--instance", NAME]
    finished = 0
    for turn in range(50):
        process = subprocess.Popen(
            command, cwd=REPO, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            process.wait(0.4 + turn * 0.08)
            finished += process.returncode == 0
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
        kept = backups(NAME)
        assert kept
        for one in kept:
            one.verify()
        assert stack.is_running()
    assert first in backups(NAME) or finished
    take(NAME, keep=1)
    assert len(list(folder_of(NAME).glob("[!.]*"))) == 1
    assert not list((stack.layout.data("prometheus") / "snapshots").glob("*"))
    print(f"{finished} of 50 came to their end")
