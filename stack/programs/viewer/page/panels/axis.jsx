// Axes of the panels that are drawn as SVG.
import { dateTimeFormat } from '@grafana/data';
import { useTheme2 } from '@grafana/ui';

/** Room for the axis of time, below what it is for. */
export const TIME_PX = 22;

const TICK_PX = 90;
const STEPS_S = [
  1, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800,
  604800,
];

/** Labels of round times from `left` on, over `width` pixels; the range is in milliseconds. */
export function TimeAxis({ from, to, left, top, width, timeZone }) {
  const theme = useTheme2();
  const wanted = ((to - from) / 1000) * (TICK_PX / Math.max(width, 1));
  const step = (STEPS_S.find((each) => each >= wanted) ?? STEPS_S.at(-1)) * 1000;
  // Round in local time, which a day's steps would miss in UTC.
  const shift = new Date(from).getTimezoneOffset() * 60000;
  const first = Math.ceil((from - shift) / step) * step + shift;
  const format = step >= 86400000 ? 'MM/DD' : step >= 60000 ? 'HH:mm' : 'HH:mm:ss';
  const ticks = [];
  for (let time = first; time <= to; time += step) ticks.push(time);
  return (
    <g fill={theme.colors.text.primary} fontSize="12" textAnchor="middle">
      {ticks.map((time) => (
        <text key={time} x={left + ((time - from) / (to - from)) * width} y={top + 16}>
          {dateTimeFormat(time, { timeZone, format })}
        </text>
      ))}
    </g>
  );
}

/** About `count` round numbers from the least to the greatest. */
export function roundTicks(least, greatest, count) {
  const span = greatest - least || 1;
  const rough = span / Math.max(count, 1);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].find((each) => each * power >= rough) * power;
  const ticks = [];
  for (
    let number = Math.ceil(least / step) * step;
    number <= greatest + step / 1e6;
    number += step
  ) {
    ticks.push(Math.abs(number) < step / 1e6 ? 0 : number);
  }
  return ticks;
}

/** Width in pixels that a text needs, about: all digits are as wide. */
export const textWidth = (text) => text.length * 7;
