// The phone: whose it is, the chat, the composer. Speaks the control API of the WhatsApp stand-in.

import { attachMenu, places } from "./attach.js";
import { bubble, mine, summary, when } from "./bubbles.js";
import { announce, avatar, h, icon, spoken, toast } from "./dom.js";
import { day, onLanguage, t } from "./i18n.js";
import { closeSheet, openSheet } from "./sheet.js";

const EMOJIS = ["👍", "❤️", "😂", "😮", "😢", "🙏"];
const TYPING_SECONDS = 25; // Meta: the indicator ends with the answer or after 25 s

const $ = (id) => document.getElementById(id);
const people = [];
const chats = new Map(); // person id → Map(message id → message), in order of arrival
let current = null;
let town = "Ajuntament";
let quoting = null;
let typing = null;
let hooks = { visible: () => true, unread: () => {}, event: () => {} };

// ---------------------------------------------------------------- the API

async function call(path, options = {}) {
  let answer;
  try {
    answer = await fetch(`/_phone${path}`, options);
  } catch {
    throw new Error(t("error_server"));
  }
  const body = await answer.json().catch(() => null);
  if (!answer.ok) throw new Error(body?.error?.message ?? body?.error ?? body?.detail ?? body?.errors?.join(" ") ?? `HTTP ${answer.status}`);
  return body;
}

const post = (path, body) => call(path, body instanceof FormData
  ? { method: "POST", body }
  : { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body ?? {}) });

async function send(body, who = current) {
  const about = body instanceof FormData ? body.get("context") : body.context;
  try {
    await post(`/people/${encodeURIComponent(who)}/send`, body);
    if (quoting && quoting.id === about) stopQuoting();
    hooks.event("sent", body instanceof FormData ? { type: "file" } : body);
    await refresh(who);
    return true;
  } catch (error) {
    toast(t("error_send", { why: error.message }), "bad");
    return false;
  }
}

const context = () => (quoting ? { context: quoting.id } : {});

const outgoing = {
  file(file, kind, caption) {
    const form = new FormData();
    form.append("file", file, file.name);
    form.append("kind", kind);
    if (caption) form.append("caption", caption);
    if (quoting) form.append("context", quoting.id);
    return send(form);
  },
  place: (place) => {
    const { latitude, longitude, name, address } = place;
    return send({ type: "location", latitude, longitude, ...(name ? { name, address } : {}), ...context() });
  },
};

// ---------------------------------------------------------------- what is known

async function refresh(id) {
  const list = await call(`/people/${encodeURIComponent(id)}/messages`);
  const known = chatOf(id);
  const chat = new Map();
  for (const message of list) {
    // The answer may be older than an event that overtook it.
    message.status = later(known.get(message.id)?.status, message.status);
    chat.set(message.id, message);
  }
  for (const [key, message] of known) if (!chat.has(key)) chat.set(key, message);
  chats.set(id, chat);
  changed(id);
}

const RANKS = ["accepted", "sent", "delivered", "read", "played", "failed"];
const later = (one, other) => (RANKS.indexOf(one) > RANKS.indexOf(other) ? one : other);

function changed(id) {
  if (id === current) {
    drawChat();
    markRead();
  }
  drawPeople();
}

const chatOf = (id) => chats.get(id) ?? new Map();
const waiting = (id) => [...chatOf(id).values()].filter((m) => !mine(m) && m.type !== "reaction" && ["accepted", "sent", "delivered"].includes(m.status)).length;

let reading = false;
/** Opening a chat reads it; the citizen must be able to see it for that. */
export async function markRead() {
  if (current === null || reading || document.hidden || !hooks.visible() || waiting(current) === 0) return;
  const id = current;
  reading = true;
  try {
    await post(`/people/${encodeURIComponent(id)}/read`);
    for (const m of chatOf(id).values()) if (!mine(m) && ["sent", "delivered"].includes(m.status)) m.status = "read";
    drawPeople();
  } catch { /* tried again with the next message */ } finally { reading = false; }
}

function receive(event) {
  const id = String(event.person?.id ?? event.person ?? "");
  if (event.typing) {
    if (id === current) showTyping();
    return;
  }
  if (!people.some((p) => p.id === id)) {
    loadPeople().catch(() => {});
    return;
  }
  const chat = chats.get(id) ?? new Map();
  chats.set(id, chat);
  if (event.message) {
    const known = chat.has(event.message.id);
    chat.set(event.message.id, event.message);
    if (!mine(event.message)) {
      if (id === current) hideTyping();
      if (!known) announce(`${t("from_town", { town })}: ${summary(event.message)}`);
      hooks.event("received", event.message);
    }
  } else if (event.id && chat.has(event.id)) chat.get(event.id).status = later(chat.get(event.id).status, event.status);
  changed(id);
}

function listen() {
  const stream = new EventSource("/_phone/events");
  stream.onmessage = (e) => {
    try { receive(JSON.parse(e.data)); } catch { /* not one of ours */ }
  };
  stream.onerror = () => { $("presence").textContent = t("offline"); };
  stream.onopen = () => {
    drawPresence();
    // What came before the stream was open, or while it was lost.
    for (const person of people) refresh(person.id).catch(() => {});
  };
}

async function loadPeople() {
  const list = await call("/people");
  people.splice(0, people.length, ...list.map((p) => ({ ...p, id: String(p.id) })));
  await Promise.all(people.map((p) => refresh(p.id).catch(() => {})));
  if (current === null && people[0]) choose(people[0].id);
  drawPeople();
}

// ---------------------------------------------------------------- drawing

function drawPresence() {
  const node = $("presence");
  node.textContent = typing ? t("typing") : t("online");
  node.classList.toggle("typing", Boolean(typing));
}

function showTyping() {
  clearTimeout(typing);
  typing = setTimeout(hideTyping, TYPING_SECONDS * 1000);
  drawPresence();
  $("typing").hidden = false;
  toEnd();
}

function hideTyping() {
  clearTimeout(typing);
  typing = null;
  $("typing").hidden = true;
  drawPresence();
}

function drawPeople() {
  let all = 0;
  const held = document.activeElement?.closest?.("#people [data-person]")?.dataset.person;
  $("people").replaceChildren(...people.map((p) => {
    const count = p.id === current && hooks.visible() ? 0 : waiting(p.id);
    all += count;
    return h("li", {}, h("button", { type: "button", class: "person", "data-person": p.id, "aria-pressed": p.id === current, onclick: () => choose(p.id) },
      h("span", { class: "avatar-box" }, avatar(p.name, p.id),
        count > 0 && h("span", { class: "badge" }, h("span", { "aria-hidden": "true" }, String(count)), spoken(t("unread", { n: count })))),
      h("span", { class: "person-words" }, h("span", { class: "person-name" }, p.name),
        h("small", {}, p.hidden ? [icon("lock", 11), t("hidden")] : p.phone ? spaced(p.phone) : ""))));
  }), h("li", {}, h("button", { type: "button", class: "person add", id: "add-person", onclick: (e) => addPerson(e.currentTarget), "aria-label": t("add_person"), title: t("add_person") },
    h("span", { class: "disc" }, icon("plus", 20)))));
  if (held) document.querySelector(`#people [data-person="${CSS.escape(held)}"]`)?.focus();
  hooks.unread(all);
}

const spaced = (digits) => "+" + String(digits).replace(/^\+/, "").replace(/^(34)(\d{3})(\d{3})(\d{3})$/, "$1 $2 $3 $4");

function choose(id) {
  if (current !== id) {
    closeSheet();
    stopQuoting();
    hideTyping();
    $("words").value = "";
    grow();
  }
  current = id;
  drawChat(true);
  drawPeople();
  markRead();
}

const actions = {
  list: (message, from) => openList(message, from),
  button: (message, reply) => send({ type: "button_reply", id: reply.id, title: reply.title, context: message.id }),
  quick: (message, b) => send({ type: "button", payload: b.payload, text: b.text, context: message.id }),
  contact: (message) => send({ type: "contacts", own: true, context: message.id }),
  place: (message) => places({ place: (p) => { quoting = message; return outgoing.place(p); } }),
  menu: (message, from) => openMenu(message, from),
  show: (message) => {
    const row = document.querySelector(`#log [data-id="${CSS.escape(message.id)}"]`);
    row?.scrollIntoView({ block: "center" });
    row?.classList.add("flash");
    setTimeout(() => row?.classList.remove("flash"), 1200);
  },
};

const drawn = new Map(); // message id → [what it was drawn from, its element]

/** Draws the chat; elements of unchanged messages stay, so that focus and playing sounds do. */
function drawChat(fresh = false) {
  const log = $("log");
  const chat = [...chatOf(current).values()];
  const nearEnd = fresh || log.scrollHeight - log.scrollTop - log.clientHeight < 120;
  if (fresh) drawn.clear();
  const reactions = new Map();
  for (const m of chat) {
    if (m.type !== "reaction") continue;
    const mark = (reactions.get(m.content?.message_id) ?? new Map()).set(m.direction, m.content?.emoji || "");
    reactions.set(m.content?.message_id, mark);
  }
  const nodes = [];
  let lastDay = "";
  let lastOwner = null;
  const before = drawn.size;
  const last = chat.at(-1);
  for (const message of chat) {
    if (message.type === "reaction") continue;
    const date = day(when(message));
    if (date !== lastDay) {
      nodes.push(separator(date));
      lastDay = date;
      lastOwner = null;
    }
    const marks = [...(reactions.get(message.id)?.values() ?? [])].filter(Boolean);
    const first = lastOwner !== message.direction;
    lastOwner = message.direction;
    const quoted = message.context ? chatOf(current).get(message.context.id ?? message.context) : null;
    const source = JSON.stringify([message, marks, first, quoted?.id]);
    let [old, node] = drawn.get(message.id) ?? [];
    if (old !== source) {
      const held = node?.contains(document.activeElement) ? document.activeElement : null;
      const fresher = bubble(message, { town, quoted, reactions: marks, first, act: actions });
      if (node === undefined && !fresh && before > 0) fresher.classList.add("arriving");
      watchPress(fresher, message);
      node?.replaceWith(fresher);
      if (held) (twin(fresher, held) ?? fresher.querySelector("button.more"))?.focus();
      node = fresher;
      drawn.set(message.id, [source, node]);
    }
    nodes.push(node);
  }
  const list = $("messages");
  // Only what changed is touched: moving an element would stop a voice note that is playing.
  if (nodes.length !== list.childElementCount || nodes.some((n, i) => list.children[i] !== n)) {
    const keep = new Set(nodes);
    for (const child of [...list.children]) if (!keep.has(child)) child.remove();
    nodes.forEach((n, i) => { if (list.children[i] !== n) list.insertBefore(n, list.children[i] ?? null); });
  }
  $("empty-chat").hidden = chat.length > 0;
  if (nearEnd || (last && mine(last) && last.id !== drawChat.last)) toEnd();
  drawChat.last = last?.id;
}

/** The element of a bubble drawn anew that is what `old` was in the former one: the button or link of the same name. */
function twin(fresher, old) {
  const name = (e) => e.getAttribute("aria-label") ?? e.textContent;
  return [...fresher.querySelectorAll(old.localName)].find((e) => e.className === old.className && name(e) === name(old));
}

function separator(date) {
  return h("li", { class: "day" }, h("span", {}, date));
}

function toEnd() {
  const log = $("log");
  requestAnimationFrame(() => { log.scrollTop = log.scrollHeight; });
  // Pictures and maps grow once they are there.
  for (const img of log.querySelectorAll("img")) if (!img.complete) img.addEventListener("load", () => { log.scrollTop = log.scrollHeight; }, { once: true });
}

// ---------------------------------------------------------------- lists, menus, people

function openList(message, from) {
  const action = message.content.action;
  const go = h("button", { type: "submit", class: "primary wide", disabled: true }, icon("send", 18), t("send"));
  let chosen = null;
  let first = true;
  const sections = (action.sections ?? []).map((section) => h("fieldset", { class: "rows" },
    h("legend", { class: section.title ? "" : "spoken" }, section.title || t("choose_one")),
    section.rows.map((row) => {
      const focus = first;
      first = false;
      return h("label", { class: "radio-row" },
        h("span", { class: "radio-words" }, h("span", {}, row.title), row.description && h("small", {}, row.description)),
        h("input", { type: "radio", name: "row", value: row.id, "data-focus": focus, onchange: () => { chosen = row; go.disabled = false; } }));
    })));
  openSheet(action.button || t("choose_one"), h("form", { class: "sheet-form", onsubmit: async (event) => {
    event.preventDefault();
    if (!chosen) return;
    closeSheet();
    await send({ type: "list_reply", id: chosen.id, title: chosen.title, ...(chosen.description ? { description: chosen.description } : {}), context: message.id });
  }, onkeydown: (event) => {
    // Enter on a row sends it, as tapping twice would.
    if (event.key === "Enter" && event.target.type === "radio") {
      event.preventDefault();
      if (!event.target.checked) event.target.click();
      else event.currentTarget.requestSubmit();
    }
  } }, sections, h("div", { class: "sheet-foot" }, go)), { returnTo: from });
}

function watchPress(row, message) {
  const box = row.querySelector(".bubble");
  let timer = null;
  const cancel = () => clearTimeout(timer);
  box.addEventListener("contextmenu", (e) => {
    if (e.target.closest("a, img, video, audio")) return;
    e.preventDefault();
    openMenu(message, box.querySelector(".more"));
  });
  box.addEventListener("pointerdown", (e) => {
    if (e.pointerType === "mouse") return;
    timer = setTimeout(() => openMenu(message, box.querySelector(".more")), 480);
  });
  for (const kind of ["pointerup", "pointercancel", "pointermove"]) box.addEventListener(kind, cancel);
}

let closeMenu = null;

function openMenu(message, from) {
  closeMenu?.();
  const done = (restore = true) => {
    menu.remove();
    from.setAttribute("aria-expanded", "false");
    document.removeEventListener("pointerdown", outsideTap, true);
    closeMenu = null;
    if (restore) from.focus();
  };
  const outsideTap = (e) => { if (!menu.contains(e.target)) done(false); };
  const given = [...chatOf(current).values()].filter((m) => m.type === "reaction" && mine(m) && m.content?.message_id === message.id).at(-1)?.content?.emoji;
  const item = (attributes, ...children) => h("button", { type: "button", role: "menuitem", tabindex: -1, ...attributes }, ...children);
  const menu = h("div", { class: "menu", role: "menu", "aria-label": t("message_menu"), onkeydown: (e) => {
    const items = [...menu.querySelectorAll("[role=menuitem]")];
    const at = items.indexOf(document.activeElement);
    const to = { ArrowRight: at + 1, ArrowDown: at + 1, ArrowLeft: at - 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 }[e.key];
    if (to !== undefined) {
      e.preventDefault();
      items[(to + items.length) % items.length].focus();
    } else if (e.key === "Escape" || e.key === "Tab") {
      e.preventDefault();
      done();
    }
  } },
  h("div", { class: "emojis", role: "none" }, EMOJIS.map((emoji) => item({ class: emoji === given ? "emoji given" : "emoji", "aria-label": emoji === given ? t("unreact") : t("react", { emoji }), onclick: () => {
    done();
    send({ type: "reaction", message_id: message.id, emoji: emoji === given ? "" : emoji });
  } }, emoji))),
  item({ class: "menu-item", onclick: () => { done(false); quote(message); } }, icon("reply", 18), t("reply")));
  const screen = $("screen").getBoundingClientRect();
  const at = from.getBoundingClientRect();
  $("screen").append(menu);
  const size = menu.getBoundingClientRect();
  const left = Math.min(Math.max(8, at.right - screen.left - size.width), screen.width - size.width - 8);
  const below = at.bottom - screen.top + 4;
  menu.style.left = `${left}px`;
  menu.style.top = `${below + size.height > screen.height - 8 ? Math.max(8, at.top - screen.top - size.height - 4) : below}px`;
  from.setAttribute("aria-expanded", "true");
  closeMenu = done;
  document.addEventListener("pointerdown", outsideTap, true);
  menu.querySelector("[role=menuitem]").focus();
}

function quote(message) {
  quoting = message;
  $("quote").replaceChildren(
    h("div", { class: "quoted" }, h("strong", {}, `${t("replying_to")} ${mine(message) ? t("you") : town}`), h("span", {}, summary(message))),
    h("button", { type: "button", class: "round", "aria-label": t("stop_reply"), title: t("stop_reply"), onclick: () => { stopQuoting(); $("words").focus(); } }, icon("close", 18)));
  $("quote").hidden = false;
  $("words").focus();
}

function stopQuoting() {
  quoting = null;
  $("quote").hidden = true;
  $("quote").replaceChildren();
}

function addPerson(from) {
  const name = h("input", { type: "text", id: "new-name", required: true, maxlength: 60, autocomplete: "off", "data-focus": "" });
  const phone = h("input", { type: "tel", id: "new-phone", required: true, maxlength: 20, autocomplete: "off", placeholder: t("example_phone"), pattern: "[+0-9 ]{7,20}" });
  const hidden = h("input", { type: "checkbox", id: "new-hidden", "aria-describedby": "new-hidden-more" });
  const problem = h("p", { class: "problem", role: "alert", hidden: true });
  openSheet(t("add_person"), h("form", { class: "sheet-form fields", onsubmit: async (event) => {
    event.preventDefault();
    try {
      const made = await post("/people", { name: name.value.trim(), phone: phone.value.replace(/[^0-9]/g, ""), hidden: hidden.checked });
      closeSheet();
      await loadPeople();
      if (made?.id !== undefined) choose(String(made.id));
      $("words").focus();
    } catch (error) {
      problem.textContent = error.message;
      problem.hidden = false;
    }
  } },
  h("label", { for: "new-name" }, t("name")), name,
  h("label", { for: "new-phone" }, t("phone_number")), phone,
  h("div", { class: "check" }, hidden, h("label", { for: "new-hidden" }, t("hide_number")), h("small", { id: "new-hidden-more" }, t("hide_number_more"))),
  problem,
  h("div", { class: "sheet-foot" }, h("button", { type: "submit", class: "primary wide" }, t("add")))), { returnTo: from, className: "low" });
}

// ---------------------------------------------------------------- composer

function grow() {
  const words = $("words");
  words.style.height = "auto";
  words.style.height = `${Math.min(words.scrollHeight, 132)}px`;
  $("send").disabled = words.value.trim() === "";
}

let sending = Promise.resolve();
/** The words go out in the order in which they were written; the next can be written meanwhile. */
function sendWords() {
  const body = $("words").value.trim();
  if (!body || current === null) return;
  const who = current, quoted = quoting;
  const message = { type: "text", body, ...context() };
  stopQuoting();
  $("words").value = "";
  grow();
  sending = sending.then(async () => {
    if (await send(message, who) || who !== current) return;
    if (quoted && !quoting) quote(quoted);
    $("words").value = [body, $("words").value].filter(Boolean).join("\n");
    grow();
  });
}

export const currentPerson = () => people.find((p) => p.id === current) ?? null;

/** Starts the phone. `given`: visible() whether it can be seen, unread(n), event(kind, detail). */
export async function startPhone(given, townName) {
  hooks = { ...hooks, ...given };
  town = townName || town;
  $("town-name").textContent = town;
  $("town-avatar").replaceChildren(icon("flag", 20));
  $("attach").append(icon("plus", 24));
  $("send").append(icon("send", 22));
  $("attach").addEventListener("click", (e) => attachMenu(outgoing, e.currentTarget));
  $("composer").addEventListener("submit", (e) => { e.preventDefault(); sendWords(); });
  $("words").addEventListener("input", grow);
  $("words").addEventListener("keydown", (e) => {
    if (e.key === "Enter" && !e.shiftKey && !e.isComposing) { e.preventDefault(); sendWords(); }
    if (e.key === "Escape" && quoting) stopQuoting();
  });
  $("hello").addEventListener("click", async () => { await send({ type: "text", body: t("say_hello") }); $("words").focus(); });
  document.addEventListener("visibilitychange", () => markRead());
  onLanguage(() => { drawPresence(); drawPeople(); if (current !== null) drawChat(true); });
  drawPresence();
  grow();
  for (;;) {
    try { await loadPeople(); break; } catch { $("presence").textContent = t("offline"); }
    await new Promise((resolve) => setTimeout(resolve, 2000));
  }
  listen();
}

