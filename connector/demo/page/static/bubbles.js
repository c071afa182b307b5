// One message as a chat bubble. `at` comes as Unix seconds or as an ISO time.

import { h, icon, spoken } from "./dom.js";
import { clock, t } from "./i18n.js";
import { markup, outside, plain } from "./markup.js";
import { placeCard } from "./town.js";

export const mine = (message) => message.direction === "in";

export function when(message) {
  const at = message.at;
  return new Date(typeof at === "number" || /^\d+(\.\d+)?$/.test(at) ? Number(at) * 1000 : at);
}

const mediaUrl = (id) => `/_phone/media/${encodeURIComponent(id)}`;

const played = new Map();

/** A player for a sound or film. It plays a local copy: without byte ranges a browser finds no length in a stream. */
function player(tag, url, label) {
  const node = h(tag, { controls: true, preload: "metadata", "aria-label": label });
  if (!played.has(url)) {
    played.set(url, fetch(url).then(async (answer) => (answer.ok ? URL.createObjectURL(await answer.blob()) : url)));
  }
  played.get(url).then((copy) => { node.src = copy; }, () => played.delete(url));
  return node;
}

/** What a message says, on one line, for quotes. */
export function summary(message) {
  const c = message?.content ?? {};
  switch (message?.type) {
    case "text": return plain(c.body ?? "");
    case "interactive": return plain(c.list_reply?.title ?? c.button_reply?.title ?? c.body?.text ?? "");
    case "button": return plain(c.text ?? "");
    case "location": return `${t("place")}: ${c.name ?? ""}`.replace(/: $/, "");
    case "template": return plain(message.shown?.body || t("template"));
    case "image": case "video": case "sticker": return [t(message.type), plain(c.caption ?? "")].filter(Boolean).join(": ");
    case "audio": return c.voice ? t("voice") : t("audio");
    case "document": return `${t("document")}: ${c.filename ?? ""}`.replace(/: $/, "");
    case "contacts": return t("contact");
    default: return t("unsupported");
  }
}

/** The ticks under one's own message: one sent, two delivered, two coloured read. */
export function ticks(status) {
  const known = { accepted: 1, sent: 1, delivered: 2, read: 2, played: 2 };
  if (status === "failed") return h("span", { class: "ticks failed" }, icon("warning", 14), spoken(t("st_failed")));
  const count = known[status] ?? 1;
  const name = status === "played" ? "read" : status in known ? status : "sent";
  const node = h("span", { class: `ticks ${name}`, "data-status": name }, icon("check", 14), count === 2 && icon("check", 14));
  node.append(spoken(t(`st_${name}`)));
  return node;
}

function text(words, className = "words") {
  return words ? h("div", { class: className }, markup(words)) : null;
}

function media(type, c) {
  const url = c.id ? mediaUrl(c.id) : null;
  const name = c.filename || t(type === "document" ? "document" : "file");
  // A picture by link stays a link: this page loads nothing from elsewhere.
  if (!url) return c.link ? outside(c.link, name, { class: "file-card" }) : h("span", {}, name);
  if (type === "image" || type === "sticker") {
    return h("a", { class: `picture ${type}`, href: url, "data-zoom": "", "aria-label": t("zoom", { name: plain(c.caption ?? "") || t("image") }) },
      h("img", { src: url, alt: plain(c.caption ?? "") || t(type), loading: "lazy" }));
  }
  if (type === "video") return player("video", url, plain(c.caption ?? "") || t("video"));
  if (type === "audio") {
    return h("div", { class: "voice" }, icon("mic", 20), player("audio", url, t(c.voice ? "voice" : "audio")));
  }
  return h("a", { class: "file-card", href: url, download: name, "aria-label": t("download", { name }) }, icon("file", 24),
    h("span", {}, name), icon("download", 18));
}

function header(part) {
  if (!part) return null;
  if (typeof part === "string") return h("strong", { class: "bubble-head" }, part);
  if (part.type === "text") return h("strong", { class: "bubble-head" }, part.text?.body ?? part.text ?? "");
  return part[part.type] ? media(part.type, part[part.type]) : null;
}

const footer = (part) => (part ? h("div", { class: "bubble-foot" }, part.text ?? part) : null);

/** The body of a bubble and the buttons below it; `act` holds what tapping does. */
function content(message, act) {
  const c = message.content ?? {};
  const below = [];
  const tap = (words, name, onclick, attributes = {}) =>
    h("button", { type: "button", class: "tap", onclick, ...attributes }, icon(name, 18), h("span", {}, words));
  switch (message.type) {
    case "text":
      return [[text(c.body)], below];
    case "interactive": {
      const reply = c.list_reply ?? c.button_reply;
      if (reply) return [[text(reply.title, "words chosen"), reply.description && h("div", { class: "chosen-more" }, reply.description)], below];
      if (c.nfm_reply) return [[text(c.nfm_reply.body)], below];
      const action = c.action ?? {};
      if (c.type === "list") below.push(tap(action.button, "list", (e) => act.list(message, e.currentTarget), { "aria-haspopup": "dialog" }));
      if (c.type === "button") for (const b of action.buttons ?? []) below.push(tap(b.reply.title, "reply", () => act.button(message, b.reply)));
      if (c.type === "cta_url") {
        below.push(outside(action.parameters?.url ?? "", action.parameters?.display_text ?? "", { class: "tap" }));
        if (below.at(-1) instanceof Element) below.at(-1).prepend(icon("link", 18));
      }
      if (c.type === "location_request_message") below.push(tap(t("send_location"), "pin", () => act.place(message), { "aria-haspopup": "dialog" }));
      if (c.type === "request_contact_info") below.push(tap(t("contact"), "person", () => act.contact(message)));
      return [[header(c.header), text(c.body?.text), footer(c.footer)], below];
    }
    case "button":
      return [[text(c.text, "words chosen")], below];
    case "template": {
      const shown = message.shown ?? {};
      for (const b of shown.buttons ?? []) {
        if (b.type === "QUICK_REPLY") below.push(tap(b.text, "reply", () => act.quick(message, b)));
        else if (b.type === "URL") below.push(outside(b.url, b.text, { class: "tap" }));
      }
      return [[header(shown.header), text(shown.body || `${t("template")} «${c.name ?? ""}»`), footer(shown.footer)], below];
    }
    case "image": case "video": case "audio": case "document": case "sticker":
      return [[media(message.type, c), text(c.caption)], below];
    case "location":
      return [[placeCard(c, c)], below];
    case "contacts": {
      const card = (Array.isArray(c) ? c : c.contacts ?? [])[0] ?? {};
      return [[h("div", { class: "file-card" }, icon("person", 24), h("span", {}, card.name?.formatted_name ?? t("contact"), h("br"), card.phones?.[0]?.phone ?? ""))], below];
    }
    case "edit": return [[text(c.message?.text?.body ?? ""), h("div", { class: "bubble-foot" }, t("edited"))], below];
    case "revoke": return [[h("em", {}, t("removed"))], below];
    case "system": return [[text(c.body ?? "")], below];
    default: return [[h("em", {}, t("unsupported"))], below];
  }
}

/** The list item for a message. `quoted` is the message it answers; `reactions` are emojis put on it. */
export function bubble(message, { town, quoted, reactions, first, act }) {
  const own = mine(message);
  const [inside, below] = content(message, act);
  const at = when(message);
  const picture = ["image", "video", "sticker"].includes(message.type) && !message.content?.caption;
  const tapped = message.type === "interactive" || message.type === "button";
  const box = h("div", { class: `bubble ${own ? "own" : "theirs"}${first ? " first" : ""}${picture ? " bare" : ""}` },
    spoken(own ? `${t("from_me")}: ` : `${t("from_town", { town })}: `),
    quoted && !(tapped && own) && h("button", { type: "button", class: "quoted", onclick: () => act.show(quoted) },
      h("strong", {}, mine(quoted) ? t("you") : town), h("span", {}, summary(quoted))),
    inside,
    h("span", { class: "stamp" }, h("time", { datetime: at.toISOString() }, clock(at)), own && ticks(message.status)),
    h("button", { type: "button", class: "more", "aria-label": `${t("message_menu")}: ${summary(message)}`, title: t("message_menu"), "aria-haspopup": "menu",
      onclick: (e) => act.menu(message, e.currentTarget) }, icon("down", 18)),
    reactions.length > 0 && h("span", { class: "reactions" }, reactions.map((emoji) => h("span", {}, spoken(`${t("reaction", { emoji: "" })}`), emoji))));
  return h("li", { class: own ? "row own" : "row theirs", "data-id": message.id, "data-type": message.type },
    h("div", { class: "stack" }, box, below.length > 0 && h("div", { class: "taps" }, below)));
}
