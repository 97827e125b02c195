// The largest weights as a table: of the pinned token, or of the whole map where none is pinned.

import { element, fill, formatWeight } from "../../shared/js/dom.js";
import { gatherOf, gathered, largestGathered } from "./chosen.js";
import { pinnedCell } from "./heatmap_input.js";
import { cellName } from "../../shared/js/heatmap_layers.js";
import { indices, strongest } from "../../shared/js/matrix.js";
import { pairAllowed } from "../../shared/js/paint.js";
import { tokenText } from "../../shared/js/tokens.js";

const COUNT = 20;

export function createLinks(view) {
  const section = element("section", { class: "links", "data-part": "links" });
  section.addEventListener("pointerover", (event) => pointAt(view, event.target.closest("tbody tr")));
  section.addEventListener("pointerleave", () => pointAt(view, null));
  return { element: section };
}

// Mark the link under the pointer in the map.
function pointAt(view, row) {
  const { axes } = view;
  const cell = row && { row: axes.query.cellOf(Number(row.dataset.query)), column: axes.key.cellOf(Number(row.dataset.key)) };
  view.parts.heatmap.hover = cell;
  view.refresh("overlay");
}

export function paintLinks(links, view) {
  const { masks, labels } = view;
  const pin = pinnedCell(view);
  const allowed = (row, column) => pairAllowed(masks, row, column);
  const rows = pin?.cells.length > 1 ? gatheredRows(view, pin, allowed) : singleRows(view, pin, allowed);
  const title = linksTitle(view, pin);
  const table = element("table", { "aria-label": title },
    element("thead", {}, element("tr", {},
      element("th", { scope: "col" }, labels.query), element("th", { scope: "col" }, labels.key),
      element("th", { scope: "col", class: "numeric" }, labels.weight))),
    element("tbody", {}, ...rows));
  const body = rows.length ? table : element("p", { class: "note" }, labels.noLinks);
  links.element.replaceChildren(element("h4", {}, title), element("div", { class: "table-scroll", tabindex: "0", role: "region", "aria-label": title }, body));
}

function singleRows(view, pin, allowed) {
  const { matrix } = view;
  const rows = pin?.axis === "query" ? pin.cells : indices(matrix.rows);
  const columns = pin?.axis === "key" ? pin.cells : null;
  return strongest(matrix, COUNT, rows, columns, allowed).map((link) => linkRow(view, link));
}

// The weights of several chosen tokens, put together: a row for each token at the other end.
function gatheredRows(view, pin, allowed) {
  const { matrix, axes, labels, state } = view;
  const weights = gathered(matrix, pin, state.settings.gather, allowed);
  const count = element("td", { class: "soft" }, fill(labels.chosenCount, { count: pin.cells.length }));
  return largestGathered(weights, COUNT).map((cell) => {
    const isQuery = pin.axis === "query";
    const other = element("td", {}, cellName(view, axes[isQuery ? "key" : "query"], cell));
    const ends = isQuery ? [count.cloneNode(true), other] : [other, count.cloneNode(true)];
    const [row, column] = isQuery ? [pin.cell, cell] : [cell, pin.cell];
    return element("tr", { "data-query": axes.query.positions(row)[0], "data-key": axes.key.positions(column)[0] },
      ...ends, element("td", { class: "numeric" }, formatWeight(matrix, weights[cell])));
  });
}

function linksTitle({ axes, labels, state }, pin) {
  if (!pin) return labels.links;
  if (pin.cells.length > 1) {
    const how = gatherOf(state.settings.gather, pin.axis);
    return fill(labels[pin.axis === "query" ? "linksOfQueries" : "linksOfKeys"], { count: pin.cells.length, how: labels[how] });
  }
  const token = tokenText(axes[pin.axis].text(pin.cell));
  return fill(pin.axis === "query" ? labels.linksOfQuery : labels.linksOfKey, { token });
}

function linkRow(view, { row, column, weight }) {
  const { matrix, axes } = view;
  const [query, key] = [axes.query.positions(row)[0], axes.key.positions(column)[0]];
  return element("tr", { "data-query": query, "data-key": key },
    element("td", {}, cellName(view, axes.query, row)), element("td", {}, cellName(view, axes.key, column)),
    element("td", { class: "numeric" }, formatWeight(matrix, weight)));
}
