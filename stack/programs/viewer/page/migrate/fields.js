// Names and shapes that options of fields and legends had until Grafana 12.
import { convertOldAngularValueMappings } from '@grafana/data';

/** Of a column that is not shown. */
export const HIDDEN = { viz: true, legend: false, tooltip: false };

const CELLS = {
  'color-background': { type: 'color-background', mode: 'gradient' },
  'color-background-solid': { type: 'color-background', mode: 'basic' },
  'gradient-gauge': { type: 'gauge', mode: 'gradient' },
  'lcd-gauge': { type: 'gauge', mode: 'lcd' },
  basic: { type: 'gauge', mode: 'basic' },
};

/** The same panel, with those of today. */
export function oldFields(json) {
  const { legend } = json.options ?? {};
  const hidden = legend?.displayMode === 'hidden';
  return {
    ...json,
    ...(hidden && {
      options: { ...json.options, legend: { ...legend, displayMode: 'list', showLegend: false } },
    }),
    ...(json.fieldConfig && {
      fieldConfig: {
        defaults: defaults(json.fieldConfig.defaults ?? {}),
        overrides: (json.fieldConfig.overrides ?? []).map((each) => ({
          ...each,
          properties: (each.properties ?? []).map(property),
        })),
      },
    }),
  };
}

function defaults({ custom, mappings, ...others }) {
  const { displayMode, hidden, ...rest } = custom ?? {};
  const cell = displayMode && { cellOptions: cellOptions(displayMode) };
  return {
    ...others,
    ...(mappings && { mappings: valueMappings(mappings) }),
    ...(custom && { custom: { ...cell, ...(hidden && { hideFrom: HIDDEN }), ...rest } }),
  };
}

function property({ id, value }) {
  if (id === 'mappings') return { id, value: valueMappings(value ?? []) };
  if (id === 'custom.displayMode') return { id: 'custom.cellOptions', value: cellOptions(value) };
  if (id === 'custom.hidden') return { id: 'custom.hideFrom', value: { ...HIDDEN, viz: value } };
  return { id, value };
}

const cellOptions = (displayMode) => CELLS[displayMode] ?? { type: displayMode };

/** Until Grafana 8 they had numbers in the place of types. */
function valueMappings(mappings) {
  const isOld = ({ type, options }) => typeof type === 'number' || options === undefined;
  const of = (type) => mappings.filter((each) => isOld(each) && each.type === type);
  return [
    ...mappings.filter((each) => !isOld(each)),
    ...convertOldAngularValueMappings({ mappingType: 1, valueMaps: of(1) }),
    ...convertOldAngularValueMappings({ mappingType: 2, rangeMaps: of(2) }),
  ];
}
