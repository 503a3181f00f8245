// Panels that kept their type, or are another one under a new name.
import { sharedSingleStatMigrationHandler, sharedSingleStatPanelChangedHandler } from '@grafana/ui';

/** The stat and gauge of before Grafana 7. */
export function singlestat(json) {
  const panel = { ...json, fieldConfig: undefined, options: {} };
  const options = sharedSingleStatPanelChangedHandler(panel, 'singlestat', { angular: json });
  if (json.gauge?.show) {
    const { thresholdMarkers = true, thresholdLabels = false } = json.gauge;
    return {
      ...panel,
      type: 'gauge',
      options: {
        ...options,
        showThresholdMarkers: thresholdMarkers,
        showThresholdLabels: thresholdLabels,
      },
    };
  }
  return {
    ...panel,
    type: 'stat',
    options: {
      ...options,
      colorMode: json.colorBackground ? 'background' : json.colorValue ? 'value' : 'none',
      graphMode: json.sparkline?.show ? 'area' : 'none',
      textMode: json.valueName === 'name' ? 'name' : 'auto',
    },
  };
}

/** Stat, gauge and bar gauge of Grafana 6. */
export function figures(json) {
  if (!json.options?.fieldOptions && !json.options?.valueOptions) return json;
  const panel = structuredClone(json);
  const options = sharedSingleStatMigrationHandler(panel);
  return { ...panel, options };
}

export function text(json) {
  if (json.content === undefined) return json;
  const { mode = 'markdown', content } = json;
  return { ...json, options: { mode, content, ...json.options } };
}

export function heatmap(json) {
  if (json.options && Object.keys(json.options).length) return json;
  const [color, yAxis, cards] = ['color', 'yAxis', 'cards'].map((name) => json[name] ?? {});
  const scheme = color.colorScheme?.replace('interpolate', '');
  return {
    ...json,
    options: {
      calculate: json.dataFormat !== 'tsbuckets',
      calculation: { yBuckets: { mode: 'count', value: json.yBucketNumber } },
      cellGap: cards.cardPadding ?? undefined,
      color: {
        mode: color.mode === 'opacity' ? 'opacity' : 'scheme',
        ...(scheme && { scheme }),
        ...(color.cardColor && { fill: color.cardColor }),
        ...(color.exponent && { exponent: color.exponent }),
      },
      yAxis: { unit: yAxis.format, decimals: yAxis.decimals ?? undefined },
    },
  };
}

export function piechart(json) {
  const { legendType = '', pieType = 'pie', format = 'short' } = json;
  const legend = json.legend ?? {};
  const placement = /right/i.test(legendType) ? 'right' : 'bottom';
  const values = ['values', 'percentage'].filter((each) => legend[each]);
  const { valueName = 'current' } = json;
  const calcs = [{ current: 'lastNotNull', avg: 'mean', total: 'sum' }[valueName] ?? valueName];
  const colors = Object.entries(json.aliasColors ?? {});
  return {
    ...json,
    type: 'piechart',
    options: {
      pieType,
      legend: {
        showLegend: legend.show !== false && !/graph/i.test(legendType),
        displayMode: 'list',
        placement,
        values: values.map((each) => (each === 'values' ? 'value' : 'percent')),
      },
      reduceOptions: { calcs },
    },
    fieldConfig: {
      defaults: { unit: format },
      overrides: colors.map(([options, fixedColor]) => ({
        matcher: { id: 'byName', options },
        properties: [{ id: 'color', value: { mode: 'fixed', fixedColor } }],
      })),
    },
  };
}
