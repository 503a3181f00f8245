"""What of the configuration a verdict follows from: each edit touches exactly the right alerts."""

import shutil
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path
from random import Random

import pytest

from scenarios.proof import catalogue
from scenarios.proof.configured import Configured
from scenarios.proof.scenario import Scenario
from stack.check.configuration import Configuration, read
from stack.check.routes import inhibit_rules
from stack.check.yamlfile import ConfigFile, parse
from stack.errors import BadInput
from stack.mutation import delivery, everything, ways
from stack.mutation.mutant import Mutant
from stack.paths import CONFIG_ROOT

SPEED = 60.0

Keys = Mapping[str, Mapping[str, str]]


@cache
def scenarios() -> tuple[Scenario, ...]:
    return tuple(one.scenario for one in catalogue.find())


@cache
def original() -> Configuration:
    return read(CONFIG_ROOT)


def keys(configuration: Configuration, of: Collection[str] = ()) -> Keys:
    """Of these, of all when there are none."""
    parts = Configured(configuration, scenarios())
    asked = [one for one in scenarios() if one.alert in of or not of]
    found = {one.alert: parts.alert(one, SPEED) for one in asked}
    return found | ({"routing": parts.routing()} if "routing" in of or not of else {})


@cache
def before() -> Keys:
    return keys(original())


def differ(after: Keys) -> frozenset[str]:
    return frozenset(name for name, parts in after.items() if parts != before()[name])


EVERY = frozenset(one.alert for one in scenarios()) | {"routing"}
ALERTS = EVERY - {"routing"}


def touching(name: str) -> frozenset[str]:
    """The alert, and those whose scenario says that it may fire beside them."""
    return frozenset({name} | {one.alert for one in scenarios() if name in one.follows})


def reached_by(channel: str) -> frozenset[str]:
    return frozenset(one.alert for one in scenarios()
                     if any(want.channel == channel for want in one.notifications))  # fmt: skip


@pytest.fixture
def root(tmp_path: Path) -> Path:
    where = tmp_path / "config"
    shutil.copytree(CONFIG_ROOT, where)
    return where


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))


ALERTMANAGER = "alertmanager/alertmanager.yml"

QUIET = {
    "a unit test": ("prometheus/tests/host.yml", "rule_files:", "# why\nrule_files:"),
    "a comment in the rules": ("prometheus/rules/database.yml", "groups:", "# why\ngroups:"),
    "a comment in the routes": (ALERTMANAGER, "route:", "# why\nroute:"),
    "another spelling": (ALERTMANAGER, "smtp_hello: alertmanager.residency.example",
                         "smtp_hello: 'alertmanager.residency.example'"),
    "a script": ("scripts/health-check.sh", "\n", "\n# why\n"),
    "containers": ("docker-compose.monitoring.yml", "services:", "# why\nservices:"),
}  # fmt: skip


@pytest.mark.parametrize(("file", "old", "new"), QUIET.values(), ids=QUIET)
def test_what_no_instance_reads_touches_nobody(root: Path, file: str, old: str, new: str) -> None:
    edit(root / file, old, new)
    assert differ(keys(read(root))) == frozenset()


def test_a_copy_is_the_same_wherever_it_lies(root: Path) -> None:
    assert differ(keys(read(root))) == frozenset()


EDITS: dict[str, tuple[str, str, str, Callable[[], frozenset[str]]]] = {
    "rule": ("prometheus/rules/infrastructure.yml", "- alert: DiskSpaceWarning\n",
             "- alert: DiskSpaceWarning\n        keep_firing_for: 1m\n",
             lambda: touching("DiskSpaceWarning")),
    "rule on logs": ("loki/rules/logs.yml", "- alert: DatabaseFatalErrors\n",
                     "- alert: DatabaseFatalErrors\n        keep_firing_for: 1m\n",
                     lambda: touching("DatabaseFatalErrors")),
    "what always fires": ("prometheus/rules/monitoring.yml", "- alert: Watchdog\n",
                          "- alert: Watchdog\n        keep_firing_for: 1m\n", lambda: EVERY),
    "runbook": ("runbooks/DiskSpaceWarning.md", "\n", "\n\n",
                lambda: frozenset({"DiskSpaceWarning"})),
    "scrape": ("prometheus/prometheus.yml", "scrape_interval: 15s", "scrape_interval: 14s",
               lambda: EVERY),
    "database": ("postgresql/init.sql", "\n", "\n\n", lambda: EVERY),
    "probe": ("blackbox/blackbox.yml", "timeout: ", "timeout: 1", lambda: EVERY),
    "sender": (ALERTMANAGER, "smtp_from: alertmanager", "smtp_from: alerts", lambda: EVERY),
    "heartbeat": (ALERTMANAGER, "/heartbeat/watchdog", "/heartbeat/dog", lambda: EVERY),
    "page": (ALERTMANAGER, "text: Runbook", "text: Book",
             lambda: reached("on-call") | {"routing"}),
    "a team's channel": (ALERTMANAGER, "'#alerts-compliance'", "'#compliance'",
                         lambda: reached("slack-compliance") | {"routing"}),
}  # fmt: skip


def reached(receiver: str) -> frozenset[str]:
    """Alerts of which a receiver is notified, and those beside which one of them may fire."""
    top = original().route
    assert top
    own = {
        one.alert
        for one in scenarios()
        if receiver in [leaf.receiver.value for leaf in top.leaves(one.routed) if leaf.receiver]
    }
    return frozenset(own | {one.alert for one in scenarios() if own & one.follows})


@pytest.mark.parametrize(("file", "old", "new", "touched"), EDITS.values(), ids=EDITS)
def test_an_edit_touches_exactly_whom_it_concerns(
    root: Path, file: str, old: str, new: str, touched: Callable[[], frozenset[str]]
) -> None:
    edit(root / file, old, new)
    assert differ(keys(read(root))) == touched()


def test_a_team_of_its_own_touches_those_of_that_team_alone(root: Path) -> None:
    route = """- {receiver: slack-compliance, matchers: ['team="compliance"']}"""
    edit(root / ALERTMANAGER, route, f"{route[:-1]}, group_wait: 20s}}")
    own = {one.alert for one in scenarios() if one.labels.get("team") == "compliance"}
    beside = {one.alert for one in scenarios() if own & one.follows}
    assert differ(keys(read(root))) == own | beside | {"routing"}


def test_a_new_file_counts_until_somebody_says_that_nothing_reads_it(root: Path) -> None:
    (root / "prometheus" / "targets.json").write_text("[]")
    assert differ(keys(read(root))) == EVERY


def test_a_rule_that_may_mute_an_alert_is_an_input_of_it() -> None:
    assert "rule APIServiceDown" in before()["HighErrorRate"]


def test_a_recording_rule_is_an_input_of_what_uses_it(root: Path) -> None:
    edit(root / "prometheus/rules/infrastructure.yml",
         "record: instance_name:container_seen:1d\n",
         "record: instance_name:container_seen:1d\n        labels: {a: b}\n")  # fmt: skip
    found = differ(keys(read(root)))
    assert {"ContainerDown", "ContainerRestarting"} <= found
    assert "HighErrorRate" not in found


def test_a_route_that_cannot_be_read_concerns_all(root: Path) -> None:
    edit(root / ALERTMANAGER, 'severity=~"critical|warning"', 'severity=~"critical|(warning"')
    assert differ(keys(read(root))) == EVERY


@cache
def mutants() -> tuple[Mutant, ...]:
    return tuple(everything.mutants(read(CONFIG_ROOT)))


class Copy:
    """A configuration of which one file at a time is another one."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.configuration = read(root)

    @contextmanager
    def changed(self, mutant: Mutant) -> Iterator[Configuration]:
        file = self.root / mutant.path
        kept = file.read_text()
        file.write_text(mutant.content)
        try:
            files = dict(self.configuration.files)
            if file in files:
                parsed = parse(file)
                assert isinstance(parsed, ConfigFile)
                files[file] = parsed
            yield replace(self.configuration, files=files)
        finally:
            file.write_text(kept)


def concerned(mutant: Mutant, after: Configuration) -> frozenset[str]:
    """Alerts whose verdict a change may turn over, as others than `configured` say."""
    was = original()
    if mutant.path.parent.name == "rules":
        return frozenset(mutant.alerts) | touching(mutant.subject)
    if mutant.path == Path("prometheus/prometheus.yml"):
        return EVERY
    if mutant.path.suffix == ".tmpl":
        channel = mutant.subject.split("`")[1].partition(".")[0]
        return reached_by(channel) if channel != "lab" else frozenset({"routing"})
    if mutant.path == delivery.FILE:
        return frozenset(_delivered(mutant, was, after)) | {"routing"}
    return frozenset()


def _delivered(mutant: Mutant, was: Configuration, after: Configuration) -> set[str]:
    if mutant.subject == "`global`":
        return set(ALERTS)
    if mutant.subject.startswith("receiver"):
        return set(reached(mutant.subject.split("`")[1]))
    if mutant.subject.endswith("inhibit rule"):
        return {one.alert for one in scenarios() if _muted(one, was) != _muted(one, after)}
    assert was.route
    return {one.alert for one in scenarios()
            if not after.route or _way(one, was) != _way(one, after)}  # fmt: skip


def _way(one: Scenario, configuration: Configuration) -> object:
    top = configuration.route
    try:
        return ways._ways(top, one.routed) if top else None
    except BadInput as error:
        return str(error)


def _muted(one: Scenario, configuration: Configuration) -> object:
    """Who mutes it, and by which labels."""
    file = configuration.alertmanager
    assert file
    try:
        return sorted(
            (other.alert, rule.equal)
            for other in scenarios()
            for rule in inhibit_rules(file.root)
            if other is not one and rule.pairs(other.routed, one.routed)
        )
    except BadInput as error:
        return str(error)


MOST = 6
"""Where a mutant concerns more alerts, so many of them are looked at."""


def check_never_reused(copy: Copy, mutant: Mutant, draw: Random, *, others: bool) -> None:
    """Whom it concerns has other inputs. With `others`, those whom it cannot concern have not."""
    with copy.changed(mutant) as after:
        expected = sorted(concerned(mutant, after))
        asked = frozenset(draw.sample(expected, min(MOST, len(expected))))
        found = differ(keys(after, EVERY if others else asked)) if others or asked else asked
    kept = asked - found
    assert not kept, f"{mutant.name}: the verdicts of {sorted(kept)} would be reused"
    if others and mutant.path.parent.name == "rules" and mutant.subject != "Watchdog":
        muted = {name for name in ALERTS if f"rule {mutant.subject}" in before()[name]}
        assert found <= touching(mutant.subject) | muted | _fleeting(mutant), mutant.name
    if mutant.kind == "panel":
        assert not found, mutant.name


def _fleeting(mutant: Mutant) -> set[str]:
    """A `for` may become so short that it counts at the speed of others."""
    return {one.alert for one in scenarios() if one.speedup > 1 and mutant.kind == "for"}


KINDS = ("rules", "routes", "templates", "scrape", "panels")


def _kind(mutant: Mutant) -> str:
    if mutant.path == delivery.FILE:
        return "routes"
    return {".tmpl": "templates", ".json": "panels"}.get(
        mutant.path.suffix, "rules" if mutant.path.parent.name == "rules" else "scrape"
    )


@pytest.mark.parametrize("kind", KINDS)
def test_no_verdict_is_reused_across_what_mutate_can_change(root: Path, kind: str) -> None:
    """A few of each kind, always the same ones; all of them every night."""
    copy, draw = Copy(root), Random(kind)
    for mutant in draw.sample([one for one in mutants() if _kind(one) == kind], 8):
        check_never_reused(copy, mutant, draw, others=kind == "rules")


@pytest.mark.nightly
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("kind", KINDS)
def test_no_verdict_is_reused_across_any_mutant(root: Path, kind: str) -> None:
    copy, draw = Copy(root), Random(kind)
    for mutant in (one for one in mutants() if _kind(one) == kind):
        check_never_reused(copy, mutant, draw, others=False)
