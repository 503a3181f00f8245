// Dashboards of Grafana's older schemas, as Grafana writes them today. It does so in its core,
// which is not published as a library; what its libraries know of this is used.
import { oldFields } from './fields';
import { figures, heatmap, piechart, singlestat, text } from './figures';
import { graph } from './graph';
import { rowsToGrid } from './rows';
import { isOldTable, table } from './table';

/** Panel type → what it is today. */
const TYPES = {
  graph,
  singlestat,
  'grafana-singlestat-panel': singlestat,
  'table-old': table,
  'grafana-piechart-panel': piechart,
  heatmap,
  text,
  stat: figures,
  gauge: figures,
  bargauge: figures,
};

/** A dashboard in today's classic form; what is in it already stays as it is. */
export function modern(json) {
  if (!Array.isArray(json.panels) && !json.rows?.length) return json;
  const panels = [...(json.rows?.length ? rowsToGrid(json.rows) : []), ...(json.panels ?? [])];
  const list = [...inputs(json.__inputs ?? []), ...(json.templating?.list ?? []).map(variable)];
  return { ...json, panels: withIds(panels.map(panel)), templating: { list } };
}

function panel(json) {
  const now = {
    ...json,
    ...(json.targets && { targets: lettered(json.targets) }),
    ...(json.panels && { panels: json.panels.map(panel) }),
  };
  return oldFields((isOldTable(now) ? table : TYPES[now.type])?.(now) ?? now);
}

/** Each query with a letter, which early versions left out. */
function lettered(targets) {
  const taken = new Set(targets.map(({ refId }) => refId));
  const free = Array.from({ length: 26 }, (_, at) => String.fromCharCode(65 + at));
  const next = free.filter((letter) => !taken.has(letter));
  return targets.map((target, at) => ({
    ...target,
    refId: target.refId || next.shift() || `${at}`,
  }));
}

/** Each panel with an id of its own: links and annotations go by it. */
function withIds(panels) {
  const every = panels.flatMap((each) => [each, ...(each.panels ?? [])]);
  let last = every.reduce((most, { id }) => Math.max(most, Number(id) || 0), 0);
  const taken = new Set();
  const own = (each) => {
    const id = each.id && !taken.has(each.id) ? each.id : ++last;
    taken.add(id);
    return { ...each, id, ...(each.panels && { panels: each.panels.map(own) }) };
  };
  return panels.map(own);
}

/** What a person is asked for on importing: data sources, by their types, and constants. */
function inputs(asked) {
  return asked.map(({ name, type, pluginId, value }) => ({
    type: 'constant',
    name,
    query: type === 'datasource' ? pluginId : (value ?? ''),
  }));
}

/** Early versions named a variable in its automatic interval. */
function variable(json) {
  const { value } = json.current ?? {};
  if (json.type !== 'interval' || !String(value).startsWith('$__auto_interval')) return json;
  return { ...json, current: { text: 'auto', value: '$__auto' } };
}
