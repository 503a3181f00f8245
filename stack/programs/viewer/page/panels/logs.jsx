import { dateTimeFormat } from '@grafana/data';
import { ScrollContainer, useTheme2 } from '@grafana/ui';
import { NoData } from './empty';

const COLORS = {
  critical: 'purple',
  fatal: 'purple',
  error: 'red',
  err: 'red',
  warn: 'orange',
  warning: 'orange',
  info: 'green',
  debug: 'blue',
  trace: 'light-blue',
};

/** Lines, newest first unless the panel wants otherwise; each opens to show its labels. */
export function LogsPanel({ data, options, fieldConfig, timeZone }) {
  const theme = useTheme2();
  const rows = lines(data.series);
  if (!rows.length) return <NoData data={data} fieldConfig={fieldConfig} />;
  if (options.sortOrder === 'Ascending') rows.reverse();
  const style = {
    fontFamily: theme.typography.fontFamilyMonospace,
    fontSize: 12,
    lineHeight: 1.6,
    whiteSpace: options.wrapLogMessage ? 'pre-wrap' : 'pre',
    overflowWrap: options.wrapLogMessage ? 'anywhere' : 'normal',
  };
  return (
    <ScrollContainer>
      <div style={style}>
        {rows.map((row, at) => (
          <Line
            key={`${row.time} ${at}`}
            row={row}
            options={options}
            timeZone={timeZone}
            theme={theme}
          />
        ))}
      </div>
    </ScrollContainer>
  );
}

function Line({ row, options, timeZone, theme }) {
  const { time, line, labels } = row;
  const quiet = { color: theme.colors.text.secondary };
  const color = theme.visualization.getColorByName(COLORS[level(labels, line)] ?? 'gray');
  const shown = options.showCommonLabels || options.showLabels;
  return (
    <details
      style={{ borderLeft: `3px solid ${color}`, paddingLeft: 6, contentVisibility: 'auto' }}
    >
      <summary style={{ listStyle: 'none', cursor: 'pointer' }}>
        {options.showTime !== false && (
          <span style={quiet}>
            {dateTimeFormat(time, { timeZone, format: 'YYYY-MM-DD HH:mm:ss.SSS' })}{' '}
          </span>
        )}
        {shown && <span style={quiet}>{Object.values(labels).join(' ')} </span>}
        {options.prettifyLogMessage ? pretty(line) : line}
      </summary>
      <table style={{ margin: '4px 0 8px 16px' }}>
        <tbody>
          {Object.entries(labels).map(([name, value]) => (
            <tr key={name}>
              <td style={{ ...quiet, paddingRight: 16 }}>{name}</td>
              <td>{value}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </details>
  );
}

/** Rows of the frames that Loki's lines come in (`sources/loki.js`). */
function lines(frames) {
  return frames.flatMap((frame) => {
    const column = (name) => frame.fields.find((field) => field.name === name)?.values;
    const [times, bodies, labels] = ['timestamp', 'body', 'labels'].map(column);
    if (!times || !bodies) return [];
    return bodies.map((line, at) => ({ time: times[at], line, labels: labels?.[at] ?? {} }));
  });
}

function level(labels, line) {
  const said = labels.detected_level ?? labels.level ?? labels.severity;
  const written = /\b(?:level|lvl|severity)"?\s*[=:]\s*"?(\w+)/i.exec(line)?.[1];
  return (
    said ??
    written ??
    /\b(critical|error|warn|info|debug)/i.exec(line)?.[1] ??
    ''
  ).toLowerCase();
}

function pretty(line) {
  try {
    return JSON.stringify(JSON.parse(line), null, 2);
  } catch {
    return line;
  }
}
