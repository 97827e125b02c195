// All heads as a sortable table; a row selects its head.

import { element, formatScore, scoreLabel } from "../../shared/js/dom.js";
import { scoreOf } from "./store.js";

export function createHeadsTable(view) {
  const heads = { view, sort: { name: "layer", down: false }, rows: new Map(), signature: "" };
  heads.title = element("h4");
  heads.hint = element("p", { class: "note", id: "heads-hint" });
  heads.body = element("tbody");
  heads.headRow = element("tr");
  heads.table = element("table", { class: "heads", "aria-describedby": "heads-hint" }, element("thead", {}, heads.headRow), heads.body);
  heads.scroller = element("div", { class: "table-scroll" }, heads.table);
  heads.element = element("section", { class: "all-heads", "data-part": "heads" }, heads.title, heads.hint, heads.scroller);
  heads.body.addEventListener("click", (event) => chooseRow(heads, event.target.closest("tr")));
  heads.body.addEventListener("keydown", (event) => onRowKey(heads, event));
  return heads;
}

const ROW_HEIGHT = 24;
const TALLEST_TABLE = 320;

// The rows are built once the scores are there, and only for new ones; a selection moves the marks.
export function paintHeadsTable(heads) {
  const { view } = heads;
  heads.title.textContent = view.labels.allHeads;
  heads.hint.textContent = view.scores ? view.labels.sortHint : view.labels.scoresWaiting;
  heads.table.setAttribute("aria-label", view.labels.allHeads);
  if (heads.source !== view.header || heads.scores !== view.scores?.values) {
    heads.source = view.header;
    heads.scores = view.scores?.values;
    const rows = view.header.layers * view.header.heads + 1;
    heads.scroller.style.minHeight = `${Math.min(TALLEST_TABLE, ROW_HEIGHT * rows)}px`;
    fillHeader(heads);
    if (view.scores) fillRows(heads);
    else emptyRows(heads);
  }
  markRows(heads);
}

function columnNames(view) {
  return ["layer", "head", ...view.scoreNames];
}

function fillHeader(heads) {
  const { view } = heads;
  heads.headRow.replaceChildren(...columnNames(view).map((name) => {
    const isScore = view.scoreNames.includes(name);
    const label = isScore ? scoreLabel(view.labels, name) : view.labels[name];
    const button = element("button", { type: "button", "data-sort": name, "data-term": isScore && name, onclick: () => sortBy(heads, name) }, label);
    return element("th", { scope: "col", class: "numeric" }, button);
  }));
  markOrder(heads);
}

function markOrder({ headRow, sort }) {
  for (const cell of headRow.cells) {
    const isSorted = cell.firstChild.dataset.sort === sort.name;
    cell.setAttribute("aria-sort", isSorted ? (sort.down ? "descending" : "ascending") : "none");
  }
}

function sortBy(heads, name) {
  const { sort } = heads;
  const same = sort.name === name;
  // The largest score comes first, but the lowest layer and head.
  heads.sort = { name, down: same ? !sort.down : !(name === "layer" || name === "head") };
  markOrder(heads);
  if (heads.view.scores) fillRows(heads);
  markRows(heads);
}

function valueOf(view, name, { layer, head }) {
  return name === "layer" ? view.header.blocks[layer] : name === "head" ? view.header.headNumbers[head] : scoreOf(view.scores, name, layer, head);
}

function sortedHeads({ view, sort }) {
  const all = [];
  for (let layer = 0; layer < view.header.layers; layer++) {
    for (let head = 0; head < view.header.heads; head++) all.push({ layer, head });
  }
  const sign = sort.down ? -1 : 1;
  const missing = (value) => value === null || value === undefined;
  return all.sort((a, b) => {
    const [left, right] = [valueOf(view, sort.name, a), valueOf(view, sort.name, b)];
    if (missing(left) || missing(right)) return Number(missing(left)) - Number(missing(right));
    return sign * (left - right) || a.layer - b.layer || a.head - b.head;
  });
}

function emptyRows(heads) {
  heads.rows.clear();
  heads.body.replaceChildren();
}

function fillRows(heads) {
  const { view } = heads;
  heads.rows.clear();
  const rows = sortedHeads(heads).map((head) => {
    const cells = columnNames(view).map((name, index) => {
      const value = valueOf(view, name, head);
      return element("td", { class: "numeric" }, index < 2 ? String(value) : formatScore(value));
    });
    const row = element("tr", { "data-layer": head.layer, "data-head": head.head, tabindex: "-1" }, ...cells);
    heads.rows.set(head.layer * view.header.heads + head.head, row);
    return row;
  });
  heads.body.replaceChildren(...rows);
}

function markRows(heads) {
  const { header, state, matches } = heads.view;
  const { layer, head, combine } = state.selected;
  for (const [index, row] of heads.rows) {
    const chosen = index === layer * header.heads + head;
    row.tabIndex = chosen ? 0 : -1;
    row.setAttribute("aria-selected", String(chosen && combine === "head"));
    row.classList.toggle("dim", Boolean(matches) && !matches.has(index));
  }
}

function chooseRow(heads, row) {
  if (!row) return;
  heads.view.select({ layer: Number(row.dataset.layer), head: Number(row.dataset.head), combine: "head" });
}

function onRowKey(heads, event) {
  const row = event.target.closest("tr");
  const next = { ArrowDown: row?.nextElementSibling, ArrowUp: row?.previousElementSibling }[event.key];
  if (event.key === "Enter" || event.key === " ") chooseRow(heads, row);
  else if (next) next.focus();
  else return;
  event.preventDefault();
}
