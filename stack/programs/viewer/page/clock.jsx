// The browser's clock says what `now` is; the data are of the lab's. The two may differ.
import { useSyncExternalStore } from 'react';
import { Alert } from '@grafana/ui';

const MOST_MS = 30_000;
const GRAIN_MS = 1000; // of the header Date
const UNITS = [
  [86400, 'day'],
  [3600, 'hour'],
  [60, 'minute'],
];

let ahead = 0;
const listeners = new Set();

/** Take note of when the service answered (milliseconds, NaN if it does not say) what was asked
 * then by this clock. */
export function compare(answered, asked) {
  if (Number.isNaN(answered)) return;
  const early = Math.max(0, asked - answered - GRAIN_MS);
  const late = Math.max(0, answered - Date.now());
  ahead = early > MOST_MS ? early : late > MOST_MS ? -late : 0;
  listeners.forEach((each) => each());
}

function subscribe(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function inWords(seconds) {
  const [length, unit] = UNITS.find(([least]) => seconds >= least);
  const count = Math.round(seconds / length);
  return `${count} ${unit}${count === 1 ? '' : 's'}`;
}

/** Says that the clocks differ, in minutes, so that it does not change with every answer. */
export function ClockNote() {
  const seconds = useSyncExternalStore(subscribe, () => Math.round(ahead / 60_000) * 60);
  if (!seconds) return null;
  const way = seconds > 0 ? 'ahead of' : 'behind';
  const title = `The clock of this browser is ${inWords(Math.abs(seconds))} ${way} the lab's.`;
  return (
    <Alert severity="warning" title={title}>
      What it takes for now is not: set it right, or choose a time range by its dates.
    </Alert>
  );
}
