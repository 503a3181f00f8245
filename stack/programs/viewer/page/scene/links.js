// Where links lead: variables filled in, and the time range and variables of this page added where
// the link asks for them.
import { locationUtil, textUtil } from '@grafana/data';
import { sceneGraph } from '@grafana/scenes';

/** A link of a panel or dashboard with its address, as somebody in the place of `scope` sees it. */
export function href(link, scope) {
  const fill = (text, format) => sceneGraph.interpolate(scope, text ?? '', undefined, format);
  const address = withState(fill(link.url, 'percentencode'), link, scope);
  return {
    title: fill(link.title, 'text') || address,
    tooltip: fill(link.tooltip, 'text'),
    href: textUtil.sanitizeUrl(locationUtil.assureBaseUrl(address)),
    target: link.targetBlank ? '_blank' : undefined,
  };
}

/** An address of this page's own, with what a person has chosen here. */
export function withState(address, { keepTime, includeVars }, scope) {
  const added = [
    keepTime && sceneGraph.interpolate(scope, '${__url_time_range}'),
    includeVars && sceneGraph.interpolate(scope, '${__all_variables}'),
  ].filter(Boolean);
  if (!added.length) return address;
  const [path, fragment] = address.split('#');
  const joined = `${path}${path.includes('?') ? '&' : '?'}${added.join('&')}`;
  return fragment ? `${joined}#${fragment}` : joined;
}

/** The address of a dashboard that is kept while a person goes from one to another. */
export function dashboardAddress({ uid, title, url }, search = location.search) {
  const now = new URLSearchParams(search);
  const kept = new URLSearchParams();
  for (const name of ['from', 'to', 'refresh', 'theme']) {
    if (now.get(name)) kept.set(name, now.get(name));
  }
  const path = url ?? `/d/${uid}/${slug(title)}`;
  return kept.size ? `${path}?${kept}` : path;
}

const slug = (title) =>
  title
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '') || '-';
