// One token as a chip in a running text, or as a row with a bar, or with two: the model's value and a second one.

import { clamp, element } from "../../shared/js/dom.js";
import { tokenNode, tokenText } from "../../shared/js/tokens.js";

// Per cent of the focus colour behind a token: with more, text in the dark theme would fall below 4.5 : 1.
const STRONGEST = 48;

const SERIES = ["first", "second"];

// What a row says in words: a token that is cut is crossed out, which is heard nowhere.
function wordsOf(item, removedLabel) {
  const numbers = item.second === null ? [item.number] : [item.number, item.removed ? removedLabel : item.secondNumber];
  return [item.plain ? item.text : tokenText(item.text), ...numbers, ...item.lines].filter(Boolean).join(", ");
}

// A token with its spaces marked, or a text as it is.
export function textNode(item) {
  if (!item.plain) return tokenNode(item.text, item.special);
  return element("span", { class: item.special ? "token plain special" : "token plain" }, item.text);
}

function tokenElement(item, index, kind, removedLabel) {
  return element(item.clickable ? "button" : "span", {
    type: item.clickable ? "button" : null,
    class: [kind, item.chosen && "chosen", item.removed && "removed"].filter(Boolean).join(" "),
    "data-index": index,
    "aria-pressed": item.clickable ? String(item.chosen) : null,
    "aria-label": item.clickable ? wordsOf(item, removedLabel) : null,
  });
}

export function chip(item, index) {
  const node = tokenElement(item, index, "chip");
  if (item.value !== null) node.style.setProperty("--strength", `${Math.round(STRONGEST * clamp(item.value, 0, 1))}%`);
  if (item.hue !== null) node.style.setProperty("--chip", `var(--hue-${item.hue})`);
  node.append(textNode(item));
  if (item.tag) node.append(element("span", { class: "tag" }, item.tag));
  const wrapped = element("span", { role: "listitem" }, node);
  return item.text.includes("\n") ? withLineEnd(wrapped) : wrapped;
}

function withLineEnd(node) {
  const fragment = document.createDocumentFragment();
  fragment.append(node, element("span", { class: "line-end" }));
  return fragment;
}

function bar(value, series) {
  const share = element("i", { class: `share ${series}` });
  share.style.inlineSize = `${100 * clamp(value ?? 0, 0, 1)}%`;
  return element("span", { class: "bar" }, share);
}

const numeric = (text) => element("span", { class: "numeric" }, text);

export function barRow(item, index, removedLabel = "") {
  const node = tokenElement(item, index, "row", removedLabel);
  const values = item.second === null ? [item.value] : [item.value, item.second];
  const bars = element("span", { class: "bars-of-one" }, ...values.map((value, series) => bar(value, SERIES[series])));
  const numbers = item.second === null ? [item.number] : [item.number, item.removed ? removedLabel : item.secondNumber];
  node.classList.toggle("paired", item.second !== null);
  node.append(textNode(item), bars, ...numbers.map(numeric));
  return element("div", { role: "listitem" }, node);
}

// What the two bars are, above their numbers.
export function legend(names) {
  const entries = names.map((name, series) => element("span", { class: "entry" }, element("i", { class: `swatch ${SERIES[series]}` }), name));
  return element("div", { class: "row paired legend", role: "listitem" }, element("span", {}), element("span", {}), ...entries);
}
