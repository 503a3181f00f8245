// The page: which dashboard the address names, its scene, and what stands around it.
import './registries';
import './sources';
import './panels';
import { useEffect, useMemo, useState } from 'react';
import { createRoot } from 'react-dom/client';
import { BrowserRouter } from 'react-router-dom';
import { EventBusSrv, locationUtil } from '@grafana/data';
import { initPluginTranslations } from '@grafana/i18n';
import {
  LocationServiceProvider,
  config,
  locationService,
  setAppEvents,
  setPluginImportUtils,
} from '@grafana/runtime';
import { UrlSyncContextProvider } from '@grafana/scenes';
import {
  Alert,
  GlobalStyles,
  LinkButton,
  LoadingPlaceholder,
  PortalContainer,
  ThemeContext,
} from '@grafana/ui';
import { ClockNote } from './clock';
import { getJson } from './http';
import { DashboardList } from './list';
import { toScene } from './scene/dashboard';
import { dashboardAddress } from './scene/links';
import { Top } from './top';

const RETRY_MS = 5000;
const HOME = 'overview';

setAppEvents(new EventBusSrv());
setPluginImportUtils({
  importPanelPlugin: (id) => Promise.reject(new Error(`There is no panel type \`${id}\`.`)),
  getPanelPluginFromCache: () => undefined,
});
locationUtil.initialize({
  config: { appSubUrl: '' },
  getTimeRangeForUrl: () => ({}),
  getVariablesUrlParams: () => ({}),
});

/** What an address shows: a dashboard by its uid, or the list of them. */
export function route(path) {
  const [, section, uid] = path.split('/');
  if (section === 'd' && uid) return decodeURIComponent(uid);
  return section === '' ? HOME : undefined;
}

/** Ask again until there is an answer; a 404 is one. */
function useAnswer(path, parameters) {
  const [state, setState] = useState({});
  const key = JSON.stringify(parameters);
  useEffect(() => {
    if (!path) return undefined;
    let timer;
    const ask = () =>
      getJson(path, JSON.parse(key ?? '{}')).then(
        (answer) => setState({ answer }),
        (error) => {
          setState({ error });
          if (error.status === 0 || error.status >= 500) timer = setTimeout(ask, RETRY_MS);
        },
      );
    ask();
    return () => clearTimeout(timer);
  }, [path, key]);
  return state;
}

function Page() {
  const uid = route(location.pathname);
  const list = useAnswer('/api/search', { type: 'dash-db' });
  const dashboard = useAnswer(uid && `/api/dashboards/uid/${encodeURIComponent(uid)}`);
  const settings = useAnswer('/api/frontend/settings');
  // Grafana's server writes them into its page, where its libraries look for them.
  if (settings.answer) config.datasources = settings.answer.datasources;
  const json = dashboard.answer?.dashboard;
  const missing = dashboard.error?.status === 404;
  useEffect(() => {
    document.title = json ? `${json.title} – Dashboards` : 'Dashboards';
  }, [json]);
  return (
    <>
      <a className="skip" href="#panels">
        Skip to the panels
      </a>
      <Top uid={uid} title={json?.title} list={list.answer ?? []} />
      <main id="panels" tabIndex={-1} style={{ outline: 'none', padding: '8px 8px 16px' }}>
        <ClockNote />
        {!uid || (missing && location.pathname === '/') ? (
          <DashboardList list={list} />
        ) : json && settings.answer ? (
          <Dashboard json={json} />
        ) : (
          <Waiting uid={uid} error={dashboard.error ?? settings.error} list={list} />
        )}
      </main>
    </>
  );
}

function Waiting({ uid, error, list }) {
  if (!error) return <LoadingPlaceholder text="Loading the dashboard…" />;
  const missing = error.status === 404;
  const title = missing ? `There is no dashboard \`${uid}\`.` : error.message;
  return (
    <>
      <Alert severity={missing ? 'warning' : 'error'} title={title}>
        {missing ? 'These are there:' : 'It is asked again every few seconds.'}
      </Alert>
      {missing && <DashboardList list={list} />}
    </>
  );
}

function Dashboard({ json }) {
  const [alone] = useState(() => new URLSearchParams(location.search).get('viewPanel'));
  const { scene, error } = useMemo(() => {
    try {
      return { scene: toScene(json, alone) };
    } catch (error) {
      return { error };
    }
  }, [json, alone]);
  const whole = alone && (
    <LinkButton href={dashboardAddress(json)} icon="arrow-left" variant="secondary" fill="text">
      The whole dashboard
    </LinkButton>
  );
  if (error) {
    return (
      <Alert severity="error" title={error.message}>
        {whole}
      </Alert>
    );
  }
  return (
    <UrlSyncContextProvider scene={scene} updateUrlOnInit createBrowserHistorySteps>
      {whole}
      <scene.Component model={scene} />
    </UrlSyncContextProvider>
  );
}

await initPluginTranslations('grafana');
createRoot(document.getElementById('root')).render(
  <ThemeContext.Provider value={config.theme2}>
    <GlobalStyles hackNoBackdropBlur={false} isExtensionSidebarOpen={false} />
    <LocationServiceProvider service={locationService}>
      <BrowserRouter>
        <Page />
        <PortalContainer />
      </BrowserRouter>
    </LocationServiceProvider>
  </ThemeContext.Provider>,
);
