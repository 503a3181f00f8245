"""Which program runs: by wish, else the real one where it can be had, or the lab's own."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from stack.errors import BadInput, HostCannot
from stack.paths import CONFIG_ROOT
from stack.run.choice import CHOICES, GRAFANA, LOGS, Choice, behind, told
from stack.run.instance import Record, layout_of
from stack.run.ports import free
from stack.run.service import Layout
from stack.run.services import SERVICES, cadvisor, grafana, loki, promtail
from stack.run.startup import start_all
from stack.store import packageset
from stack.store.artifact import Artifact
from stack.store.optional import Unreachable

AWAY = Unreachable(
    artifact=Artifact(name="loki", version="1", architecture="amd64", path="http://x/l", sha256=""),
    reason="HTTP 404",
    age_s=3600.0,
)


@pytest.fixture
def upstream(monkeypatch: pytest.MonkeyPatch):
    """What asking for the packages gives, and whether they can then be realised."""

    def answers(found: Unreachable | None, *, breaks: bool = False) -> None:
        def obtain(names: object) -> Unreachable | None:
            if breaks:
                raise HostCannot("the disk is full")
            return found

        monkeypatch.setattr(packageset, "available", lambda names: found)
        monkeypatch.setattr(packageset, "obtain", obtain)

    return answers


WISHES = [
    ("auto", None, False, "loki"),
    ("", None, False, "loki"),
    ("auto", AWAY, False, "embedded"),
    ("auto", None, True, "embedded"),
    ("embedded", None, False, "embedded"),
    ("loki", AWAY, False, "loki"),
]


@pytest.mark.parametrize(("wish", "found", "breaks", "wanted"), WISHES)
def test_variant(monkeypatch, upstream, wish: str, found, breaks: bool, wanted: str) -> None:
    monkeypatch.setenv("STACK_LOGS", wish)
    upstream(found, breaks=breaks)
    assert LOGS.variant() == wanted


@pytest.mark.parametrize(
    ("found", "breaks", "said"),
    [
        (replace(AWAY, age_s=0.0), False, "http://x/l: HTTP 404"),
        (None, True, "the disk is full"),
        (AWAY, False, ""),  # remembered: said with the addresses
        (None, False, ""),
    ],
)
def test_falling_back_is_said_with_reason_and_cure(
    monkeypatch, upstream, capsys, found, breaks: bool, said: str
) -> None:
    monkeypatch.setenv("STACK_LOGS", "auto")
    upstream(found, breaks=breaks)
    LOGS.variant()
    told = capsys.readouterr().err
    assert bool(told) == bool(said)
    assert said in told
    assert not said or "STACK_LOGS=embedded chooses them without asking" in told


@pytest.mark.parametrize(
    ("chosen", "said"),
    [
        (LOGS, "Loki and Promtail are not available, so the lab's own store and shipper run "
         "instead:\n    http://x/l: HTTP 404 (asked again in 24 h)\n  STACK_LOGS=embedded chooses "
         "them without asking."),
        (GRAFANA, "Grafana is not available, so the lab's viewer runs instead:\n"
         "    http://x/l: HTTP 404 (asked again in 24 h)\n  STACK_GRAFANA=viewer chooses it "),
    ],
    ids=["several programs", "one program"],
)  # fmt: skip
def test_falling_back_is_said_in_good_english(
    monkeypatch, upstream, capsys, chosen: Choice, said: str
) -> None:
    monkeypatch.setenv(chosen.variable, "auto")
    upstream(replace(AWAY, age_s=0.0))
    assert chosen.variant() == chosen.own
    assert capsys.readouterr().err.startswith(said)


def test_each_choice_has_its_own_variable(monkeypatch, upstream) -> None:
    upstream(None)
    monkeypatch.setenv("STACK_LOGS", "embedded")
    monkeypatch.setenv("STACK_GRAFANA", "viewer")
    assert [choice.variant() for choice in CHOICES] == ["embedded", "viewer"]
    assert [choice.needed() for choice in CHOICES] == [(), GRAFANA.own_packages]
    monkeypatch.setenv("STACK_GRAFANA", "grafana")
    assert [choice.variant() for choice in CHOICES] == ["embedded", "grafana"]
    assert GRAFANA.needed() == ("grafana",)
    monkeypatch.setenv("STACK_GRAFANA", "embedded")
    with pytest.raises(BadInput, match="STACK_GRAFANA is `embedded`") as caught:
        GRAFANA.variant()
    assert caught.value.cure == "Set it to `auto`, `grafana` or `viewer`, or unset it."


def test_who_needs_a_package_is_said_in_good_english() -> None:
    assert LOGS.wanting("loki") == "Loki and Promtail need it where they run"
    assert GRAFANA.wanting("grafana") == "Grafana needs it where it runs"
    assert GRAFANA.wanting("viewer") == "the lab's viewer needs it where it runs"


def test_choice_behind_a_service() -> None:
    assert behind("promtail") is LOGS
    assert behind("grafana") is GRAFANA
    assert behind("prometheus") is None


def test_told_names_what_an_instance_runs() -> None:
    own = "logs by the lab's own store and shipper"
    assert told(["grafana"]) == f"{own}, dashboards by Grafana"
    assert told([]) == f"{own}, dashboards by the lab's viewer"
    # An instance that was made before there were dashboards.
    assert told([], ["loki", "promtail"]) == own


def test_variant_names_the_three_choices(monkeypatch, upstream) -> None:
    monkeypatch.setenv("STACK_LOGS", "elastic")
    with pytest.raises(BadInput, match="STACK_LOGS is `elastic`") as caught:
        LOGS.variant()
    assert caught.value.cure == "Set it to `auto`, `loki` or `embedded`, or unset it."


@pytest.mark.parametrize(
    ("wish", "running", "told"),
    [
        ("auto", "embedded", "shipper (http://x/l: HTTP 404 (asked again in 23 h))"),
        ("embedded", "embedded", "the lab's own store and shipper (STACK_LOGS=embedded)"),
        ("auto", "loki", "Loki and Promtail"),
    ],
)
def test_said_tells_why_it_is_not_the_real_one(
    monkeypatch, upstream, wish: str, running: str, told: str
) -> None:
    monkeypatch.setenv("STACK_LOGS", wish)
    upstream(AWAY)
    packages = LOGS.packages if running == LOGS.real else ()
    assert LOGS.reason(packages).endswith(told)


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    names = [service.package for service in SERVICES.values() if service.package]
    record = Record(
        name="t", speed=60.0, ports=free(SERVICES.values()), config_root=str(CONFIG_ROOT),
        packages={name: f"/store/{name}" for name in names}, hash="", created=0.0,
    )  # fmt: skip
    return layout_of(record, tmp_path)


def real(layout: Layout) -> Layout:
    names = [name for choice in CHOICES for name in choice.packages]
    packages = {**layout.packages, **{name: Path(f"/store/x-{name}") for name in names}}
    return replace(layout, packages=packages)


def test_services_run_what_the_instance_has(layout: Layout) -> None:
    assert loki.command(layout)[1:3] == ["-m", "stack.programs.logstore"]
    assert promtail.command(layout)[1:3] == ["-m", "stack.programs.logship"]
    assert loki.command(real(layout))[0] == "/store/x-loki/bin/loki"
    assert promtail.command(real(layout))[0] == "/store/x-promtail/bin/promtail"
    assert grafana.command(layout)[1:3] == ["-m", "stack.programs.viewer"]
    assert grafana.command(real(layout))[:2] == ["/store/x-grafana/bin/grafana", "server"]


def test_note_says_which_stands_in(layout: Layout) -> None:
    assert LOGS.note("loki", layout.packages) == " (the lab's own)"
    assert LOGS.note("prometheus", layout.packages) == ""
    assert LOGS.note("loki", real(layout).packages) == ""


def test_container_has_the_image_that_runs(layout: Layout) -> None:
    def image(of: Layout) -> str:
        return str(
            json.loads(cadvisor.config(of, SERVICES)["containers.json"])["promtail"]["image"]
        )

    assert image(layout) == cadvisor.OWN_IMAGE
    assert image(real(layout)) == "x-promtail"


def test_promtail_config_is_that_of_the_instance(layout: Layout) -> None:
    document = yaml.safe_load(promtail.config(layout)["promtail-config.yml"])
    assert document["clients"][0]["url"] == f"{layout.url('loki', 'http')}/loki/api/v1/push"
    assert document["clients"][0]["batchwait"] == "100ms"
    assert document["server"]["http_listen_port"] == layout.port("promtail")
    assert document["server"]["http_listen_address"] == "127.0.0.1"
    placed = document["scrape_configs"][-1]["static_configs"][0]["labels"]
    assert placed["__path__"] == f"{layout.directory}/logs/*.log"
    assert placed["__path_exclude__"].startswith(f"{layout.directory}/logs/{{backend,")
    data = layout.data("promtail")
    assert document["positions"]["filename"] == f"{data}/positions-embedded.yaml"
    other = yaml.safe_load(promtail.config(real(layout))["promtail-config.yml"])
    assert other["positions"]["filename"] == f"{data}/positions-loki.yaml"


def test_promtail_config_names_no_path_of_the_container(layout: Layout) -> None:
    assert "/var/l" not in promtail.config(layout)["promtail-config.yml"]


def test_real_program_that_dies_at_its_start_names_the_alternative(layout: Layout) -> None:
    class Gone:
        def states(self) -> dict[str, object]:
            return {}

        def start_process(self, name: str) -> None: ...

    def failure(of: Layout, service: str) -> str:
        dead = replace(SERVICES[service], ready=lambda layout: "nobody answers", after=())
        with pytest.raises(HostCannot, match="stopped while starting") as caught:
            start_all(of, Gone(), {service: dead})  # type: ignore[arg-type]
        return str(caught.value)

    logs = "STACK_LOGS=embedded runs the lab's own store and shipper instead."
    dashboards = "STACK_GRAFANA=viewer runs the lab's viewer instead."
    for name, alternative in (("loki", logs), ("promtail", logs), ("grafana", dashboards)):
        assert alternative in failure(real(layout), name)
        assert alternative not in failure(layout, name)
    assert " instead." not in failure(real(layout), "inbox")
