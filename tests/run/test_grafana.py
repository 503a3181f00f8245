"""The dashboards' service: one set of files, for Grafana and for the viewer."""

import configparser
import json
import stat
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from stack.errors import BadInput, HostCannot
from stack.paths import CONFIG_ROOT
from stack.run import lifecycle, secrets, validity
from stack.run.choice import GRAFANA
from stack.run.instance import Record, layout_of
from stack.run.ports import free
from stack.run.service import Layout
from stack.run.services import SERVICES, grafana

SOURCES = """\
apiVersion: 1
datasources:
  - name: Prometheus
    uid: prometheus
    type: prometheus
    url: http://prometheus:9090
    isDefault: true
    jsonData: {timeInterval: 15s}
  - {name: Loki, uid: loki, type: loki, url: "http://loki:3100"}
"""
PROVIDERS = """\
apiVersion: 1
providers:
  - name: lab
    options: {path: /etc/grafana/dashboards}
"""


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    root = tmp_path / "config-root" / "grafana"
    for path, text in {
        "provisioning/datasources/all.yml": SOURCES,
        "provisioning/dashboards/all.yml": PROVIDERS,
        "dashboards/overview.json": json.dumps({"uid": "overview", "title": "Overview"}),
        "dashboards/more.json": json.dumps({"uid": "more", "title": "More"}),
        "../prometheus/prometheus.yml": "global: {scrape_interval: 15s}",
    }.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    record = Record(
        name="t", speed=60.0, ports=free(SERVICES.values()), config_root=str(root.parent),
        packages={}, hash="", created=0.0,
    )  # fmt: skip
    return layout_of(record, tmp_path / "instance")


def real(layout: Layout) -> Layout:
    return replace(layout, packages={"grafana": Path("/store/x-grafana")})


def test_data_sources_are_the_instances_own(layout: Layout) -> None:
    text = grafana.config(layout)["provisioning/datasources/all.yml"]
    first, second = yaml.safe_load(text)["datasources"]
    assert first["url"] == layout.url("prometheus")
    assert second["url"] == layout.url("loki", "http")
    assert first["uid"] == "prometheus"


@pytest.mark.parametrize(
    ("speed", "interval"), [(1.0, "15s"), (4.0, "4s"), (60.0, "1s"), (1000.0, "1s")]
)
def test_scrape_interval_is_that_of_the_speed_in_whole_seconds(
    layout: Layout, speed: float, interval: str
) -> None:
    files = grafana.config(replace(layout, speed=speed))
    first = yaml.safe_load(files["provisioning/datasources/all.yml"])["datasources"][0]
    assert first["jsonData"] == {"timeInterval": interval}


def test_dashboards_are_looked_for_where_they_are(layout: Layout) -> None:
    files = grafana.config(replace(layout, speed=1.0))
    provider = yaml.safe_load(files["provisioning/dashboards/all.yml"])["providers"][0]
    assert provider["options"]["path"] == str(layout.config("grafana") / "dashboards")
    source = layout.config_root / "grafana" / "dashboards" / "overview.json"
    assert files["dashboards/overview.json"] == source.read_text()


def test_dashboards_live_at_the_speed_of_the_instance(layout: Layout) -> None:
    file = layout.config_root / "grafana" / "dashboards" / "more.json"
    panel = {
        "type": "stat",
        "targets": [{"expr": "rate(up[10m])"}, {"expr": "increase(up[$__range])"}],
    }
    document = {"uid": "more", "title": "More", "time": {"from": "now-6h"}, "panels": [panel]}
    file.write_text(json.dumps(document))
    scaled = json.loads(grafana.config(layout)["dashboards/more.json"])
    assert [target["expr"] for target in scaled["panels"][0]["targets"]] == [
        "rate(up[10s])", "increase(up[$__range])",
    ]  # fmt: skip
    assert scaled["time"]["from"] == "now-6m"


def test_both_get_the_same_files_and_grafana_its_settings(layout: Layout) -> None:
    own, theirs = grafana.config(layout), grafana.config(real(layout))
    assert own.items() <= theirs.items()
    more = set(theirs) - set(own)
    assert {"grafana.ini"} < more
    assert {path for path in more if not path.startswith("provisioning/")} == {"grafana.ini"}


def test_grafana_asks_nobody_outside_and_lets_nobody_in(layout: Layout) -> None:
    written = configparser.RawConfigParser()
    written.read_string(grafana.config(real(layout))["grafana.ini"])
    for section, key, value in (
        ("server", "http_addr", "127.0.0.1"),
        ("server", "http_port", str(layout.port("grafana"))),
        ("analytics", "reporting_enabled", "false"),
        ("analytics", "check_for_updates", "false"),
        ("analytics", "check_for_plugin_updates", "false"),
        ("users", "allow_sign_up", "false"),
        ("security", "disable_gravatar", "true"),
        ("plugins", "plugin_admin_enabled", "false"),
        ("auth.anonymous", "org_role", "Viewer"),
        ("security", "admin_password",
         f"$__file{{{layout.secret('grafana_admin_password')}}}"),
        ("paths", "data", str(layout.data("grafana"))),
        ("paths", "provisioning", str(layout.config("grafana") / "provisioning")),
    ):  # fmt: skip
        assert written[section][key] == value, (section, key)


def test_no_file_holds_a_password(layout: Layout) -> None:
    layout.directory.mkdir()
    secrets.generate(layout)
    key = layout.secret("grafana_secret_key").read_text()
    for of in (layout, real(layout)):
        assert not any(key in text for text in grafana.config(of).values())
        assert not any(key in part for part in grafana.command(of))


def test_development_has_the_password_that_the_readme_says(layout: Layout) -> None:
    layout.directory.mkdir()
    secrets.generate(layout)
    file = layout.secret("grafana_admin_password")
    assert file.read_text() == "admin"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    file.write_text("chosen by hand")
    secrets.generate(layout)
    assert file.read_text() == "chosen by hand"


def test_viewer_reaches_the_instances_own_services_and_no_others(layout: Layout) -> None:
    command = grafana.command(layout)
    reach = [command[at + 1] for at, part in enumerate(command) if part == "--reach"]
    assert reach == [
        f"127.0.0.1:{layout.port(name)}" for name in ("prometheus", "loki", "alertmanager")
    ]


def test_viewer_shows_the_page_of_the_store(layout: Layout) -> None:
    assert "--page" not in grafana.command(layout)
    packages = {"viewer": Path("/store/x-viewer")}
    command = grafana.command(replace(layout, packages=packages))
    assert command[command.index("--page") + 1] == "/store/x-viewer/share/viewer"


def test_folder_without_dashboards_is_good(layout: Layout) -> None:
    """Somebody else's configuration may have none."""
    empty = replace(layout, config_root=layout.directory)
    grafana.check(empty, None)
    assert grafana.config(empty) == {}


def test_the_labs_own_files_are_good(layout: Layout) -> None:
    own = replace(layout, config_root=CONFIG_ROOT)
    grafana.check(own, None)
    for speed in (1.0, 60.0, 1000.0):
        files = grafana.config(replace(own, speed=speed))
        assert f"dashboards/{grafana.HOME}" in files


SPOILT = [
    ("dashboards/more.json", '{\n"uid" 3}',
     "more.json: it is not JSON: Expecting ':' delimiter, line 2"),
    ("dashboards/more.json", "[]", "more.json: it is not a JSON object"),
    ("dashboards/more.json", '{"uid": "m"}', "more.json: its `title` is missing or not text"),
    ("dashboards/overview.json", '{"uid": "more", "title": "M"}',
     "overview.json: its `uid` is `more`, which `more.json` has, too"),
    ("provisioning/datasources/all.yml", SOURCES.replace("type: loki", "type: graphite"),
     "all.yml:9: `datasources[1].type` is `graphite`, which the lab's viewer does not know"),
    ("provisioning/datasources/all.yml", SOURCES.replace("uid: prometheus", "uid: loki"),
     "`datasources[1].uid` is `loki`, which another data source has"),
    ("provisioning/datasources/all.yml", "datasources: [", "all.yml:2:1: not valid YAML"),
    ("provisioning/dashboards/all.yml", PROVIDERS.replace("path", "folder"),
     "`providers[0].options.path` is missing or not text"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "text", "said"), SPOILT, ids=[one[2] for one in SPOILT])
def test_what_cannot_be_used_is_said_before_anything_starts(
    layout: Layout, path: str, text: str, said: str
) -> None:
    (layout.config_root / "grafana" / path).write_text(text)
    services = {"grafana": grafana.SERVICE}
    with pytest.raises(BadInput) as caught:
        validity.check_sources(layout, services)
    assert said in caught.value.what
    assert caught.value.cure


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("prometheus:9090", "prometheus:9099", "`prometheus` has no port 9099"),
        ("15s", "soon", "`timeInterval`: `soon` is not a duration"),
    ],
)
def test_what_cannot_be_rendered_is_said(layout: Layout, old: str, new: str, said: str) -> None:
    file = layout.config_root / "grafana" / "provisioning" / "datasources" / "all.yml"
    file.write_text(SOURCES.replace(old, new))
    with pytest.raises(BadInput) as caught:
        grafana.config(layout)
    assert str(file) in caught.value.what
    assert said in caught.value.what


def test_grafana_itself_knows_more_than_the_viewer(layout: Layout) -> None:
    file = layout.config_root / "grafana" / "provisioning" / "datasources" / "all.yml"
    file.write_text(SOURCES.replace("type: loki", "type: graphite"))
    grafana.check(real(layout), None)
    file.write_text("datasources: [")
    with pytest.raises(BadInput, match="not valid YAML"):
        grafana.check(real(layout), None)


def test_service_is_known_by_name_to_the_choice() -> None:
    assert GRAFANA.packages == (grafana.SERVICE.name,)


def test_viewer_runs_without_its_page_where_npm_is_not_available(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def realise(names: list[str]) -> dict[str, Path]:
        if "viewer" in names:
            raise HostCannot("no npm registry is configured", cure="Name one.")
        return {name: Path(name) for name in names}

    monkeypatch.setenv("STACK_GRAFANA", "viewer")
    monkeypatch.setenv("STACK_LOGS", "embedded")
    monkeypatch.setattr(lifecycle, "realise", realise)
    found = lifecycle._realised(SERVICES.values())
    assert "prometheus" in found
    assert "viewer" not in found
    said = capsys.readouterr().err
    assert "the lab's viewer runs without its page" in said
    assert "no npm registry is configured" in said


def test_what_every_instance_needs_is_not_done_without(monkeypatch: pytest.MonkeyPatch) -> None:
    def realise(names: list[str]) -> dict[str, Path]:
        raise HostCannot("no mirror answers")

    monkeypatch.setenv("STACK_GRAFANA", "viewer")
    monkeypatch.setenv("STACK_LOGS", "embedded")
    monkeypatch.setattr(lifecycle, "realise", realise)
    with pytest.raises(HostCannot, match="no mirror answers"):
        lifecycle._realised(SERVICES.values())
