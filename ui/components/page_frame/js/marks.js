// Where the page's terms stand: in its sentences and in its labels, each where it comes first.

import { firstTerms, matchTerms } from "./terms.js";

const SENTENCES = "[data-testid=stMarkdown], [data-testid=stHeading], [data-testid=stText], .plain-caption";
const FINDING = ".finding";
const LABELS = "[data-testid=stWidgetLabel], [data-testid=stMetricLabel], [data-testid=stButtonGroup] button";
// What a model has written, what is explained on the spot, and the precision of numbers, which is not a classifier's.
const UNMARKED =
  "h1, code, .katex, [class*=st-key-sample_pair], [class*=st-key-entry_], [class*=-precision], [class*=st-key-dtype]";
const CONTROLS = "button, a, summary, label, [role=tab], [aria-hidden=true]";

// The document, and the components with a tree of their own.
export function scopes() {
  const roots = [...document.querySelectorAll("[data-testid=stBidiComponentIsolated]")].map((host) => host.shadowRoot);
  return [document, ...roots.filter(Boolean)];
}

function blocksOf() {
  const [page, ...components] = scopes();
  const told = components.flatMap((root) => [...root.querySelectorAll(FINDING)]);
  return [[...page.querySelectorAll(SENTENCES), ...told], page.querySelectorAll(LABELS)];
}

function textsOf(block) {
  const walker = document.createTreeWalker(block, NodeFilter.SHOW_TEXT);
  const nodes = [];
  while (walker.nextNode()) nodes.push(walker.currentNode);
  return nodes;
}

// What a text says changes seldom, and is looked at several times a second while a page is painted.
const known = new WeakMap();

function termsIn(node, search) {
  let entry = known.get(node);
  if (entry?.text !== node.data || entry.search !== search) {
    entry = { text: node.data, search, found: matchTerms(node.data, search) };
    known.set(node, entry);
  }
  // Most texts have no term: where they stand need not be asked.
  const isMarked = entry.found.length > 0 && !node.parentElement.closest(UNMARKED) && node.parentElement.checkVisibility();
  return isMarked ? entry.found : [];
}

// [{ block, node, term, start, end }]: a term's first place among sentences, and its first among labels.
export function findMarks(search) {
  return blocksOf().flatMap((blocks) => {
    const seen = new Set();
    return [...blocks].flatMap((block) => textsOf(block).flatMap((node) =>
      firstTerms(termsIn(node, search), seen).map((found) => ({ block, node, ...found }))));
  });
}

export function sameMarks(left, right) {
  return left.length === right.length && left.every((mark, index) => {
    const other = right[index];
    return mark.node === other.node && mark.term === other.term && mark.start === other.start && mark.block === other.block;
  });
}

// Where a mark stands in the window; nothing where its text has changed since.
export function placesOf({ node, start, end }) {
  if (!node.isConnected || end > node.length) return [];
  const range = document.createRange();
  range.setStart(node, start);
  range.setEnd(node, end);
  return [...range.getClientRects()];
}

// What takes the focus for a block's terms: a control keeps its own; a label's is anywhere in its widget.
export function stopOf(block) {
  if (block.matches("[data-testid=stWidgetLabel]")) return { stop: block.closest("[data-testid=stElementContainer]"), isControl: true };
  const control = block.closest(CONTROLS);
  return control ? { stop: control, isControl: true } : { stop: block, isControl: false };
}
