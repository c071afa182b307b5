// A sheet that slides up inside the phone. It is a dialog of the phone alone: the rest of the phone is inert
// meanwhile, the desk beside it stays usable. Escape and the shade close it; focus returns to where it was.

import { h, icon } from "./dom.js";
import { t } from "./i18n.js";

let close = null;

export const sheetOpen = () => close !== null;

/** Closes the open sheet, if any. */
export function closeSheet() {
  close?.();
}

/**
 * Opens a sheet with `title` and `content` (elements), and returns its element.
 * `back` adds a button that goes to an earlier sheet.
 */
export function openSheet(title, content, { back = null, className = "", returnTo = document.activeElement } = {}) {
  close?.(false);
  const screen = document.getElementById("screen");
  // A bubble may be drawn anew while the sheet is open: then it is the button of the same words in it.
  const home = returnTo?.closest?.("[data-id]")?.dataset.id;
  const opener = () => returnTo?.isConnected ? returnTo
    : home && [...document.querySelectorAll(`[data-id="${CSS.escape(home)}"] button`)].find((b) => b.textContent === returnTo.textContent);
  const covered = document.getElementById("chat");
  const heading = h("h3", { id: "sheet-title", tabindex: -1 }, title);
  const sheet = h("div", { class: `sheet ${className}`, role: "dialog", "aria-labelledby": "sheet-title" },
    h("div", { class: "sheet-head" },
      back && h("button", { type: "button", class: "round", "aria-label": t("back"), title: t("back"), onclick: back }, icon("back")),
      heading,
      h("button", { type: "button", class: "round sheet-close", "aria-label": t("close"), title: t("close"), onclick: () => close?.() }, icon("close"))),
    h("div", { class: "sheet-body" }, content));
  const shade = h("div", { class: "shade", onclick: () => close?.() });
  const onKey = (event) => {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    close?.();
  };
  sheet.addEventListener("keydown", onKey);
  screen.append(shade, sheet);
  covered.inert = true;
  close = (restore = true) => {
    close = null;
    sheet.remove();
    shade.remove();
    covered.inert = false;
    if (restore) (opener() || document.getElementById("words"))?.focus();
  };
  (sheet.querySelector("[data-focus]") ?? heading).focus();
  return sheet;
}
