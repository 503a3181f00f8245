"""`.env` and the secrets: written once, kept, and refused where a person wrote what will not do."""

import stat
from pathlib import Path

import pytest

from stack.deploy.compose.files import Project, values
from stack.deploy.compose.running import prepare
from stack.errors import BadInput


def test_secrets_are_made_once_and_open_to_their_owner_alone(root: Path) -> None:
    project = Project(root=root)
    assert ".env is written" in prepare(project)
    first = {at: at.read_bytes() for at in project.secrets.iterdir()}
    assert stat.S_IMODE(project.secrets.stat().st_mode) == 0o700
    assert stat.S_IMODE(project.env.stat().st_mode) == 0o600
    # Each container has a user of its own, who finds them by a mount of the file.
    assert {stat.S_IMODE(at.stat().st_mode) for at in first} == {0o444}
    assert len(set(first.values())) == len(first)
    assert b"BEGIN CERTIFICATE" in (project.secrets / "tls_certificate").read_bytes()
    assert prepare(project) == ""
    assert {at: at.read_bytes() for at in project.secrets.iterdir()} == first


def test_secret_that_is_lost_is_made_again_alone(root: Path) -> None:
    project = Project(root=root)
    prepare(project)
    first = {at: at.read_bytes() for at in project.secrets.iterdir()}
    lost = project.secrets / "shipper_token"
    lost.unlink()
    prepare(project)
    changed = {at for at in first if at.read_bytes() != first[at]}
    assert changed == {lost}


@pytest.mark.parametrize(
    "line",
    [
        "GRAFANA_ADMIN_PASSWORD=correct horse battery",
        "GRAFANA_ADMIN_PASSWORD='correct horse battery'",
        'GRAFANA_ADMIN_PASSWORD="correct horse battery"\r',
        "export GRAFANA_ADMIN_PASSWORD = correct horse battery  # of July",
    ],
    ids=["plain", "quotes", "windows", "comment"],
)
def test_password_of_env_is_taken_as_compose_would_read_it(root: Path, line: str) -> None:
    project = Project(root=root)
    project.env.write_text(f"IMAGES=store\r\n{line}\n")
    prepare(project)
    assert (project.secrets / "grafana_admin_password").read_text() == "correct horse battery"
    assert values(project.env)["GRAFANA_ADMIN_PASSWORD"] == "correct horse battery"
    assert project.images == "store"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("GRAFANA_ADMIN_PASSWORD=admin", "is a default password"),
        ("GRAFANA_ADMIN_PASSWORD=Password1234", "is a default password"),
        ("GRAFANA_ADMIN_PASSWORD='changeme-changeme'\r", "is a default password"),
        ("GRAFANA_ADMIN_PASSWORD=tooshort", "has 8 characters"),
        ('GRAFANA_ADMIN_PASSWORD="half a quote', "a quote that has no other"),
        ("SLACK_API_URL=hooks.slack.example/x", "does not begin with https://"),
        ("PAGERDUTY_ROUTING_KEY=abc", "is not 32 letters and digits"),
    ],
)
def test_env_that_will_not_do_is_refused_with_its_line(root: Path, line: str, said: str) -> None:
    project = Project(root=root)
    project.env.write_text(f"# mine\nIMAGES=store\n{line}\n")
    with pytest.raises(BadInput, match=r"^\.env, line 3: ") as caught:
        prepare(project)
    assert said in caught.value.what
    assert caught.value.cure
    assert not project.secrets.exists()


def test_env_with_a_line_that_is_none_is_refused(root: Path) -> None:
    (root / ".env").write_text("IMAGES=store\nwhat is this\n")
    with pytest.raises(BadInput, match=r"line 2: this is not NAME=value"):
        values(root / ".env")


def test_images_that_nobody_knows_are_refused(root: Path) -> None:
    (root / ".env").write_text("IMAGES=stor\n")
    with pytest.raises(BadInput, match="`IMAGES` is `stor`"):
        _ = Project(root=root).images


def test_release_is_put_where_it_stands(root: Path) -> None:
    project = Project(root=root)
    project.env.write_text("A=1\nSTORE_RELEASE=\nB=2")
    project.put("STORE_RELEASE", "abc")
    project.put("C", "3")
    assert project.env.read_text() == "A=1\nSTORE_RELEASE=abc\nB=2\nC=3\n"
