"""The monitoring of the monitoring reads what the programs really export, within real limits."""

import re

import yaml
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from scenarios.proof.gate import selectors
from stack.paths import REPO
from stack.programs.logship.metrics import Metrics as Shipped
from stack.programs.logstore.metrics import Metrics as Stored

CONFIG = REPO / "stack" / "config"
MAIN = yaml.safe_load((CONFIG / "prometheus" / "prometheus.yml").read_text())
RULES = {
    rule["alert"]: rule
    for program in ("prometheus", "loki")
    for group in yaml.safe_load((CONFIG / program / "rules" / "monitoring.yml").read_text())[
        "groups"
    ]
    for rule in group["rules"]
}


def exported(text: str) -> set[str]:
    return {one.name for family in text_string_to_metric_families(text) for one in family.samples}


def test_rules_read_of_the_log_pair_what_it_exports_from_its_start() -> None:
    """Loki and Promtail have the same names; the lab's pair must not lose one of them."""
    store = Stored()
    store.discarded("line_too_long", 1, 1)
    # The ruler makes these of each group and each Alertmanager when it starts.
    store.evaluation_failures.labels("logs")
    store.notification_errors.labels("http://alertmanager:9093")
    offered = {
        "loki": exported(store.text().decode()) | {"up"},
        "promtail": exported(generate_latest(Shipped("loki:3100").registry).decode()) | {"up"},
    }
    read: dict[str, set[str]] = {"loki": set(), "promtail": set()}
    for rule in RULES.values():
        for metric, job in re.findall(r'(\w+)\{job="(\w+)"\}', rule["expr"]):
            if job in read:
                read[job].add(metric)
    assert read == {
        "loki": {
            "up",
            "loki_discarded_samples_total",
            "loki_prometheus_notifications_errors_total",
            "loki_prometheus_rule_evaluation_failures_total",
        },
        "promtail": {"promtail_dropped_entries_total", "promtail_batch_retries_total"},
    }
    for job, metrics in read.items():
        assert metrics <= offered[job]


def test_rule_on_refused_lines_needs_no_counter_that_loki_makes_with_the_first_one() -> None:
    needed = selectors(RULES["LogLinesRefused"]["expr"])
    assert not [one for one in needed if "loki_discarded_samples_total" in one]


def test_every_job_and_every_scrape_has_limits() -> None:
    for limit in ("body_size_limit", "target_limit", "label_limit", "label_name_length_limit",
                  "label_value_length_limit"):  # fmt: skip
        assert MAIN["global"][limit], limit
    for job in MAIN["scrape_configs"]:
        assert job.get("sample_limit"), job["job_name"]
