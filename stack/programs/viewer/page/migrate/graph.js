// The panel `graph` of Grafana before version 8 as a time series.
import { sharedSingleStatPanelChangedHandler } from '@grafana/ui';

const COLORS = { critical: 'red', warning: 'orange', ok: 'green' };
const CALCS = { avg: 'mean', current: 'lastNotNull', total: 'sum', min: 'min', max: 'max' };
const CALC_NAMES = { avg: 'Mean', current: 'Last *', total: 'Total', min: 'Min', max: 'Max' };

export function graph(json) {
  const mode = json.xaxis?.mode;
  if (mode === 'histogram') return { ...json, type: 'histogram' };
  if (mode === 'series') return bars(json);
  const [left, right] = [0, 1].map((at) => json.yaxes?.[at] ?? {});
  const { steps, style } = thresholds(json.thresholds ?? []);
  const stacking = { mode: json.percentage ? 'percent' : 'normal', group: 'A' };
  const custom = {
    drawStyle: json.lines !== false ? 'line' : json.bars ? 'bars' : 'points',
    lineWidth: json.linewidth ?? 1,
    fillOpacity: 10 * (json.fill ?? 1),
    gradientMode: json.fillGradient ? 'opacity' : 'none',
    lineInterpolation: json.steppedLine ? 'stepAfter' : 'linear',
    showPoints: json.points ? 'always' : 'never',
    pointSize: 2 * (json.pointradius ?? 2),
    spanNulls: json.nullPointMode === 'connected',
    ...(json.dashes && { lineStyle: dashes(json) }),
    ...(json.stack && { stacking }),
    ...(style && { thresholdsStyle: { mode: style } }),
    ...axis(left).custom,
  };
  const { unit = json.y_formats?.[0], decimals = json.decimals, ...bounds } = axis(left).plain;
  return {
    ...json,
    type: 'timeseries',
    options: { legend: legend(json.legend ?? {}), tooltip: tooltip(json.tooltip ?? {}) },
    fieldConfig: {
      defaults: {
        unit,
        decimals: decimals ?? undefined,
        ...bounds,
        color: { mode: 'palette-classic' },
        ...(steps && { thresholds: { mode: 'absolute', steps } }),
        custom,
      },
      overrides: [
        ...Object.entries(json.aliasColors ?? {}).map(([alias, color]) =>
          override(alias, { color }, right),
        ),
        ...(json.seriesOverrides ?? []).map(({ alias, ...style }) =>
          override(alias, style, right, stacking),
        ),
      ],
    },
  };
}

function bars(json) {
  const panel = { ...json, type: 'bargauge', fieldConfig: undefined };
  const options = sharedSingleStatPanelChangedHandler(panel, 'graph', { angular: json });
  panel.fieldConfig.defaults.unit = json.yaxes?.[0]?.format;
  return { ...panel, options };
}

function axis({ format, label, min, max, decimals, logBase, show }) {
  const numbers = { min: bound(min), max: bound(max), decimals: decimals ?? undefined };
  return {
    plain: { unit: format, ...numbers },
    custom: {
      ...(label && { axisLabel: label }),
      ...(logBase > 1 && { scaleDistribution: { type: 'log', log: logBase } }),
      ...(show === false && { axisPlacement: 'hidden' }),
    },
  };
}

const bound = (text) =>
  text == null || text === '' || Number.isNaN(Number(text)) ? undefined : Number(text);

const dashes = ({ dashLength = 10, spaceLength = 10 }) => ({
  fill: 'dash',
  dash: [dashLength, spaceLength],
});

/** What a series' own style says, by field options. */
const STYLES = {
  color: (color) => ({ color: { mode: 'fixed', fixedColor: color } }),
  fill: (fill) => ({ 'custom.fillOpacity': 10 * fill }),
  linewidth: (width) => ({ 'custom.lineWidth': width }),
  lines: (shown) => ({ 'custom.lineWidth': shown ? 1 : 0 }),
  bars: (shown) => shown && { 'custom.drawStyle': 'bars' },
  points: (shown) => ({ 'custom.showPoints': shown ? 'always' : 'never' }),
  pointradius: (radius) => ({ 'custom.pointSize': 2 * radius }),
  steppedLine: (stepped) => stepped && { 'custom.lineInterpolation': 'stepAfter' },
  dashes: (dashed, all) => dashed && { 'custom.lineStyle': dashes(all) },
  fillBelowTo: (name) => ({ 'custom.fillBelowTo': name }),
  nullPointMode: (mode) => ({ 'custom.spanNulls': mode === 'connected' }),
  transform: (how) => ({ 'custom.transform': how }),
  legend: (shown) => ({ 'custom.hideFrom': { legend: !shown, tooltip: false, viz: false } }),
  hiddenSeries: (hidden) => ({ 'custom.hideFrom': { legend: false, tooltip: false, viz: hidden } }),
};

function override(alias, style, right, stacking) {
  const found = {};
  for (const [name, value] of Object.entries(style)) {
    Object.assign(found, STYLES[name]?.(value, style));
  }
  if (style.stack !== undefined) {
    const group = typeof style.stack === 'string' ? style.stack : 'A';
    found['custom.stacking'] = style.stack === false ? { mode: 'none' } : { ...stacking, group };
  }
  if (style.yaxis === 2) {
    const { plain, custom } = axis(right);
    const own = Object.entries(custom).map(([name, value]) => [`custom.${name}`, value]);
    Object.assign(found, { 'custom.axisPlacement': 'right' }, plain, Object.fromEntries(own));
  }
  const properties = Object.entries(found)
    .filter(([, value]) => value !== undefined)
    .map(([id, value]) => ({ id, value }));
  return { matcher: named(alias), properties };
}

/** The series of a name, or of a regular expression between slashes. */
export const named = (alias = '') =>
  /^\/.*\/\w*$/.test(alias)
    ? { id: 'byRegexp', options: alias }
    : { id: 'byName', options: alias };

function thresholds(old) {
  if (!old.length) return {};
  const steps = [{ value: null, color: 'transparent' }];
  for (const { value, op, ...each } of [...old].sort((a, b) => a.value - b.value)) {
    const color = COLORS[each.colorMode] ?? each.lineColor ?? each.fillColor ?? 'red';
    if (op === 'lt') steps.at(-1).color = color;
    steps.push({ value, color: op === 'lt' ? 'transparent' : color });
  }
  const has = (what) => old.some((each) => each[what]);
  return { steps, style: !has('fill') ? 'line' : has('line') ? 'line+area' : 'area' };
}

function legend(old) {
  const shown = Object.keys(CALCS).filter((name) => old.values && old[name]);
  return {
    showLegend: old.show !== false,
    displayMode: old.alignAsTable ? 'table' : 'list',
    placement: old.rightSide ? 'right' : 'bottom',
    calcs: shown.map((name) => CALCS[name]),
    ...(old.sideWidth && { width: old.sideWidth }),
    ...(CALC_NAMES[old.sort] && { sortBy: CALC_NAMES[old.sort], sortDesc: Boolean(old.sortDesc) }),
  };
}

const tooltip = ({ shared = true, sort }) => ({
  mode: shared ? 'multi' : 'single',
  sort: ['none', 'asc', 'desc'][sort] ?? 'none',
});
