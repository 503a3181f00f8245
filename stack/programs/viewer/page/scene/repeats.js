// Panels and rows that stand once for each value of a variable. Scenes leaves this to its user: the
// copies are made anew whenever the values change.
import { LocalValueVariable, SceneVariableSet, sceneGraph } from '@grafana/scenes';

const COLUMNS = 24;

/** A behaviour of the scene that keeps `repeats` in step with their variables. Each of them has the
 * `name` of its variable, the `items` that stand there now, and `make(values)`, new ones. */
export function keepRepeated(repeats) {
  return (scene) => {
    const subscriptions = repeats.map((repeat) => {
      const variable = sceneGraph.lookupVariable(repeat.name, scene);
      if (!variable) return undefined;
      const apply = () => replaceItems(repeat, chosen(variable), scene);
      apply();
      return variable.subscribeToState(apply);
    });
    return () => subscriptions.forEach((each) => each?.unsubscribe());
  };
}

/** Where the copies of a panel stand: beside each other in rows of `maxPerRow`, or in a column. */
export function places(json, count) {
  const { x, y, w, h } = json.gridPos;
  if (json.repeatDirection === 'v')
    return Array.from({ length: count }, (_, at) => ({ x, y: y + at * h, w, h }));
  const perRow = Math.min(json.maxPerRow || 4, count);
  const width = Math.floor(COLUMNS / perRow);
  return Array.from({ length: count }, (_, at) => ({
    x: (at % perRow) * width,
    y: y + Math.floor(at / perRow) * h,
    w: width,
    h,
  }));
}

/** The variable that a copy sees in the place of the one that it is repeated by. */
export const only = (name, { value, text }) =>
  new SceneVariableSet({
    variables: [new LocalValueVariable({ name, value, text: String(text) })],
  });

function chosen(variable) {
  const values = [variable.state.value].flat();
  const options = variable.state.options ?? [];
  if (values.includes('$__all'))
    return options.map(({ value, label }) => ({ value, text: label ?? value }));
  const text = (value) => options.find((option) => option.value === value)?.label ?? value;
  return values.filter((value) => value !== '').map((value) => ({ value, text: text(value) }));
}

function replaceItems(repeat, values, scene) {
  const key = values.map(({ value }) => value).join('\0');
  if (!values.length || key === repeat.key) return;
  repeat.key = key;
  const parent = repeat.items[0].parent;
  const { children } = parent.state;
  const at = children.indexOf(repeat.items[0]);
  const others = children.filter((child) => !repeat.items.includes(child));
  repeat.items = repeat.make(values);
  parent.setState({ children: [...others.slice(0, at), ...repeat.items, ...others.slice(at)] });
  // The grid does not look into its rows by itself.
  scene.state.body.forceRender();
}
