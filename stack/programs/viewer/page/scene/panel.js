// A panel of a dashboard as one of Scenes': its queries, its transformations, how it is drawn.
import { SceneDataTransformer, SceneQueryRunner, SceneTimeRange, VizPanel } from '@grafana/scenes';
import supported from '../../supported.json';
import { REFERENCE } from '../sources';
import { Notices, OwnTime, PanelLinks } from './items';

/** The panel that stands where this viewer has none of the wanted type. */
export const UNSUPPORTED = 'lab-unsupported';

export const isSupported = (type) => type in supported.panels;

export function panel(json) {
  const known = isSupported(json.type);
  return new VizPanel({
    key: `panel-${json.id}`,
    title: json.title ?? '',
    description: json.description,
    pluginId: known ? json.type : UNSUPPORTED,
    pluginVersion: json.pluginVersion,
    options: known ? (json.options ?? {}) : { type: json.type },
    fieldConfig: { defaults: {}, overrides: [], ...json.fieldConfig },
    displayMode: json.transparent ? 'transparent' : 'default',
    hoverHeader: !json.title,
    titleItems: [
      new Notices({}),
      ...(json.timeFrom && !json.hideTimeOverride ? [new OwnTime({ from: begin(json) })] : []),
      ...(json.links?.length ? [new PanelLinks({ links: json.links })] : []),
    ],
    $data: data(json),
    $timeRange: json.timeFrom ? new SceneTimeRange({ from: begin(json), to: 'now' }) : undefined,
  });
}

/** Where a time range of its own begins: `5m` ago, or what Grafana calls `now/d`. */
const begin = ({ timeFrom }) => (timeFrom.startsWith('now') ? timeFrom : `now-${timeFrom}`);

function data(json) {
  const queries = (json.targets ?? []).map((target) => ({
    ...target,
    // Scenes writes its own into `datasource`.
    reference: target.datasource ?? json.datasource,
  }));
  if (!queries.length) return undefined;
  const runner = new SceneQueryRunner({
    // Each query names its own source, and one answers for all.
    datasource: REFERENCE,
    queries,
    maxDataPoints: json.maxDataPoints ?? undefined,
    maxDataPointsFromWidth: !json.maxDataPoints,
    // Scenes takes no variable here.
    minInterval: json.interval && !json.interval.includes('$') ? json.interval : undefined,
    dataLayerFilter: { panelId: json.id },
  });
  const transformations = (json.transformations ?? []).filter(({ id }) =>
    supported.transformations.includes(id),
  );
  return transformations.length
    ? new SceneDataTransformer({ $data: runner, transformations })
    : runner;
}
