// The chart in words: each curve's first and last, lowest and highest values. Read by screen readers; shown without plotly.

import { element, fill, formatNumber } from "./dom.js";

function point(labels, x, y) {
  return fill(labels.at, { y: formatNumber(y), x: typeof x === "number" ? formatNumber(x) : String(x) });
}

// The numbers that a curve draws: heights, or the colours of a map's row.
export function numbersOf({ y, z }) {
  return z ? z.flat() : (y ?? []);
}

// The places of a curve's numbers worth telling; null for a curve without any.
export function summarise(trace) {
  const x = trace.x;
  const y = numbersOf(trace);
  const known = y.flatMap((value, index) => (Number.isFinite(value) ? [index] : []));
  if (!known.length) return null;
  const lowest = known.reduce((best, index) => (y[index] < y[best] ? index : best), known[0]);
  const highest = known.reduce((best, index) => (y[index] > y[best] ? index : best), known[0]);
  return [known[0], known[known.length - 1], lowest, highest].map((index) => [x?.[index] ?? index, y[index]]);
}

export function fillTable(table, figure, { label, labels }) {
  const names = ["curve", "first", "last", "lowest", "highest"];
  const head = element("tr", {}, ...names.map((name) => element("th", { scope: "col" }, labels[name])));
  const rows = figure.data
    .filter((trace) => trace.hoverinfo !== "skip")
    .map((trace) => [trace.name ?? label, summarise(trace)])
    .filter(([, places]) => places)
    .map(([name, places]) => {
      const cells = places.map(([x, y]) => element("td", {}, point(labels, x, y)));
      return element("tr", {}, element("th", { scope: "row" }, name), ...cells);
    });
  table.replaceChildren(element("caption", {}, label), element("thead", {}, head), element("tbody", {}, ...rows));
  return rows.length;
}
