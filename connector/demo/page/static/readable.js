// A ticket's text as staff should read it. The connector writes citizens' words as inert code, line by line
// (Textile: «bq. <code>…</code>», CommonMark: «> `…`»), and facts as «Label: <code>…</code>»; staff write
// anything. Here both become plain paragraphs, and nothing of a citizen's words becomes a link or a mark.

import { h } from "./dom.js";
import { outside } from "./markup.js";

const ZWSP = /\u200b/g;
const CODE = /^<code>(.*)<\/code>$/;
const TICKS = /^(`+) (.*) \1 {0,2}$/;

/** The inner words of a line that is all code, or null. */
function code(line) {
  const match = CODE.exec(line) ?? TICKS.exec(line);
  return match ? (match[2] ?? match[1]).replace(ZWSP, "") : null;
}

/** Parts of a ticket's text: {kind: "words" | "text" | "heading", lines} and {kind: "fact", label, value}. */
export function parts(text) {
  const found = [];
  const add = (kind, line) => {
    const last = found.at(-1);
    if (last?.kind === kind) last.lines.push(line);
    else found.push({ kind, lines: [line] });
  };
  let block = false;
  for (const raw of String(text ?? "").replace(/\r\n?/g, "\n").split("\n")) {
    if (block || /^\s*<pre>/.test(raw)) {
      const opened = block ? raw : raw.replace(/^\s*<pre>/, "");
      block = !/<\/pre>/.test(opened);
      const line = opened.replace(/<\/pre>.*$/, "").replace(ZWSP, "");
      if (line.trim() || (block && found.at(-1)?.kind === "words")) add("words", line);
      continue;
    }
    const quoted = /^(?:bq\. |> ?)(.*)$/.exec(raw);
    const line = quoted ? quoted[1] : raw;
    const inert = code(line);
    const fact = /^(?:\* )?([^:<`]{1,60}): (<code>.*<\/code>|(`+) .* \3)$/.exec(line);
    const heading = /^(?:h[1-6]\. |#{1,6} )(.+)$/.exec(line);
    if (inert !== null) add("words", inert);
    else if (fact) found.push({ kind: "fact", label: fact[1].replace(/\*/g, "").trim(), value: code(fact[2]) });
    else if (heading) found.push({ kind: "heading", lines: [heading[1]] });
    else if (quoted && raw.startsWith(">") && !line.trim() && found.at(-1)?.kind === "words") add("words", "");
    else add("text", line.replace(ZWSP, ""));
  }
  return joined(found);
}

/** Without empty text; the citizen's paragraphs, which empty lines keep apart, as one part. */
function joined(all) {
  const found = [];
  for (const part of all) {
    if (part.kind === "text" && !part.lines.join("").trim()) continue;
    const last = found.at(-1);
    if (part.kind === "words" && last?.kind === "words") last.lines.push("", ...part.lines);
    else found.push(part);
  }
  return found;
}

/** The text as elements: the citizen's words as a quotation, facts as a list, the rest as paragraphs. */
export function readable(text) {
  const nodes = [];
  for (const part of parts(text)) {
    if (part.kind === "fact") {
      if (nodes.at(-1)?.tagName !== "DL") nodes.push(h("dl", { class: "facts" }));
      nodes.at(-1).append(h("div", {}, h("dt", {}, part.label), h("dd", {}, part.value)));
    } else if (part.kind === "heading") nodes.push(h("h4", {}, part.lines[0]));
    else {
      const words = part.lines.join("\n").replace(/^\n+|\n+$/g, "");
      if (!words.trim()) continue;
      if (part.kind === "words") nodes.push(h("blockquote", { class: "words" }, words));
      else nodes.push(...words.split(/\n{2,}/).map((p) => h("p", {}, linked(p))));
    }
  }
  return nodes;
}

/** Staff's text with its addresses as links («"words":url» and «<url>» shown as the address alone). */
function linked(text) {
  const found = [];
  let rest = text;
  for (;;) {
    const match = /(?:"([^"\n]+)":|<)?(https?:\/\/[^\s<>"]+[^\s<>".,;:!?)\]])>?/.exec(rest);
    if (!match) return [...found, rest];
    found.push(rest.slice(0, match.index), outside(match[2], match[1] ?? short(match[2])));
    rest = rest.slice(match.index + match[0].length);
  }
}

function short(url) {
  const bare = url.replace(/^https?:\/\//, "");
  return bare.length > 48 ? bare.slice(0, 47) + "…" : bare;
}
