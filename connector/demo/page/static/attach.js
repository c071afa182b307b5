// What a citizen can attach: photos, documents, voice notes and places, from samples or from one's own files.

import { h, icon } from "./dom.js";
import { t } from "./i18n.js";
import { PICTURES, asFile, picture, samplePdf, sampleVoice } from "./samples.js";
import { closeSheet, openSheet } from "./sheet.js";
import { MY_POSITION, PLACES, degrees, picker } from "./town.js";

const KINDS = [
  ["photo", "photo", photos],
  ["place", "pin", (send, back) => places(send, { back })],
  ["document", "file", documents],
  ["voice", "mic", voices],
];

/** The menu behind «+». `send` is {file(file, kind, caption), place(place)}; both return a promise. */
export function attachMenu(send, returnTo) {
  const again = () => attachMenu(send, returnTo);
  openSheet(t("attach"), h("div", { class: "attach-menu" }, KINDS.map(([key, name, open], i) =>
    h("button", { type: "button", class: `attach-kind kind-${key}`, "data-focus": i === 0, "data-kind": key, onclick: () => open(send, again) },
      h("span", { class: "disc" }, icon(name, 24)), t(key)))), { className: "low", returnTo });
}

function ownFile(accept, send) {
  const input = h("input", { type: "file", accept, class: "spoken", id: "own-file", onchange: () => { if (input.files[0]) send(input.files[0]); } });
  return h("div", { class: "own-file" }, input, h("label", { for: "own-file", class: "button" }, icon("plus", 18), t("own_file")));
}

function photos(send, back) {
  let chosen = null;
  let own = null;
  const caption = h("input", { type: "text", id: "caption", maxlength: 1024, placeholder: t("caption"), "aria-label": t("caption"), autocomplete: "off" });
  const go = h("button", { type: "submit", class: "primary", disabled: true }, icon("send", 18), t("send"));
  const tiles = Object.keys(PICTURES).map((key, i) => {
    const canvas = picture(key);
    canvas.setAttribute("aria-hidden", "true");
    const radio = h("input", { type: "radio", name: "sample", value: key, "data-focus": i === 0,
      onchange: () => { chosen = [key, canvas]; own = null; go.disabled = false; preview.textContent = ""; } });
    return h("label", { class: "tile" }, radio, canvas, h("span", {}, t(key)));
  });
  const preview = h("p", { class: "chosen-file", "aria-live": "polite" });
  openSheet(t("choose_photo"), h("form", { class: "sheet-form", onsubmit: async (event) => {
    event.preventDefault();
    const file = own ?? (chosen && await asFile(chosen[1], `${t(chosen[0]).toLowerCase().replace(/[^\p{L}\p{N}]+/gu, "-")}.jpg`));
    if (!file) return;
    closeSheet();
    await send.file(file, "image", caption.value.trim());
  } },
  h("fieldset", {}, h("legend", {}, t("sample_photo")), h("div", { class: "tiles" }, tiles)),
  ownFile("image/jpeg,image/png", (file) => {
    own = file;
    preview.textContent = file.name;
    for (const radio of document.querySelectorAll("input[name=sample]")) radio.checked = false;
    go.disabled = false;
  }), preview,
  h("div", { class: "sheet-foot" }, caption, go)), { back });
}

function documents(send, back) {
  const use = async (file) => { closeSheet(); await send.file(file, "document", ""); };
  openSheet(t("choose_document"), h("div", { class: "choices" },
    h("button", { type: "button", class: "choice", "data-focus": "", onclick: () => use(samplePdf("pressupost-vorera.pdf", "Pressupost de la vorera del carrer Major")) },
      icon("file", 24), h("span", {}, h("strong", {}, "pressupost-vorera.pdf"), h("small", {}, `${t("sample_document")} · PDF`))),
    ownFile("", use)), { back, className: "low" });
}

function voices(send, back) {
  const use = async (file) => { closeSheet(); await send.file(file, "voice", ""); };
  openSheet(t("choose_voice"), h("div", { class: "choices" },
    h("button", { type: "button", class: "choice", "data-focus": "", onclick: () => use(sampleVoice("nota-de-veu.ogg")) },
      icon("mic", 24), h("span", {}, h("strong", {}, t("sample_voice")), h("small", {}, "0:03 · Ogg Opus"))),
    ownFile("audio/*", use)), { back, className: "low" });
}

/** The place picker: named places, «my position», or any point on the drawn map. */
export function places(send, { back = null, returnTo = document.activeElement } = {}) {
  let chosen = { ...MY_POSITION };
  const map = picker(MY_POSITION, (place) => {
    chosen = place;
    for (const radio of document.querySelectorAll("input[name=place]")) radio.checked = false;
  });
  const options = [[t("my_position"), "", MY_POSITION, "target"], ...PLACES.map((p) => [p.name, p.address, p, "pin"])];
  openSheet(t("choose_place"), h("form", { class: "sheet-form", onsubmit: async (event) => {
    event.preventDefault();
    closeSheet();
    await send.place(chosen);
  } },
  map.node,
  h("p", { class: "map-help" }, map.output, h("span", {}, t("map_help"))),
  h("fieldset", { class: "rows" }, h("legend", { class: "spoken" }, t("choose_place")), options.map(([name, address, place, symbol], i) =>
    h("label", { class: "radio-row" },
      h("input", { type: "radio", name: "place", value: name, checked: i === 0, "data-focus": i === 0, onchange: () => {
        // One's own position is a bare point; a place that was looked up has a name.
        chosen = place === MY_POSITION ? { ...MY_POSITION } : place;
        map.show(place);
      } }),
      icon(symbol, 20),
      h("span", { class: "radio-words" }, h("span", {}, name), h("small", {}, address && address !== name ? address : degrees(place)))))),
  h("div", { class: "sheet-foot" }, h("button", { type: "submit", class: "primary wide" }, icon("send", 18), t("send_location")))), { back, returnTo });
}
