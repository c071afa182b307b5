// Small helpers to build elements. Text is always set as text: nothing on this page parses HTML.

const SVG = "http://www.w3.org/2000/svg";

function set(node, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("aria-") && typeof value === "boolean") {
      node.setAttribute(name, String(value));
      continue;
    }
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name in PROPERTIES) node[name] = value;
    else node.setAttribute(name, value === true ? "" : String(value));
  }
}

const PROPERTIES = { checked: 1, disabled: 1, value: 1, hidden: 1, textContent: 1, inert: 1 };

/** An element: `h("button", {class: "x", onclick: f}, "words", child, …)`. Empty children are left out. */
export function h(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  set(node, attributes);
  node.append(...children.flat().filter((c) => c !== null && c !== undefined && c !== false && c !== ""));
  return node;
}

/** The same for SVG. */
export function s(tag, attributes = {}, ...children) {
  const node = document.createElementNS(SVG, tag);
  set(node, attributes);
  node.append(...children.flat().filter(Boolean));
  return node;
}

// 24×24 line icons, drawn for this page.
const ICONS = {
  phone: ["M8 2.5h8a1.5 1.5 0 0 1 1.5 1.5v16a1.5 1.5 0 0 1-1.5 1.5H8A1.5 1.5 0 0 1 6.5 20V4A1.5 1.5 0 0 1 8 2.5z", "M10.5 18.5h3"],
  desk: ["M3.5 5h17v10.5h-17z", "M9 20h6M12 15.5V20"],
  send: ["M4 12 20 4.5 15.5 20l-3.5-6.5z", "M12 13.5 20 4.5"],
  plus: ["M12 5v14M5 12h14"],
  close: ["M6 6l12 12M18 6 6 18"],
  back: ["M15 5l-7 7 7 7"],
  down: ["M6 9.5l6 6 6-6"],
  list: ["M9 6.5h11M9 12h11M9 17.5h11", "M4.5 6.5h.01M4.5 12h.01M4.5 17.5h.01"],
  reply: ["M9.5 7 5 11.5 9.5 16", "M5 11.5h8.5a5.5 5.5 0 0 1 5.5 5.5v1"],
  link: ["M13.5 5H19v5.5M19 5l-8.5 8.5", "M17 14v4.5H5.5V7H10"],
  pin: ["M12 21c4.5-4.8 7-8.3 7-11.5A7 7 0 0 0 5 9.5C5 12.7 7.5 16.2 12 21z", "M12 7a2.5 2.5 0 1 1 0 5 2.5 2.5 0 0 1 0-5z"],
  photo: ["M4 6.5h16v12.5H4z", "M4 16l4.5-4.5 3.5 3.5 3-3 5 5", "M15.5 9.5h.01"],
  file: ["M7 3h7l4.5 4.5V21H7z", "M14 3v5h4.5", "M10 13h5.5M10 16.5h5.5"],
  mic: ["M12 3.5a2.8 2.8 0 0 1 2.8 2.8v5.2a2.8 2.8 0 0 1-5.6 0V6.3A2.8 2.8 0 0 1 12 3.5z", "M5.5 11.5a6.5 6.5 0 0 0 13 0M12 18v3"],
  lock: ["M6 11h12v9.5H6z", "M8.5 11V8a3.5 3.5 0 0 1 7 0v3"],
  person: ["M12 4a4 4 0 1 1 0 8 4 4 0 0 1 0-8z", "M4.5 20.5c.8-4 3.7-6 7.5-6s6.7 2 7.5 6"],
  globe: ["M12 3.5a8.5 8.5 0 1 1 0 17 8.5 8.5 0 0 1 0-17z", "M3.5 12h17M12 3.5c3 3 3 14 0 17M12 3.5c-3 3-3 14 0 17"],
  sun: ["M12 8a4 4 0 1 1 0 8 4 4 0 0 1 0-8z", "M12 2.5v2M12 19.5v2M2.5 12h2M19.5 12h2M5.3 5.3l1.4 1.4M17.3 17.3l1.4 1.4M18.7 5.3l-1.4 1.4M6.7 17.3l-1.4 1.4"],
  check: ["M5 12.5 10 17.5 19.5 7"],
  help: ["M12 3.5a8.5 8.5 0 1 1 0 17 8.5 8.5 0 0 1 0-17z", "M9.5 9.5a2.5 2.5 0 1 1 3.6 2.2c-.8.4-1.1.9-1.1 1.8", "M12 16.5h.01"],
  download: ["M12 4v11M7.5 11 12 15.5 16.5 11", "M5 19.5h14"],
  clip: ["M18.5 11.5 12 18a4 4 0 0 1-5.7-5.7l7-7a2.7 2.7 0 0 1 3.8 3.8l-6.8 6.8a1.3 1.3 0 0 1-1.9-1.9l6-6"],
  warning: ["M12 4 21 19.5H3z", "M12 10v4.5M12 17h.01"],
  inbox: ["M4 13.5 6.5 5h11L20 13.5V19H4z", "M4 13.5h5a3 3 0 0 0 6 0h5"],
  target: ["M12 5.5a6.5 6.5 0 1 1 0 13 6.5 6.5 0 0 1 0-13z", "M12 2.5v4M12 17.5v4M2.5 12h4M17.5 12h4"],
  chat: ["M4 5h16v11.5H11L6.5 20v-3.5H4z"],
  megaphone: ["M4 10v4.5h3.5L17 19V5.5L7.5 10z", "M8.5 14.5 10 20h2.5l-1.5-5", "M20 10.5v3.5"],
  flag: ["M6 21V4.5M6 5h11.5l-2.5 4 2.5 4H6"],
};

/** A line icon, hidden from screen readers: what it means is said by the words beside it or by a label. */
export function icon(name, size = 20) {
  return s(
    "svg",
    { class: "icon", viewBox: "0 0 24 24", width: size, height: size, "aria-hidden": "true", focusable: "false" },
    ICONS[name].map((d) => s("path", { d })),
  );
}

/** Text only screen readers say. */
export const spoken = (words) => h("span", { class: "spoken" }, words);

/** A round picture of initials with a steady colour of six. */
export function avatar(name, key = name) {
  const initials = name.split(/\s+/).filter((w) => /^\p{Lu}/u.test(w)).map((w) => w[0]);
  let sum = 0;
  for (const c of String(key)) sum = (sum * 31 + c.codePointAt(0)) % 997;
  const letters = (initials[0] ?? name[0] ?? "?") + (initials.length > 1 ? initials.at(-1) : "");
  return h("span", { class: `avatar tone-${sum % 6}`, "aria-hidden": "true" }, letters);
}

/** Says something to screen readers without showing it. */
export function announce(words) {
  const region = document.getElementById("announcer");
  region.textContent = "";
  setTimeout(() => { region.textContent = words; }, 60);
}

/** A short message at the bottom of the page; errors stay until closed or eight seconds. */
export function toast(words, kind = "good") {
  const region = document.getElementById("toasts");
  const node = h("div", { class: `toast ${kind}`, role: kind === "bad" ? "alert" : "status" },
    icon(kind === "bad" ? "warning" : "check", 18), h("span", {}, words));
  region.replaceChildren(node);
  setTimeout(() => node.remove(), kind === "bad" ? 8000 : 4000);
}

/** A value of this browser's own memory, or null where there is none (private windows may refuse). */
export function remembered(key) {
  try { return localStorage.getItem(`demo.${key}`); } catch { return null; }
}

export function remember(key, value) {
  try { localStorage.setItem(`demo.${key}`, value); } catch { /* the choice lasts as long as the page */ }
}
