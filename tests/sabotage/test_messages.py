"""One-line breakages of what messages say: Alertmanager loads each, `doit check` names its line."""

from pathlib import Path

import pytest

from stack.check import notifications
from stack.check.configuration import load
from stack.check.programs import Programs
from tests.sabotage.conftest import sampled

pytestmark = pytest.mark.nightly

FOLDER = "stack/config/alertmanager/"
ALERTMANAGER = FOLDER + "alertmanager.yml"
DASHBOARD, EMAIL, PAGERDUTY, SLACK, TITLE = (
    f"{FOLDER}templates/{name}.tmpl"
    for name in ("dashboard", "email", "pagerduty", "slack", "title")
)
HTML = '<p style="margin:0 0 8px">'
THEN = '{{ template "lab.then" . }}'

# file, old, new, what is said
TABLE = {
    "email-resolved-says-firing": (EMAIL, "RESOLVED at", "FIRING since",
                                   "(text) about one resolved alert: an alert that is resolved is "
                                   "shown as firing and resolved"),
    "email-description": (EMAIL, ".Annotations.description", ".Annotations.desription",
                          "the description of the rule is not in it"),
    "email-html-description": (EMAIL, HTML + THEN + "{{ .Annotations.description }}", HTML,
                               "(html) about one firing alert: the description"),
    # A misspelt name alone does no harm: the first alert's summary stands in for that of all.
    "title-summary": (TITLE, "summary }} - {{ . }}{{ else }}", "summary }}{{ else }}",
                      "does not give the summary"),
    "title-alert": (TITLE, ".GroupLabels.alertname", ".GroupLabels.alert", "does not name"),
    "title-state": (TITLE, ".Status | toUpper", ".Receiver | toUpper", "does not begin with"),
    "title-count": (TITLE, ".Alerts.Firing | len", ".Alerts | len", "counts 3 firing alerts"),
    "email-runbook": (EMAIL, ".CommonAnnotations.runbook_url", ".CommonAnnotations.runbok_url",
                      "(runbook) about one firing alert: it does not link"),
    "slack-runbook": (SLACK, ".CommonAnnotations.runbook_url", ".CommonAnnotations.runbok_url",
                      "(runbook) about one firing alert: it does not link"),
    "pagerduty-runbook": (ALERTMANAGER, ".CommonAnnotations.runbook_url",
                          ".CommonAnnotations.runbok_url", "does not link"),
    "email-dashboard": (EMAIL, '{{ template "lab.dashboard" . }}\n', "\n",
                        "(dashboard) about one firing alert: it does not link panel"),
    "slack-dashboard": (SLACK, '{{ template "lab.dashboard" . }}', '{{ .GeneratorURL }}',
                        "(dashboard) about one firing alert: it does not link panel"),
    "pagerduty-dashboard": (ALERTMANAGER, '{{ template "lab.dashboard" . }}',
                            "http://grafana:3001/", "it does not link panel"),
    "dashboard-panel": (DASHBOARD, "viewPanel={{ .Annotations.panel }}", "viewPanel=1",
                        "it does not link panel"),
    "dashboard-too-late": (DASHBOARD, "(.StartsAt.Add -900000000000)",
                           "(.StartsAt.Add 900000000000)", "does not show 2026-01-01 08:00:00"),
    "dashboard-before": (DASHBOARD, "(.EndsAt.Add 900000000000)", "(.EndsAt.Add -900000000000)",
                         "does not show 2026-01-01 08:00:00"),
    "slack-firing-lists-resolved": (SLACK, '*Firing*{{ template "slack.lab.alerts" .Alerts.Firing',
                                    '*Firing*{{ template "slack.lab.alerts" .Alerts.Resolved',
                                    "slack message (text) about"),
    "slack-firing-lists-all": (SLACK, '*Firing*{{ template "slack.lab.alerts" .Alerts.Firing',
                               '*Firing*{{ template "slack.lab.alerts" .Alerts',
                               "a resolved one: an alert that is resolved is shown as firing"),
    "slack-headings-swapped": (SLACK, "*Firing*", "*Resolved*", "is shown as resolved"),
    "slack-no-resolved": (
        SLACK,
        "{{ if .Alerts.Resolved }}",
        "{{ if .Alerts.Firing }}",
        "an alert that is firing is shown as firing and resolved",
    ),
    "pagerduty-severity": (ALERTMANAGER, "severity: critical\n", "severity: info\n",
                           "PagerDuty is told severity `info` of alerts that are `critical`"),
    "pagerduty-severity-unset": (ALERTMANAGER, "        severity: critical\n", "",
                                 "PagerDuty is told severity `error`"),
    "pagerduty-resolved": (ALERTMANAGER, '"pagerduty.lab.alerts" .Alerts.Resolved',
                           '"pagerduty.lab.alerts" .Alerts.Firing', "is shown as"),
    "pagerduty-description": (PAGERDUTY, ".Annotations.description", ".Annotations.summary",
                              "the description of the rule is not in it"),
    "pagerduty-labels": (PAGERDUTY, "{{ .Name }}={{ .Value }}", "{{ .Name }}", "is not shown as"),
    "slack-green-is-red": (SLACK, "}}good{{", "}}danger{{", "colour of resolved critical alerts"),
    "slack-red-is-amber": (SLACK, "}}danger{{", "}}warning{{", "colour of firing critical alerts"),
    "slack-amber-is-red": (SLACK, "}}warning{{", "}}danger{{", "colour of firing warning alerts"),
    "slack-blue-is-green": (SLACK, "#439FE0", "good", "colour of firing info alerts"),
    "slack-colour-unset": (
        ALERTMANAGER,
        """color: '{{ template "slack.lab.color" . }}'""",
        "# no colour",
        "colour of firing warning alerts is `danger`",
    ),
    "slack-colour-misspelt": (SLACK, "}}danger{{", "}}dangre{{", "`dangre` (none), expected red"),
    "email-green-is-red": (EMAIL, "#2e7d32", "#c62828", "colour of resolved critical alerts"),
    "email-red-is-green": (EMAIL, "#c62828", "#2e7d32", "colour of firing critical alerts"),
    "email-amber-is-red": (EMAIL, "#e09f00", "#c62828", "colour of firing warning alerts"),
    "slack-value-raw": (SLACK, '{{ template "slack.lab.escaped" .Value }}', "{{ .Value }}",
                        "is not shown as"),
    "slack-description-raw": (SLACK, '{{ template "slack.lab.escaped" .Annotations.description }}',
                              "{{ .Annotations.description }}", "the description of the rule"),
    "slack-ampersand-raw": (SLACK, 'reReplaceAll "&" "&amp;" | ', "",
                            "the description of the rule is not in it"),
    "slack-less-than-raw": (SLACK, 'reReplaceAll "<" "&lt;" | ', "",
                            "the description of the rule is not in it"),
    "email-html-raw": (EMAIL, HTML + THEN + "{{ .Annotations.description }}",
                       HTML + THEN + "{{ .Annotations.description | safeHtml }}", "(html) about"),
    "email-value-raw": (EMAIL, '0">{{ .Value }}</td>', '0">{{ .Value | safeHtml }}</td>',
                        "is not shown as"),
    "email-no-labels": (EMAIL, "  {{ .Name }}: {{ .Value }}", "  {{ .Name }}", "is not shown as"),
    "email-started-at-the-end": (EMAIL, ".StartsAt.UTC", ".EndsAt.UTC",
                                 "does not say that the alert fired at 2026-01-01 08:00:00"),
    "email-ended-at-the-start": (EMAIL, ".EndsAt.UTC", ".StartsAt.UTC",
                                 "does not say that it resolved at 2026-01-01 08:05:00"),
    "email-time-without-date": (EMAIL, '.StartsAt.UTC.Format "2006-01-02 15:04:05 MST"',
                                '.StartsAt.UTC.Format "15:04"', "it gives no time in UTC"),
    "email-old-value-as-now": (EMAIL, '{{ template "lab.then" . }}', "",
                               "(text) about one resolved alert: the description of an alert that "
                               "is over reads as if it were so now"),
    "slack-old-value-as-now": (SLACK, '{{ template "lab.then" . }}', "", "as if it were so now"),
    "pagerduty-old-value-as-now": (PAGERDUTY, '{{ template "lab.then" . }}', "",
                                   "as if it were so now"),
    "past-of-what-fires": (TITLE, 'define "lab.then" }}{{ if eq .Status "resolved" }}',
                           'define "lab.then" }}{{ if true }}',
                           "the description of an alert that fires is told as the past"),
    "email-query": (EMAIL, "query: {{ .GeneratorURL }}", "query: {{ .Fingerprint }}",
                    "does not link the query"),
    "slack-query": (ALERTMANAGER, "(index .Alerts 0).GeneratorURL", "(index .Alerts 0).Fingerprint",
                    "leads nowhere"),
    "pagerduty-link-of-nothing": (ALERTMANAGER, "client_url: '{{ .ExternalURL }}'",
                                  "client_url: '{{ .Receiver }}'", "leads nowhere"),
    "second-of-one-alert": (ALERTMANAGER, "(index .Alerts 0)", "(index .Alerts 1)",
                            "cannot be rendered with one firing alert"),
    "first-of-no-firing-alert": (ALERTMANAGER, "(index .Alerts 0)", "(index .Alerts.Firing 0)",
                                 "cannot be rendered with one resolved alert"),
    "slack-lists-all": (SLACK, "lt $index 10", "lt $index 10000", "are cut or refused"),
    "email-lists-all": (EMAIL, "lt $index 10", "lt $index 10000", "are cut or refused"),
    "slack-more-are-not-counted": (SLACK, "… and {{ len (slice . 10) }} more", "…",
                                   "of 2000 alerts it lists 10 and says of 0 more"),
    "pagerduty-summary-of-everything": (
        ALERTMANAGER, """description: '{{ template "lab.title" . }}'""",
        """description: '{{ template "lab.title" . }}{{ range .Alerts }}{{ .Labels }}{{ end }}'""",
        "characters, more than 1,024 are cut or refused"),
}  # fmt: skip


@pytest.mark.parametrize("name", sampled(TABLE, 6))
def test_breakage_of_a_message_is_named_with_its_template(
    name: str, copy: Path, sabotage, programs: Programs
) -> None:
    file, old, new, says = TABLE[name]
    sabotage(file, old, new)
    found = list(notifications.check(load(copy / "stack" / "config"), programs))
    said = [one for one in found if says in one.what]
    assert said, [one.text(copy) for one in found]
    # The broken line, or the template or receiver's field that shows it.
    assert all(one.line and one.path.is_relative_to(copy / FOLDER) for one in said)


def test_messages_of_the_whole_copy_say_all(copy: Path, programs: Programs) -> None:
    assert list(notifications.check(load(copy / "stack" / "config"), programs)) == []
