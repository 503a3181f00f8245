// Prometheus' HTTP API: prometheus.io/docs/prometheus/latest/querying/api
import { formatLabels } from '@grafana/data';
import { config } from '@grafana/runtime';
import { getJson } from '../http';
import { bounded, number, seriesFrames, tableFrame } from './frames';
import { interpolate, interpolateText, scoped, seconds } from './interpolate';

const ROOT = '/api/datasources/proxy/uid/prometheus/api/v1';
const SCRAPE = '15s'; // where the data source does not say how often there is a new sample
const MOST_POINTS = 11000; // of a series, or the server refuses the query

const ask = async (path, parameters, signal) =>
  (await getJson(`${ROOT}/${path}`, parameters, { who: 'Prometheus', signal })).data;

/** Frames of one query. */
export async function query(request, target, signal) {
  const { from, to, step, variables } = window_(request, target);
  const expr = interpolate(request, target.expr, variables);
  const instant = target.instant && !target.range;
  const data = instant
    ? await ask('query', { query: expr, time: to }, signal)
    : await ask(
        'query_range',
        { query: expr, start: floor(from, step), end: floor(to, step), step },
        signal,
      );
  const all =
    data.resultType === 'scalar' || data.resultType === 'string'
      ? [{ metric: {}, value: data.result }]
      : data.result;
  const { kept, notices } = bounded(target.format === 'heatmap' ? apart(all) : all);
  const meta = { executedQueryString: expr };
  if (target.format === 'table') {
    return [tableFrame(kept, { target, many: request.targets.length > 1, meta, notices })];
  }
  const legend = interpolateText(request, target.legendFormat ?? '');
  return seriesFrames(kept, { target, legend, step, meta, notices });
}

/** Values of a variable: the functions that Grafana's own data source knows. */
export async function values(request, text) {
  const range = request.range
    ? { start: request.range.from.unix(), end: request.range.to.unix() }
    : {};
  const asked = interpolate(request, text).trim();
  let found;
  if ((found = /^label_values\(\s*(?:(.+),\s*)?([a-zA-Z_]\w*)\s*\)$/s.exec(asked))) {
    return ask(`label/${found[2]}/values`, { ...range, 'match[]': found[1]?.trim() });
  }
  if ((found = /^label_names\(\s*(.*?)\s*\)$/s.exec(asked))) {
    return ask('labels', { ...range, 'match[]': found[1] });
  }
  if ((found = /^metrics\(\s*(.*?)\s*\)$/s.exec(asked))) {
    const wanted = new RegExp(found[1]);
    return (await ask('label/__name__/values', range)).filter((name) => wanted.test(name));
  }
  if ((found = /^query_result\((.+)\)$/s.exec(asked))) {
    const { result } = await ask('query', { query: found[1], time: range.end });
    return result.map(({ metric, value: [time, value] }) => {
      const { __name__: name = '', ...labels } = metric;
      return `${name}${formatLabels(labels)} ${value} ${time * 1000}`;
    });
  }
  throw new Error(`\`${asked}\` is not a query for values: label_values(metric, label) is one.`);
}

/** Annotations of one query: a time range wherever its value is neither 0 nor missing. */
export async function annotations(request, annotation, signal) {
  const step = annotation.step ? seconds(annotation.step) : 60;
  const from = request.range.from.unix();
  const to = request.range.to.unix();
  const wide = Math.max(step, Math.ceil((to - from) / MOST_POINTS));
  const expr = interpolate(request, annotation.expr ?? annotation.target?.expr);
  const data = await ask(
    'query_range',
    { query: expr, start: floor(from, wide), end: to, step: wide },
    signal,
  );
  const fill = (template, labels) =>
    (template ?? '').replace(/{{\s*(\w+)\s*}}/g, (_, name) => labels[name] ?? '');
  return data.result.flatMap(({ metric, values: points }) => {
    const title = fill(annotation.titleFormat, metric) || annotation.name;
    const text = fill(annotation.textFormat, metric);
    const tags = (annotation.tagKeys ?? '')
      .split(',')
      .map((key) => metric[key.trim()])
      .filter(Boolean);
    return spans(points, wide).map(([time, timeEnd]) => ({ time, timeEnd, title, text, tags }));
  });
}

function spans(points, step) {
  const found = [];
  for (const [time, value] of points) {
    if (Number(value) === 0) continue;
    const last = found.at(-1);
    if (last && time * 1000 - last[1] <= step * 1500) last[1] = time * 1000;
    else found.push([time * 1000, time * 1000]);
  }
  return found;
}

/** How often there is a new sample, as the data source says it. */
function scraped() {
  const own = Object.values(config.datasources).find(({ type }) => type === 'prometheus');
  return own?.jsonData?.timeInterval || SCRAPE;
}

const OWN_INTERVAL = /^\$\{?__(rate_)?(interval|range)(_m?s)?\}?$/;
const RATE_INTERVAL = /^\$\{?__rate_interval\}?$/;

/** Times, the step and Grafana's own variables: its `calculatePrometheusInterval`, in seconds. */
function window_(request, target) {
  const from = request.range.from.valueOf() / 1000;
  const to = request.range.to.valueOf() / 1000;
  // A least step that is itself made from the step says nothing of how often there are samples.
  const named = OWN_INTERVAL.test(target.interval) ? '' : interpolate(request, target.interval);
  const scrape = seconds(named || scraped());
  const fitting = request.intervalMs / 1000;
  const safe = Math.ceil((to - from) / MOST_POINTS);
  const least = Math.max(scrape, fitting, safe);
  const step = RATE_INTERVAL.test(target.interval)
    ? rateInterval(least, scrape)
    : least * (target.intervalFactor || 1);
  const range = Math.round(to - from);
  const variables = {
    __interval: scoped(inPromql(step)),
    __interval_ms: scoped(Math.round(step * 1000)),
    __rate_interval: scoped(inPromql(rateInterval(step, scrape))),
    __range: scoped(`${range}s`),
    __range_s: scoped(range),
    __range_ms: scoped(range * 1000),
  };
  return { from, to, step, variables };
}

/** Long enough to hold two scrapes wherever it begins. */
const rateInterval = (step, scrape) => Math.max(step + scrape, 4 * scrape);

/** A duration, which has no fractions in PromQL. */
const inPromql = (length) =>
  Number.isInteger(length) ? `${length}s` : `${Math.round(length * 1000)}ms`;

/** Buckets of a histogram hold all that is lower, too: what is in each of them alone. */
function apart(buckets) {
  const bound = ({ metric }) => number(metric.le ?? 'NaN');
  const sorted = [...buckets].sort((a, b) => bound(a) - bound(b));
  return sorted.map((bucket, at) => {
    const lower = new Map(at ? sorted[at - 1].values : []);
    const values = bucket.values?.map(([time, value]) => {
      const own = Math.max(0, number(value) - number(lower.get(time) ?? '0'));
      return [time, String(own)];
    });
    return { ...bucket, values };
  });
}

/** A query that ends between two steps would have a last sample that is not whole. */
const floor = (time, step) => Math.floor(time / step) * step;
