// The largest weights as a table: of the pinned token, or of the whole map where none is pinned.

import { element, fill, formatWeight } from "../../shared/js/dom.js";
import { pinnedCell } from "./heatmap_input.js";
import { indices, strongest } from "../../shared/js/matrix.js";
import { pairAllowed } from "../../shared/js/paint.js";
import { tokenNode, tokenText } from "../../shared/js/tokens.js";

const COUNT = 20;

export function createLinks(view) {
  const section = element("section", { class: "links", "data-part": "links" });
  section.addEventListener("pointerover", (event) => pointAt(view, event.target.closest("tbody tr")));
  section.addEventListener("pointerleave", () => pointAt(view, null));
  return { element: section };
}

// Mark the link under the pointer in the map.
function pointAt(view, row) {
  const cell = row && { row: Number(row.dataset.query), column: Number(row.dataset.key) };
  view.parts.heatmap.hover = cell;
  view.refresh("overlay");
}

export function paintLinks(links, view) {
  const { matrix, masks, labels } = view;
  const pin = pinnedCell(view);
  const rows = pin?.axis === "query" ? [pin.cell] : indices(matrix.rows);
  const columns = pin?.axis === "key" ? [pin.cell] : null;
  const best = strongest(matrix, COUNT, rows, columns, (row, column) => pairAllowed(masks, row, column));
  const title = linksTitle(view, pin);
  const table = element("table", { "aria-label": title },
    element("thead", {}, element("tr", {},
      element("th", { scope: "col" }, labels.query), element("th", { scope: "col" }, labels.key),
      element("th", { scope: "col", class: "numeric" }, labels.weight))),
    element("tbody", {}, ...best.map((link) => linkRow(view, link))));
  const body = best.length ? table : element("p", { class: "note" }, labels.noLinks);
  links.element.replaceChildren(element("h4", {}, title), element("div", { class: "table-scroll", tabindex: "0", role: "region", "aria-label": title }, body));
}

function linksTitle({ axes, labels }, pin) {
  if (!pin) return labels.links;
  const token = tokenText(axes[pin.axis].text(pin.cell));
  return fill(pin.axis === "query" ? labels.linksOfQuery : labels.linksOfKey, { token });
}

function linkRow(view, { row, column, weight }) {
  const { matrix, axes } = view;
  return element("tr", { "data-query": row, "data-key": column },
    endCell(axes.query, row), endCell(axes.key, column),
    element("td", { class: "numeric" }, formatWeight(matrix, weight)));
}

function endCell(axis, cell) {
  const [first] = axis.span(cell);
  const [text, special] = axis.tokens[first];
  return element("td", {}, tokenNode(text, special), element("span", { class: "position" }, String(first)));
}
