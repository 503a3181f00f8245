"""Addresses and secrets in the YAML that people edit are resolved for one instance."""

from pathlib import Path

import pytest
import yaml

from stack.errors import BadInput
from stack.run.render import render, render_template, stranger
from stack.run.service import Layout
from stack.yamltext import load

LAYOUT = Layout(
    name="t",
    directory=Path("/instance"),
    config_root=Path("/config"),
    speed=1.0,
    ports={"backend": {"http": 20001}, "inbox": {"http": 20002, "smtp": 20003}, "simhost": {}},
    addresses={
        "backend:8000": "127.0.0.1:20001",
        "inbox:8025": "127.0.0.1:20002",
        "inbox:1025": "127.0.0.1:20003",
    },
    packages={},
)


def rendered(document: object) -> object:
    return yaml.safe_load(render(document, LAYOUT, file=Path("some.yml")))


@pytest.mark.parametrize(
    "text",
    [
        "15s",
        "https://github.com/residency/lab/blob/main/backend:8000.md",
        "the backend:8000 is slow",
        "#alerts-database",
        "google.com:443",
        "other:8000",
        '{{ template "backend:8000" }}',
    ],
)
def test_render_leaves_text_that_addresses_no_service(text: str) -> None:
    assert rendered({"a": [text]}) == {"a": [text]}


@pytest.mark.parametrize(
    ("text", "resolved"),
    [
        ("backend:8000", "127.0.0.1:20001"),
        ("inbox:1025", "127.0.0.1:20003"),
        ("http://inbox:8025/v2/enqueue", "http://127.0.0.1:20002/v2/enqueue"),
    ],
)
def test_render_resolves_a_service_address(text: str, resolved: str) -> None:
    assert rendered({"a": {"b": text}}) == {"a": {"b": resolved}}


def test_render_keeps_the_written_address_as_instance_label() -> None:
    job = {"static_configs": [{"targets": ["backend:8000", "inbox:8025"], "labels": {"x": "y"}}]}
    assert rendered(job) == {
        "static_configs": [
            {"targets": ["127.0.0.1:20001"], "labels": {"instance": "backend:8000", "x": "y"}},
            {"targets": ["127.0.0.1:20002"], "labels": {"instance": "inbox:8025", "x": "y"}},
        ]
    }


def test_template_that_defines_nothing_but_an_address_is_resolved() -> None:
    text = """{{ define "a" }}http://inbox:8025{{ end }} {{ define "b" -}} backend:8000 {{- end }}
{{ define "c" }}at http://inbox:8025{{ end }}{{ define "d" }}{{ .X }}{{ end }} inbox:8025
{{ define "e" }}{{ end }}{{ define "f" }}inbox:8025{{ .X }}{{ end }}"""
    resolved = text.replace("}http://inbox:8025{", "}http://127.0.0.1:20002{", 1)
    resolved = resolved.replace(" backend:8000 ", "127.0.0.1:20001")
    assert render_template(text, LAYOUT, file=Path("x.tmpl")) == resolved
    with pytest.raises(BadInput, match=r"x\.tmpl: `inbox:9`: .*no port 9"):
        render_template('{{ define "a" }}inbox:9{{ end }}', LAYOUT, file=Path("x.tmpl"))


def test_render_makes_secrets_absolute() -> None:
    assert rendered({"key_file": "/run/secrets/key"}) == {"key_file": "/instance/secrets/key"}


def test_render_refuses_a_port_that_the_service_does_not_have() -> None:
    with pytest.raises(BadInput, match=r"some\.yml: `inbox:9`: .*no port 9") as caught:
        rendered("inbox:9")
    assert "inbox:8025 or inbox:1025" in caught.value.cure


def test_load_names_line_and_column_of_a_yaml_error(tmp_path: Path) -> None:
    file = tmp_path / "rules.yml"
    file.write_text("groups:\n  - name: a\n   rules: []\n")
    with pytest.raises(BadInput, match=rf"{file}:3:4: not valid YAML"):
        load(file)


def test_load_names_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"prometheus\.yml` is missing"):
        load(tmp_path / "prometheus.yml")


@pytest.mark.parametrize(
    ("document", "found"),
    [
        ({"a": {"b": ["/data/x", "text"]}, "c": "/etc/rules"}, ("", "")),
        ({"a": {"b": ["/data/x", "/dta/x"]}}, ("a.b[1]", "/dta/x")),
        ({"a": "/etc/rule"}, ("a", "/etc/rule")),
        ([{"a": 1}, {"a": {"b": "/"}}], ("[1].a.b", "/")),
        (None, ("", "")),
    ],
)
def test_path_that_no_instance_has_a_folder_for_is_found(document, found) -> None:
    assert stranger(document, ("/data/",), ("/etc/rules",)) == found
