// Annotations over a plot: a line at a moment or a band over a time, with a mark that says more.
import { useLayoutEffect, useState } from 'react';
import { createPortal } from 'react-dom';
import { colorManipulator, dateTimeFormat } from '@grafana/data';
import { Toggletip, useTheme2 } from '@grafana/ui';

export function AnnotationMarks({ config, frames, timeZone }) {
  const [plot, setPlot] = useState(null);
  const [, setDrawn] = useState(0);
  useLayoutEffect(() => {
    config.addHook('init', setPlot);
    // Where a time stands changes with the range, and with the size of the panel.
    config.addHook('draw', () => queueMicrotask(() => setDrawn((count) => count + 1)));
  }, [config]);
  if (!plot?.scales?.x || plot.scales.x.min == null) return null;
  const marks = events(frames)
    .filter(({ time, timeEnd }) => timeEnd >= plot.scales.x.min && time <= plot.scales.x.max)
    .slice(0, 200)
    .map((event, at) => <Mark key={at} event={event} plot={plot} timeZone={timeZone} />);
  return createPortal(marks, plot.over);
}

const COLUMNS = ['id', 'time', 'timeEnd', 'title', 'text', 'tags', 'color'];

/** Rows of annotation frames as objects; a moment ends when it begins. What several queries found is
 * there once, as the last of them has it. */
function events(frames) {
  const rows = frames.flatMap((frame) => {
    const columns = COLUMNS.map(
      (name) => frame.fields.find((field) => field.name === name)?.values ?? [],
    );
    return Array.from({ length: frame.length }, (_, at) => {
      const event = Object.fromEntries(COLUMNS.map((name, number) => [name, columns[number][at]]));
      return { ...event, timeEnd: event.timeEnd || event.time, tags: event.tags ?? [] };
    });
  });
  return [...new Map(rows.map((event, at) => [event.id ?? `row ${at}`, event])).values()];
}

function Mark({ event, plot, timeZone }) {
  const theme = useTheme2();
  const color = theme.visualization.getColorByName(event.color ?? 'blue');
  const width = plot.over.clientWidth;
  const at = (time) => Math.min(width, Math.max(0, plot.valToPos(time, 'x')));
  const left = at(event.time);
  const wide = Math.max(1, at(event.timeEnd) - left);
  const format = (time) => dateTimeFormat(time, { timeZone });
  const when =
    event.timeEnd > event.time
      ? `${format(event.time)} to ${format(event.timeEnd)}`
      : format(event.time);
  const band = {
    position: 'absolute',
    top: 0,
    bottom: 0,
    left,
    width: wide,
    borderLeft: `1px dashed ${color}`,
    borderRight: wide > 1 ? `1px dashed ${color}` : 'none',
    background: wide > 1 ? colorManipulator.alpha(color, 0.15) : 'none',
    pointerEvents: 'none',
  };
  const mark = {
    position: 'absolute',
    bottom: -4,
    left: left - 5,
    width: 10,
    height: 8,
    padding: 0,
    border: 0,
    background: color,
    clipPath: 'polygon(50% 0, 100% 100%, 0 100%)',
    cursor: 'pointer',
    zIndex: 2,
  };
  const title = event.title || event.text || 'Annotation';
  const more = (
    <>
      {event.title && event.text && <div>{event.text}</div>}
      <div style={{ color: theme.colors.text.secondary }}>{when}</div>
      {event.tags.length > 0 && <div>{event.tags.join(', ')}</div>}
    </>
  );
  return (
    <>
      <div style={band} />
      <Toggletip title={title} content={more}>
        <button
          type="button"
          style={mark}
          aria-label={`Annotation: ${title}, ${when}`}
          // A press here must not begin a selection of time.
          onMouseDown={(press) => press.stopPropagation()}
        />
      </Toggletip>
    </>
  );
}
