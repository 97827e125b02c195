// The largest weights as a table: of the pinned token, or of the whole map where none is pinned.

import { element, fill, formatWeight } from "../../shared/js/dom.js";
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
  const [query, key] = [axes.query.positions(row)[0], axes.key.positions(column)[0]];
  return element("tr", { "data-query": query, "data-key": key },
    element("td", {}, cellName(view, axes.query, row)), element("td", {}, cellName(view, axes.key, column)),
    element("td", { class: "numeric" }, formatWeight(matrix, weight)));
}
