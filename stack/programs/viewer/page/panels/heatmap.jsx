// How often which value occurred over time: a column for each moment, a cell for each bucket. The
// buckets are series of counts (Prometheus' format `heatmap`), or the panel counts them itself.
import { useLayoutEffect, useRef } from 'react';
import {
  FieldType,
  fieldColorModeRegistry,
  formattedValueToString,
  getFieldDisplayName,
  getValueFormat,
} from '@grafana/data';
import { useTheme2 } from '@grafana/ui';
import { TIME_PX, TimeAxis, roundTicks, textWidth } from './axis';
import { NoData } from './empty';

const ROWS = 20;
const SCHEMES = {
  Spectral: 'RdYlGr',
  RdYlGn: 'GrYlRd',
  Oranges: 'YlRd',
  YlOrRd: 'YlRd',
  Blues: 'blues',
  Greens: 'greens',
  Reds: 'reds',
  Purples: 'purples',
  BuPu: 'BlPu',
  YlBl: 'YlBl',
};

export function HeatmapPanel({ data, options, fieldConfig, timeRange, timeZone, width, height }) {
  const theme = useTheme2();
  const canvas = useRef(null);
  const grid = options.calculate ? counted(data.series, options) : buckets(data.series);
  const unit = getValueFormat(options.yAxis?.unit || 'short');
  const say = (number) => {
    if (typeof number !== 'number') return number;
    return Number.isFinite(number)
      ? formattedValueToString(unit(number, options.yAxis?.decimals))
      : '+Inf';
  };
  const names = grid?.rows.map(say) ?? [];
  const left = Math.max(30, ...names.map(textWidth)) + 8;
  const from = timeRange.from.valueOf();
  const to = timeRange.to.valueOf();
  const plot = { width: Math.max(1, width - left - 8), height: Math.max(1, height - TIME_PX) };
  useLayoutEffect(() => {
    if (grid && canvas.current) draw(canvas.current, grid, { from, to, plot, options, theme });
  });
  if (!grid) return <NoData data={data} fieldConfig={fieldConfig} />;
  const every = Math.ceil(16 / (plot.height / names.length));
  return (
    <div style={{ position: 'relative' }}>
      <canvas
        ref={canvas}
        style={{ position: 'absolute', left, top: 0, width: plot.width, height: plot.height }}
      />
      <svg
        width={width}
        height={height}
        role="img"
        aria-label="Heat map"
        fontSize="12"
        fill={theme.colors.text.primary}
        style={{ position: 'relative' }}
      >
        {names.map((name, row) =>
          row % every ? null : (
            <text
              key={row}
              x={left - 6}
              y={plot.height - (row + 0.5) * (plot.height / names.length) + 4}
              textAnchor="end"
            >
              {name}
            </text>
          ),
        )}
        <TimeAxis {...{ from, to, left, timeZone }} top={plot.height} width={plot.width} />
      </svg>
    </div>
  );
}

/** One series a bucket, the lowest first; its name is the bucket's upper bound. */
function buckets(series) {
  const rows = [];
  let times;
  for (const frame of series) {
    const time = frame.fields.find((field) => field.type === FieldType.time);
    for (const field of frame.fields.filter((each) => each.type === FieldType.number)) {
      if (!time) continue;
      times = times && times.length >= time.values.length ? times : time.values;
      rows.push({
        bound: bound(getFieldDisplayName(field, frame, series)),
        at: new Map(time.values.map((t, i) => [t, field.values[i]])),
      });
    }
  }
  if (!rows.length || !times?.length) return undefined;
  if (rows.every((row) => typeof row.bound === 'number')) rows.sort((a, b) => a.bound - b.bound);
  return {
    times,
    rows: rows.map((row) => row.bound),
    cells: rows.map((row) => times.map((time) => row.at.get(time) ?? 0)),
  };
}

const bound = (name) =>
  name === '+Inf' ? Infinity : Number.isNaN(Number(name)) ? name : Number(name);

/** Counts of the values of all series, in buckets of the same height. */
function counted(series, options) {
  const points = series.flatMap((frame) => {
    const time = frame.fields.find((field) => field.type === FieldType.time)?.values ?? [];
    const numbers = frame.fields.filter((field) => field.type === FieldType.number);
    return numbers
      .flatMap((field) => field.values.map((value, at) => [time[at], value]))
      .filter(([, value]) => Number.isFinite(value));
  });
  if (!points.length) return undefined;
  const values = points.map(([, value]) => value);
  const ticks = roundTicks(
    Math.min(...values),
    Math.max(...values),
    Number(options.calculation?.yBuckets?.value) || ROWS,
  );
  const step = ticks.length > 1 ? ticks[1] - ticks[0] : 1;
  const least = (ticks[0] ?? values[0]) - step;
  const rows = Array.from({ length: ticks.length + 1 }, (_, row) => least + (row + 1) * step);
  const times = [...new Set(points.map(([time]) => time))].sort((a, b) => a - b);
  const column = new Map(times.map((time, at) => [time, at]));
  const cells = rows.map(() => times.map(() => 0));
  for (const [time, value] of points) {
    const row = Math.min(rows.length - 1, Math.max(0, Math.floor((value - least) / step)));
    cells[row][column.get(time)] += 1;
  }
  return { times, rows, cells };
}

function draw(canvas, { times, rows, cells }, { from, to, plot, options, theme }) {
  const scale = window.devicePixelRatio || 1;
  canvas.width = plot.width * scale;
  canvas.height = plot.height * scale;
  const pen = canvas.getContext('2d');
  pen.scale(scale, scale);
  const most = cells.reduce((max, row) => row.reduce((a, b) => Math.max(a, b || 0), max), 0) || 1;
  const color = colors(options.color ?? {}, theme);
  const step = times.length > 1 ? times[1] - times[0] : to - from;
  const wide = (step / (to - from)) * plot.width;
  const tall = plot.height / rows.length;
  const gap = Math.min(options.cellGap ?? 1, wide / 2, tall / 2);
  cells.forEach((row, number) =>
    row.forEach((count, at) => {
      if (!(count > 0)) return;
      pen.fillStyle = color(count / most);
      const x = ((times[at] - step - from) / (to - from)) * plot.width;
      pen.fillRect(x, plot.height - (number + 1) * tall, wide - gap, tall - gap);
    }),
  );
}

function colors({ mode, scheme = 'Oranges', fill = 'dark-orange', exponent = 0.5 }, theme) {
  if (mode === 'opacity') {
    const plain = theme.visualization.getColorByName(fill);
    return (share) =>
      `${plain}${Math.round(255 * share ** exponent)
        .toString(16)
        .padStart(2, '0')}`;
  }
  const known = fieldColorModeRegistry.getIfExists(`continuous-${SCHEMES[scheme] ?? 'YlRd'}`);
  const calculate = (known ?? fieldColorModeRegistry.get('continuous-YlRd')).getCalculator(
    { config: {} },
    theme,
  );
  return (share) => calculate(0, share);
}
