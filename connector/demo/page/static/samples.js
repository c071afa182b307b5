// Sample files a citizen may send, made here: pictures drawn on a canvas, a small PDF, a second of Opus silence.

const W = 960;
const H = 720;

function paint(draw) {
  const canvas = document.createElement("canvas");
  canvas.width = W;
  canvas.height = H;
  const c = canvas.getContext("2d");
  draw(c);
  return canvas;
}

function shade(c, x, y, w, k, ...colours) {
  const g = c.createLinearGradient(x, y, x, y + k);
  colours.forEach((colour, i) => g.addColorStop(i / (colours.length - 1), colour));
  c.fillStyle = g;
  c.fillRect(x, y, w, k);
}

function shape(c, colour, points) {
  c.fillStyle = colour;
  c.beginPath();
  points.forEach(([x, y], i) => (i ? c.lineTo(x, y) : c.moveTo(x, y)));
  c.closePath();
  c.fill();
}

function blob(c, colour, x, y, rx, ry, turn = 0) {
  c.fillStyle = colour;
  c.beginPath();
  c.ellipse(x, y, rx, ry, turn, 0, Math.PI * 2);
  c.fill();
}

function lamp(c) {
  shade(c, 0, 0, W, 520, "#101b33", "#26395c", "#55607a");
  for (const [x, y, r] of [[120, 90, 2], [300, 60, 1.5], [520, 130, 2], [700, 50, 2], [830, 160, 1.5], [210, 190, 1.5]]) blob(c, "#dfe6f5", x, y, r, r);
  for (const [x, w, y] of [[0, 210, 270], [200, 170, 330], [560, 190, 300], [740, 220, 240]]) {
    shade(c, x, y, w, 330, "#2b3350", "#1e2438");
    c.fillStyle = "#e8c46a";
    for (let i = 0; i < 2; i++) c.fillRect(x + 40 + i * 80, y + 60 + (i % 2) * 70, 28, 40);
  }
  shade(c, 0, 560, W, 160, "#343a4a", "#23283a");
  c.fillStyle = "#4a5164";
  c.fillRect(0, 552, W, 14);
  c.save();
  c.translate(450, 640);
  c.rotate(0.07);
  shade(c, -10, -500, 20, 500, "#6c7588", "#3f4658");
  c.fillStyle = "#596277";
  c.fillRect(-26, -18, 52, 22);
  c.fillRect(-6, -508, 140, 12);
  shape(c, "#79839a", [[110, -512], [206, -496], [198, -470], [106, -482]]);
  shape(c, "#202638", [[122, -481], [190, -472], [178, -456], [130, -464]]);
  c.strokeStyle = "#aab3c8";
  c.lineWidth = 3;
  c.beginPath();
  c.moveTo(140, -466); c.lineTo(150, -420); c.lineTo(143, -400); c.lineTo(158, -372);
  c.stroke();
  c.restore();
  for (const [x, y] of [[560, 630], [590, 650], [612, 622], [575, 668]]) shape(c, "#cfd8e8", [[x, y], [x + 16, y + 4], [x + 7, y + 13]]);
}

function pothole(c) {
  shade(c, 0, 0, W, 300, "#bcd7ea", "#e6eef2");
  shade(c, 0, 150, 380, 170, "#d9c7a7", "#cbb48d");
  shade(c, 620, 120, 340, 200, "#e1d3ba", "#cdb895");
  c.fillStyle = "#7a8f9e";
  for (const x of [50, 160, 270, 680, 780, 880]) c.fillRect(x, 200, 44, 62);
  shade(c, 0, 300, W, 420, "#77797d", "#595b60");
  shape(c, "#c9c5bb", [[0, 300], [300, 300], [0, 470]]);
  shape(c, "#c9c5bb", [[W, 300], [700, 300], [W, 430]]);
  c.fillStyle = "#e6e3d8";
  for (let i = 0; i < 4; i++) shape(c, "#e6e3d8", [[486 - i * 6, 320 + i * 92], [504 + i * 2, 320 + i * 92], [510 + i * 5, 366 + i * 100], [478 - i * 9, 366 + i * 100]]);
  blob(c, "#47494d", 420, 560, 250, 92, -0.08);
  blob(c, "#33312e", 424, 566, 218, 74, -0.08);
  blob(c, "#5d6f78", 440, 580, 140, 36, -0.06);
  blob(c, "#8fa7b1", 420, 574, 60, 10, -0.06);
  c.strokeStyle = "#3c3d41";
  c.lineWidth = 5;
  for (const [a, b, d, e] of [[660, 520, 780, 470], [180, 590, 70, 640], [500, 650, 560, 712], [300, 490, 250, 430]]) {
    c.beginPath(); c.moveTo(a, b); c.lineTo((a + d) / 2 + 14, (b + e) / 2 - 10); c.lineTo(d, e); c.stroke();
  }
  for (const [x, y, r] of [[190, 540, 9], [230, 640, 7], [650, 610, 8], [690, 560, 6], [350, 668, 6]]) blob(c, "#8d8e90", x, y, r * 1.4, r);
}

function bin(c) {
  shade(c, 0, 0, W, 430, "#cfe0e6", "#eef1ec");
  shade(c, 0, 120, W, 330, "#d8b48c", "#c39a70");
  c.strokeStyle = "#b58a61";
  c.lineWidth = 2;
  for (let y = 140; y < 450; y += 34) { c.beginPath(); c.moveTo(0, y); c.lineTo(W, y); c.stroke(); }
  shade(c, 0, 450, W, 270, "#a7a49c", "#87847d");
  c.fillStyle = "#c8c4b9";
  c.fillRect(0, 444, W, 16);
  blob(c, "rgba(0,0,0,.25)", 480, 634, 300, 26);
  shape(c, "#2f6b4f", [[250, 260], [710, 260], [684, 620], [276, 620]]);
  shape(c, "#3b8263", [[250, 260], [710, 260], [702, 330], [256, 330]]);
  c.fillStyle = "#25553f";
  for (const x of [330, 420, 510, 600]) c.fillRect(x, 350, 10, 240);
  for (const x of [310, 640]) blob(c, "#22252a", x, 632, 24, 24);
  for (const [x, y, r, colour] of [[330, 236, 66, "#2a2c33"], [440, 210, 80, "#3a3d45"], [560, 226, 72, "#24262c"], [650, 240, 52, "#4b4e57"], [500, 160, 58, "#2d3037"]]) blob(c, colour, x, y, r, r * 0.82);
  for (const [x, y, r, colour] of [[180, 600, 74, "#33363e"], [120, 640, 48, "#4a4d55"], [790, 610, 70, "#2c2e35"]]) blob(c, colour, x, y, r, r * 0.78);
  shape(c, "#c89b63", [[800, 560], [900, 540], [914, 640], [816, 660]]);
  shape(c, "#b3874f", [[800, 560], [900, 540], [880, 522], [790, 540]]);
  shape(c, "#e9e5da", [[590, 150], [650, 130], [668, 190], [604, 204]]);
}

function bench(c) {
  shade(c, 0, 0, W, 420, "#a9cfe6", "#e3eef0");
  for (const [x, y, r] of [[110, 250, 120], [260, 210, 140], [820, 220, 150], [690, 270, 100]]) blob(c, "#5d8a5a", x, y, r, r * 0.9);
  for (const [x, y, r] of [[150, 220, 70], [790, 190, 80]]) blob(c, "#719c66", x, y, r, r * 0.8);
  shade(c, 0, 380, W, 340, "#93ad6d", "#7d9659");
  shape(c, "#d9cfb8", [[0, 560], [W, 500], [W, 640], [0, 700]]);
  blob(c, "rgba(0,0,0,.22)", 480, 606, 340, 22);
  c.fillStyle = "#4a4f55";
  for (const x of [190, 720]) { c.fillRect(x, 330, 20, 270); c.fillRect(x - 20, 590, 70, 14); }
  const plank = (x, y, w, turn, colour) => { c.save(); c.translate(x, y); c.rotate(turn); c.fillStyle = colour; c.fillRect(0, 0, w, 30); c.fillStyle = "rgba(0,0,0,.14)"; c.fillRect(0, 24, w, 6); c.restore(); };
  plank(150, 344, 650, 0, "#a9713f");
  plank(150, 392, 650, 0.01, "#9b6638");
  plank(150, 478, 330, 0.02, "#b07845");
  plank(500, 486, 300, 0.3, "#b07845");
  plank(150, 516, 290, 0.06, "#9b6638");
  plank(560, 540, 240, -0.05, "#a16b3c");
  for (const [x, y] of [[480, 486], [474, 496], [486, 508]]) shape(c, "#e0b98c", [[x, y], [x + 26, y + 4], [x + 2, y + 10]]);
}

/** key → painter; the key is also the name of its words in i18n.js. */
export const PICTURES = { pic_lamp: lamp, pic_pothole: pothole, pic_bin: bin, pic_bench: bench };

/** The picture, as a canvas to show and to send. */
export const picture = (key) => paint(PICTURES[key]);

/** A canvas as a JPEG file. */
export function asFile(canvas, name) {
  return new Promise((resolve) => {
    canvas.toBlob((data) => resolve(new File([data], name, { type: "image/jpeg" })), "image/jpeg", 0.88);
  });
}

/** A one-page PDF with a line of text (ASCII). */
export function samplePdf(name, words) {
  const stream = `BT /F1 20 Tf 64 740 Td (${words.replace(/[^\x20-\x7e]/g, "").replace(/[()\\]/g, "")}) Tj ET`;
  const objects = [
    "<< /Type /Catalog /Pages 2 0 R >>",
    "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
    "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>",
    `<< /Length ${stream.length} >>\nstream\n${stream}\nendstream`,
    "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
  ];
  let body = "%PDF-1.4\n";
  const offsets = objects.map((object, i) => {
    const at = body.length;
    body += `${i + 1} 0 obj\n${object}\nendobj\n`;
    return at;
  });
  const start = body.length;
  body += `xref\n0 ${objects.length + 1}\n0000000000 65535 f \n`;
  body += offsets.map((at) => `${String(at).padStart(10, "0")} 00000 n \n`).join("");
  body += `trailer\n<< /Size ${objects.length + 1} /Root 1 0 R >>\nstartxref\n${start}\n%%EOF\n`;
  return new File([body], name, { type: "application/pdf" });
}

// Ogg's checksum: CRC-32 with polynomial 0x04c11db7, not reflected, starting at 0 (RFC 3533, 6).
function checksum(bytes) {
  let sum = 0;
  for (const byte of bytes) {
    sum ^= byte << 24;
    for (let i = 0; i < 8; i++) sum = sum & 0x80000000 ? (sum << 1) ^ 0x04c11db7 : sum << 1;
  }
  return sum >>> 0;
}

function oggPage(flags, granule, sequence, packets) {
  const body = packets.flat();
  const page = new Uint8Array(27 + packets.length + body.length);
  const view = new DataView(page.buffer);
  page.set([0x4f, 0x67, 0x67, 0x53, 0, flags]);
  view.setUint32(6, granule, true);
  view.setUint32(14, 0x5343, true);
  view.setUint32(18, sequence, true);
  page[26] = packets.length;
  page.set(packets.map((p) => p.length), 27);
  page.set(body, 27 + packets.length);
  view.setUint32(22, checksum(page), true);
  return page;
}

/** `seconds` (at most 5) of silence as Ogg Opus: 20 ms packets of CELT's silent frame (RFC 6716, RFC 7845). */
export function sampleVoice(name, seconds = 3) {
  const ascii = (words) => [...words].map((c) => c.charCodeAt(0));
  const head = [...ascii("OpusHead"), 1, 1, 0, 0, 0x80, 0xbb, 0, 0, 0, 0, 0];
  const tags = [...ascii("OpusTags"), 4, 0, 0, 0, ...ascii("demo"), 0, 0, 0, 0];
  const frames = Array.from({ length: Math.min(seconds, 5) * 50 }, () => [0xf8, 0xff, 0xfe]);
  const pages = [oggPage(2, 0, 0, [head]), oggPage(0, 0, 1, [tags]), oggPage(4, frames.length * 960, 2, frames)];
  return new File(pages, name, { type: "audio/ogg" });
}
