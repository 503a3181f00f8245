// Asking the viewer's service, and saying plainly what went wrong.
import { compare } from './clock';

/** A failed request. `message` is for people, `status` the HTTP status, 0 where none came. */
export class RequestFailed extends Error {
  constructor(message, status = 0) {
    super(message);
    this.status = status;
  }
}

/** The JSON at a path. `parameters` may hold lists; those that are undefined are left out. */
export async function getJson(path, parameters = {}, { who = 'The viewer', signal } = {}) {
  const query = search(parameters);
  // Servers limit addresses to a few thousand characters; these two take a form instead.
  const long = query.length > 4000 && /\/api\/v1\/(query|query_range)$/.test(path);
  const asked = Date.now();
  let response;
  try {
    response = long
      ? await fetch(path, { method: 'POST', body: query, signal, headers: FORM })
      : await fetch(query ? `${path}?${query}` : path, { signal });
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    throw new RequestFailed(`${who} does not answer; asked again at the next refresh.`);
  }
  compare(Date.parse(response.headers.get('Date')), asked);
  const text = await response.text();
  let answer;
  try {
    answer = JSON.parse(text);
  } catch {
    answer = undefined;
  }
  if (!response.ok) {
    const said = answer?.error ?? answer?.message ?? text.trim().slice(0, 300);
    const down = response.status >= 502 && response.status <= 504;
    const what = down ? `${who} does not answer` : `${who} says HTTP ${response.status}`;
    throw new RequestFailed(said ? `${what}: ${said}` : `${what}.`, response.status);
  }
  if (answer === undefined) throw new RequestFailed(`${who} gave something else than JSON.`);
  return answer;
}

const FORM = { 'Content-Type': 'application/x-www-form-urlencoded' };

function search(parameters) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    for (const each of [value].flat())
      if (each !== undefined && each !== '') query.append(name, each);
  }
  return query.toString();
}
