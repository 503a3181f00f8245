// The browser's clock says what `now` is; the data are of the lab's. The two may differ.
import { useSyncExternalStore } from 'react';
import { formattedValueToString, getValueFormat } from '@grafana/data';
import { Alert } from '@grafana/ui';

const MOST_MS = 30_000;
const GRAIN_MS = 1000; // of the header Date

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

/** Says that the clocks differ. Rounded, so that it does not change with every answer. */
export function ClockNote() {
  const seconds = useSyncExternalStore(subscribe, () => Math.round(ahead / 10_000) * 10);
  if (!seconds) return null;
  const length = formattedValueToString(getValueFormat('s')(Math.abs(seconds), 1));
  const title = `The clock of this browser is ${length} ${seconds > 0 ? 'ahead of' : 'behind'} the lab's.`;
  return (
    <Alert severity="warning" title={title}>
      What it takes for now is not: set it right, or choose a time range by its dates.
    </Alert>
  );
}
