// Loki's HTTP API: grafana.com/docs/loki/latest/reference/loki-http-api
import { FieldType, createDataFrame } from '@grafana/data';
import { getJson } from '../http';
import { bounded, seriesFrames, tableFrame } from './frames';
import { interpolate, interpolateText, scoped, seconds } from './interpolate';

const ROOT = '/api/datasources/proxy/uid/loki/loki/api/v1';
const MOST_LINES = 1000;
const MOST_POINTS = 11000;

const ask = async (path, parameters, signal) =>
  (await getJson(`${ROOT}/${path}`, parameters, { who: 'Loki', signal })).data;

const nanoseconds = (milliseconds) => `${Math.round(milliseconds)}000000`;

/** Frames of one query: lines, or the series that a query of metrics gives. */
export async function query(request, target, signal) {
  const from = request.range.from.valueOf();
  const to = request.range.to.valueOf();
  const least = Math.max(
    Math.ceil(request.intervalMs / 1000),
    Math.ceil((to - from) / 1000 / MOST_POINTS),
    1,
  );
  const step = target.step ? Math.max(least, seconds(interpolate(request, target.step))) : least;
  const range = Math.round((to - from) / 1000);
  const expr = interpolate(request, target.expr, {
    __auto: scoped(`${target.queryType === 'instant' ? range : step}s`),
    __interval: scoped(`${step}s`),
    __interval_ms: scoped(step * 1000),
    __range: scoped(`${range}s`),
    __range_s: scoped(range),
    __range_ms: scoped(range * 1000),
  });
  const limit = Math.min(target.maxLines || MOST_LINES, MOST_LINES);
  const ends =
    target.queryType === 'instant'
      ? { time: nanoseconds(to) }
      : { start: nanoseconds(from), end: nanoseconds(to), step };
  const path = target.queryType === 'instant' ? 'query' : 'query_range';
  const data = await ask(
    path,
    { query: expr, limit, direction: target.direction ?? 'backward', ...ends },
    signal,
  );
  const meta = { executedQueryString: expr };
  if (data.resultType === 'streams') return [linesFrame(data.result, { target, limit, meta })];
  const { kept, notices } = bounded(data.result);
  if (target.format === 'table' || target.queryType === 'instant') {
    return [tableFrame(kept, { target, many: request.targets.length > 1, meta, notices })];
  }
  const legend = interpolateText(request, target.legendFormat ?? '');
  return seriesFrames(kept, { target, legend, step, meta, notices });
}

/** Values of a variable. Its query is an object, or the text that older dashboards have. */
export async function values(request, asked) {
  const range = request.range
    ? {
        start: nanoseconds(request.range.from.valueOf()),
        end: nanoseconds(request.range.to.valueOf()),
      }
    : {};
  if (typeof asked === 'object') {
    const stream = interpolate(request, asked.stream);
    return asked.type === 0
      ? ask('labels', range)
      : ask(`label/${asked.label}/values`, { ...range, query: stream });
  }
  const text = interpolate(request, asked).trim();
  const found = /^label_values\(\s*(?:(.+),\s*)?([a-zA-Z_]\w*)\s*\)$/s.exec(text);
  if (found) return ask(`label/${found[2]}/values`, { ...range, query: found[1]?.trim() });
  if (/^label_names\(\s*\)$/.test(text)) return ask('labels', range);
  throw new Error(`\`${text}\` is not a query for values: label_values({job="x"}, label) is one.`);
}

function linesFrame(streams, { target, limit, meta }) {
  const rows = streams
    .flatMap(({ stream, values: lines }) =>
      lines.map(([time, line]) => ({ time, line, labels: stream })),
    )
    .sort((a, b) => (a.time.length - b.time.length || (a.time < b.time ? -1 : 1)) * -1);
  const notices =
    rows.length >= limit
      ? [{ severity: 'info', text: `The newest ${limit} lines are shown.` }]
      : [];
  return createDataFrame({
    refId: target.refId,
    meta: { ...meta, notices, preferredVisualisationType: 'logs' },
    fields: [
      {
        name: 'timestamp',
        type: FieldType.time,
        values: rows.map((row) => Number(row.time.slice(0, -6))),
      },
      { name: 'body', type: FieldType.string, values: rows.map((row) => row.line) },
      { name: 'labels', type: FieldType.other, values: rows.map((row) => row.labels) },
    ],
  });
}
