// Fills the list and keeps it fresh; on the page of one message, local times and the mail's height.

const NAMES = { slack: "Slack", pagerduty: "PagerDuty", email: "Email", heartbeat: "Heartbeat" };
const POLL_MS = 1000;

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });
const full = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium", hour12: false });
const today = () => new Date().toDateString();

function shown(time, unixS) {
  const moment = new Date(unixS * 1000);
  time.textContent = moment.toDateString() === today() ? clock.format(moment) : moment.toLocaleDateString();
  time.title = full.format(moment);
  time.dateTime = moment.toISOString();
}

function lasting(seconds) {
  if (seconds < 60) return `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** Messages, oldest first, as incidents: from the first that says an alert fires until each
    recipient who heard that has heard that it is over. */
function storiesOf(messages) {
  const stories = [];
  for (const message of messages) {
    const reader = `${message.channel} ${message.destination}`;
    const about = message.alerts.length ? message.alerts : [message.subject];
    let story = stories.findLast((one) => about.some((alert) => one.alerts.has(alert)));
    if (!story || (message.kind === "firing" && story.ended)) {
      story = { alerts: new Set(), waiting: new Set(), messages: [], readers: new Set(), ended: 0 };
      stories.push(story);
    }
    for (const alert of about) story.alerts.add(alert);
    story.messages.push(message);
    story.readers.add(message.destination || NAMES[message.channel]);
    if (message.kind === "firing") story.waiting.add(reader);
    if (message.kind === "resolved") story.waiting.delete(reader);
    story.ended = story.waiting.size || message.kind !== "resolved" ? 0 : message.received_at;
  }
  return stories;
}

function overview(list) {
  const template = document.getElementById("row");
  const storyTemplate = document.getElementById("story");
  const stories = document.getElementById("stories");
  const empty = document.getElementById("empty");
  const live = document.getElementById("live");
  const search = document.getElementById("search");
  const buttons = [...document.querySelectorAll("[data-filter]")];
  const kept = []; // oldest first
  const rows = new Map(); // id of a message -> its row
  const wish = Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
  let after = Number(list.dataset.after);
  let filter = buttons.some((button) => button.dataset.filter === wish.only) ? wish.only : "all";
  let first = true;

  function row(message) {
    const item = template.content.firstElementChild.cloneNode(true);
    // Only ever textContent: what was sent is text here, never markup.
    const at = (name) => item.querySelector(`[data-at="${name}"]`);
    item.firstElementChild.href = `messages/${message.id}`;
    item.querySelector(".mark").classList.add(message.channel);
    at("channel").textContent = NAMES[message.channel];
    at("kind").textContent = message.kind;
    at("kind").classList.add(message.kind);
    at("subject").textContent = message.subject || "(no subject)";
    at("subject").title = message.subject;
    at("destination").textContent = message.destination;
    at("destination").title = message.destination;
    const more = message.problems.length > 1 ? ` and ${message.problems.length - 1} more` : "";
    at("problems").textContent = message.problems.length ? message.problems[0] + more : "";
    shown(at("time"), message.received_at);
    return item;
  }

  function storyRow(story, open) {
    const item = storyTemplate.content.firstElementChild.cloneNode(true);
    const at = (name) => item.querySelector(`[data-at="${name}"]`);
    const state = story.ended ? "resolved" : story.waiting.size ? "firing" : "other";
    item.dataset.first = story.messages[0].id;
    item.firstElementChild.open = open.has(item.dataset.first);
    at("kind").textContent = state;
    at("kind").classList.add(state);
    at("subject").textContent = [...story.alerts].join(", ");
    const count = story.messages.length === 1 ? "1 message" : `${story.messages.length} messages`;
    at("told").textContent = `${count} to ${[...story.readers].join(", ")}`;
    const begun = story.messages[0].received_at;
    at("lasted").textContent = story.ended ? `lasted ${lasting(story.ended - begun)}` : "";
    shown(at("time"), begun);
    at("messages").append(...story.messages.map(row));
    return item;
  }

  function wanted(message) {
    const { q, to, alert } = search.elements;
    const words = q.value.trim().toLowerCase();
    return (
      (filter === "all" || (filter === "problems" ? message.problems.length : message.channel === filter)) &&
      (!to.value || message.destination === to.value) &&
      (!alert.value || message.alerts.includes(alert.value)) &&
      (!words || `${message.subject}\n${message.destination}\n${message.body}`.toLowerCase().includes(words))
    );
  }

  function offer(select, values) {
    const there = new Set([...select.options].map((one) => one.value));
    for (const value of [...new Set(values)].sort()) {
      if (value && !there.has(value)) select.add(new Option(value, value));
    }
    if (wish[select.name]) {
      select.value = wish[select.name];
      if (select.value) delete wish[select.name];
      else select.value = "";
    }
  }

  function apply() {
    const byIncident = search.elements.stories.checked;
    const left = kept.filter(wanted);
    const visible = new Set(left.map((message) => message.id));
    for (const [id, item] of rows) item.hidden = byIncident || !visible.has(id);
    list.hidden = byIncident || !left.length;
    stories.hidden = !byIncident || !left.length;
    if (byIncident) {
      const open = new Set([...stories.querySelectorAll("details[open]")].map((one) => one.parentElement.dataset.first));
      stories.replaceChildren(...storiesOf(left).reverse().map((story) => storyRow(story, open)));
    }
    empty.hidden = left.length > 0;
    empty.textContent = kept.length ? "Nothing of this kind has arrived." : "Nothing has arrived yet.";
    for (const button of buttons) {
      const only = button.dataset.filter;
      button.setAttribute("aria-pressed", String(only === filter));
      button.querySelector("b").textContent = kept.filter(
        (message) => only === "all" || (only === "problems" ? message.problems.length : message.channel === only),
      ).length;
    }
  }

  /** What is looked for is in the address, so that a link shows the same. */
  function remember() {
    const { q, to, alert, stories: by } = search.elements;
    const now = { only: filter === "all" ? "" : filter, q: q.value, to: to.value, alert: alert.value, stories: by.checked ? "1" : "" };
    const said = new URLSearchParams(Object.entries(now).filter(([, value]) => value)).toString();
    history.replaceState(null, "", said ? `#${said}` : ".");
  }

  function state(on) {
    live.className = on ? "live on" : "live off";
    const text = on ? "live" : "the inbox does not answer; retrying";
    const place = document.getElementById("live-text");
    if (place.textContent !== text) place.textContent = text;
  }

  async function poll() {
    try {
      const answer = await fetch(`api/messages?after=${after}`);
      if (!answer.ok) throw new Error(answer.statusText);
      const messages = await answer.json();
      for (const message of messages) {
        const item = row(message);
        item.classList.toggle("fresh", !first);
        list.prepend(item);
        rows.set(message.id, item);
        kept.push(message);
        after = message.id;
      }
      while (kept.length > 2 * Number(list.dataset.listed)) {
        const { id } = kept.shift();
        rows.get(id).remove();
        rows.delete(id);
      }
      if (messages.length || first) {
        offer(search.elements.to, messages.map((message) => message.destination));
        offer(search.elements.alert, messages.flatMap((message) => message.alerts));
        apply();
      }
      first = false;
      state(true);
    } catch {
      state(false);
    }
    setTimeout(poll, POLL_MS);
  }

  for (const button of buttons) {
    button.addEventListener("click", () => {
      filter = button.dataset.filter;
      remember();
      apply();
    });
  }
  search.elements.q.value = wish.q ?? "";
  search.elements.stories.checked = wish.stories === "1";
  search.addEventListener("submit", (event) => event.preventDefault());
  search.addEventListener("input", () => {
    remember();
    apply();
  });
  poll();
}

function message() {
  for (const time of document.querySelectorAll("time[datetime]")) {
    time.title = time.dateTime;
    time.textContent = full.format(new Date(time.dateTime));
  }
  const frame = document.querySelector(".mail-html");
  const fit = () => {
    const height = frame.contentDocument?.documentElement?.getBoundingClientRect().height;
    if (height) frame.style.height = `${Math.ceil(height) + 2}px`;
  };
  if (frame) {
    frame.addEventListener("load", fit);
    fit();
  }
}

const list = document.getElementById("list");
if (list) overview(list);
else message();
