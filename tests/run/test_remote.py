"""`doit up --remote-write`: what is taken, what is refused, and what an instance is then."""

import re
from pathlib import Path

import pytest
import yaml

from stack.errors import BadInput
from stack.loopback import BEHIND
from stack.paths import CONFIG_ROOT
from stack.run.instance import Record, layout_of
from stack.run.ports import shifted
from stack.run.remote import RemoteWrite, asked
from stack.run.service import Layout
from stack.run.services import ALL, OPTIONAL, SERVICES, prometheus, victoria

MIMIR = "https://mimir.example/api/v1/push"


def layout(folder: Path, remote: RemoteWrite) -> Layout:
    services = [*SERVICES.values(), *(OPTIONAL[name] for name in remote.services)]
    record = Record(
        name="default", speed=1.0, ports=shifted(services, 0),
        packages={one.package: "/store" for one in services if one.package},
        config_root=str(CONFIG_ROOT), hash="", created=0.0, remote_write=remote,
    )  # fmt: skip
    return layout_of(record, folder)


def rendered(folder: Path, remote: RemoteWrite) -> dict[str, object]:
    text = prometheus.config(layout(folder, remote))["prometheus.yml"]
    found: dict[str, object] = yaml.safe_load(text)
    return found


def test_nobody_asked_means_as_it_was_and_none_means_nobody() -> None:
    assert asked("", "") is None
    assert asked("none", "") == RemoteWrite()


def test_instance_that_nobody_asked_for_more_has_no_receiver(tmp_path: Path) -> None:
    assert victoria.NAME not in SERVICES
    document = rendered(tmp_path, RemoteWrite())
    assert "remote_write" not in document
    assert victoria.NAME not in str(document)


def test_victoria_is_a_service_that_prometheus_writes_to_and_scrapes(tmp_path: Path) -> None:
    document = rendered(tmp_path, RemoteWrite(to="victoria"))
    assert document["remote_write"] == [
        {"name": "remote", "url": "http://127.0.0.1:8428/api/v1/write"}
    ]
    job = document["scrape_configs"][-1]  # type: ignore[index]
    assert job["job_name"] == "victoria"
    assert job["static_configs"][0]["labels"] == {"instance": "victoria"}


def test_victoria_answers_nobody_past_nginx_and_no_page_can_delete(tmp_path: Path) -> None:
    made = layout(tmp_path, RemoteWrite(to="victoria"))
    command = ALL["victoria"].command(made)
    assert f"-httpListenAddr={BEHIND}:8428" in command
    secret = f"file://{tmp_path}/secrets/web_password"
    assert f"-httpAuth.password={secret}" in command
    assert f"-deleteAuthKey={secret}" in command
    nginx = ALL["nginx"].config(made)["nginx.conf"]
    assert "upstream victoria" in nginx
    assert "upstream victoria" not in ALL["nginx"].config(layout(tmp_path, RemoteWrite()))[
        "nginx.conf"
    ]  # fmt: skip


def test_receiver_of_ones_own_gets_its_settings_and_secrets_stay_in_their_files(
    tmp_path: Path,
) -> None:
    (tmp_path / "password").write_text("very secret")
    settings = tmp_path / "mimir.yml"
    settings.write_text(
        "headers: {X-Scope-OrgID: clinic}\n"
        "basic_auth: {username: lab, password_file: password}\n"
        "tls_config: {insecure_skip_verify: true}\n"
    )
    remote = asked(MIMIR, str(settings))
    assert remote == RemoteWrite(to=MIMIR, settings=str(settings))
    document = rendered(tmp_path, remote)
    assert document["remote_write"] == [{
        "name": "remote", "url": MIMIR, "headers": {"X-Scope-OrgID": "clinic"},
        "basic_auth": {"username": "lab", "password_file": str(tmp_path / "password")},
        "tls_config": {"insecure_skip_verify": True},
    }]  # fmt: skip
    assert "very secret" not in str(document)
    assert not remote.services


@pytest.mark.parametrize(
    ("to", "settings", "said"),
    [
        ("mimir.example", "", "not the address of a receiver"),
        ("ftp://mimir.example/push", "", "not the address of a receiver"),
        ("http://mimir.example:99999/push", "", "not the address of a receiver"),
        ("https://lab:secret@mimir.example/push", "", "has a user in its address"),
        ("victoria", "headers: {}", "for a receiver of your own"),
        ("", "headers: {}", "for a receiver of your own"),
        (MIMIR, "- a list", "is not a mapping"),
        (MIMIR, "url: http://other", "setting"),
        (MIMIR, "basic_aut: {username: a}", "Did you mean basic_auth"),
        (MIMIR, "basic_auth: {password: secret}", "`basic_auth.password` is a secret"),
        (MIMIR, "authorization: {credentials: secret}", "write it into a file|Write it into"),
        (MIMIR, "basic_auth: {password_file: nowhere}", "`nowhere` is not a file"),
    ],
    ids=range(12),
)
def test_what_cannot_be_meant_is_refused_before_anything_starts(
    to: str, settings: str, said: str, tmp_path: Path
) -> None:
    file = tmp_path / "settings.yml"
    file.write_text(settings)
    with pytest.raises(BadInput) as refused:
        asked(to, str(file) if settings else "")
    assert re.search(said, str(refused.value))
    assert "secret@" not in str(refused.value)


def test_settings_that_are_not_there_are_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"none\.yml"):
        asked(MIMIR, str(tmp_path / "none.yml"))


def test_record_keeps_it(tmp_path: Path) -> None:
    record = Record(
        name="a", speed=1.0, ports={}, packages={}, config_root="/", hash="", created=0.0,
        remote_write=RemoteWrite(to=MIMIR),
    )  # fmt: skip
    record.write(tmp_path)
    assert Record.read(tmp_path).remote_write == RemoteWrite(to=MIMIR)
