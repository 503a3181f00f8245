// What Grafana's core registers when it starts, and its libraries leave empty: field options and
// transformations. Which of them there are, `supported.json` says; `doit check` reads the same.
import {
  FieldConfigProperty,
  FieldType,
  ThresholdsMode,
  booleanOverrideProcessor,
  dataLinksOverrideProcessor,
  displayNameOverrideProcessor,
  identityOverrideProcessor,
  numberOverrideProcessor,
  standardFieldConfigEditorRegistry,
  standardTransformers,
  standardTransformersRegistry,
  stringOverrideProcessor,
  thresholdsOverrideProcessor,
  unitOverrideProcessor,
  valueMappingsOverrideProcessor,
} from '@grafana/data';
import supported from '../supported.json';

const nothing = () => null;

function option(path, process = identityOverrideProcessor, defaultValue = undefined) {
  const always = () => true;
  const shown = { id: path, path, name: path, editor: nothing, override: nothing };
  return { ...shown, process, shouldApply: always, defaultValue };
}

const DEFAULT_THRESHOLDS = {
  mode: ThresholdsMode.Absolute,
  steps: [
    { value: -Infinity, color: 'green' },
    { value: 80, color: 'red' },
  ],
};

standardFieldConfigEditorRegistry.setInit(() => [
  option('unit', unitOverrideProcessor),
  option('min', numberOverrideProcessor),
  option('max', numberOverrideProcessor),
  option('fieldMinMax', booleanOverrideProcessor),
  option('decimals', numberOverrideProcessor),
  option('displayName', displayNameOverrideProcessor),
  option('description', stringOverrideProcessor),
  option('noValue', stringOverrideProcessor),
  option('links', dataLinksOverrideProcessor),
  option('actions'),
  option('mappings', valueMappingsOverrideProcessor, []),
  option('color'),
  option('filterable', booleanOverrideProcessor),
  option('thresholds', thresholdsOverrideProcessor, DEFAULT_THRESHOLDS),
]);

standardTransformersRegistry.setInit(() => {
  const byId = new Map(Object.values(standardTransformers).map((each) => [each.id, each]));
  byId.set('seriesToColumns', standardTransformers.joinByFieldTransformer);
  return supported.transformations
    .filter((id) => byId.has(id))
    .map((id) => ({ id, name: id, editor: nothing, transformation: async () => byId.get(id) }));
});

/** The `custom` options of a panel type, each with its default: one that is not registered loses
 * its overrides, and nobody says so. */
export function customOptions(type) {
  return (builder) => {
    for (const [path, value] of Object.entries(supported.panels[type].custom)) {
      const made = option(path, identityOverrideProcessor, value ?? undefined);
      // Else the label of an axis of values stands at that of time, too.
      if (path.startsWith('axis')) made.shouldApply = (field) => field.type === FieldType.number;
      builder.addCustomEditor(made);
    }
  };
}

/** The colours that a panel type begins with: `thresholds`, `palette-classic`, … */
export function colorMode(mode) {
  return { [FieldConfigProperty.Color]: { defaultValue: { mode } } };
}
