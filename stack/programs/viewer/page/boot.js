// Before the bundle, and not in the page itself, which may hold no scripts: what Grafana's libraries
// read from the window when they are loaded.
(function () {
  'use strict';
  var themes = ['dark', 'light'];
  var asked = new URLSearchParams(location.search).get('theme');
  var kept = null;
  try {
    if (themes.indexOf(asked) >= 0) localStorage.setItem('theme', asked);
    kept = localStorage.getItem('theme');
  } catch (error) {
    // A browser may keep nothing.
  }
  var theme = [asked, kept, 'dark'].find(function (name) {
    return themes.indexOf(name) >= 0;
  });
  document.documentElement.dataset.theme = theme;
  window.__grafana_public_path__ = '/public/';
  window.grafanaBootData = {
    user: {
      theme: theme,
      timezone: 'browser',
      locale: 'en-US',
      language: 'en-US',
      orgRole: 'Viewer',
    },
    navTree: [],
    settings: {
      appSubUrl: '',
      apps: {},
      buildInfo: { version: '13.2.3', env: 'production' },
      datasources: {},
      featureToggles: {},
      panels: {},
      theme: theme,
    },
  };
})();
