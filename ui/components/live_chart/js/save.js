// The chart as a file: PNG and SVG as shown, CSV with the values of the visible curves.

import { cssRgb } from "../../../../playground/viewer/shared/js/colour.js";
import { fileStem, saveBlob, withLink } from "../../../../playground/viewer/shared/js/files.js";
import { mapOf, plainText, positionOf, valuesOf } from "./table.js";

const NOTE_SIZE = 10;
const MOST_LINES = 4;

// Icons of the mode bar, on a 24 by 24 grid.
const ICONS = {
  png: "M4 4h16v16H4zM6 6v9l3.5-3.5 3 3L16 11l2 2V6zM9 7.5A1.5 1.5 0 1 1 9 10.5 1.5 1.5 0 0 1 9 7.5z",
  svg: "M5 3h3v2h8V3h3v3h-2c0 6-4 10-9 12v3H5v-3h2C7 12 11 8 16 6H8v0H5zM6 4v1h1V4zM17 4v1h1V4zM6 19v1h1v-1z",
  csv: "M4 4h16v16H4zM6 6v3h5V6zM13 6v3h5V6zM6 11v3h5v-3zM13 11v3h5v-3zM6 16v2h5v-2zM13 16v2h5v-2z",
};

function quoted(value) {
  const text = value === null || value === undefined ? "" : String(value);
  // A spreadsheet would execute a text that begins like a formula.
  const safe = typeof value === "string" && /^[=+\-@\t]/.test(text) ? `'${text}` : text;
  return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

function plainTitle(axis, fallback) {
  return plainText(axis?.title?.text ?? fallback);
}

// Provenance as comments, then a line for each point (curve, x, y) or each cell of a map (row, column, value). Curves
// hidden in the legend are left out.
function csvOf(traces, layout, labels, provenance = []) {
  const comments = provenance.map((line) => `# ${line}\r\n`).join("");
  const x = plainTitle(layout.xaxis, "x");
  const y = plainTitle(layout.yaxis, "y");
  const visibleTraces = traces.filter(({ visible, mode }) => visible !== "legendonly" && visible !== false && mode !== "text");
  const lines = visibleTraces.length && visibleTraces.every(mapOf) ? visibleTraces.flatMap((trace) => mapLines(trace, x, y)) : [[labels.curve, x, y]];
  if (lines.length === 1) visibleTraces.forEach((trace) => lines.push(...curveLines(trace)));
  return comments + lines.map((line) => line.map(quoted).join(",")).join("\r\n") + "\r\n";
}

function curveLines(trace) {
  const name = plainText(trace.name ?? "");
  const lines = valuesOf(trace).map((value, index) => [name, positionOf(trace, index), value]);
  return lines.filter(([, , value]) => value !== null && value !== undefined);
}

function mapLines(trace, x, y) {
  const { rows, columns } = mapOf(trace);
  const cells = rows.flatMap((row, i) => columns.map((column, j) => [row, column, trace.z[i][j]]));
  return [[y, x, plainText(trace.colorbar?.title?.text ?? trace.name ?? "")], ...cells.filter(([, , value]) => value !== null)];
}

// A line wrapped after `letters` characters, cut after a few lines.
function wrapped(line, letters) {
  const pieces = line.match(new RegExp(`.{1,${letters}}`, "gu")) ?? [""];
  return pieces.length > MOST_LINES ? [...pieces.slice(0, MOST_LINES - 1), `${pieces[MOST_LINES - 1].slice(0, -1)}…`] : pieces;
}

// The layout with the provenance lines below the chart.
function withProvenance(layout, { header, theme }) {
  const letters = Math.max(20, Math.floor((layout.width - (layout.margin?.l ?? 80)) / (0.62 * NOTE_SIZE)));
  const lines = withLink(header.provenance ?? []).flatMap((line) => wrapped(line, letters));
  if (!lines.length) return layout;
  const below = layout.margin?.b ?? 80;
  const note = {
    text: lines.map((line) => line.replaceAll("&", "&amp;").replaceAll("<", "&lt;")).join("<br>"),
    xref: "paper", yref: "paper", x: 0, y: 0, yshift: -below, xanchor: "left", yanchor: "top",
    align: "left", showarrow: false, font: { size: NOTE_SIZE, color: cssRgb(theme.faded) },
  };
  const room = (lines.length + 1) * NOTE_SIZE * 1.3;
  return {
    ...layout,
    height: layout.height + room,
    margin: { ...layout.margin, b: below + room },
    annotations: [...(layout.annotations ?? []), note],
  };
}

function chartFile(chart, kind) {
  return `${fileStem(chart.header.label, { fallback: "chart", most: 60 })}.${kind}`;
}

async function savePlot(chart, format) {
  const { Plotly, node, theme } = chart;
  // A file does not embed the page's font: text laid out in it and drawn in another font would overlap.
  const font = { ...node.layout.font, family: "sans-serif" };
  const layout = withProvenance({ ...node.layout, font, paper_bgcolor: cssRgb(theme.background) }, chart);
  const { width, height } = layout;
  const address = await Plotly.toImage({ data: node.data, layout }, { format, width, height, scale: format === "png" ? 2 : 1 });
  saveBlob(await (await fetch(address)).blob(), chartFile(chart, format));
}

export function saveButtons(chart) {
  const { labels } = chart.header;
  const button = (kind, title, click) => ({ name: `save-${kind}`, title, icon: { width: 24, height: 24, path: ICONS[kind] }, click });
  const saveCsv = () => {
    const text = csvOf(chart.node.data, chart.node.layout, labels, withLink(chart.header.provenance ?? []));
    saveBlob(new Blob([text], { type: "text/csv;charset=utf-8" }), chartFile(chart, "csv"));
  };
  return [
    button("png", labels.savePng, () => savePlot(chart, "png")),
    button("svg", labels.saveSvg, () => savePlot(chart, "svg")),
    button("csv", labels.saveCsv, saveCsv),
  ];
}
