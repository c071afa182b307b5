// Three first steps, ticked off by themselves as they happen.

import { h, icon, remember, remembered, spoken } from "./dom.js";
import { onLanguage, t } from "./i18n.js";

const STEPS = ["step1", "step2", "step3"];
const done = new Set();

const $ = (id) => document.getElementById(id);

/** Marks a step (0, 1, 2) as done. */
export function stepDone(step) {
  if (done.has(step)) return;
  done.add(step);
  draw();
}

function draw() {
  const now = STEPS.findIndex((_, i) => !done.has(i));
  $("steps").replaceChildren(...STEPS.map((key, i) => h("li", { class: done.has(i) ? "done" : i === now ? "now" : "", "aria-current": i === now ? "step" : null },
    h("span", { class: "step-mark", "aria-hidden": "true" }, done.has(i) ? icon("check", 16) : String(i + 1)),
    h("span", { class: "step-words" }, h("strong", {}, t(key)), done.has(i) && spoken(` (${t("done")})`), h("span", {}, t(`${key}_more`))))));
}

function show(visible) {
  $("guide").hidden = !visible;
  $("guide-open").hidden = visible;
  remember("guide", visible ? "shown" : "hidden");
}

export function startGuide() {
  $("guide-close").append(icon("close", 18));
  $("guide-open").append(icon("help", 20));
  $("guide-close").addEventListener("click", () => { show(false); $("guide-open").focus(); });
  $("guide-open").addEventListener("click", () => { show(true); $("guide-close").focus(); });
  onLanguage(draw);
  draw();
  show(remembered("guide") !== "hidden");
}
