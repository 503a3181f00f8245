// Variables in queries. In PromQL and LogQL several values become a regular expression in a string.
import { rangeUtil } from '@grafana/data';
import { sceneGraph } from '@grafana/scenes';

const regexSpecial = /[\\^$*+?.()|[\]{}]/g;

const inString = (text) => String(text).replace(/\\/g, '\\\\').replace(/"/g, '\\"');
const inRegex = (text) => String(text).replace(regexSpecial, '\\\\$&').replace(/"/g, '\\"');

function format(value, variable) {
  if (Array.isArray(value)) {
    const each = value.map(inRegex);
    return each.length === 1 ? each[0] : `(${each.join('|')})`;
  }
  return variable?.multi || variable?.includeAll ? inRegex(value) : inString(value);
}

/** `text` with the variables that its panel, or the variable that asks, can see. */
export function interpolate(request, text, more = {}, formatter = format) {
  const scope = request.scopedVars?.__sceneObject?.value.valueOf();
  if (!scope || !text) return text;
  return sceneGraph.interpolate(scope, text, { ...request.scopedVars, ...more }, formatter);
}

/** Plain, for names of series, where nothing is quoted. */
export const interpolateText = (request, text) => interpolate(request, text, {}, 'text');

export const scoped = (value) => ({ value, text: String(value) });

export const seconds = (interval) => rangeUtil.intervalToSeconds(interval);
