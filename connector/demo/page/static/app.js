// The demo's page. Joins the parts:
//   phone.js (chat)  bubbles.js  attach.js  sheet.js  samples.js     desk.js (list)  ticket.js  publish.js  redmine.js  readable.js
//   town.js (drawn map)  markup.js (WhatsApp's)  viewer.js  guide.js  i18n.js (words)  dom.js (elements, icons)

import { h, icon, remember, remembered, spoken } from "./dom.js";
import { LANGUAGES, setLanguage, t } from "./i18n.js";
import { startDesk } from "./desk.js";
import { startGuide, stepDone } from "./guide.js";
import { markRead, startPhone } from "./phone.js";
import { zoom } from "./viewer.js";

const $ = (id) => document.getElementById(id);
const narrow = matchMedia("(max-width: 899px)");

// ---------------------------------------------------------------- language and theme

function startSettings() {
  const select = $("language");
  select.append(...LANGUAGES.map(([code, name]) => h("option", { value: code, lang: code }, name)));
  select.value = LANGUAGES.some(([code]) => code === remembered("language")) ? remembered("language") : "ca";
  select.addEventListener("change", () => { remember("language", select.value); setLanguage(select.value); });
  const theme = $("theme");
  theme.value = document.documentElement.dataset.theme ?? "auto";
  theme.addEventListener("change", () => {
    if (theme.value === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme.value;
    remember("theme", theme.value);
  });
  setLanguage(select.value);
}

// ---------------------------------------------------------------- two tabs on a narrow screen

let tab = "phone";

function showTab(name, focus = false) {
  tab = name;
  for (const other of ["phone", "desk"]) {
    const button = $(`tab-${other}`);
    const chosen = other === name;
    button.setAttribute("aria-selected", String(chosen));
    button.tabIndex = chosen ? 0 : -1;
    if (chosen && focus) button.focus();
  }
  arrange();
}

function arrange() {
  for (const name of ["phone", "desk"]) {
    const panel = $(name);
    panel.classList.toggle("away", narrow.matches && tab !== name);
    // Side by side they are two regions, not the panels of two tabs.
    panel.setAttribute("role", narrow.matches ? "tabpanel" : "region");
    if (narrow.matches) panel.setAttribute("aria-labelledby", `tab-${name}`);
    else panel.setAttribute("aria-labelledby", `h-${name}`);
  }
  markRead();
}

function startTabs() {
  for (const name of ["phone", "desk"]) {
    $(`tab-${name}`).prepend(icon(name, 20));
    $(`tab-${name}`).addEventListener("click", () => showTab(name));
    $(`tab-${name}`).addEventListener("keydown", (e) => {
      if (["ArrowLeft", "ArrowRight", "Home", "End"].includes(e.key)) {
        e.preventDefault();
        showTab(name === "phone" ? "desk" : "phone", true);
      }
    });
  }
  narrow.addEventListener("change", arrange);
  showTab("phone");
}

function badge(name, count) {
  const node = $(`badge-${name}`);
  node.hidden = count === 0;
  node.replaceChildren(h("span", { "aria-hidden": "true" }, String(count)), spoken(t("unread", { n: count })));
}

// ---------------------------------------------------------------- start

startSettings();
startTabs();
startGuide();
$("mark").append(icon("chat", 22));

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-zoom]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  zoom(link.href, link.querySelector("img")?.alt ?? "");
});

async function configuration() {
  for (;;) {
    try {
      const answer = await fetch("/desk/config");
      if (answer.ok) return await answer.json();
    } catch { /* the demo is still starting */ }
    $("desk-problem").hidden = false;
    $("desk-problem").textContent = t("error_load", { why: t("error_server") });
    await new Promise((resolve) => setTimeout(resolve, 2000));
  }
}

const config = await configuration();
$("desk-problem").hidden = true;
await Promise.all([
  startPhone({
    visible: () => !narrow.matches || tab === "phone",
    unread: (count) => badge("phone", count),
    event: (kind) => { if (kind === "sent") stepDone(0); },
  }, config.town),
  startDesk(config, {
    unread: (count) => badge("desk", count),
    event: (kind) => {
      if (kind === "ticket") stepDone(1);
      if (kind === "answered") stepDone(2);
    },
  }),
]);
document.documentElement.dataset.ready = "";
