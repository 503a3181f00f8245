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
  // Where nobody set a locale, browsers name a language such as `en-US@posix`, which is none.
  function isLanguage(name) {
    try {
      return Intl.getCanonicalLocales(name).length === 1;
    } catch (error) {
      return false;
    }
  }
  if (![navigator.language].concat(navigator.languages || []).every(isLanguage)) {
    var languages = (navigator.languages || []).filter(isLanguage).concat('en-US');
    Object.defineProperty(navigator, 'languages', { value: languages });
    Object.defineProperty(navigator, 'language', { value: languages[0] });
  }
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
