// All dashboards, by folder.
import { Alert, LoadingPlaceholder, TagList, useTheme2 } from '@grafana/ui';
import { dashboardAddress } from './scene/links';

export function DashboardList({ list: { answer, error } }) {
  const theme = useTheme2();
  if (error) return <Alert severity="error" title={error.message} />;
  if (!answer) return <LoadingPlaceholder text="Loading the list of dashboards…" />;
  if (!answer.length) return <Alert severity="info" title="There are no dashboards." />;
  const folders = Map.groupBy(answer, (each) => each.folderTitle ?? each.folder ?? '');
  const row = {
    display: 'flex',
    gap: 16,
    padding: '12px 8px',
    borderBottom: `1px solid ${theme.colors.border.weak}`,
  };
  return [...folders].map(([folder, dashboards]) => (
    <section key={folder} style={{ maxWidth: 800, margin: '16px auto' }}>
      {folder && <h2>{folder}</h2>}
      <ul style={{ listStyle: 'none' }}>
        {dashboards.map((each) => (
          <li key={each.uid} style={row}>
            <a href={dashboardAddress(each)} style={{ color: theme.colors.text.link, flex: 1 }}>
              {each.title}
            </a>
            <TagList tags={each.tags ?? []} />
          </li>
        ))}
      </ul>
    </section>
  ));
}
