// Fills the list and keeps it fresh; on the page of one message, local times and the mail's height.

const NAMES = { slack: "Slack", pagerduty: "PagerDuty", email: "Email", heartbeat: "Heartbeat" };
const POLL_MS = 1000;

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });
const full = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium", hour12: false });
const today = () => new Date().toDateString();

function overview(list) {
  const template = document.getElementById("row");
  const empty = document.getElementById("empty");
  const live = document.getElementById("live");
  const buttons = [...document.querySelectorAll("[data-filter]")];
  const counts = { all: 0, slack: 0, pagerduty: 0, email: 0, heartbeat: 0, problems: 0 };
  let after = Number(list.dataset.after);
  let filter = buttons.some((b) => b.dataset.filter === location.hash.slice(1)) ? location.hash.slice(1) : "all";
  let first = true;

  function row(message) {
    const item = template.content.firstElementChild.cloneNode(true);
    // Only ever textContent: what was sent is text here, never markup.
    const at = (name) => item.querySelector(`[data-at="${name}"]`);
    const received = new Date(message.received_at * 1000);
    item.firstElementChild.href = `/messages/${message.id}`;
    item.dataset.channel = message.channel;
    item.dataset.problems = message.problems.length;
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
    at("time").textContent = received.toDateString() === today() ? clock.format(received) : received.toLocaleDateString();
    at("time").title = full.format(received);
    at("time").dateTime = received.toISOString();
    return item;
  }

  const shows = (item) =>
    filter === "all" || (filter === "problems" ? item.dataset.problems !== "0" : item.dataset.channel === filter);

  function apply() {
    let top = null;
    for (const item of list.children) {
      item.hidden = !shows(item);
      if (!item.hidden) top ??= item;
      item.classList.toggle("first", item === top);
    }
    empty.hidden = top !== null;
    empty.textContent = counts.all ? "Nothing of this kind has arrived." : "Nothing has arrived yet.";
    for (const button of buttons) {
      button.setAttribute("aria-pressed", String(button.dataset.filter === filter));
      button.querySelector("b").textContent = counts[button.dataset.filter];
    }
  }

  function state(on) {
    live.className = on ? "live on" : "live off";
    const text = on ? "live" : "the inbox does not answer; retrying";
    const place = document.getElementById("live-text");
    if (place.textContent !== text) place.textContent = text;
  }

  async function poll() {
    try {
      const answer = await fetch(`/api/messages?after=${after}`);
      if (!answer.ok) throw new Error(answer.statusText);
      const messages = await answer.json();
      for (const message of messages) {
        const item = row(message);
        item.classList.toggle("fresh", !first);
        list.prepend(item);
        after = message.id;
        counts.all += 1;
        counts[message.channel] += 1;
        counts.problems += message.problems.length ? 1 : 0;
      }
      while (list.children.length > 2 * Number(list.dataset.listed)) list.lastElementChild.remove();
      if (messages.length || first) apply();
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
      history.replaceState(null, "", filter === "all" ? "/" : `#${filter}`);
      apply();
    });
  }
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
