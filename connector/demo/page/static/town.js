// The map of the town, drawn: no tiles are fetched from anywhere. Degrees are WGS 84.

import { h, s } from "./dom.js";
import { currentLanguage, t } from "./i18n.js";
import { outside } from "./markup.js";

const BOX = { north: 41.632, south: 41.6085, west: 2.582, east: 2.62 };
const WIDTH = 400;
const HEIGHT = 320;

export const PLACES = [
  { name: "Plaça de l'Església", address: "Plaça de l'Església, 1", latitude: 41.62055, longitude: 2.60105 },
  { name: "Carrer Major, 12", address: "Carrer Major, 12", latitude: 41.6214, longitude: 2.5985 },
  { name: "Escola", address: "Avinguda de l'Escola, 4", latitude: 41.6229, longitude: 2.6071 },
  { name: "Passeig de la Platja", address: "Passeig de la Platja, 30", latitude: 41.61235, longitude: 2.6052 },
  { name: "Font de la Muntanya", address: "Camí de la Font, s/n", latitude: 41.62865, longitude: 2.5931 },
];
export const MY_POSITION = { latitude: 41.6198, longitude: 2.6032 };

export const toMap = ({ latitude, longitude }) => [
  ((longitude - BOX.west) / (BOX.east - BOX.west)) * WIDTH,
  ((BOX.north - latitude) / (BOX.north - BOX.south)) * HEIGHT,
];
export const fromMap = (x, y) => ({
  latitude: round(BOX.north - (y / HEIGHT) * (BOX.north - BOX.south)),
  longitude: round(BOX.west + (x / WIDTH) * (BOX.east - BOX.west)),
});
const round = (degrees) => Math.round(degrees * 1e5) / 1e5;

export const inTown = ({ latitude, longitude }) =>
  latitude <= BOX.north && latitude >= BOX.south && longitude >= BOX.west && longitude <= BOX.east;

/** «41,62055, 2,60105» with the language's decimal sign. */
export function degrees({ latitude, longitude }) {
  const format = new Intl.NumberFormat(currentLanguage(), { minimumFractionDigits: 4, maximumFractionDigits: 5 });
  return `${format.format(latitude)} · ${format.format(longitude)}`;
}

export const mapUrl = ({ latitude, longitude }) =>
  `https://www.openstreetmap.org/?mlat=${latitude}&mlon=${longitude}#map=17/${latitude}/${longitude}`;

const ROADS = [
  ["main", "M-10 196 C70 178 130 168 196 160 S330 128 410 118"],
  ["main", "M205 -10 C196 60 204 110 196 160 S226 236 236 264"],
  ["main", "M-10 276 C90 262 170 268 240 264 S340 250 410 240"],
  ["", "M110 173 C116 210 104 240 116 266"], ["", "M150 166 C150 196 168 214 166 266"],
  ["", "M60 184 C66 214 56 240 62 268"], ["", "M284 139 C286 180 300 214 304 257"],
  ["", "M340 130 C346 170 352 210 356 248"], ["", "M62 224 C120 214 200 222 304 206"],
  ["", "M130 170 C122 120 110 90 116 46"], ["", "M116 46 C90 30 60 26 40 -10"],
  ["", "M202 90 C250 84 300 92 410 64"], ["", "M262 88 C258 108 268 124 270 142"],
  ["", "M166 132 C190 136 230 132 264 118"],
];

/** The drawn town: hills in the north, the sea in the south. `label` null makes it decoration. */
export function drawing(label = null) {
  const accessible = label ? { role: "img", "aria-label": label } : { "aria-hidden": "true" };
  return s("svg", { class: "town", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "xMidYMid slice", focusable: "false", ...accessible },
    s("rect", { class: "land", width: WIDTH, height: HEIGHT }),
    s("path", { class: "hill", d: "M-10 -10 H410 V26 C340 60 300 20 240 44 S150 96 92 108 S20 150 -10 146 Z" }),
    s("path", { class: "hill high", d: "M-10 -10 H190 C172 24 130 40 96 60 S30 92 -10 88 Z" }),
    s("path", { class: "park", d: "M300 160 q20 -10 34 2 q6 22 -6 34 q-18 4 -26 -6 z" }),
    s("path", { class: "park", d: "M76 194 q16 -8 26 -2 q4 14 0 22 q-14 6 -28 2 z" }),
    s("path", { class: "sand", d: "M-10 286 C90 274 170 282 240 276 S340 262 410 252 V330 H-10 Z" }),
    s("path", { class: "sea", d: "M-10 300 C90 288 170 296 240 290 S340 276 410 266 V330 H-10 Z" }),
    s("g", { class: "contours" },
      s("path", { d: "M-10 120 C40 118 70 90 120 84 S220 40 280 30" }),
      s("path", { d: "M-10 60 C40 60 90 30 120 10" })),
    s("g", { class: "roads casing" }, ROADS.map(([kind, d]) => s("path", { class: kind || "small", d }))),
    s("g", { class: "roads" }, ROADS.map(([kind, d]) => s("path", { class: kind || "small", d }))),
    s("g", { class: "houses" }, HOUSES.map(([x, y, w, k]) => s("rect", { x, y, width: w, height: k, rx: 1.5 }))),
  );
}

const HOUSES = [
  [172, 172, 12, 9], [156, 178, 9, 9], [206, 166, 14, 10], [224, 162, 10, 9], [176, 190, 10, 12], [208, 184, 11, 9],
  [228, 180, 14, 8], [246, 172, 9, 10], [120, 184, 12, 9], [134, 196, 10, 8], [84, 226, 11, 8], [126, 232, 12, 9],
  [140, 246, 9, 8], [182, 232, 12, 10], [204, 238, 11, 9], [250, 222, 12, 9], [270, 232, 10, 10], [262, 196, 11, 9],
  [316, 218, 12, 9], [330, 230, 10, 8], [72, 240, 10, 10], [184, 142, 12, 9], [216, 142, 11, 9], [240, 138, 10, 9],
  [232, 100, 11, 8], [290, 100, 12, 9], [310, 108, 10, 8], [20, 206, 12, 9], [36, 220, 9, 9], [100, 150, 10, 8],
  [366, 140, 11, 9], [372, 160, 10, 10], [186, 206, 10, 9], [212, 210, 12, 8],
];

/** A pin whose point is at (x, y). */
export function pin(x, y) {
  return s("g", { class: "pin", transform: `translate(${x} ${y})` },
    s("ellipse", { class: "shade", cx: 0, cy: 0, rx: 6, ry: 2.5 }),
    s("path", { d: "M0 0 C-9 -11 -12 -16 -12 -21 A12 12 0 0 1 12 -21 C12 -16 9 -11 0 0 Z" }),
    s("circle", { class: "eye", cx: 0, cy: -21, r: 4.5 }));
}

/** A drawn card for a place, with its words, coordinates and a link to a real map. */
export function placeCard(place, { name = "", address = "" } = {}) {
  const svg = drawing();
  const [x, y] = toMap(place);
  const wide = 200;
  const high = 96;
  if (inTown(place)) {
    const left = clamp(x - wide / 2, 0, WIDTH - wide);
    const top = clamp(y - high * 0.62, 0, HEIGHT - high);
    svg.setAttribute("viewBox", `${left} ${top} ${wide} ${high}`);
    svg.append(pin(x, y));
  } else {
    // Elsewhere this page knows no streets: a plain grid says «a map» and no more.
    svg.setAttribute("viewBox", `0 0 ${wide} ${high}`);
    const grid = [];
    for (let i = 20; i < wide; i += 20) grid.push(s("path", { d: `M${i} 0V${high}` }));
    for (let i = 16; i < high; i += 20) grid.push(s("path", { d: `M0 ${i}H${wide}` }));
    svg.replaceChildren(s("rect", { class: "land", width: wide, height: high }), s("g", { class: "contours" }, grid), pin(wide / 2, high * 0.66));
  }
  const words = [name, address && address !== name ? address : ""].filter(Boolean);
  return h("div", { class: "place-card" },
    svg,
    h("div", { class: "place-words" },
      words[0] && h("strong", {}, words[0]),
      words[1] && h("span", {}, words[1]),
      h("span", { class: "degrees" }, degrees(place)),
      outside(mapUrl(place), t("open_map"), { class: "map-link" })));
}

const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

/** A map on which a point is chosen by pointer or arrow keys. `onpick(place)` gets degrees. */
export function picker(start, onpick) {
  const svg = drawing();
  let [x, y] = toMap(start);
  const marker = pin(x, y);
  svg.append(marker);
  const output = h("output", { class: "degrees", id: "picked-degrees" }, degrees(start));
  const move = (nx, ny, tell = true) => {
    x = clamp(nx, 4, WIDTH - 4);
    y = clamp(ny, 30, HEIGHT - 4);
    marker.setAttribute("transform", `translate(${x} ${y})`);
    const place = fromMap(x, y);
    output.textContent = degrees(place);
    if (tell) onpick(place);
  };
  const steps = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  const node = h("div", {
    class: "map-picker", tabindex: 0, role: "application", "aria-label": `${t("map")}. ${t("map_help")}`, "aria-describedby": "picked-degrees",
    onclick: (event) => {
      const at = svg.getBoundingClientRect();
      // «slice»: the drawing fills the box and what is too much is cut on both sides.
      const scale = Math.max(at.width / WIDTH, at.height / HEIGHT);
      move((event.clientX - at.left - (at.width - WIDTH * scale) / 2) / scale, (event.clientY - at.top - (at.height - HEIGHT * scale) / 2) / scale);
    },
    onkeydown: (event) => {
      const step = steps[event.key];
      if (!step) return;
      event.preventDefault();
      const far = event.shiftKey ? 20 : 5;
      move(x + step[0] * far, y + step[1] * far);
    },
  }, svg);
  return { node, output, show: (place) => move(...toMap(place), false) };
}
