// Alerts as the rules have them (Prometheus' and Loki's), and which of them Alertmanager holds back.
import { useEffect, useRef, useState } from 'react';
import { dateTimeFormatTimeAgo, textUtil } from '@grafana/data';
import { Badge, ScrollContainer, useTheme2 } from '@grafana/ui';
import { getJson } from '../http';
import { Empty } from './empty';

const BEFORE_MS = 30 * 60 * 1000;
const PROXY = '/api/datasources/proxy/uid';
const RULES = {
  Prometheus: `${PROXY}/prometheus/api/v1/rules`,
  Loki: `${PROXY}/loki/prometheus/api/v1/rules`,
};
const COLORS = { firing: 'red', pending: 'orange', normal: 'green', error: 'red' };
const IMPORTANCE = ['firing', 'error', 'pending', 'normal'];
const ORDERS = {
  1: (a, b) => a.name.localeCompare(b.name),
  2: (a, b) => b.name.localeCompare(a.name),
  3: (a, b) =>
    IMPORTANCE.indexOf(a.state) - IMPORTANCE.indexOf(b.state) || a.name.localeCompare(b.name),
  4: (a, b) => (a.since ?? '').localeCompare(b.since ?? ''),
  5: (a, b) => (b.since ?? '').localeCompare(a.since ?? ''),
};

export function AlertListPanel({ options, timeRange, replaceVariables }) {
  const [found, setFound] = useState(null);
  const theme = useTheme2();
  const asking = useRef(false);
  // Every refresh gives a new time range. What is slower than that is not asked anew meanwhile.
  useEffect(() => {
    if (asking.current) return;
    asking.current = true;
    load(options.datasource)
      .then(setFound)
      .finally(() => (asking.current = false));
  }, [options.datasource, timeRange]);
  if (!found) return <Empty>Loading…</Empty>;
  const wanted = found.alerts.filter(filter(options, replaceVariables));
  const shown = [...wanted]
    .sort(ORDERS[options.sortOrder] ?? ORDERS[3])
    .slice(0, options.maxItems ?? 200);
  if (found.problems.length && !shown.length)
    return <Empty error>{found.problems.join(' ')}</Empty>;
  if (options.viewMode === 'stat') return <Count count={wanted.length} theme={theme} />;
  if (!shown.length) return <Empty>No alerts</Empty>;
  return (
    <ScrollContainer>
      {found.problems.map((problem) => (
        <div key={problem} role="alert" style={{ padding: 4, color: theme.colors.warning.text }}>
          {problem}
        </div>
      ))}
      <ul style={{ listStyle: 'none' }}>
        {shown.map((alert, at) => (
          <Item key={at} alert={alert} theme={theme} />
        ))}
      </ul>
      {wanted.length > shown.length && (
        <div style={{ padding: 4 }}>and {wanted.length - shown.length} more</div>
      )}
    </ScrollContainer>
  );
}

function Item({ alert, theme }) {
  const { name, state, since, held, labels, annotations } = alert;
  const row = {
    display: 'flex',
    gap: 8,
    padding: '6px 4px',
    borderBottom: `1px solid ${theme.colors.border.weak}`,
  };
  const address = links(alert);
  const summary =
    annotations.summary ??
    Object.entries(labels)
      .filter(([key]) => key !== 'alertname')
      .map((pair) => pair.join('='))
      .join(' ');
  return (
    <li style={row}>
      <div>
        <Badge color={held ? 'blue' : COLORS[state]} text={held ?? state} />
      </div>
      <div style={{ minWidth: 0, overflowWrap: 'anywhere' }}>
        <strong>{name}</strong>{' '}
        {since && (
          <small style={{ color: theme.colors.text.secondary }}>
            {dateTimeFormatTimeAgo(since)}
          </small>
        )}
        <div style={{ color: theme.colors.text.secondary }}>{summary}</div>
        {address.map(({ title, href }) => (
          <a key={title} href={href} style={{ marginRight: 12, color: theme.colors.text.link }}>
            {title}
          </a>
        ))}
      </div>
    </li>
  );
}

function Count({ count, theme }) {
  const color = count ? theme.colors.error.text : theme.colors.success.text;
  return (
    <div style={{ display: 'grid', placeItems: 'center', height: '100%', fontSize: 48, color }}>
      {count}
    </div>
  );
}

/** To the panel that shows the alert, over a time that shows how it came; to its runbook. */
function links({ annotations, since }) {
  const uid = annotations.dashboard_uid;
  const query = new URLSearchParams();
  if (annotations.panel) query.set('viewPanel', annotations.panel);
  if (since) {
    query.set('from', Date.parse(since) - BEFORE_MS);
    query.set('to', 'now');
  }
  return [
    uid && { title: 'Dashboard', href: `/d/${encodeURIComponent(uid)}?${query}` },
    annotations.runbook_url && {
      title: 'Runbook',
      href: textUtil.sanitizeUrl(annotations.runbook_url),
    },
  ].filter(Boolean);
}

/** Alerts, and what kept others away; a rule without one is there as `normal`. */
async function load(datasource) {
  const sources = Object.entries(RULES).filter(
    ([name]) => !RULES[datasource] || name === datasource,
  );
  const problems = [];
  const attempt = (promise) => promise.catch((error) => void problems.push(error.message));
  const [held, ...groups] = await Promise.all([
    attempt(heldBack()),
    ...sources.map(([who, path]) => attempt(getJson(path, { type: 'alert' }, { who }))),
  ]);
  const rules = groups
    .flatMap((answer) => answer?.data?.groups ?? [])
    .flatMap((group) => group.rules);
  return {
    alerts: rules.filter((rule) => rule.type !== 'recording').flatMap((rule) => alerts(rule, held)),
    problems,
  };
}

function alerts(rule, held) {
  if (!rule.alerts?.length) {
    return [
      {
        name: rule.name,
        state: 'normal',
        labels: rule.labels ?? {},
        annotations: rule.annotations ?? {},
      },
    ];
  }
  return rule.alerts.map(({ state, activeAt, labels, annotations }) => ({
    name: rule.name,
    state: state === 'inactive' ? 'normal' : state,
    since: activeAt,
    labels,
    annotations: annotations ?? {},
    held: held?.get(key(labels)),
  }));
}

/** Labels -> `silenced` or `inhibited`, of the alerts that notify nobody now. */
async function heldBack() {
  const path = `${PROXY}/alertmanager/api/v2/alerts`;
  const found = await getJson(path, {}, { who: 'Alertmanager' });
  const suppressed = found.filter(({ status }) => status.state === 'suppressed');
  return new Map(
    suppressed.map(({ labels, status }) => [
      key(labels),
      status.silencedBy.length ? 'silenced' : 'inhibited',
    ]),
  );
}

const key = (labels) => JSON.stringify(Object.entries(labels).sort());

function filter(options, replaceVariables) {
  const states = options.stateFilter ?? { firing: true, pending: true };
  const name = replaceVariables(options.alertName ?? '').toLowerCase();
  const wanted = matchers(replaceVariables(options.alertInstanceLabelFilter ?? ''));
  return (alert) =>
    states[alert.state] &&
    alert.name.toLowerCase().includes(name) &&
    wanted.every((matches) => matches(alert.labels));
}

/** `{severity="critical", team=~"a|b"}` as functions of labels. */
function matchers(text) {
  return [...text.matchAll(/(\w+)\s*(=~|!~|!=|=)\s*"((?:[^"\\]|\\.)*)"/g)].map(
    ([, name, operator, value]) =>
      (labels) => {
        const found = labels[name] ?? '';
        const same = operator.includes('~')
          ? new RegExp(`^(?:${value})$`).test(found)
          : found === value;
        return operator.startsWith('!') ? !same : same;
      },
  );
}
