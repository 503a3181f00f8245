"""One-line breakages of routes, inhibit rules and receivers: `doit check` names the line of each.

Each runs in a fraction of a second and starts no program.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from stack.check import alerts, delivery, inhibition, limits, receivers, routing, table
from stack.check.configuration import load
from stack.check.problem import Problem
from stack.config import audience

pytestmark = pytest.mark.nightly

ALERTMANAGER = "stack/config/alertmanager/alertmanager.yml"

CRITICAL = """matchers: ['severity="critical"']"""
PAGER = "    - receiver: on-call\n"
MAIL_DATABASE = """{receiver: email-database, matchers: ['team="database"']}"""
CHAT_DATABASE = """{receiver: slack-database, matchers: ['team="database"']}"""
TWIN = """  - source_matchers: ['alertname="CriticalErrorRate"']\n"""
ON_CALL = "  - name: on-call\n"
PAGES = "    pagerduty_configs:\n"


@dataclass(frozen=True, kw_only=True)
class Row:
    """`old` becomes `new`; then `check` says `says` of the line that was changed."""

    id: str
    old: str
    new: str
    check: str
    says: str
    below: int = 0
    """How many lines below the beginning of `old` the problem is."""
    at: str = ""
    """The text of the line of the problem, if that is another: what the break leads to."""


def routes() -> Iterator[Row]:
    lost = "routes/destinations"
    nobody = "pagerduty `on-call` is not notified of alerts of severity `critical`, whatever"
    no_page = "pagerduty `on-call` is not notified of alerts of severity `critical`"
    for id, matchers, says in (
        ("misspelt", """matchers: ['severity="critcal"']""", nobody),
        ("capital", """matchers: ['severity="Critical"']""", nobody),
        ("single-quotes", """matchers: ["severity='critical'"]""", nobody),
        ("label", """matchers: ['sevrity="critical"']""", nobody),
        ("negated", """matchers: ['severity!="critical"']""", nobody),
        ("not-anchored", """matchers: ['severity=~"crit"']""", nobody),
        ("two-in-one", """matchers: ['severity="critical",team="database"']""",
         f"{no_page}, team `platform`, `infrastructure`"),
        ("two-in-braces", """matchers: ['{severity="critical",team!~"comp.*"}']""",
         f"{no_page}, team `compliance`."),
        ("old-form-beside", f"match: {{team: database}}\n      {CRITICAL}",
         f"{no_page}, team `platform`, `infrastructure`"),
        ("old-pattern", "match_re: {severity: 'crit.?'}", nobody),
        ("empty-value", """matchers: ['severity=']""", nobody),
        ("another-label", f"{CRITICAL[:-1]}, 'env!=\"staging\"']",
         "pagerduty `on-call` is not notified of alerts with `env=\"staging\"` of severity"),
        ("one-alert", f"{CRITICAL[:-1]}, 'alertname!=\"PostgreSQLDown\"']",
         "pagerduty `on-call` is not notified of alert `PostgreSQLDown` of severity `critical`"),
    ):  # fmt: skip
        yield Row(id=f"page-{id}", old=f"{PAGER}      {CRITICAL}", new=f"{PAGER}      {matchers}",
                  check=lost, says=says)  # fmt: skip
    yield Row(
        id="page-for-warnings-too", old=CRITICAL, check=lost, below=-1,
        new="""matchers: ['severity=~"critical|warning"']""",
        says="pagerduty `on-call` is notified of alerts of severity `warning`",
    )  # fmt: skip
    yield Row(
        id="page-for-all", old=CRITICAL, new="matchers: ['']", check=lost, below=-1,
        says="pagerduty `on-call` is notified of alerts of severity `warning`",
    )  # fmt: skip
    yield Row(
        id="page-without-continue", old=f"{PAGER}      {CRITICAL}\n      continue: true\n",
        new=f"{PAGER}      {CRITICAL}\n", check=lost,
        says="slack `#alerts-database` is not notified of alerts of severity `critical`",
    )  # fmt: skip
    yield Row(
        id="page-continue-off", old=f"{CRITICAL}\n      continue: true\n",
        new=f"{CRITICAL}\n      continue: no\n", check=lost, below=-1,
        says="email `database@residency.example` is not notified of alerts of severity `critical`",
    )  # fmt: skip
    yield Row(
        id="no-mail-for-warnings", old="""['severity=~"critical|warning"']""",
        new="""['severity=~"critical|warn"']""", check=lost, below=-1,
        says="email `platform@residency.example` is not notified of alerts of severity `warning`",
    )  # fmt: skip
    yield Row(
        id="mail-of-two-teams-swapped", old=MAIL_DATABASE,
        new="""{receiver: email-database, matchers: ['team="scheduling"']}""", check=lost,
        says="email `database@residency.example` is not notified of alerts of severity `critical`",
    )  # fmt: skip
    yield Row(
        id="mail-to-another-team", old=MAIL_DATABASE,
        new="""{receiver: email-compliance, matchers: ['team="database"']}""", check=lost,
        says="email `compliance@residency.example` is notified of alerts of severity `critical`",
    )  # fmt: skip
    yield Row(
        id="chat-of-a-team-twice", old=f"        - {CHAT_DATABASE}\n",
        new=f"        - {CHAT_DATABASE[:-1]}, continue: true}}\n        - {CHAT_DATABASE}\n",
        check=lost, below=1, says="slack `#alerts-database` is notified twice of alerts",
    )  # fmt: skip
    yield Row(
        id="chat-of-a-team-unquoted-to-the-wrong-one", old=CHAT_DATABASE,
        new="{receiver: slack-database, match: {team: databases}}", check=lost,
        says="slack `#alerts-database` is not notified of alerts",
    )  # fmt: skip
    yield Row(
        id="one-host-for-nobody", old=PAGER, check=lost,
        new=f"""    - {{receiver: heartbeat, matchers: ['instance=~"host-[0-9]+:.*"']}}\n{PAGER}""",
        says="pagerduty `on-call` is not notified of alerts with `instance=\"host-0:\"`",
    )  # fmt: skip
    yield Row(
        id="one-alert-elsewhere", old=PAGER, check=lost,
        new=f"    - {{receiver: slack-platform, match: {{alertname: DiskSpaceCritical}}}}\n{PAGER}",
        says="pagerduty `on-call` is not notified of alert `DiskSpaceCritical`",
    )  # fmt: skip
    yield Row(
        id="everything-shadowed", old=PAGER, new=f"    - receiver: slack-platform\n{PAGER}",
        check=lost, says=no_page,
    )  # fmt: skip
    for id, matchers, says in (
        ("no-operator", "matchers: ['severity critical']", "`severity critical` is not a matcher"),
        ("double-operator", "matchers: ['severity==', x]", "`x` is not a matcher"),
        ("open-quote", """matchers: ['severity="critical']""", "is not a matcher"),
        ("open-brace", """matchers: ['{"severity"="critical"']""", "expected a closing brace"),
        (
            "open-group",
            """matchers: ['severity=~"(critical"']""",
            "`(critical` is not a valid regular expression: missing closing ).",
        ),
        (
            "look-ahead",
            """matchers: ['severity=~"(?=c).*"']""",
            "is not a valid regular expression",
        ),
        (
            "old-open-class",
            "match_re: {severity: '[critical'}",
            "is not a valid regular expression",
        ),
        ("no-list", "matchers: severity=critical", "`matchers` is not a list."),
        ("old-list", "match: [severity]", "`match` is not a mapping"),
        ("old-name", "match: {severity.level: critical}", "`severity.level` is not a label name."),
    ):
        yield Row(id=f"unreadable-{id}", old=CRITICAL, new=matchers, check="routes/unreadable",
                  says=says)  # fmt: skip
    yield Row(
        id="unreadable-continue", old="continue: true", new='continue: "true"',
        check="routes/unreadable", says="`continue` is neither true nor false.",
    )  # fmt: skip
    yield Row(
        id="unreadable-duration", old="group_wait: 30s", new="group_wait: 30",
        check="routes/unreadable", says="`group_wait`: `30` is not a duration.",
    )  # fmt: skip
    for id, labels, says in (
        ("without-team", "[alertname]", "`group_by` lacks `team`"),
        ("without-alertname", "[team]", "`group_by` lacks `alertname`"),
        ("by-host", "[alertname, team, instance]", "`group_by` has `instance`"),
        ("not-at-all", "['...']", "`group_by` has `...`"),
    ):
        yield Row(id=f"grouped-{id}", old="group_by: [alertname, team]", new=f"group_by: {labels}",
                  check="routes/grouping", says=says)  # fmt: skip
    yield Row(
        id="grouped-without-team-below", old=f"{CRITICAL}\n",
        new=f"{CRITICAL}\n      group_by: [alertname]\n", below=1,
        check="routes/grouping", says="`group_by` lacks `team`",
    )  # fmt: skip
    for old, new, says in (
        ("repeat_interval: 4h", "repeat_interval: 168h", "forgets what it sent after 120h"),
        ("repeat_interval: 4h", "repeat_interval: 6d", "forgets what it sent after 120h"),
        ("repeat_interval: 4h", "repeat_interval: 4m", "less than the `group_interval` of 5m"),
        ("group_interval: 5m", "group_interval: 5h", "less than the `group_interval` of 5h"),
        ("group_interval: 30s", "group_interval: 1m", "less than the `group_interval` of 1m"),
        ("group_wait: 30s", "group_wait: 6m", "more than the `group_interval` of 5m"),
        ("resolve_timeout: 5m", "resolve_timeout: 1m", "`resolve_timeout` is 1m"),
        ("resolve_timeout: 5m", "resolve_timeout: 0s", "`resolve_timeout` is 0s"),
        ("resolve_timeout: 5m", "resolve_timeout: 5", "`5` is not a duration"),
    ):
        both = old == "group_interval: 5m" or old == "group_interval: 30s"
        yield Row(id=new.replace(": ", "-"), old=old, new=new, check="routes/limits", says=says,
                  below=1 if both else 0)  # fmt: skip


def inhibit_rules() -> Iterator[Row]:
    pairs, equal = "inhibition/pairs", "inhibition/equal"
    for id, labels, says in (
        ("severity-too", "[job, severity]", "compares `severity`, which is never the same"),
        ("severity-alone", "[severity]", "does not compare `job`"),
        ("nothing", "[]", "does not compare `job`"),
        ("on-neither", "[job, cluster]", "compares `cluster`, which `HighErrorRate` does not have"),
        ("name", "[job, alertname]", "compares `alertname`, which is never the same"),
    ):
        yield Row(
            id=f"equal-{id}", check=equal, below=2, says=says,
            old=f"""{TWIN}    target_matchers: ['alertname="HighErrorRate"']\n    equal: [job]\n""",
            new=f"""{TWIN}    target_matchers: ['alertname="HighErrorRate"']\n"""
            f"    equal: {labels}\n",
        )  # fmt: skip
    yield Row(
        id="equal-another-job", check=equal, below=1,
        old="""target_matchers: ['alertname="HealthCheckFailing"']\n    equal: [instance]""",
        new="""target_matchers: ['alertname="HealthCheckFailing"']\n    equal: [job]""",
        says="compares `job`, which `HealthCheckFailing` does not have",
    )  # fmt: skip
    for id, new, says in (
        ("by-severity", "  - source_match: {severity: critical}\n",
         "would inhibit `HighErrorRate`; nobody would be notified of it."),
        ("without-source", "  - source_matchers: []\n",
         "would inhibit `HighErrorRate`; nobody would be notified of it."),
        ("by-pattern", "  - source_match_re: {alertname: 'Critical.*'}\n",
         "`CriticalCPUUsage` and `CriticalMemoryUsage` would inhibit `HighErrorRate`"),
        ("of-one-job", """  - source_matchers: ['alertname="CriticalErrorRate",job="other"']\n""",
         "`CriticalErrorRate` does not inhibit `HighErrorRate`"),
    ):  # fmt: skip
        yield Row(id=f"source-{id}", old=TWIN, new=new, check=pairs, says=says)
    yield Row(
        id="source-misspelt", old=TWIN, new=TWIN.replace("Critical", "Critcal"),
        check="inhibition/idle",
        says="this inhibit rule inhibits no alert: no rule has labels that its source asks for.",
    )  # fmt: skip
    yield Row(
        id="both-sides-alike", old=TWIN, check="inhibition/idle",
        new="""  - source_matchers: ['severity=~".+"']\n    target_matchers: ['severity=~".+"']\n"""
        f"    equal: [job]\n{TWIN}",
        says="this inhibit rule inhibits no alert: the same alerts match its source and its target,"
        " and Alertmanager lets no alert that matches both sides be inhibited by another that"
        " does, too.",
    )  # fmt: skip
    yield Row(
        id="target-of-one-mount", check=pairs, below=-1,
        old="""target_matchers: ['alertname="DiskSpaceWarning"']""",
        new="""target_matchers: ['alertname="DiskSpaceWarning"', 'mountpoint!~"/.*"']""",
        says="`DiskSpaceCritical` does not inhibit `DiskSpaceWarning`",
    )  # fmt: skip
    for id, new, says in (
        ("matcher", "  - source_matchers: ['alertname']\n", "`alertname` is not a matcher"),
        ("pattern", "  - source_match_re: {alertname: '('}\n", "is not a valid regular expression"),
    ):
        yield Row(id=f"source-unreadable-{id}", old=TWIN, new=new, check="routes/unreadable",
                  says=says)  # fmt: skip


def integrations() -> Iterator[Row]:
    unheard = "routes/integration"
    for kind in sorted({*receivers.INTEGRATIONS} - {*receivers.HEARD}):
        yield Row(
            id=f"receiver-{kind}", old=ON_CALL, check=unheard, below=1,
            new=f"{ON_CALL}    {kind}: [{{send_resolved: true}}]\n",
            says=f"receiver `on-call` ({kind}) is heard by nobody here.",
        )  # fmt: skip
    yield Row(
        id="webhook-to-nobody", old="inbox:8025/heartbeat/watchdog", new="inbox:8025/webhook",
        check=unheard, says="posts to `http://inbox:8025/webhook`, which is heard by nobody here.",
    )  # fmt: skip
    yield Row(
        id="pages-to-the-real-one", old="pagerduty_url: http://inbox:8025/v2/enqueue",
        new="pagerduty_url: https://events.pagerduty.com/v2/enqueue", check=unheard,
        says="sends to `https://events.pagerduty.com/v2/enqueue`, where nobody here hears it.",
    )  # fmt: skip
    yield Row(
        id="mail-to-the-real-one", old="smtp_smarthost: inbox:1025",
        new="smtp_smarthost: smtp.example.com:587", check=unheard,
        says="sends to `smtp.example.com:587`, where nobody here hears it.",
    )  # fmt: skip
    yield Row(
        id="chat-to-the-real-one", old="slack_api_url_file: /run/secrets/slack_api_url",
        new="slack_api_url: https://hooks.slack.com/services/x", check=unheard,
        says="sends to `https://hooks.slack.com/services/x`, where nobody here hears it.",
    )  # fmt: skip
    yield Row(
        id="key-of-nobody", old="routing_key_file: /run/secrets/pagerduty_routing_key",
        new="routing_key: 0123456789abcdef0123456789abcdef", check=unheard,
        says="has a key that belongs to no service of the inbox.",
    )  # fmt: skip
    yield Row(
        id="channel-by-template", old="channel: '#alerts-platform'",
        new="channel: '#alerts-{{ .CommonLabels.team }}'", check=unheard,
        says="has a template as `channel`: who is notified cannot be read from it.",
    )  # fmt: skip
    for id, old, new, says in (
        (
            "by-proxy",
            "  resolve_timeout: 5m\n",
            "  resolve_timeout: 5m\n  http_config: {proxy_url: 'http://proxy.example:1'}\n",
            "sends by way of the proxy `http://proxy.example:1`.",
        ),
        (
            "mail-with-tls",
            "smtp_require_tls: false",
            "smtp_require_tls: true",
            "sends no mail without TLS, which the inbox does not speak.",
        ),
        (
            "mail-of-one-with-tls",
            "        to: platform@residency.example\n",
            "        to: platform@residency.example\n        require_tls: yes\n",
            "receiver `email-platform` (email_configs) sends no mail without TLS",
        ),
        (
            "mail-from-nobody",
            "smtp_from: alertmanager@residency.example",
            "smtp_from: alertmanager",
            "sends from `alertmanager`, which is no address.",
        ),
        (
            "page-by-proxy",
            "        severity: critical\n",
            "        http_config: {proxy_url: 'http://x.example:1'}\n        severity: critical\n",
            "receiver `on-call` (pagerduty_configs) sends by way of the proxy",
        ),
        (
            "page-in-no-time",
            "        severity: critical\n",
            "        timeout: 1ms\n        severity: critical\n",
            "waits 1ms for an answer.",
        ),
        (
            "heartbeat-in-a-file",
            "- url: http://inbox:8025/heartbeat/watchdog",
            "- url_file: /run/secrets/watchdog",
            "has its address in a file, which no instance has.",
        ),
    ):
        added = new.count("\n") > old.count("\n")
        yield Row(id=f"never-{id}", old=old, new=new, check=unheard, says=says,
                  below=1 if added and new.startswith(old) else 0)  # fmt: skip
    yield Row(
        id="not-an-address", old="to: platform@residency.example", new="to: platform",
        check=unheard, says="`platform` is not an address.",
    )  # fmt: skip
    yield Row(
        id="second-address", old="to: platform@residency.example",
        new='to: "platform@residency.example, Night <night@residency.example>"',
        check="routes/unproven",
        says="assigns email `night@residency.example` to no team.",
    )  # fmt: skip
    yield Row(
        id="same-address-twice", old="to: platform@residency.example",
        new="to: platform@residency.example, platform@residency.example",
        check="routes/destinations", at="    - receiver: email-platform",
        says="email `platform@residency.example` is notified twice of alerts",
    )  # fmt: skip
    yield Row(
        id="channel-of-another-team", old="channel: '#alerts-scheduling'",
        new="channel: '#alerts-database'", check="routes/destinations",
        at="{receiver: slack-scheduling",
        says="by receiver `slack-scheduling` (line",
    )  # fmt: skip
    yield Row(
        id="receiver-misspelt", old="receiver: email-database", new="receiver: email-databse",
        check="routes/receiver", says="a route leads to receiver `email-databse`",
    )  # fmt: skip
    yield Row(
        id="receiver-of-the-last", old="receiver: slack-compliance", new="receiver: slack-platform",
        check="routes/destinations",
        says="slack `#alerts-platform` is notified of alerts of severity `critical`, team `compli",
    )  # fmt: skip
    yield Row(
        id="end-not-sent",
        old=f"{PAGES}      - routing_key_file: /run/secrets/pagerduty_routing_key\n"
        "        send_resolved: true\n",
        new=f"{PAGES}      - routing_key_file: /run/secrets/pagerduty_routing_key\n"
        "        send_resolved: no\n",
        check="routes/send-resolved", below=1,
        says="receiver `on-call` does not send resolved notifications (pagerduty_configs).",
    )  # fmt: skip
    yield Row(
        id="end-sent-to-the-heartbeat", old="send_resolved: false", new="send_resolved: true",
        check="routes/send-resolved", says="receiver `heartbeat` sends resolved notifications to",
    )  # fmt: skip


TABLE = [*routes(), *inhibit_rules(), *integrations()]


def problems(copy: Path) -> list[Problem]:
    configuration = load(copy / "stack" / "config")
    checks = (alerts, routing, delivery, inhibition, limits)
    return [*configuration.problems, *(one for each in checks for one in each.check(configuration))]


def said(found: list[Problem], copy: Path) -> str:
    return "\n".join(f"[{one.check}] {one.text(copy)}" for one in found)


def test_table_names_each_once() -> None:
    assert len({row.id for row in TABLE}) == len(TABLE)


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.id)
def test_breakage_is_named_with_its_line(row: Row, copy: Path, sabotage) -> None:
    line = sabotage(ALERTMANAGER, row.old, row.new) + row.below
    if row.at:
        changed = (copy / ALERTMANAGER).read_text()
        line = changed[: changed.index(row.at)].count("\n") + 1
    found = problems(copy)
    assert any(
        (one.check, one.path, one.line) == (row.check, copy / ALERTMANAGER, line)
        and row.says in one.what
        for one in found
    ), f"expected line {line} in:\n{said(found, copy)}"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (f"{PAGER}      {CRITICAL}", f"{PAGER}      match: {{severity: critical}}"),
        (CRITICAL, "match_re: {severity: 'c.*l'}"),
        (CRITICAL, """matchers: ['{severity="critical"}']"""),
        (CRITICAL, """matchers: ['"severity" = "critical",']"""),
        (CRITICAL, "matchers: [severity=critical]"),
        (CRITICAL, """matchers: ['severity=~"[[:alpha:]]+cal"']"""),
        (CRITICAL, """matchers: ['severity=critical,severity!="info"']"""),
        (CRITICAL, "match: {severity: critical}\n      matchers: ['severity!=warning']"),
        ("continue: true", "continue: yes"),
        (MAIL_DATABASE, "{receiver: email-database, match: {team: database}}"),
        (
            "{receiver: slack-database, matchers: ['team=\"database\"']}",
            "{receiver: slack-database, match_re: {team: '(data|no)base?'}}",
        ),
        ("to: platform@residency.example", "to: Platform <platform@residency.example>"),
        (TWIN, "  - source_match: {alertname: CriticalErrorRate}\n"),
        (TWIN, """  - source_matchers: ['{"alertname"=~"Critical(Error)Rate"}']\n"""),
        ("send_resolved: true", "send_resolved: yes"),
    ],
)
def test_another_way_of_writing_the_same_is_good(old: str, new: str, copy: Path, sabotage) -> None:
    sabotage(ALERTMANAGER, old, new)
    assert not (found := problems(copy)), said(found, copy)


def test_two_recipients_of_one_channel_are_said_in_the_audience(
    copy: Path, sabotage, monkeypatch: pytest.MonkeyPatch
) -> None:
    also = {("email", "database"): ("dba@residency.example",)}
    monkeypatch.setattr(audience, "ALSO", also)
    lines = (copy / ALERTMANAGER).read_text().splitlines()
    address = "to: database@residency.example"
    at = next(number for number, row in enumerate(lines, 1) if address in row)
    (lacking,) = problems(copy)
    assert lacking.line == at
    assert "email `dba@residency.example` is not notified of alerts of severity" in lacking.what
    assert lacking.what.endswith(f": receiver `email-database` (line {at}) has `{address}`.")
    assert lacking.cure == (
        "Write it in that `to` as well, after a comma, or change stack/config/audience.py if it is"
        " right."
    )
    sabotage(ALERTMANAGER, address, f'to: "dba@residency.example, {address.split()[1]}"')
    assert not (found := problems(copy)), said(found, copy)


@pytest.mark.parametrize(
    ("also", "what", "cure"),
    [
        ({("email", "databse"): ("a@x",)},
         "`ALSO[('email', 'databse')]` names team `databse`, which there is not.",
         "Did you mean database?"),
        ({("mail", "database"): ("a@x",)},
         "`ALSO[('mail', 'database')]` names channel `mail`, which there is not.",
         "Did you mean email?"),
        ({("email", "database"): "a@x"},
         "`ALSO[('email', 'database')]` is 'a@x', which is no tuple of texts.",
         "A tuple of one ends with a comma: `('a@x',)`."),
        ({"database": ("a@x",)}, "`ALSO['database']` is no pair of channel and team.",
         "Write `(channel, team)`."),
    ],
)  # fmt: skip
def test_slip_in_the_audience_is_told_once(
    monkeypatch: pytest.MonkeyPatch, also: dict[object, object], what: str, cure: str
) -> None:
    monkeypatch.setattr(audience, "ALSO", also)
    (found,) = table.check()
    assert (found.what, found.cure, found.check) == (what, cure, "audience/entries")
    assert found.path.name == "audience.py"
    assert found.line


def test_rule_that_silences_many_is_told_alone(copy: Path, sabotage) -> None:
    """What it compares with those that it may silence is no reason to read on."""
    at = sabotage(
        ALERTMANAGER, TWIN,
        """  - source_matchers: ['severity="critical"']\n"""
        f"""    target_matchers: ['severity="warning"']\n{TWIN}""",
    )  # fmt: skip
    (found,) = inhibition.check(load(copy / "stack" / "config"))
    assert (found.check, found.line) == ("inhibition/pairs", at)
    assert found.what.endswith("more; nobody would be notified of it.")
