// A picture in full size over the whole page.

import { h, icon } from "./dom.js";
import { t } from "./i18n.js";

/** Shows the picture at `src`; Escape, the button or a tap beside it close it. */
export function zoom(src, name) {
  const from = document.activeElement;
  const viewer = h("dialog", { class: "viewer", "aria-label": name, onclick: (e) => { if (e.target === viewer) viewer.close(); }, onclose: () => { viewer.remove(); from?.focus(); } },
    h("img", { src, alt: name }),
    h("p", {}, h("span", {}, name), h("button", { type: "button", class: "round", "aria-label": t("close"), title: t("close"), onclick: () => viewer.close() }, icon("close"))));
  document.body.append(viewer);
  viewer.showModal();
}
