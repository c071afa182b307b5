// Publishing on the town's website: a form over the desk. What is published reaches the phones' pages through the feeds.

import { h, icon, toast } from "./dom.js";
import { onLanguage, t } from "./i18n.js";

const $ = (id) => document.getElementById(id);
const TITLE = 120;
const TEXT = 1500;
let draft = { title: "", text: "", link: "", alert: false }; // kept when the form is closed without publishing
let opened = null;

/** Starts the button; `who()` is the login of whoever sits at the desk. */
export function startPublishing(who) {
  const button = $("publish-open");
  button.hidden = false;
  const draw = () => button.replaceChildren(icon("megaphone", 18), h("span", { class: "wide-only" }, t("publish")));
  button.addEventListener("click", () => open(who));
  button.setAttribute("aria-haspopup", "dialog");
  onLanguage(() => { draw(); opened?.close(); });
  draw();
}

function field(name, label, control, more = "") {
  const error = h("small", { id: `publish-${name}-error`, class: "problem", hidden: true });
  control.setAttribute("aria-describedby", error.id);
  return h("div", { class: "field" },
    h("label", { for: control.id }, label, more && h("small", {}, ` ${more}`)), control, error);
}

function open(who) {
  const from = document.activeElement;
  const keep = (name, value) => { draft[name] = value; complain(name, false); };
  const title = h("input", { id: "publish-title", type: "text", maxlength: TITLE, value: draft.title, autocomplete: "off", oninput: () => keep("title", title.value) });
  const text = h("textarea", { id: "publish-text", rows: 5, maxlength: TEXT, value: draft.text, oninput: () => keep("text", text.value) });
  const link = h("input", { id: "publish-link", type: "url", maxlength: 500, value: draft.link, placeholder: "https://", autocomplete: "off", oninput: () => keep("link", link.value) });
  const alert = h("input", { id: "publish-alert", type: "checkbox", checked: draft.alert, onchange: () => { draft.alert = alert.checked; } });
  const go = h("button", { type: "submit", class: "primary" }, icon("send", 18), t("publish_go"));
  const form = h("form", { novalidate: true, onsubmit: (event) => { event.preventDefault(); send(who(), dialog, go); },
    onkeydown: (event) => { if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit(); } },
  field("title", t("publish_title"), title), field("text", t("publish_text"), text), field("link", t("publish_link"), link, t("optional")),
  h("label", { class: "way alert", for: "publish-alert" }, alert, icon("warning", 20),
    h("span", {}, h("strong", {}, t("publish_alert")), h("small", {}, t("publish_alert_more")))),
  h("div", { class: "publish-foot" }, h("button", { type: "button", class: "button quiet", onclick: () => dialog.close() }, t("cancel")), go));
  const dialog = h("dialog", { class: "publish", "aria-labelledby": "publish-heading", onclose: () => { opened = null; dialog.remove(); from?.focus(); } },
    h("div", { class: "publish-head" }, h("h3", { id: "publish-heading" }, t("publish_heading")),
      h("button", { type: "button", class: "round", "aria-label": t("close"), title: t("close"), onclick: () => dialog.close() }, icon("close"))),
    h("p", { class: "faint" }, t("publish_where")), form);
  document.body.append(dialog);
  opened = dialog;
  dialog.showModal();
  title.focus();
}

function complain(name, wrong) {
  const control = $(`publish-${name}`);
  const error = $(`publish-${name}-error`);
  if (!control || !error) return;
  if (wrong) control.setAttribute("aria-invalid", "true");
  else control.removeAttribute("aria-invalid");
  error.hidden = !wrong;
  error.replaceChildren(...(wrong ? [icon("warning", 14), t(`publish_wrong_${name}`)] : []));
}

async function send(login, dialog, button) {
  const wrong = [!draft.title.trim() && "title", !draft.text.trim() && "text"].filter(Boolean);
  for (const name of ["title", "text", "link"]) complain(name, wrong.includes(name));
  if (wrong.length) { $(`publish-${wrong[0]}`).focus(); return; }
  button.disabled = true;
  try {
    const answer = await fetch("/desk/publish", { method: "POST", headers: { "X-Desk-User": login, "Content-Type": "application/json" }, body: JSON.stringify(draft) });
    if (answer.status === 422) {
      const { wrong: names } = await answer.json();
      for (const name of names) complain(name, true);
      $(`publish-${names[0]}`).focus();
      return;
    }
    if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
    toast(t(draft.alert ? "published_alert" : "published"));
    draft = { title: "", text: "", link: "", alert: false };
    dialog.close();
  } catch (error) {
    toast(t("error_send", { why: error instanceof TypeError ? t("error_server") : error.message }), "bad");
  } finally {
    button.disabled = false;
  }
}
