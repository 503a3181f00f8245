// Bars by category: a group for each row of the first frame that has a name for its rows.
import { FieldType, formattedValueToString, getFieldDisplayName } from '@grafana/data';
import { VizLayout, VizLegend, useTheme2 } from '@grafana/ui';
import { roundTicks, textWidth } from './axis';
import { NoData } from './empty';

const LABEL_PX = 20;

export function BarChartPanel({ data, options, fieldConfig, width, height }) {
  const theme = useTheme2();
  const chart = read(data.series, options);
  if (!chart) return <NoData data={data} fieldConfig={fieldConfig} />;
  const legend = { showLegend: true, displayMode: 'list', placement: 'bottom', ...options.legend };
  const items = chart.fields.map(({ name, color }) => ({ label: name, color: color(0), yAxis: 1 }));
  const list = legend.showLegend && (
    <VizLayout.Legend placement={width < 400 ? 'bottom' : legend.placement}>
      <VizLegend
        items={items}
        displayMode={legend.displayMode}
        placement={legend.placement}
        readonly
      />
    </VizLayout.Legend>
  );
  return (
    <VizLayout width={width} height={height} legend={list || null}>
      {(innerWidth, innerHeight) => (
        <Bars {...{ chart, options, theme }} width={innerWidth} height={innerHeight} />
      )}
    </VizLayout>
  );
}

function read(series, options) {
  for (const frame of series) {
    const byName = frame.fields.find(
      (field) => getFieldDisplayName(field, frame) === options.xField,
    );
    const names =
      byName ??
      frame.fields.find((field) => field.type === FieldType.string) ??
      frame.fields.find((field) => field.type === FieldType.time);
    const numbers = frame.fields.filter(
      (field) =>
        field.type === FieldType.number && field !== names && !field.config.custom?.hideFrom?.viz,
    );
    if (!names || !numbers.length || !frame.length) continue;
    return {
      names: names.values.map((value) =>
        names.display ? formattedValueToString(names.display(value)) : String(value),
      ),
      fields: numbers.map((field) => ({
        name: getFieldDisplayName(field, frame),
        values: field.values,
        text: (value) => formattedValueToString(field.display(value)),
        color: (at) => field.display(field.values[at]).color,
        opacity: (field.config.custom?.fillOpacity ?? 80) / 100,
      })),
    };
  }
  return undefined;
}

/** The bars of each group, as from and to on the axis of values. */
function stacked(chart, options) {
  return chart.names.map((_, row) => {
    const values = chart.fields.map((field) => Number(field.values[row]) || 0);
    if (!options.stacking || options.stacking === 'none') return values.map((value) => [0, value]);
    const whole =
      options.stacking === 'percent'
        ? values.reduce((sum, value) => sum + Math.abs(value), 0) || 1
        : 1;
    let end = 0;
    return values.map((value) => [end, (end += value / whole)]);
  });
}

function Bars({ chart, options, theme, width, height }) {
  const groups = stacked(chart, options);
  const ends = groups.flat(2);
  const least = Math.min(0, ...ends);
  const greatest = Math.max(0, ...ends) || 1;
  const sideways = options.orientation === 'horizontal';
  const { text } = chart.fields[0];
  const shown = options.stacking === 'percent' ? (value) => `${Math.round(value * 100)}%` : text;
  const ticks = roundTicks(least, greatest, (sideways ? width : height) / 70);
  const names = sideways ? Math.min(width / 3, Math.max(...chart.names.map(textWidth)) + 8) : 0;
  const left = sideways ? names : Math.max(...ticks.map(shown).map(textWidth)) + 8;
  const plot = { left, top: 6, width: width - left - 8, height: height - LABEL_PX - 6 };
  const share = (value) => (value - least) / (greatest - least);
  const slot = (sideways ? plot.height : plot.width) / chart.names.length;
  const inGroup = slot * (options.groupWidth ?? 0.7);
  const together = options.stacking && options.stacking !== 'none';
  const thick = (inGroup / (together ? 1 : chart.fields.length)) * (options.barWidth ?? 0.97);
  const place = (row, number, [from, to]) => {
    const across =
      row * slot + (slot - inGroup) / 2 + (together ? 0 : (number * inGroup) / chart.fields.length);
    const begin = share(Math.min(from, to));
    const long = Math.abs(share(to) - share(from));
    return sideways
      ? {
          x: plot.left + begin * plot.width,
          y: plot.top + across,
          width: long * plot.width,
          height: thick,
        }
      : {
          x: plot.left + across,
          y: plot.top + (1 - begin - long) * plot.height,
          width: thick,
          height: long * plot.height,
        };
  };
  // As many names as there is room for.
  const every = sideways
    ? Math.ceil(14 / slot)
    : Math.ceil((Math.max(...chart.names.map(textWidth)) + 6) / slot);
  const line = theme.isDark ? 'rgba(240, 250, 255, 0.09)' : 'rgba(0, 10, 23, 0.09)';
  return (
    <svg
      width={width}
      height={height}
      role="img"
      aria-label="Bar chart"
      fontSize="12"
      fill={theme.colors.text.primary}
    >
      {ticks.map((tick) =>
        sideways ? (
          <g key={tick} transform={`translate(${plot.left + share(tick) * plot.width} 0)`}>
            <line y1={plot.top} y2={plot.top + plot.height} stroke={line} />
            <text y={height - 5} textAnchor="middle">
              {shown(tick)}
            </text>
          </g>
        ) : (
          <g key={tick} transform={`translate(0 ${plot.top + (1 - share(tick)) * plot.height})`}>
            <line x1={plot.left} x2={plot.left + plot.width} stroke={line} />
            <text x={plot.left - 6} y="4" textAnchor="end">
              {shown(tick)}
            </text>
          </g>
        ),
      )}
      {groups.map((bars, row) =>
        bars.map((bar, number) => {
          const field = chart.fields[number];
          return (
            <rect
              key={`${row} ${number}`}
              {...place(row, number, bar)}
              fill={field.color(row)}
              fillOpacity={field.opacity}
              stroke={field.color(row)}
            >
              <title>{`${chart.names[row]}, ${field.name}: ${field.text(field.values[row])}`}</title>
            </rect>
          );
        }),
      )}
      {chart.names.map((name, row) => {
        if (row % every) return null;
        const middle = (row + 0.5) * slot;
        return sideways ? (
          <text key={row} x={plot.left - 6} y={plot.top + middle + 4} textAnchor="end">
            {name}
          </text>
        ) : (
          <text key={row} x={plot.left + middle} y={height - 5} textAnchor="middle">
            {name}
          </text>
        );
      })}
    </svg>
  );
}
