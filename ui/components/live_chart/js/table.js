// The chart in words: each curve's first and last, lowest and highest values. Read by screen readers; shown without plotly.

import { element, fill, formatNumber } from "../../shared/js/dom.js";

const ENTITIES = { "&lt;": "<", "&gt;": ">", "&amp;": "&", "&#37;": "%", "&nbsp;": " " };

// A name as its reader sees it: plotly takes names, ticks and titles as markup.
export function plainText(markup) {
  const text = String(markup).replace(/<br\s*\/?>/g, " ").replace(/<\/?(?:b|i|em|sub|sup|span|a)\b[^>]*>/g, "");
  return text.replace(/&(?:lt|gt|amp|#37|nbsp);/g, (entity) => ENTITIES[entity]);
}

function point(labels, x, y) {
  return fill(labels.at, { y: formatNumber(y), x: typeof x === "number" ? formatNumber(x) : String(x) });
}

// Bars that lie have their names on the upright axis.
function isLying({ x, y }) {
  return typeof y?.[0] === "string" && typeof x?.[0] === "number";
}

// The numbers that a curve draws: heights, lengths of lying bars, or the colours of a map.
export function numbersOf(trace) {
  if (trace.z) return trace.z.flat();
  return (isLying(trace) ? trace.x : trace.y) ?? [];
}

const plainName = (value) => (typeof value === "string" ? plainText(value) : value);

// A map of several rows, whose cells have two names; the full ones where the axes show shortened ones.
export function mapOf({ x, y, z, meta }) {
  if (!z || z.length < 2) return null;
  const columns = meta?.columns ?? x?.map(plainName) ?? z[0].map((_, column) => column);
  return { rows: meta?.rows ?? y?.map(plainName) ?? z.map((_, row) => row), columns };
}

// Where a number stands.
export function placeOf(trace, index) {
  const map = mapOf(trace);
  if (map) return `${map.rows[Math.floor(index / map.columns.length)]}, ${map.columns[index % map.columns.length]}`;
  if (isLying(trace)) return trace.meta?.rows?.[index] ?? plainName(trace.y[index]);
  return plainName(trace.x?.[index]) ?? index;
}

// The places of a curve's numbers worth telling; null for a curve without any.
export function summarise(trace) {
  const values = numbersOf(trace);
  const known = values.flatMap((value, index) => (Number.isFinite(value) ? [index] : []));
  if (!known.length) return null;
  const lowest = known.reduce((best, index) => (values[index] < values[best] ? index : best), known[0]);
  const highest = known.reduce((best, index) => (values[index] > values[best] ? index : best), known[0]);
  return [known[0], known[known.length - 1], lowest, highest].map((index) => [placeOf(trace, index), values[index]]);
}

export function fillTable(table, figure, { label, labels }) {
  const names = ["curve", "first", "last", "lowest", "highest"];
  const head = element("tr", {}, ...names.map((name) => element("th", { scope: "col" }, labels[name])));
  const rows = figure.data
    .filter((trace) => trace.hoverinfo !== "skip")
    .map((trace) => [plainText(trace.name ?? label), summarise(trace)])
    .filter(([, places]) => places)
    .map(([name, places]) => {
      const cells = places.map(([x, y]) => element("td", {}, point(labels, x, y)));
      return element("tr", {}, element("th", { scope: "row" }, name), ...cells);
    });
  table.replaceChildren(element("caption", {}, label), element("thead", {}, head), element("tbody", {}, ...rows));
  return rows.length;
}
