// The line on top of the page: where one is, where one can go, dark or light.
import { Dropdown, Icon, Menu, ToolbarButton, useTheme2 } from '@grafana/ui';
import { dashboardAddress } from './scene/links';

export function Top({ uid, title, list }) {
  const theme = useTheme2();
  const bar = {
    display: 'flex',
    alignItems: 'center',
    gap: 8,
    padding: '8px 16px',
    background: theme.colors.background.primary,
    borderBottom: `1px solid ${theme.colors.border.weak}`,
  };
  const menu = () => (
    <Menu>
      {list.map((each) => (
        <Menu.Item
          key={each.uid}
          label={each.title}
          url={dashboardAddress(each)}
          active={each.uid === uid}
        />
      ))}
    </Menu>
  );
  const other = theme.isDark ? 'light' : 'dark';
  return (
    <header style={bar}>
      <a href={dashboardAddress({ url: '/dashboards' })} style={{ fontWeight: 500 }}>
        Dashboards
      </a>
      {title && (
        <nav aria-label="Dashboards" style={{ display: 'flex', alignItems: 'center', minWidth: 0 }}>
          <Icon name="angle-right" />
          <Dropdown overlay={menu}>
            <ToolbarButton
              variant="canvas"
              isOpen={false}
              aria-label={`${title}: other dashboards`}
            >
              {title}
            </ToolbarButton>
          </Dropdown>
        </nav>
      )}
      <span style={{ flex: 1 }} />
      <a href="/incidents">Incidents</a>
      <ToolbarButton
        icon="adjust-circle"
        tooltip={`Change to the ${other} theme`}
        onClick={() => changeTheme(other)}
      />
    </header>
  );
}

/** The libraries take their theme when they are loaded; the address then shows it to others, too. */
function changeTheme(theme) {
  const address = new URL(location.href);
  address.searchParams.set('theme', theme);
  location.replace(address);
}
