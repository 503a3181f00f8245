"""The table of what scrape jobs offer: read and written alike, and as a running lab has it."""

import json
import urllib.request
from pathlib import Path

import pytest

from stack.check import offered
from stack.check.offered import Offered, ask, merged, rows, table
from stack.run.instance import Instance
from stack.run.lifecycle import bring_up
from tests.waiting import eventually


def test_table_is_as_it_would_be_written() -> None:
    assert "\n".join(rows(table())) + "\n" == offered.TABLE.read_text()


def test_merging_keeps_what_comes_only_with_its_event(tmp_path: Path) -> None:
    before = Offered(jobs={"a": {"seen": frozenset({"x"}), "rare": None}, "gone": {"m": None}})
    now = Offered(jobs={"a": {"seen": frozenset({"y"}), "new": frozenset()}})
    assert merged(before, now).jobs == {
        "a": {"seen": frozenset({"x", "y"}), "rare": None, "new": frozenset()}
    }


def strangers(before: Offered, now: Offered) -> list[str]:
    """What is offered now and not in the table."""
    found = []
    for job, offer in now.jobs.items():
        known = before.jobs.get(job, {})
        for name, labels in offer.items():
            if name not in known:
                found.append(f"{job}: {name}")
            elif more := (labels or frozenset()) - (known[name] or frozenset()):
                found.append(f"{job}: {name}: {', '.join(sorted(more))}")
    return found


def scraped(instance: Instance) -> bool:
    """Whether every target has answered, and more than once."""
    url = f"{instance.url('prometheus')}/api/v1/query?query=min(sum_over_time(up[10m]))"
    with urllib.request.urlopen(url, timeout=30) as reply:
        found = json.load(reply)["data"]["result"]
    return bool(found) and float(found[0]["value"][1]) >= 3


@pytest.mark.nightly
@pytest.mark.alone
@pytest.mark.timeout(900)
def test_table_is_what_a_running_lab_offers(
    state_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STACK_LOGS", "embedded")
    instance = bring_up("offered", free_ports=True)
    eventually(lambda: scraped(instance), "three scrapes of every target", within_s=600)
    now = ask(instance.url("prometheus"))
    # The load generator is there only while it loads; what it offers, its own test compares.
    assert now.jobs.keys() == table().jobs.keys() - {"load"}
    assert not strangers(table(), now), "write the table again: its head says how"
    # Most of it is there at once; the rest comes with events.
    for job, offer in table().jobs.items():
        if job == "load":
            continue
        there = offer.keys() & now.jobs[job].keys()
        assert len(there) >= 0.8 * len(offer), (job, sorted(offer.keys() - there))
