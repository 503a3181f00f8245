// What stands above the panels, besides variables, time and refresh: links of the dashboard, and
// what of it this viewer cannot show.
import { useEffect, useState } from 'react';
import {
  Alert,
  Dropdown,
  InlineField,
  InlineSwitch,
  LinkButton,
  Menu,
  ToolbarButton,
} from '@grafana/ui';
import { SceneObjectBase, sceneGraph } from '@grafana/scenes';
import { getJson } from '../http';
import { href, withState } from './links';

export class DashboardLinks extends SceneObjectBase {
  static Component = ({ model }) => {
    const { links } = model.useState();
    // Their addresses hold the time range and the variables, which change.
    sceneGraph.getTimeRange(model).useState();
    return links.map((link, at) =>
      link.type === 'dashboards' ? (
        <Tagged key={at} link={link} scope={model} />
      ) : (
        <Plain key={at} link={href(link, model)} icon={link.icon} />
      ),
    );
  };
}

function Plain({ link, icon }) {
  const known = {
    external: 'external-link-alt',
    dashboard: 'apps',
    doc: 'file-alt',
    info: 'info-circle',
  };
  return (
    <LinkButton
      href={link.href}
      target={link.target}
      tooltip={link.tooltip || undefined}
      icon={known[icon] ?? 'external-link-alt'}
      variant="secondary"
      fill="outline"
    >
      {link.title}
    </LinkButton>
  );
}

/** All dashboards that have the link's tags, in a menu or beside each other. */
function Tagged({ link, scope }) {
  const [found, setFound] = useState([]);
  useEffect(() => {
    const wanted = { type: 'dash-db', tag: link.tags };
    getJson('/api/search', wanted).then(setFound, () => setFound([]));
  }, [link]);
  const tags = link.tags ?? [];
  const all = found
    .filter((each) => tags.every((tag) => each.tags?.includes(tag)))
    .map((each) => ({
      title: each.title,
      href: withState(each.url ?? `/d/${each.uid}`, link, scope),
      target: link.targetBlank ? '_blank' : undefined,
    }));
  if (!link.asDropdown)
    return all.map((each) => <Plain key={each.href} link={each} icon="dashboard" />);
  const menu = () => (
    <Menu>
      {all.map((each) => (
        <Menu.Item key={each.href} label={each.title} url={each.href} target={each.target} />
      ))}
    </Menu>
  );
  return (
    <Dropdown overlay={menu}>
      <ToolbarButton
        icon="bars"
        variant="canvas"
        isOpen={false}
        tooltip={link.tooltip || undefined}
      >
        {link.title || 'Dashboards'}
      </ToolbarButton>
    </Dropdown>
  );
}

/** Switches for annotations. Scenes has its own, but with one name for all of them. */
export class AnnotationSwitches extends SceneObjectBase {
  static Component = ({ model }) =>
    model.state.layers.map((layer) => (
      <Switch key={layer.resolve().state.key} layer={layer.resolve()} />
    ));
}

function Switch({ layer }) {
  const { name, isEnabled, data } = layer.useState();
  const error = data?.errors?.[0]?.message;
  const toggle = () => layer.setState({ isEnabled: !isEnabled });
  return (
    <InlineField
      label={name}
      transparent={false}
      invalid={Boolean(error)}
      error={error}
      style={{ margin: 0 }}
    >
      <InlineSwitch value={isEnabled} onChange={toggle} aria-label={`Annotations: ${name}`} />
    </InlineField>
  );
}

/** One line a thing that the dashboard asks for in vain. */
export class Shortcomings extends SceneObjectBase {
  static Component = ({ model }) => (
    <Alert severity="info" title="Not all of this dashboard can be shown here">
      {model.state.lines.map((line) => (
        <div key={line}>{line}</div>
      ))}
    </Alert>
  );
}
