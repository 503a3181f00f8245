"""loki-config.yml as the store reads it."""

import pytest
import yaml

from stack.errors import BadInput
from stack.paths import REPO
from stack.programs.logstore.settings import load

FILE = REPO / "stack/config/loki/loki-config.yml"


def test_settings_of_the_checked_in_file():
    found = load(FILE)
    assert found.port == 3100
    assert found.limits.behind_s == 3600
    assert found.limits.retention_s == 7 * 24 * 3600
    assert found.limits.line_bytes == 256 * 1024
    assert found.ruler.interval_s == 15


def changed(tmp_path, key: str, value: object):
    document = yaml.safe_load(FILE.read_text())
    *sections, last = key.split(".")
    node = document
    for section in sections:
        node = node.setdefault(section, {})
    node[last] = value
    path = tmp_path / "loki-config.yml"
    path.write_text(yaml.safe_dump(document))
    return path


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("querier.max_concurrent", 4),
        ("compactor.retention_enabled", False),
        ("limits_config.retention_period", "31d"),
        ("limits_config.max_line_size", 1048576),
        ("limits_config.query_timeout", "1m30s"),
        ("ruler.alertmanager_url", ""),
    ],
)
def test_settings_follow_or_leave_alone_what_loki_knows(tmp_path, key, value):
    load(changed(tmp_path, key, value))


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("auth_enabled", True, "`auth_enabled` is `True`: the embedded store only supports False"),
        ("ingester.wal.enabled", False, "`ingester.wal.enabled` is `False`"),
        ("limits_config.allow_structured_metadata", True, "allow_structured_metadata"),
        ("limits_config.discover_service_name", ["service"], "discover_service_name"),
        ("limits_config.max_line_sise", "1KB", "Did you mean `limits_config.max_line_size`?"),
        ("limits_config.max_line_size", "big", "expected a size such as 256KB"),
        ("limits_config.query_timeout", "soon", "`soon` is not a duration"),
        ("limits_config.reject_old_samples", "yes", "expected true or false"),
        ("ruler.alertmanager_url", "alertmanager:9093", "expected one http:// or https:// URL"),
        ("ruler.storage.type", "s3", "`ruler.storage.type` is `s3`"),
        ("surprise", 1, "`surprise` is not known to the embedded store"),
    ],
)
def test_settings_refuse_what_cannot_be_followed(tmp_path, key, value, words):
    path = changed(tmp_path, key, value)
    with pytest.raises(BadInput) as refused:
        load(path)
    assert words in str(refused.value)
    assert str(path) in str(refused.value)


def test_settings_refuse_a_file_that_leaves_loki_a_default_it_cannot_follow(tmp_path):
    document = yaml.safe_load(FILE.read_text())
    del document["limits_config"]["allow_structured_metadata"]
    path = tmp_path / "loki-config.yml"
    path.write_text(yaml.safe_dump(document))
    with pytest.raises(BadInput, match="allow_structured_metadata` is `True`"):
        load(path)
