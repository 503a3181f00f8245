// The panel types, each as a plugin of Scenes. `supported.json` lists the same ones.
import { PanelPlugin } from '@grafana/data';
import { sceneUtils } from '@grafana/scenes';
import supported from '../../supported.json';
import { colorMode, customOptions } from '../registries';
import { UNSUPPORTED } from '../scene/panel';
import { AlertListPanel } from './alertlist';
import { BarChartPanel } from './barchart';
import { HeatmapPanel } from './heatmap';
import { LogsPanel } from './logs';
import { PieChartPanel } from './piechart';
import { StateTimelinePanel } from './statetimeline';
import { TablePanel } from './table';
import { TextPanel } from './text';
import { TimeSeriesPanel } from './timeseries';
import { UnsupportedPanel } from './unsupported';
import { BarGaugePanel, GaugePanel, StatPanel } from './values';

const byThresholds = { standardOptions: colorMode('thresholds') };
const byPalette = { standardOptions: colorMode('palette-classic') };
const withoutQueries = { skipDataQuery: true };

/** The component of each type, with its field options and what else Scenes must know of it. */
const PANELS = {
  alertlist: { component: AlertListPanel, meta: withoutQueries },
  barchart: { component: BarChartPanel, fields: byPalette },
  bargauge: { component: BarGaugePanel, fields: byThresholds },
  gauge: { component: GaugePanel, fields: byThresholds },
  heatmap: { component: HeatmapPanel, fields: {} },
  logs: { component: LogsPanel },
  piechart: { component: PieChartPanel, fields: byPalette },
  'state-timeline': { component: StateTimelinePanel, fields: byThresholds },
  stat: { component: StatPanel, fields: byThresholds, noPadding: true },
  table: { component: TablePanel, fields: byThresholds },
  text: { component: TextPanel, meta: withoutQueries },
  timeseries: { component: TimeSeriesPanel, fields: byPalette, annotated: true },
};

for (const [pluginId, { component, fields, meta, noPadding, annotated }] of Object.entries(
  PANELS,
)) {
  const plugin = new PanelPlugin(component);
  const hasCustom = Object.keys(supported.panels[pluginId].custom).length > 0;
  if (fields)
    plugin.useFieldConfig({
      ...fields,
      ...(hasCustom && { useCustomConfig: customOptions(pluginId) }),
    });
  if (noPadding) plugin.setNoPadding();
  // Without this Scenes keeps annotations from it.
  if (annotated) plugin.setDataSupport({ annotations: true, alertStates: false });
  register(pluginId, plugin, meta);
}
register(UNSUPPORTED, new PanelPlugin(UnsupportedPanel).useFieldConfig(byThresholds));

function register(pluginId, plugin, meta) {
  plugin.meta = {
    ...plugin.meta,
    ...meta,
    id: pluginId,
    name: pluginId,
    info: { version: '', logos: {} },
  };
  sceneUtils.registerRuntimePanelPlugin({ pluginId, plugin });
}
