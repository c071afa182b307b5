// One ticket: what the citizen sent, what has happened since, and the answer box.

import { age, fullDate, t } from "./i18n.js";
import { avatar, h, icon, toast } from "./dom.js";
import { zoom } from "./viewer.js";
import { attachmentUrl, isImage, redmine, upload } from "./redmine.js";
import { readable } from "./readable.js";
import { placeCard } from "./town.js";

const $ = (id) => document.getElementById(id);
let open = null; // {id, me, config, hooks…}
let drawnFrom = "";
let readAt = "";
let restless = 0; // until then the next change may carry the same second as the last one seen
const RESTLESS = 6000;
const drafts = new Map();

export const openTicketId = () => open?.id ?? null;

export function closeTicket() {
  open = null;
  drawnFrom = "";
  $("ticket").replaceChildren(h("div", { class: "nothing" }, icon("chat", 40), h("strong", {}, t("pick_ticket")), h("span", {}, t("pick_ticket_more"))));
  $("ticket").removeAttribute("aria-labelledby");
}

const read = (id) => redmine(open.me.login, `issues/${id}.json?include=journals,attachments,allowed_statuses`);

/** Opens a ticket; `around` is {me, config, changed(), event(), back()}. */
export async function showTicket(ticket, around) {
  open = { id: ticket.id, ...around };
  drawnFrom = "";
  const asked = open;
  try {
    const { issue } = await read(ticket.id);
    if (asked !== open) return;
    draw(issue);
    readAt = issue.updated_on;
    restless = Date.now() + RESTLESS;
  } catch (error) {
    if (asked !== open) return;
    $("ticket").replaceChildren(h("div", { class: "nothing" }, icon("warning", 40), h("span", {}, t("error_load", { why: error.message })),
      h("button", { type: "button", class: "button", onclick: around.back }, t("back"))));
  }
}

/** Reads the open ticket again when the list says that it moved, and a little longer: times have whole seconds. */
export async function refreshTicket(listed) {
  if (!listed || !open) return;
  if (listed.updated_on !== readAt) restless = Date.now() + RESTLESS;
  else if (Date.now() > restless) return;
  const asked = open;
  const { issue } = await read(open.id);
  if (asked !== open) return;
  readAt = issue.updated_on;
  draw(issue);
}

// ---------------------------------------------------------------- parts

/** A subject without the reference at its end, which is shown among the details. */
export const bare = (subject) => subject.replace(/\s*[[(][A-Z0-9]{2,6}-[A-Z0-9-]+[\])]$/, "") || subject;

/** A status with a colour of its own kind: new, in work, answered, closed. */
export function statusChip(status, first) {
  const kind = status?.is_closed ? "closed" : status?.id === first ? "fresh" : "open";
  return h("span", { class: `chip status ${kind}` }, status?.name ?? "");
}

const field = (issue, pattern) => issue.custom_fields?.find((f) => pattern.test(f.name) && f.value)?.value;

function place(issue) {
  const latitude = Number.parseFloat(field(issue, /^lat/i));
  const longitude = Number.parseFloat(field(issue, /^lon/i));
  if (!Number.isFinite(latitude) || !Number.isFinite(longitude)) return null;
  return placeCard({ latitude, longitude }, { name: field(issue, /^(adre|direcc|address)/i), address: field(issue, /^barri/i) });
}

function facts(issue) {
  const rows = [
    [t("tracker"), issue.tracker?.name],
    [t("assigned"), issue.assigned_to ? h("span", { class: "who-line" }, avatar(issue.assigned_to.name, issue.assigned_to.id), issue.assigned_to.name) : t("nobody")],
    [t("category"), issue.category?.name],
    // The ordinary priority says nothing; another one does.
    [t("priority"), issue.priority?.id === 2 ? "" : issue.priority?.name],
    ...(issue.custom_fields ?? []).filter((f) => f.value && !/^(lat|lon)/i.test(f.name)).map((f) => [f.name, Array.isArray(f.value) ? f.value.join(", ") : f.value]),
  ];
  return h("dl", { class: "meta" }, rows.filter(([, value]) => value).map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))));
}

function files(attachments) {
  if (!attachments?.length) return null;
  const login = open.me.login;
  return h("ul", { class: "files" }, attachments.map((a) => {
    if (isImage(a)) {
      const img = h("img", { alt: a.description || a.filename });
      const button = h("button", { type: "button", class: "thumb", "aria-label": t("zoom", { name: a.filename }), disabled: true, onclick: () => zoom(img.src, a.filename) }, img);
      attachmentUrl(login, a).then((url) => { img.src = url; button.disabled = false; }, () => button.replaceChildren(icon("photo", 24), a.filename));
      return h("li", {}, button);
    }
    if (/^(audio|video)\//.test(a.content_type ?? "")) {
      const player = h(a.content_type.startsWith("video/") ? "video" : "audio", { controls: true, "aria-label": a.filename });
      attachmentUrl(login, a).then((url) => { player.src = url; }, () => {});
      return h("li", { class: "played" }, player);
    }
    const save = async () => {
      try {
        const link = h("a", { href: await attachmentUrl(login, a), download: a.filename });
        link.click();
      } catch (error) { toast(error.message, "bad"); }
    };
    return h("li", {}, h("button", { type: "button", class: "file-card", onclick: save, "aria-label": t("download", { name: a.filename }) },
      icon("file", 22), h("span", {}, a.filename, h("small", {}, size(a.filesize))), icon("download", 18)));
  }));
}

function size(bytes) {
  if (!Number.isFinite(bytes)) return "";
  return bytes < 1_000_000 ? `${Math.max(1, Math.round(bytes / 1000))} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`;
}

function change(detail, issue) {
  const status = (id) => open.config.statuses?.find((x) => String(x.id) === String(id))?.name ?? id;
  if (detail.property === "attachment") return detail.new_value ? `${t("attached")}: ${detail.new_value}` : null;
  const values = (name, old, value) => (value === null || value === "" ? t("cleared", { name }) : old ? t("from_to", { name, old, value }) : t("set_to", { name, value }));
  if (detail.property === "cf") {
    const name = issue.custom_fields?.find((f) => String(f.id) === String(detail.name))?.name ?? t("details");
    return values(name, detail.old_value, detail.new_value);
  }
  if (detail.name === "status_id") return values(t("status"), status(detail.old_value), status(detail.new_value));
  if (detail.name === "assigned_to_id") {
    const now = String(issue.assigned_to?.id) === String(detail.new_value) ? issue.assigned_to.name : null;
    return detail.new_value ? (now ? t("set_to", { name: t("assigned"), value: now }) : `${t("assigned")}: ${t("changed")}`) : t("set_to", { name: t("assigned"), value: t("nobody") });
  }
  const names = { category_id: "category", tracker_id: "tracker", priority_id: "priority", description: "description" };
  return `${names[detail.name] ? t(names[detail.name]) : detail.name.replace(/_id$/, "")}: ${t("changed")}`;
}

function entry(journal, issue) {
  const at = new Date(journal.created_on);
  const changes = (journal.details ?? []).map((d) => change(d, issue)).filter(Boolean);
  const noted = Boolean(journal.notes?.trim());
  const kind = !noted ? "event" : journal.private_notes ? "private" : "public";
  const head = h("div", { class: "entry-head" },
    avatar(journal.user?.name ?? "?", journal.user?.id), h("strong", {}, journal.user?.name ?? "?"),
    noted && (journal.private_notes
      ? h("span", { class: "chip private" }, icon("lock", 13), t("private"), h("small", {}, t("private_more")))
      : h("span", { class: "chip public" }, icon("chat", 13), t("public"), h("small", {}, t("public_more")))),
    h("time", { datetime: journal.created_on, title: fullDate(at), "data-age": "" }, age(at)));
  const added = (journal.details ?? []).filter((d) => d.property === "attachment" && d.new_value)
    .map((d) => issue.attachments?.find((a) => String(a.id) === String(d.name))).filter(Boolean);
  return h("li", { class: `entry ${kind}`, "data-journal": journal.id }, head,
    noted && h("div", { class: "note" }, readable(journal.notes)),
    changes.length > 0 && h("ul", { class: "changes" }, changes.map((words) => h("li", {}, words))),
    noted && added.length > 0 && files(added));
}

/** Journal entries worth a line: with a note, or a change that says something to people. */
const worth = (journal, issue) => journal.notes?.trim() || (journal.details ?? []).some((d) => change(d, issue));

function draw(issue) {
  const source = JSON.stringify(issue);
  if (source === drawnFrom) return;
  const again = drawnFrom !== "";
  drawnFrom = source;
  const noted = new Set((issue.journals ?? []).filter((j) => j.notes?.trim()).flatMap((j) => (j.details ?? []).filter((d) => d.property === "attachment").map((d) => String(d.name))));
  const original = (issue.attachments ?? []).filter((a) => !noted.has(String(a.id)));
  const where = place(issue);
  const journals = (issue.journals ?? []).filter((j) => worth(j, issue));
  const parts = {
    head: h("header", { class: "ticket-head" },
      h("button", { type: "button", class: "round to-list", "aria-label": t("back"), title: t("back"), onclick: open.back }, icon("back")),
      h("div", { class: "ticket-title" },
        h("p", {}, h("span", { class: "number" }, `#${issue.id}`), statusChip(issue.status, open.config.first_status),
          h("time", { datetime: issue.created_on, title: fullDate(new Date(issue.created_on)), "data-age": "" }, age(new Date(issue.created_on))),
          h("a", { class: "out", href: `${open.config.redmine_url}/issues/${issue.id}`, target: "_blank", rel: "noopener noreferrer" }, t("opened_at"), icon("link", 14))),
        h("h3", { id: "ticket-subject" }, bare(issue.subject)))),
    meta: facts(issue),
    body: h("section", { "aria-labelledby": "h-words" }, h("h4", { id: "h-words" }, t("description")), h("div", { class: "described" }, readable(issue.description)),
      where),
    files: original.length > 0 && h("section", { "aria-labelledby": "h-files" }, h("h4", { id: "h-files" }, t("photos")), files(original)),
    history: h("section", { "aria-labelledby": "h-history" }, h("h4", { id: "h-history" }, t("history")),
      journals.length ? h("ol", { class: "journal" }, journals.map((j) => entry(j, issue))) : h("p", { class: "faint" }, t("no_history"))),
  };
  const scroller = $("ticket").querySelector(".ticket-scroll");
  if (again && scroller) {
    // The answer box stays as it is: somebody may be writing in it.
    const known = new Set([...scroller.querySelectorAll("[data-journal]")].map((n) => n.dataset.journal));
    const atEnd = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < 80;
    scroller.replaceChildren(...Object.values(parts).filter(Boolean));
    for (const node of scroller.querySelectorAll("[data-journal]")) {
      if (known.has(node.dataset.journal)) continue;
      node.classList.add("arriving");
      if (atEnd || known.size === 0) node.scrollIntoView({ block: "nearest" });
    }
    statuses(issue);
    return;
  }
  $("ticket").setAttribute("aria-labelledby", "ticket-subject");
  $("ticket").replaceChildren(h("div", { class: "ticket-scroll", tabindex: 0, role: "group", "aria-labelledby": "ticket-subject" }, Object.values(parts).filter(Boolean)), answerBox(issue));
  statuses(issue);
}

// ---------------------------------------------------------------- answering

function statuses(issue) {
  const select = $("answer-status");
  const chosen = select.dataset.touched ? select.value : String(issue.status.id);
  const offered = issue.allowed_statuses?.length ? issue.allowed_statuses : open.config.statuses ?? [];
  const all = offered.some((x) => x.id === issue.status.id) ? offered : [issue.status, ...offered];
  select.replaceChildren(...all.map((x) => h("option", { value: x.id }, x.name)));
  select.value = all.some((x) => String(x.id) === chosen) ? chosen : String(issue.status.id);
  select.dataset.current = String(issue.status.id);
}

function answerBox(issue) {
  const key = `${open.me.login}:${issue.id}`;
  const draft = drafts.get(key) ?? { words: "", private: false, files: [] };
  drafts.set(key, draft);
  const words = h("textarea", { id: "answer-words", rows: 2, value: draft.words, oninput: () => { draft.words = words.value; fit(); } });
  const fit = () => { words.style.height = "auto"; words.style.height = `${Math.min(Math.max(words.scrollHeight, 56), 180)}px`; label(); };
  const status = h("select", { id: "answer-status", onchange: () => { status.dataset.touched = "1"; label(); } });
  const go = h("button", { type: "submit", class: "primary" });
  const picked = h("ul", { class: "picked" });
  const input = h("input", { type: "file", multiple: true, id: "answer-files", class: "spoken", onchange: () => {
    draft.files.push(...input.files);
    input.value = "";
    show();
  } });
  const show = () => {
    picked.hidden = draft.files.length === 0;
    picked.replaceChildren(...draft.files.map((file, i) => h("li", {}, icon("clip", 14), h("span", {}, file.name),
      h("button", { type: "button", class: "round small", "aria-label": t("remove_file", { name: file.name }), onclick: () => { draft.files.splice(i, 1); show(); $("answer-files").focus(); } }, icon("close", 14)))));
    label();
  };
  const choice = (value, name, more, symbol) => h("label", { class: `way ${value}` },
    h("input", { type: "radio", name: "way", value, checked: draft.private === (value === "private"), onchange: () => { draft.private = value === "private"; label(); } }),
    icon(symbol, 20), h("span", {}, h("strong", {}, t(name)), h("small", {}, t(more))));
  const box = h("form", { class: "answer", "aria-label": t("answer"), onsubmit: (event) => { event.preventDefault(); submit(issue, draft, box); },
    onkeydown: (event) => { if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) box.requestSubmit(); } },
  h("fieldset", { class: "ways" }, h("legend", { class: "spoken" }, t("answer")),
    choice("public", "public_answer", "public_answer_more", "chat"), choice("private", "private_note", "private_note_more", "lock")),
  words, picked,
  h("div", { class: "answer-foot" },
    input, h("label", { for: "answer-files", class: "button quiet", title: t("add_files") }, icon("clip", 18), h("span", { class: "wide-only" }, t("add_files"))),
    h("label", { class: "pick", for: "answer-status" }, h("span", {}, t("status")), status), go));
  const label = () => {
    box.classList.toggle("private", draft.private);
    const only = !words.value.trim() && draft.files.length === 0 && status.value !== status.dataset.current && status.value !== "";
    words.placeholder = t(draft.private ? "write_note" : "write_answer");
    words.setAttribute("aria-label", words.placeholder);
    go.replaceChildren(icon(only ? "check" : draft.private ? "lock" : "send", 18), t(only ? "send_status" : draft.private ? "send_private" : "send_public"));
  };
  show();
  requestAnimationFrame(fit);
  return box;
}

async function submit(issue, draft, box) {
  const status = $("answer-status");
  const words = draft.words.trim();
  const changed = status.value && status.value !== status.dataset.current;
  if (!words && draft.files.length === 0 && !changed) {
    toast(t("nothing_to_send"), "bad");
    $("answer-words").focus();
    return;
  }
  const { me, changed: tell, event } = open;
  const wanted = draft.private;
  const button = box.querySelector("button[type=submit]");
  button.disabled = true;
  try {
    const uploads = await upload(me.login, draft.files);
    const body = { ...(words ? { notes: words, private_notes: wanted } : {}), ...(changed ? { status_id: Number(status.value) } : {}), ...(uploads.length ? { uploads } : {}) };
    await redmine(me.login, `issues/${issue.id}.json`, { method: "PUT", body: { issue: body } });
    drafts.delete(`${me.login}:${issue.id}`);
    delete status.dataset.touched;
    if (open?.id === issue.id) {
      const fresh = (await read(issue.id)).issue;
      draw(fresh);
      box.replaceWith(answerBox(fresh));
      statuses(fresh);
      $("answer-words").dispatchEvent(new Event("input"));
      $("answer-words").focus();
      $("ticket").querySelector(".journal > li:last-child")?.scrollIntoView({ block: "nearest" });
      // Without the right to write private notes Redmine drops the wish silently and stores a public one.
      const last = fresh.journals?.filter((j) => j.user?.id === me.id && j.notes?.trim()).at(-1);
      if (words && wanted && last && !last.private_notes) toast(t("became_public"), "bad");
      else toast(t(!words && !uploads.length ? "sent_status" : wanted ? "sent_private" : "sent_public"));
    }
    if (words && !wanted) event("answered", issue);
    tell();
  } catch (error) {
    toast(t("error_send", { why: error.message }), "bad");
  } finally {
    button.disabled = false;
  }
}
