// Answers of Prometheus' API, which Loki's is modelled on, as Grafana's data frames.
import { FieldType, createDataFrame, formatLabels, renderLegendFormat } from '@grafana/data';

/** Series of one query that are shown; more cannot be told apart, and stop the browser. */
export const MOST_SERIES = 500;

export function number(text) {
  if (text === 'NaN') return NaN;
  if (text.endsWith('Inf')) return text.startsWith('-') ? -Infinity : Infinity;
  return Number(text);
}

/** The first of too many series, and what to say of it (`meta`). */
export function bounded(series) {
  if (series.length <= MOST_SERIES) return { kept: series, notices: [] };
  const text =
    `${series.length.toLocaleString('en')} series: the first ${MOST_SERIES} are shown. ` +
    'Select fewer, or add them up.';
  return { kept: series.slice(0, MOST_SERIES), notices: [{ severity: 'warning', text }] };
}

/** One frame a series: where a sample is missing for longer than a step, there is a gap. */
export function seriesFrames(series, { target, legend, step, meta, notices }) {
  return series.map((each, at) => {
    const { times, values } = samples(each, step);
    const name = seriesName(each.metric, legend, meta.executedQueryString);
    return createDataFrame({
      refId: target.refId,
      name,
      // Once for all of them.
      meta: { ...meta, type: 'timeseries-multi', notices: at === 0 ? notices : undefined },
      fields: [
        { name: 'Time', type: FieldType.time, values: times, config: { interval: step * 1000 } },
        {
          name: 'Value',
          type: FieldType.number,
          values,
          labels: each.metric,
          config: { displayNameFromDS: name },
        },
      ],
    });
  });
}

/** One frame with a row a sample and a column a label. */
export function tableFrame(series, { target, many, meta, notices }) {
  const rows = series.flatMap((each) =>
    (each.values ?? [each.value]).map(([time, value]) => ({ labels: each.metric, time, value })),
  );
  const names = [...new Set(series.flatMap((each) => Object.keys(each.metric)))].sort();
  return createDataFrame({
    refId: target.refId,
    meta: { ...meta, notices },
    fields: [
      { name: 'Time', type: FieldType.time, values: rows.map((row) => row.time * 1000) },
      ...names.map((name) => ({
        name,
        type: FieldType.string,
        values: rows.map((row) => row.labels[name] ?? ''),
        config: { filterable: true },
      })),
      {
        name: many ? `Value #${target.refId}` : 'Value',
        type: FieldType.number,
        values: rows.map((row) => number(row.value)),
      },
    ],
  });
}

function samples(each, step) {
  const times = [];
  const values = [];
  for (const [time, value] of each.values ?? [each.value]) {
    const last = times.at(-1);
    if (each.values && last !== undefined && time * 1000 - last > step * 1500) {
      times.push(last + step * 1000);
      values.push(null);
    }
    times.push(time * 1000);
    values.push(number(value));
  }
  return { times, values };
}

function seriesName(labels, legend, query) {
  if (legend && legend !== '__auto') return renderLegendFormat(legend, labels);
  const { __name__: name = '', ...rest } = labels;
  return name + (Object.keys(rest).length ? formatLabels(rest) : '') || query;
}
