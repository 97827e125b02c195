// Lines of chips: row by row, or column by column. Text becomes nothing but text nodes.

import { element } from "../../../../playground/viewer/shared/js/dom.js";
import { tokenNode, tokenText } from "../../../../playground/viewer/shared/js/tokens.js";

function chip({ text, state }, states) {
  const words = text ? `${tokenText(text)}, ${states[state] ?? state}` : states[state] ?? state;
  const inner = text ? [tokenNode(text, false)] : [element("span", { class: "gap" }, "\u00a0")];
  return element("span", { class: "chip", role: "listitem", "data-state": state, "data-text": text, "aria-label": words }, ...inner);
}

export function rowOfChips(row, states) {
  const chips = row.chips.map((item) => chip(item, states));
  return element("section", { class: "line" },
    element("h4", {}, row.name),
    element("div", { class: "chips", role: "list", "aria-label": row.name, dir: "auto" }, ...chips));
}

// The rows above each other: one column for each position, wrapped together.
export function columnsOfChips(rows, states) {
  const names = element("div", { class: "column names", "aria-hidden": "true" }, ...rows.map(({ name }) => element("span", {}, name)));
  const columns = rows[0].chips.map((_, index) =>
    element("div", { class: "column", role: "list", "aria-label": String(index + 1) }, ...rows.map((row) => chip(row.chips[index], states))));
  return element("div", { class: "columns" }, names, ...columns);
}

export function stateLegend(states) {
  return element("p", { class: "legend" }, ...Object.entries(states).map(([state, title]) =>
    element("span", { class: "entry" }, element("span", { class: "chip sample", "data-state": state, "aria-hidden": "true" }, "a"), title)));
}
