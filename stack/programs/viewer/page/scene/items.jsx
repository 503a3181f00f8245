// What stands beside a panel's title: links, and what its data say of themselves.
import { useEffect, useState } from 'react';
import { LoadingState, rangeUtil } from '@grafana/data';
import { Dropdown, Icon, IconButton, Menu, PanelChrome, Tooltip } from '@grafana/ui';
import { SceneObjectBase, sceneGraph } from '@grafana/scenes';
import { href } from './links';

const SLOW_S = 5;

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
    const own = (data?.series ?? []).flatMap((frame) => frame.meta?.notices ?? []);
    const slow = useSlow(data?.state === LoadingState.Loading);
    const notices = slow ? [...own, SLOW] : own;
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

const SLOW = { severity: 'info', text: `No answer for ${SLOW_S} s; it is waited for.` };

/** Whether something has been under way for long. */
function useSlow(underWay) {
  const [slow, setSlow] = useState(false);
  useEffect(() => {
    if (!underWay) return undefined;
    const timer = setTimeout(() => setSlow(true), SLOW_S * 1000);
    return () => {
      clearTimeout(timer);
      setSlow(false);
    };
  }, [underWay]);
  return slow;
}

/** The time range of a panel that has one of its own. */
export class OwnTime extends SceneObjectBase {
  static Component = ({ model }) => (
    <PanelChrome.TitleItem>
      <Icon name="clock-nine" size="sm" />
      {rangeUtil.describeTextRange(model.state.from).display}
    </PanelChrome.TitleItem>
  );
}
