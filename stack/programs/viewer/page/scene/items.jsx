// What stands beside a panel's title: links, and what its data say of themselves.
import { Dropdown, Icon, IconButton, Menu, PanelChrome, Tooltip } from '@grafana/ui';
import { SceneObjectBase, sceneGraph } from '@grafana/scenes';
import { href } from './links';

/** Links of a panel: one is an icon that leads there, several are a menu. */
export class PanelLinks extends SceneObjectBase {
  static Component = ({ model }) => {
    const { links } = model.useState();
    sceneGraph.getTimeRange(model).useState();
    const found = links.map((link) => href(link, model));
    if (found.length === 1) {
      const [link] = found;
      return (
        <Tooltip content={link.title}>
          <PanelChrome.TitleItem href={link.href} target={link.target} aria-label={link.title}>
            <Icon name="external-link-alt" />
          </PanelChrome.TitleItem>
        </Tooltip>
      );
    }
    const menu = () => (
      <Menu>
        {found.map((link) => (
          <Menu.Item
            key={link.title + link.href}
            label={link.title}
            url={link.href}
            target={link.target}
          />
        ))}
      </Menu>
    );
    return (
      <Dropdown overlay={menu}>
        <IconButton name="link" size="sm" aria-label={`${found.length} links`} />
      </Dropdown>
    );
  };
}

/** What a source says of its answer, such as that there were too many series to show. */
export class Notices extends SceneObjectBase {
  static Component = ({ model }) => {
    const { data } = sceneGraph.getData(model).useState();
    const notices = (data?.series ?? []).flatMap((frame) => frame.meta?.notices ?? []);
    return notices.map(({ text, severity }) => (
      <IconButton
        key={text}
        name={severity === 'warning' ? 'exclamation-triangle' : 'info-circle'}
        variant={severity === 'warning' ? 'primary' : 'secondary'}
        size="sm"
        tooltip={text}
        data-notice={severity}
      />
    ));
  };
}
