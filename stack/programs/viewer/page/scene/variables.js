// The variables of a dashboard, as Scenes' objects. Types that it lacks are named in `unsupported`.
import {
  ConstantVariable,
  CustomVariable,
  IntervalVariable,
  QueryVariable,
  SceneVariableSet,
  TextBoxVariable,
} from '@grafana/scenes';
import supported from '../../supported.json';
import { REFERENCE } from '../sources';

const HIDDEN = 2; // VariableHide.hideVariable

const MAKERS = {
  query: (json, common) =>
    new QueryVariable({
      ...common,
      ...choice(json),
      // One source answers for all: what to ask of whom stands in the query.
      query: { refId: json.name, reference: json.datasource, query: asked(json) },
      datasource: REFERENCE,
      regex: json.regex ?? '',
      sort: json.sort,
      refresh: json.refresh || 1,
    }),
  custom: (json, common) => new CustomVariable({ ...common, ...choice(json), query: json.query }),
  constant: (json, common) =>
    new ConstantVariable({ ...common, value: json.query ?? '', hide: HIDDEN }),
  // Of each type there is one source, which has the name of its type.
  datasource: (json, common) =>
    new ConstantVariable({ ...common, value: json.query, hide: HIDDEN }),
  interval: (json, common) => {
    const intervals = json.query.split(',').map((each) => each.trim());
    return new IntervalVariable({
      ...common,
      value: json.current?.value || intervals[0],
      intervals: intervals.filter((each) => each !== 'auto'),
      autoEnabled: json.auto,
      autoMinInterval: json.auto_min,
      autoStepCount: json.auto_count,
    });
  },
  textbox: (json, common) =>
    new TextBoxVariable({ ...common, value: json.current?.value ?? json.query ?? '' }),
};

export function variables(dashboard) {
  const known = list(dashboard).filter((json) => isSupported(json.type));
  return new SceneVariableSet({
    variables: known.map((json) => MAKERS[json.type](json, common(json))),
  });
}

/** Names of the variables that cannot be chosen here, with their types. */
export function unsupported(dashboard) {
  return list(dashboard)
    .filter((json) => !isSupported(json.type))
    .map((json) => `${json.name} (${json.type})`);
}

const list = (dashboard) => dashboard.templating?.list ?? [];
const isSupported = (type) => supported.variables.includes(type) && type in MAKERS;

function common(json) {
  const { name, label, hide, description, skipUrlSync } = json;
  return { name, label: label || undefined, hide, description, skipUrlSync };
}

function choice(json) {
  return {
    value: json.current?.value ?? '',
    text: json.current?.text ?? '',
    isMulti: json.multi,
    includeAll: json.includeAll,
    allValue: json.allValue || undefined,
  };
}

/** Older dashboards have a text, newer ones an object with the text in it, or Loki's object. */
function asked(json) {
  const query = json.query || json.definition || '';
  return typeof query === 'object' && typeof query.query === 'string' ? query.query : query;
}
