"""The registry comes from where npm takes it: environment, the user's file, the host's, npm."""

import shutil
from pathlib import Path

import pytest

from stack.errors import HostCannot
from stack.store import registry as module
from stack.store.registry import registry

NPM = shutil.which("npm")


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NPM_CONFIG_REGISTRY", "npm_config_registry"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(module.shutil, "which", lambda name: None)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("registry=http://r.test/npm/\n", "http://r.test/npm"),
        ("; a comment\nfund=false\n  registry = https://r.test\n", "https://r.test"),
        ('registry="http://r.test/"\n', "http://r.test"),
        ("registry=${PLACE}/npm\n", "http://place.test/npm"),
    ],
)
def test_registry_of_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, found: str
) -> None:
    monkeypatch.setenv("PLACE", "http://place.test")
    file = tmp_path / ".npmrc"
    file.write_text(text)
    assert registry((tmp_path / "absent", file)) == found


@pytest.mark.parametrize("text", ["@scope:registry=http://r.test\n", "# registry=http://r.test\n"])
def test_registry_is_not_what_only_looks_like_one(tmp_path: Path, text: str) -> None:
    file = tmp_path / ".npmrc"
    file.write_text(text)
    with pytest.raises(HostCannot, match="no npm registry is configured"):
        registry((file,))


def test_registry_prefers_the_environment_and_then_the_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    user, host = tmp_path / "user", tmp_path / "host"
    user.write_text("registry=http://user.test\n")
    host.write_text("registry=http://host.test\n")
    assert registry((user, host)) == "http://user.test"
    assert registry((host,)) == "http://host.test"
    monkeypatch.setenv("NPM_CONFIG_REGISTRY", "http://environment.test/")
    assert registry((user, host)) == "http://environment.test"


def test_registry_of_npm_itself_comes_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    npm = tmp_path / "npm"
    npm.write_text('#!/bin/sh\n[ "$*" = "config get registry" ] && echo http://npm.test/\n')
    npm.chmod(0o755)
    monkeypatch.setattr(module.shutil, "which", lambda name: str(npm))
    assert registry(()) == "http://npm.test"
    npm.write_text("#!/bin/sh\nexit 1\n")
    with pytest.raises(HostCannot, match=r"NPM_CONFIG_REGISTRY, or as `registry=URL`"):
        registry(())


@pytest.mark.skipif(not NPM, reason="npm is not installed")
def test_asking_npm_leaves_nothing_at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module.shutil, "which", lambda name: NPM)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert registry(()).startswith("http")
    assert list(tmp_path.iterdir()) == []
