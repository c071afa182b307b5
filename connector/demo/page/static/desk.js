// The staff desk: who sits there, and the list of tickets, kept up to date by itself.

import { announce, avatar, h, icon, remember, remembered, spoken } from "./dom.js";
import { age, fullDate, onLanguage, t } from "./i18n.js";
import { startPublishing } from "./publish.js";
import { redmine } from "./redmine.js";
import { bare, closeTicket, openTicketId, refreshTicket, showTicket, statusChip } from "./ticket.js";

const POLL = 2000;
const POLL_WITH_EVENTS = 15_000;
const WHOLE = 60_000; // a whole reading finds what a narrow window cannot: deleted and moved tickets
const OVERLAP = 2000; // Redmine filters by whole seconds

const $ = (id) => document.getElementById(id);
let config = null;
let me = null; // {login, name, id}
let myIds = new Set(); // I and my groups
let filter = remembered("filter") === "mine" ? "mine" : "all";
let tickets = new Map();
let newest = "";
let wholeAt = 0;
let started = false; // the first reading of a person's list is not news
let turn = 0; // grows when the person changes, so that late answers are thrown away
let hooks = { unread: () => {}, event: () => {} };
const highlighted = new Map();

const seenKey = (ticket) => `${me.login}:${ticket.id}:${ticket.created_on}`;
let seen = new Set(JSON.parse(remembered("seen") ?? "[]"));

function markSeen(ticket) {
  seen.add(seenKey(ticket));
  remember("seen", JSON.stringify([...seen].slice(-400)));
}

const isMine = (ticket) => myIds.has(ticket.assigned_to?.id);
const isNew = (ticket) => !ticket.status?.is_closed && !seen.has(seenKey(ticket));
const shown = () => [...tickets.values()].filter((x) => filter === "all" || isMine(x)).sort((a, b) => b.updated_on.localeCompare(a.updated_on) || b.id - a.id);

// ---------------------------------------------------------------- reading

const query = (more) => `issues.json?project_id=${encodeURIComponent(config.project)}&status_id=*&sort=updated_on:desc,id:desc&limit=100${more}`;

async function readAll(mineToo) {
  const asked = turn;
  const who = me;
  const [all, own] = await Promise.all([
    redmine(who.login, query("")),
    // Redmine's own «me» includes my groups, which an ordinary person cannot list.
    mineToo ? redmine(who.login, query("&assigned_to_id=me")) : null,
  ]);
  if (asked !== turn) return;
  if (own) for (const ticket of own.issues) if (ticket.assigned_to) myIds.add(ticket.assigned_to.id);
  const before = tickets;
  tickets = new Map();
  merge(all.issues, before);
  wholeAt = Date.now();
  if (openTicketId() !== null && !tickets.has(openTicketId()) && all.issues.length < 100) closeTicket();
}

async function readChanges() {
  const asked = turn;
  const from = new Date(new Date(newest).getTime() - OVERLAP).toISOString().slice(0, 19) + "Z";
  const { issues } = await redmine(me.login, query(`&updated_on=${encodeURIComponent(">=" + from)}`));
  if (asked === turn) merge(issues, tickets);
}

function merge(issues, before) {
  for (const ticket of issues) {
    const old = before.get(ticket.id);
    tickets.set(ticket.id, ticket);
    if (ticket.updated_on > newest) newest = ticket.updated_on;
    if (started && !old) {
      highlighted.set(ticket.id, "new");
      announce(t("new_ticket", { subject: ticket.subject }));
      hooks.event("ticket", ticket);
    } else if (started && old.updated_on !== ticket.updated_on) highlighted.set(ticket.id, "updated");
    if (ticket.id === openTicketId()) markSeen(ticket);
  }
  started = true;
}

let reading = null;
/** Reads what changed, or all of it, and draws; one reading at a time. */
async function read({ whole = false } = {}) {
  if (reading) return reading;
  reading = (async () => {
    try {
      if (whole || !newest || Date.now() - wholeAt > WHOLE) await readAll(!started);
      else await readChanges();
      problem(null);
      drawList();
      if (openTicketId() !== null) await refreshTicket(tickets.get(openTicketId()));
    } catch (error) {
      problem(error.message);
    }
  })();
  await reading;
  reading = null;
  return null;
}

function problem(why) {
  const node = $("desk-problem");
  node.hidden = why === null;
  if (why !== null) node.replaceChildren(icon("warning", 18), h("span", {}, t("error_load", { why })));
}

function watch() {
  let every = POLL;
  let timer = null;
  const again = () => {
    clearTimeout(timer);
    timer = setTimeout(async () => {
      if (!document.hidden) await read();
      again();
    }, every);
  };
  if (config.events) {
    const stream = new EventSource(config.events);
    let soon = null;
    const look = () => { clearTimeout(soon); soon = setTimeout(read, 150); };
    stream.onmessage = look;
    stream.onopen = () => { every = POLL_WITH_EVENTS; again(); look(); };
    stream.onerror = () => { every = POLL; again(); };
  }
  document.addEventListener("visibilitychange", () => { if (!document.hidden) read(); });
  setInterval(drawAges, 20_000);
  again();
}

// ---------------------------------------------------------------- drawing

function row(ticket) {
  const fresh = isNew(ticket);
  const light = highlighted.get(ticket.id);
  const created = new Date(ticket.created_on);
  const node = h("button", { type: "button", class: `ticket-row${fresh ? " unseen" : ""}${light ? ` light-${light}` : ""}`, "data-ticket": ticket.id,
    "aria-current": ticket.id === openTicketId() ? "true" : null, onclick: () => open(ticket.id) },
  h("span", { class: "ticket-top" },
    h("span", { class: "number" }, `#${ticket.id}`), h("span", {}, ticket.tracker?.name ?? ""),
    fresh && h("span", { class: "chip new" }, t("new")),
    h("time", { datetime: ticket.created_on, title: fullDate(created), "data-age": "" }, age(created))),
  h("span", { class: "ticket-subject" }, bare(ticket.subject)),
  h("span", { class: "ticket-bottom" }, statusChip(ticket.status, config.first_status),
    h("span", { class: "assignee" }, ticket.assigned_to ? [avatar(ticket.assigned_to.name, ticket.assigned_to.id), spoken(`${t("assigned")}: `), ticket.assigned_to.name] : h("em", {}, t("nobody")))));
  return h("li", {}, node);
}

function drawList() {
  const list = shown();
  const focused = document.activeElement?.closest?.("#tickets [data-ticket]")?.dataset.ticket;
  $("tickets").replaceChildren(...list.map(row));
  if (focused) document.querySelector(`#tickets [data-ticket="${focused}"]`)?.focus();
  // A change glows once: the next drawing of the same list must not start it again.
  highlighted.clear();
  const empty = $("no-tickets");
  empty.hidden = list.length > 0 || !started;
  $("desk").classList.toggle("none", started && tickets.size === 0);
  const other = filter === "mine" && tickets.size > 0;
  empty.replaceChildren(icon("inbox", 40), h("strong", {}, t(other ? "no_mine" : "no_tickets")), h("span", {}, t(other ? "no_mine_more" : "no_tickets_more")));
  for (const button of document.querySelectorAll("#filters button")) {
    const count = [...tickets.values()].filter((x) => !x.status?.is_closed && (button.value === "all" || isMine(x))).length;
    button.setAttribute("aria-pressed", String(button.value === filter));
    button.replaceChildren(t(button.value), h("span", { class: "count" }, String(count)));
  }
  hooks.unread([...tickets.values()].filter(isNew).length);
}

function drawAges() {
  for (const node of document.querySelectorAll("time[data-age]")) node.textContent = age(new Date(node.dateTime));
}

async function open(id) {
  const ticket = tickets.get(id);
  markSeen(ticket);
  $("desk").classList.add("reading");
  const shown = showTicket(ticket, { me, config, changed: afterWriting, event: hooks.event, back: leave });
  drawList();
  await shown;
}

function leave() {
  const id = openTicketId();
  closeTicket();
  $("desk").classList.remove("reading");
  drawList();
  document.querySelector(`#tickets [data-ticket="${id}"]`)?.focus();
}

const afterWriting = () => read();

async function sit(login) {
  const person = config.staff.find((x) => x.login === login) ?? config.staff[0];
  turn++;
  remember("login", person.login);
  me = { ...person, id: null };
  tickets = new Map();
  myIds = new Set();
  newest = "";
  started = false;
  highlighted.clear();
  $("who-avatar").replaceChildren(avatar(person.name, person.login));
  const asked = turn;
  try {
    const { user } = await redmine(person.login, "users/current.json");
    if (asked !== turn) return;
    me.id = user.id;
    myIds.add(user.id);
  } catch (error) { problem(error.message); }
  while (reading) await reading;
  const keep = openTicketId();
  await read({ whole: true });
  if (asked === turn && keep !== null && tickets.has(keep)) await open(keep);
}

/** Starts the desk. `given`: unread(n), event(kind, detail). `configuration` is that of /desk/config. */
export async function startDesk(configuration, given) {
  config = configuration;
  hooks = { ...hooks, ...given };
  const select = $("who");
  select.append(...config.staff.map((x) => h("option", { value: x.login }, x.name)));
  if (config.staff.length === 0) {
    problem(t("no_staff"));
    return;
  }
  const last = remembered("login");
  select.value = config.staff.some((x) => x.login === last) ? last : config.staff[0].login;
  select.addEventListener("change", () => sit(select.value));
  for (const button of document.querySelectorAll("#filters button")) {
    button.addEventListener("click", () => { filter = button.value; remember("filter", filter); drawList(); });
  }
  if (config.publish) startPublishing(() => me?.login ?? select.value);
  onLanguage(() => { drawList(); if (openTicketId() !== null) open(openTicketId()); });
  closeTicket();
  try {
    const { issue_statuses: statuses } = await redmine(select.value, "issue_statuses.json");
    config.statuses = statuses;
    config.first_status = statuses[0]?.id;
  } catch { config.statuses = []; }
  await sit(select.value);
  watch();
}
