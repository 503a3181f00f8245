"""What names an output: the recipe and the lock alone, and no module of this repository."""

import hashlib

import pytest

from stack.store.artifact import Artifact
from stack.store.derivation import SYSTEMS, derive
from stack.store.lock import Lock, Output
from stack.store.packages import PACKAGES

NAMES = {
    "amd64": [
        "961550180818226125471f6e07ed36c8-glibc-1",
        "a66db80adc3c42d6ed35514a49ad55a2-prometheus-1",
        "5a90664a6a57de40e4f58a832abcfa3e-alertmanager-1",
        "b7b367797c0646681612d427fea46e26-node_exporter-1",
        "71aa7202cb3856decb449044971fb08d-postgres_exporter-1",
        "536eaec2f39ac909383f35025d8a1896-blackbox_exporter-1",
        "4b804cba4fc878ea94d7aa697ba59cf5-postgresql-1",
        "e4d184eabf24a87944d3f71c78bb6873-nginx-1",
        "0950cd4673bb106602dc0f8d44f1a645-loki-1",
        "aa98fe2261abfa20354cf3311f8febb7-promtail-1",
        "80b1f56d58e0812f88cf9288f6b4c586-grafana-1",
        "9b8a986897db34771aa20088074815b5-chromium-1",
        "88ba0a50fe5fa20fe706de1ac0209909-python-1",
        "17fe0a73d79d9782d25c45e2bd3130a8-busybox-1",
        "10c5c6b14bb87b96045e5c591cd0e373-compose-1",
        "620cfe8a24230665bbf681a3d473bfc1-victoria-1",
    ],
    "arm64": [
        "78a50ecfd625c32f0ca31f5127b20f5e-glibc-1",
        "2dc0bed7ad3532092dae12d3b8e79d42-prometheus-1",
        "ec58b1e7000074313d4a16fa2fcc6d29-alertmanager-1",
        "1624be3af61960f440e467c048a3cdca-node_exporter-1",
        "df8e9f8d63277fbe3d42ff133a20bbb7-postgres_exporter-1",
        "2dcf0637cccf6db4f83fda996bab7351-blackbox_exporter-1",
        "81f541d510c968bf300f4f0110604bb3-postgresql-1",
        "62693bca1ac73343c528c821823a6847-nginx-1",
        "919befa3bce09f0e058e5f02896103a2-loki-1",
        "56f6ca885376389a7786ea6969df6384-promtail-1",
        "a0225574b228f02ae0ec968a3ea14f29-grafana-1",
        "baa00a0e06b8036e4016defb1abd20c4-chromium-1",
        "942cfa125d439cf02b5aca508bb14490-python-1",
        "f2a048c82f561f661b068a5653402eac-busybox-1",
        "6c4cd2809d08dfd25d52a101af3ceea6-compose-1",
        "61c2c015dfe2434986cd7c0cbc99ec1b-victoria-1",
    ],
}
"""What `invented_lock` makes of the recipes. A change here means that everybody builds the package
(and what needs it) again: right for a changed recipe, wrong for one that was only moved."""


RECIPES = tuple(package for package in PACKAGES if not package.page)
"""All but web pages: those have sources of their own, which move on with the page."""


def invented_lock() -> Lock:
    """All artifacts and outputs pinned, so that only the recipes decide; the real one moves on."""

    def sha256(of: str) -> str:
        return hashlib.sha256(of.encode()).hexdigest()

    return Lock(
        suite="test",
        release="1",
        snapshot="20260101T000000Z",
        artifacts=tuple(
            Artifact(name=name, version="1", architecture="all", path=name, sha256=sha256(name))
            for package in RECIPES
            for name in (*package.debs, *package.releases)
        ),
        outputs={
            (system, package.name): Output(sha256=sha256(package.name), size=1)
            for system in SYSTEMS.values()
            for package in RECIPES
        },
    )


@pytest.mark.parametrize("system", SYSTEMS.values())
def test_names_of_outputs_follow_from_recipe_and_lock(system: str) -> None:
    derivations = derive(RECIPES, invented_lock(), system).values()
    assert [each.store_name for each in derivations] == NAMES[system]


def test_derivation_mentions_no_module() -> None:
    for derivation in derive(RECIPES, invented_lock(), "amd64").values():
        assert "stack" not in derivation.json()
