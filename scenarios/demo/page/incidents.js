// The incidents of a demo: what each does and what must be seen of it, a button to begin or end it.
const EVERY_MS = 1000;
const LABELS = { idle: 'Begin', begins: 'Begins…', 'goes on': 'End', ends: 'Ends…', refused: 'Begin' };

const byId = (id) => document.getElementById(id);
const cards = new Map();
let shown = null;
let lost = false;

function seconds(count) {
  const whole = Math.round(count);
  if (whole < 90) return `${whole} s`;
  if (whole < 600) return whole % 60 ? `${Math.floor(whole / 60)} min ${whole % 60} s` : `${whole / 60} min`;
  const minutes = Math.round(count / 60);
  return minutes < 90 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

function link(text, href) {
  const made = document.createElement('a');
  made.textContent = text;
  if (/^https?:\/\//.test(href)) made.href = href;
  made.target = '_blank';
  made.rel = 'noreferrer';
  return made;
}

function row(list, name, ...content) {
  const term = document.createElement('dt');
  const said = document.createElement('dd');
  term.textContent = name;
  said.append(...content);
  list.append(term, said);
}

function card(incident) {
  const made = byId('incident').content.cloneNode(true).firstElementChild;
  made.dataset.severity = incident.severity;
  made.querySelector('h3').textContent = incident.name;
  made.querySelector('.severity').textContent = incident.severity;
  made.querySelector('.what').textContent = incident.what;
  const facts = made.querySelector('dl');
  row(facts, 'must be told', incident.told.join(', '));
  row(facts, 'at the soonest', `after ${incident.soonest}`);
  row(facts, 'ends by itself', `after ${incident.lasts}`);
  if (incident.may_fire.length) row(facts, 'may fire, too', incident.may_fire.join(', '));
  if (incident.silenced.length) row(facts, 'is silenced', incident.silenced.join(', '));
  const links = [];
  if (incident.panel) links.push(link('panel', incident.panel), ' ');
  if (incident.runbook) links.push(link('runbook', incident.runbook));
  if (links.length) row(facts, 'see', ...links);
  made.querySelector('button').addEventListener('click', () => press(incident.name));
  return made;
}

function build(incidents) {
  const areas = Map.groupBy
    ? Map.groupBy(incidents, (one) => one.area)
    : incidents.reduce((all, one) => all.set(one.area, [...(all.get(one.area) ?? []), one]), new Map());
  byId('areas').replaceChildren(
    ...[...areas].map(([area, members]) => {
      const section = document.createElement('section');
      const title = document.createElement('h2');
      const grid = document.createElement('div');
      title.textContent = area;
      grid.className = 'cards';
      for (const one of members) {
        const made = card(one);
        cards.set(one.name, made);
        grid.append(made);
      }
      section.append(title, grid);
      return section;
    }),
  );
  byId('areas').removeAttribute('aria-busy');
}

function update(incident, now) {
  const made = cards.get(incident.name);
  const button = made.querySelector('button');
  const state = made.querySelector('.state');
  made.dataset.state = incident.state;
  button.textContent = LABELS[incident.state];
  button.className = incident.state === 'goes on' ? 'end' : '';
  button.disabled = !['idle', 'goes on'].includes(incident.state);
  button.setAttribute('aria-label', `${button.textContent} ${incident.name}`);
  state.classList.toggle('failed', incident.state === 'goes on' && Boolean(incident.why));
  let words = incident.why;
  if (incident.state === 'goes on' && !words) {
    const since = now - incident.began;
    words = `for ${seconds(since)}; ends in ${seconds(Math.max(0, incident.until - now))}`;
  }
  if (state.textContent !== words) state.textContent = words;
}

function find() {
  const wanted = byId('find').value.trim().toLowerCase();
  for (const one of shown?.incidents ?? []) {
    const text = `${one.name} ${one.what} ${one.severity} ${one.area} ${one.told.join(' ')}`;
    cards.get(one.name).hidden = !text.toLowerCase().includes(wanted);
  }
  for (const section of byId('areas').querySelectorAll('section')) {
    section.hidden = !section.querySelector('article:not([hidden])');
  }
}

function trouble(words) {
  byId('trouble').textContent = words;
  byId('trouble').hidden = !words;
}

async function look() {
  let answer;
  try {
    answer = await fetch('/api/incidents');
    shown = await answer.json();
  } catch {
    lost = true;
    trouble('The demo is over: its incidents were ended. `doit demo` begins another one.');
    for (const made of cards.values()) made.querySelector('button').disabled = true;
    return;
  }
  if (lost) trouble('');
  lost = false;
  if (!cards.size) {
    build(shown.incidents);
    find();
  }
  for (const one of shown.incidents) update(one, shown.now);
  const pace = shown.speed === 1 ? '' : ` at speed ${shown.speed}`;
  byId('where').replaceChildren(
    `on instance ${shown.instance}${pace}; messages arrive in the `,
    link('inbox', shown.inbox),
    `, what happened is written to ${shown.truth}`,
  );
}

async function press(name) {
  const one = shown.incidents.find((each) => each.name === name);
  const method = one.state === 'goes on' ? 'DELETE' : 'POST';
  cards.get(name).querySelector('button').disabled = true;
  trouble('');
  try {
    const answer = await fetch(`/api/incidents/${encodeURIComponent(name)}`, { method });
    if (!answer.ok) {
      const said = await answer.json();
      trouble(`${said.what} ${said.cure}`);
    }
  } catch {
    trouble('The demo does not answer.');
  }
  await look();
}

async function again() {
  if (!document.hidden) await look();
  setTimeout(again, EVERY_MS);
}

byId('find').addEventListener('input', find);
again();
