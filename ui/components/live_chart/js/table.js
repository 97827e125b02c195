// The chart as a table of each curve's first, last, lowest and highest value: for screen readers, and without plotly.

import { element, fill, formatNumber } from "../../../../playground/viewer/shared/js/dom.js";

const ENTITIES = { "&lt;": "<", "&gt;": ">", "&amp;": "&", "&#37;": "%", "&nbsp;": " " };

// A name, tick or title without markup and entities, which plotly would interpret.
export function plainText(markup) {
  const text = String(markup).replace(/<br\s*\/?>/g, " ").replace(/<\/?(?:b|i|em|sub|sup|span|a)\b[^>]*>/g, "");
  return text.replace(/&(?:lt|gt|amp|#37|nbsp);/g, (entity) => ENTITIES[entity]);
}

function describePoint(labels, x, y) {
  return fill(labels.at, { y: formatNumber(y), x: typeof x === "number" ? formatNumber(x) : String(x) });
}

// Horizontal bars and dots have their names on the vertical axis, or only their places there and the names in `meta`.
function isHorizontal({ x, y, z, orientation, meta }) {
  if (z) return false;
  return orientation === "h" || meta?.rows !== undefined || (typeof y?.[0] === "string" && typeof x?.[0] === "number");
}

// A trace's values: heights of a curve, lengths of horizontal bars, or colours of a map.
export function valuesOf(trace) {
  if (trace.z) return trace.z.flat();
  return (isHorizontal(trace) ? trace.x : trace.y) ?? [];
}

const plainName = (value) => (typeof value === "string" ? plainText(value) : value);

// The row and column names of a map with several rows: in full where the axes shorten them; null for other traces.
export function mapOf({ x, y, z, meta }) {
  if (!z || z.length < 2) return null;
  const columns = meta?.columns ?? x?.map(plainName) ?? z[0].map((_, column) => column);
  return { rows: meta?.rows ?? y?.map(plainName) ?? z.map((_, row) => row), columns };
}

// The position of a value: its x, a bar's name, or a cell's row and column.
export function positionOf(trace, index) {
  const map = mapOf(trace);
  if (map) return `${map.rows[Math.floor(index / map.columns.length)]}, ${map.columns[index % map.columns.length]}`;
  if (isHorizontal(trace)) return trace.meta?.rows?.[index] ?? plainName(trace.y[index]);
  return plainName(trace.x?.[index]) ?? index;
}

// First, last, lowest and highest value of a curve, with their positions; null where no value is finite.
function extremesOf(trace) {
  const values = valuesOf(trace);
  const finite = values.flatMap((value, index) => (Number.isFinite(value) ? [index] : []));
  if (!finite.length) return null;
  const lowest = finite.reduce((best, index) => (values[index] < values[best] ? index : best), finite[0]);
  const highest = finite.reduce((best, index) => (values[index] > values[best] ? index : best), finite[0]);
  return [finite[0], finite[finite.length - 1], lowest, highest].map((index) => [positionOf(trace, index), values[index]]);
}

export function fillTable(table, figure, { label, labels }) {
  const names = ["curve", "first", "last", "lowest", "highest"];
  const head = element("tr", {}, ...names.map((name) => element("th", { scope: "col" }, labels[name])));
  const rows = figure.data
    .filter((trace) => trace.hoverinfo !== "skip")
    .map((trace) => [plainText(trace.name ?? label), extremesOf(trace)])
    .filter(([, extremes]) => extremes)
    .map(([name, extremes]) => {
      const cells = extremes.map(([x, y]) => element("td", {}, describePoint(labels, x, y)));
      return element("tr", {}, element("th", { scope: "row" }, name), ...cells);
    });
  table.replaceChildren(element("caption", {}, label), element("thead", {}, head), element("tbody", {}, ...rows));
  return rows.length;
}
