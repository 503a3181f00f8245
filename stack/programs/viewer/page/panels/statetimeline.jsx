// States over time: a row for each series, a bar for as long as its value stays the same.
import { FieldType, formattedValueToString, getFieldDisplayName } from '@grafana/data';
import { useTheme2 } from '@grafana/ui';
import { TIME_PX, TimeAxis, textWidth } from './axis';
import { NoData } from './empty';

export function StateTimelinePanel({
  data,
  options,
  fieldConfig,
  timeRange,
  timeZone,
  width,
  height,
}) {
  const theme = useTheme2();
  const from = timeRange.from.valueOf();
  const to = timeRange.to.valueOf();
  const rows = data.series.flatMap((frame) =>
    read(frame, data.series, to, options.mergeValues !== false),
  );
  if (!rows.length) return <NoData data={data} fieldConfig={fieldConfig} />;
  const left = Math.min(width / 3, Math.max(...rows.map((row) => textWidth(row.name))) + 10);
  const plot = { width: width - left - 8, height: height - TIME_PX };
  const slot = plot.height / rows.length;
  const thick = slot * (options.rowHeight ?? 0.9);
  const x = (time) =>
    left + ((Math.min(to, Math.max(from, time)) - from) / (to - from)) * plot.width;
  return (
    <svg width={width} height={height} role="img" aria-label="States over time" fontSize="12">
      {rows.map((row, number) => (
        <g key={number} transform={`translate(0 ${number * slot + (slot - thick) / 2})`}>
          <text x={left - 8} y={thick / 2 + 4} textAnchor="end" fill={theme.colors.text.primary}>
            {row.name}
          </text>
          {row.states
            .filter((state) => state.end > from && state.begin < to)
            .map((state) => {
              const wide = Math.max(0.5, x(state.end) - x(state.begin));
              const says =
                options.showValue !== 'never' && wide > textWidth(state.text) + 6 && thick > 14;
              return (
                <g key={state.begin} transform={`translate(${x(state.begin)} 0)`}>
                  <rect
                    width={wide}
                    height={thick}
                    fill={state.color}
                    fillOpacity={row.opacity}
                    stroke={state.color}
                    strokeWidth={row.line}
                  >
                    <title>{`${row.name}: ${state.text}`}</title>
                  </rect>
                  {says && (
                    <text
                      x={wide / 2}
                      y={thick / 2 + 4}
                      textAnchor="middle"
                      fill={theme.colors.getContrastText(state.color)}
                      pointerEvents="none"
                    >
                      {state.text}
                    </text>
                  )}
                </g>
              );
            })}
        </g>
      ))}
      <TimeAxis {...{ from, to, left, timeZone }} top={plot.height} width={plot.width} />
    </svg>
  );
}

function read(frame, all, to, merging) {
  const time = frame.fields.find((field) => field.type === FieldType.time);
  if (!time) return [];
  return frame.fields
    .filter((field) => field !== time && !field.config.custom?.hideFrom?.viz)
    .map((field) => ({
      name: getFieldDisplayName(field, frame, all),
      states: states(field, time.values, to, merging),
      opacity: (field.config.custom?.fillOpacity ?? 70) / 100,
      line: field.config.custom?.lineWidth ?? 0,
    }))
    .filter((row) => row.states.length);
}

/** A value holds until the next one; where it is missing, there is nothing. */
function states(field, times, to, merging) {
  const found = [];
  field.values.forEach((value, at) => {
    if (value == null) return;
    const shown = field.display(value);
    const text = formattedValueToString(shown);
    const end = times[at + 1] ?? to;
    const last = found.at(-1);
    if (merging && last && last.text === text && last.end === times[at]) last.end = end;
    else found.push({ begin: times[at], end, text, color: shown.color ?? 'gray' });
  });
  return found;
}
