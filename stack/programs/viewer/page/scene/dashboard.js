// A dashboard's JSON (the classic schema) as a scene. Grafana's own converter is in its core, which
// is not published as a library.
import {
  EmbeddedScene,
  SceneControlsSpacer,
  SceneDataLayerSet,
  SceneGridItem,
  SceneGridLayout,
  SceneGridRow,
  SceneRefreshPicker,
  SceneTimePicker,
  SceneTimeRange,
  VariableValueSelectors,
  behaviors,
  dataLayers,
  sceneGraph,
} from '@grafana/scenes';
import { modern } from '../migrate';
import { REFERENCE } from '../sources';
import { AnnotationSwitches, DashboardLinks, Shortcomings } from './controls';
import { panel } from './panel';
import { keepRepeated, only, places } from './repeats';
import { unsupported, variables } from './variables';

const REFRESH = ['5s', '10s', '15s', '30s', '1m', '5m', '15m', '30m', '1h'];

const ALONE = { x: 0, y: 0, w: 24, h: 22 };

/** The scene of a dashboard, or of one of its panels alone. Raises Error for JSON that is none, and
 * for a panel that is not in it. */
export function toScene(json, alone) {
  const dashboard = modern(json);
  if (!Array.isArray(dashboard.panels)) {
    throw new Error('This is no dashboard of the classic schema: it has no list of panels.');
  }
  const repeats = [];
  const panels = alone ? [onePanel(dashboard.panels, alone)] : dashboard.panels;
  const children = layout(panels, repeats);
  const layers = annotations(dashboard);
  return new EmbeddedScene({
    $timeRange: new PatientTimeRange({
      from: dashboard.time?.from ?? 'now-1h',
      to: dashboard.time?.to ?? 'now',
      timeZone: dashboard.timezone || 'browser',
    }),
    $variables: variables(dashboard),
    $data: new SceneDataLayerSet({ layers }),
    $behaviors: [
      keepRepeated(repeats),
      new behaviors.SceneQueryController(),
      new behaviors.CursorSync({ sync: dashboard.graphTooltip ?? 0, key: 'cursor' }),
    ],
    controls: controls(dashboard, layers),
    body: new SceneGridLayout({ isLazy: true, isDraggable: false, children }),
  });
}

/** Lets queries that are slower than the refresh come to their end: asked anew, they never would. */
class PatientTimeRange extends SceneTimeRange {
  constructor(state) {
    super(state);
    const refresh = this.onRefresh;
    this.onRefresh = () => {
      if (!sceneGraph.getQueryController(this)?.state.isRunning) refresh();
    };
  }
}

function controls(dashboard, layers) {
  // Those that a person may switch off.
  const switched = layers.filter((layer) => !layer.state.isHidden);
  const missing = [
    ...unsupported(dashboard).map((what) => `The variable ${what} cannot be chosen.`),
    ...shifted(dashboard).map(
      (what) => `The panel ${what} shows now: it cannot be shifted in time.`,
    ),
  ];
  const intervals = dashboard.timepicker?.refresh_intervals ?? REFRESH;
  const refresh = dashboard.refresh || '';
  return [
    ...(missing.length ? [new Shortcomings({ lines: missing })] : []),
    new VariableValueSelectors({}),
    ...(switched.length
      ? [new AnnotationSwitches({ layers: switched.map((layer) => layer.getRef()) })]
      : []),
    ...(dashboard.links?.length ? [new DashboardLinks({ links: dashboard.links })] : []),
    new SceneControlsSpacer(),
    new SceneTimePicker({ isOnCanvas: true }),
    new SceneRefreshPicker({
      refresh,
      intervals: [...new Set([...intervals, '15s', refresh])].filter(Boolean),
    }),
  ];
}

/** Names of the panels that ask for an earlier time than the page's. */
const shifted = ({ panels }) =>
  every(panels)
    .filter((each) => each.timeShift)
    .map((each) => `\`${each.title}\``);

const every = (panels) => panels.flatMap((each) => [each, ...(each.panels ?? [])]);

/** The panel with this id, as large as the page; Grafana writes it as a number or `panel-NUMBER`. */
function onePanel(panels, id) {
  const wanted = id.replace(/^panel-/, '');
  const found = every(panels).find((each) => String(each.id) === wanted && each.type !== 'row');
  if (!found) throw new Error(`This dashboard has no panel \`${id}\`.`);
  return { ...found, gridPos: ALONE };
}

/** Rows hold the panels that follow them; those of a collapsed one are inside it already. */
function layout(panels, repeats) {
  const top = [];
  let row;
  for (const json of [...panels].sort(byPlace)) {
    if (json.type === 'row') {
      const own = (json.panels ?? []).map((each) => [each, item(each)]);
      row = new SceneGridRow({
        key: `row-${json.id}`,
        title: json.title,
        y: json.gridPos?.y ?? 0,
        isCollapsed: Boolean(json.collapsed),
        children: own.map(([, made]) => made),
      });
      own.forEach(([each, made]) => repeatPanel(each, made, repeats));
      if (json.repeat) repeatRow(json, row, repeats);
      top.push(row);
      if (json.collapsed) row = undefined;
      continue;
    }
    const made = item(json);
    if (row) row.setState({ children: [...row.state.children, made] });
    else top.push(made);
    repeatPanel(json, made, repeats);
  }
  return top;
}

const byPlace = (a, b) =>
  (a.gridPos?.y ?? 0) - (b.gridPos?.y ?? 0) || (a.gridPos?.x ?? 0) - (b.gridPos?.x ?? 0);

function item(json, { x = 0, y = 0, w = 12, h = 8 } = json.gridPos ?? {}) {
  const key = `grid-item-${json.id}`;
  return new SceneGridItem({
    key,
    x,
    y,
    width: w,
    height: h,
    isDraggable: false,
    isResizable: false,
    body: panel(json),
  });
}

function repeatPanel(json, made, repeats) {
  if (!json.repeat) return;
  const make = (values) => {
    const at = places(json, values.length);
    return values.map((value, number) => {
      const copy = item({ ...json, id: number ? `${json.id}-${number}` : json.id }, at[number]);
      copy.setState({ $variables: only(json.repeat, value) });
      return copy;
    });
  };
  repeats.push({ name: json.repeat, items: [made], make });
}

function repeatRow(json, row, repeats) {
  const make = (values) =>
    values.map((value, number) => {
      const copy = row.clone({ key: `row-${json.id}-${number}` });
      copy.setState({ $variables: only(json.repeat, value) });
      return copy;
    });
  repeats.push({ name: json.repeat, items: [row], make });
}

function annotations(dashboard) {
  const annotated = (dashboard.annotations?.list ?? []).filter((json) => json.enable !== false);
  return annotated.map(
    (json) =>
      new dataLayers.AnnotationsDataLayer({
        key: `annotations-${json.name}`,
        name: json.name,
        isEnabled: true,
        isHidden: Boolean(json.hide) || Boolean(json.builtIn),
        query: {
          ...json,
          enable: true,
          reference: json.datasource,
          datasource: REFERENCE,
          dashboardUID: dashboard.uid,
          iconColor: json.iconColor ?? 'rgba(0, 211, 255, 1)',
        },
      }),
  );
}
