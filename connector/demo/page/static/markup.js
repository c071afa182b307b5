// WhatsApp's markup as elements: *bold* _italic_ ~struck~ `code` ```block``` > quote, lists, links.

import { h } from "./dom.js";

const LINK = /https?:\/\/[^\s<>"]+[^\s<>".,;:!?)\]»']/u;
// A mark counts when nothing but space or punctuation stands outside it and no space inside it.
const INLINE = [
  [/`([^`\n]+)`/u, "code", false],
  [/(?<![\p{L}\p{N}*])\*(?=\S)([^*\n]*?\S)\*(?![\p{L}\p{N}*])/u, "strong", true],
  [/(?<![\p{L}\p{N}_])_(?=\S)([^_\n]*?\S)_(?![\p{L}\p{N}_])/u, "em", true],
  [/(?<![\p{L}\p{N}~])~(?=\S)([^~\n]*?\S)~(?![\p{L}\p{N}~])/u, "s", true],
];

/** A link to the outside; anything but http(s) stays text. */
export function outside(url, words = url, attributes = {}) {
  if (!/^https?:\/\//i.test(url)) return document.createTextNode(words);
  return h("a", { href: url, target: "_blank", rel: "noopener noreferrer", ...attributes }, words);
}

/** One line's marks and links. */
export function inline(text) {
  let first = null;
  const look = (match, make) => {
    if (match && (first === null || match.index < first.match.index)) first = { match, make };
  };
  look(LINK.exec(text), (m) => outside(m[0]));
  for (const [pattern, tag, nested] of INLINE) {
    look(pattern.exec(text), (m) => h(tag, {}, nested ? inline(m[1]) : m[1]));
  }
  if (first === null) return text ? [text] : [];
  const { match, make } = first;
  return [...inline(text.slice(0, match.index)), make(match), ...inline(text.slice(match.index + match[0].length))]
    .filter((part) => part !== "");
}

const BLOCKS = [
  ["quote", /^> ?(.*)$/],
  ["bullet", /^[*-] (.+)$/],
  ["number", /^(\d{1,3})\. (.+)$/],
];

/** A whole message as a list of elements. */
export function markup(text) {
  const found = [];
  // Odd pieces stand between ``` marks.
  const pieces = String(text).replace(/\r\n?/g, "\n").split("```");
  if (pieces.length % 2 === 0) pieces.push("```" + pieces.pop());
  pieces.forEach((piece, i) => {
    if (i % 2) found.push(h("pre", {}, piece.replace(/^\n|\n$/g, "")));
    else found.push(...lines(piece, i > 0));
  });
  return found;
}

function lines(text, afterBlock) {
  const found = [];
  let group = null;
  const all = (afterBlock ? text.replace(/^\n/, "") : text).split("\n");
  for (const line of all) {
    const [kind, match] = recognise(line);
    if (kind !== group?.kind) {
      group = { kind, items: [] };
      found.push(group);
    }
    group.items.push(match ?? line);
  }
  return found.map(build).filter(Boolean);
}

function recognise(line) {
  for (const [kind, pattern] of BLOCKS) {
    const match = pattern.exec(line);
    if (match) return [kind, match];
  }
  return ["text", null];
}

function build({ kind, items }) {
  if (kind === "quote") return h("blockquote", {}, broken(items.map((m) => m[1])));
  if (kind === "bullet") return h("ul", {}, items.map((m) => h("li", {}, inline(m[1]))));
  if (kind === "number") return h("ol", {}, items.map((m) => h("li", { value: m[1] }, inline(m[2]))));
  const words = items.join("\n");
  return words === "" ? null : h("p", {}, broken(items));
}

function broken(all) {
  return all.flatMap((line, i) => (i ? [h("br"), ...inline(line)] : inline(line)));
}

/** The same text without marks, on one line, for quotes and labels. */
export function plain(text, limit = 90) {
  const words = String(text).replace(/```|(?<![\p{L}\p{N}])[*_~](?=\S)|(?<=\S)[*_~](?![\p{L}\p{N}])/gu, "");
  const line = words.replace(/\s+/g, " ").trim();
  return line.length > limit ? line.slice(0, limit - 1).trimEnd() + "…" : line;
}
