// The table of Grafana before version 7: a list of `styles` for its columns.
import { convertOldAngularValueMappings } from '@grafana/data';
import { HIDDEN } from './fields';
import { named } from './graph';

const CALCS = { avg: 'mean', current: 'lastNotNull', total: 'sum' };
const CELLS = { cell: 'color-background', row: 'color-background', value: 'color-text' };

export const isOldTable = ({ type, styles }) => type === 'table' && Array.isArray(styles);

export function table(json) {
  const { fieldConfig } = json;
  const own = (json.styles ?? []).map(override).filter(({ properties }) => properties.length);
  return {
    ...json,
    type: 'table',
    options: { ...json.options, ...sorted(json.sort ?? {}) },
    fieldConfig: {
      defaults: {},
      ...fieldConfig,
      overrides: [...(fieldConfig?.overrides ?? []), ...own],
    },
    transformations: [...(json.transformations ?? []), ...transformed(json)],
  };
}

const sorted = ({ col, desc }) =>
  typeof col === 'string' ? { sortBy: [{ displayName: col, desc }] } : {};

function transformed({ transform, columns, targets }) {
  if (transform === 'timeseries_to_rows') return [{ id: 'seriesToRows', options: {} }];
  if (transform === 'timeseries_to_columns') return [{ id: 'joinByField', options: {} }];
  if (transform === 'timeseries_aggregations') {
    const reducers = (columns ?? []).map(({ value }) => CALCS[value] ?? value);
    return [{ id: 'reduce', options: { reducers, includeTimeField: false } }];
  }
  // Several queries made one table, joined by the labels that they have in common.
  return targets?.length > 1 ? [{ id: 'merge', options: {} }] : [];
}

function override(style) {
  const { pattern, alias, type, unit, decimals, align } = style;
  const found = {};
  if (alias) found.displayName = alias;
  if (type === 'hidden') found['custom.hideFrom'] = HIDDEN;
  if (type === 'date') found.unit = `time:${style.dateFormat || 'YYYY-MM-DD HH:mm:ss'}`;
  if (type === 'number' && unit) found.unit = unit;
  if (type === 'number' && decimals != null) found.decimals = decimals;
  if (align && align !== 'auto') found['custom.align'] = align;
  const cell = CELLS[style.colorMode];
  if (cell) found['custom.cellOptions'] = { type: cell };
  const levels = (style.thresholds ?? []).map(Number);
  if (cell && style.colors?.length) {
    const steps = style.colors.map((color, at) => ({ color, value: at ? levels[at - 1] : null }));
    const known = steps.filter(({ value }) => value !== undefined);
    found.thresholds = { mode: 'absolute', steps: known };
  }
  const mappings = convertOldAngularValueMappings(style);
  if (mappings.length) found.mappings = mappings;
  if (style.link && style.linkUrl) {
    const { linkUrl, linkTooltip, linkTargetBlank } = style;
    found.links = [{ title: linkTooltip || '', url: cells(linkUrl), targetBlank: linkTargetBlank }];
  }
  const properties = Object.entries(found).map(([id, value]) => ({ id, value }));
  return { matcher: named(pattern), properties };
}

/** `$__cell` was the cell's value, and `$__cell_2` that of another column of its row. */
const cells = (url) =>
  url
    .replace(/\$\{?__cell_(\d+)(?::raw)?\}?/g, '${__data.fields[$1]}')
    .replace(/\$\{?__cell\b(?::raw)?\}?/g, '${__value.text}');
