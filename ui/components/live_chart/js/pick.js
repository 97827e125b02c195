// Picking a number by a click, or by arrow keys and Enter. A cell is [curve, row, column] of a trace with cells; of bars
// [curve, bar, 0].

import { ARROW_STEPS, clamp } from "../../../../playground/viewer/shared/js/dom.js";

// The cell that an arrow key leads to; traces with cells lie below each other, so rows continue in the next one.
function stepFrom(traces, [curve, row, column], key) {
  const [down, right] = ARROW_STEPS[key];
  if (!traces[curve].z) return [curve, clamp(row + down + right, 0, traces[curve].x.length - 1), 0];
  let [nextCurve, nextRow] = [curve, row + down];
  if (!traces[nextCurve].z[nextRow]) {
    nextCurve += down;
    if (!traces[nextCurve]?.z) return [curve, row, column];
    nextRow = down > 0 ? 0 : traces[nextCurve].z.length - 1;
  }
  return [nextCurve, nextRow, clamp(column + right, 0, traces[nextCurve].z[nextRow].length - 1)];
}

const isBars = (trace) => trace?.type === "bar";

function boxOf(trace, row, column) {
  if (isBars(trace) && trace.orientation !== "h" && trace.y[row] !== undefined) {
    const x = typeof trace.x[row] === "number" ? trace.x[row] : row;
    return { x0: x - 0.5, x1: x + 0.5, y0: Math.min(0, trace.y[row]), y1: Math.max(0, trace.y[row]) };
  }
  if (trace?.z?.[row]?.[column] === undefined) return null;
  const y = (trace.y0 ?? 0) + row;
  return { x0: column - 0.5, x1: column + 0.5, y0: y - 0.5, y1: y + 0.5 };
}

// Plotly shapes that frame a cell or a standing bar; none where there is no such cell.
export function frameOf(traces, cell, color) {
  const [curve, row, column] = cell ?? [];
  const box = boxOf(traces[curve], row, column);
  return box ? [{ type: "rect", ...box, line: { color, width: 2 } }] : [];
}

// Of the points that share a label over one x, the one nearest to the pointer; top: in pixels from the chart's upper edge.
export function nearest(points, top) {
  const away = ({ y, yaxis }) => Math.abs(yaxis._offset + yaxis.d2p(y) - top);
  return points.length > 1 ? points.reduce((best, point) => (away(point) < away(best) ? point : best)) : points[0];
}

// Whether a link leads to a run of this app, in whatever language; all others stay closed.
export const isRun = (link) => /^train\?run=[\w-]+(&lang=[\w-]+)?$/.test(link);

export class Picking {
  constructor(chart) {
    this.chart = chart;
    this.keys = (event) => this.follow(event);
    chart.node.addEventListener("keydown", this.keys);
  }

  get traces() {
    return this.chart.header.figure.data;
  }

  click(point) {
    const index = point?.pointNumber ?? point?.pointIndex;
    if (Array.isArray(index)) this.choose([point.curveNumber, ...index]);
    else this.chooseBar(point, index);
  }

  // Also by a mark on the bar, which belongs to a trace of its own.
  chooseBar(point, index) {
    const bars = this.traces.findIndex(isBars);
    const marked = this.traces[point?.curveNumber];
    if (bars >= 0 && marked?.y?.length === this.traces[bars].y.length) this.choose([bars, index, 0]);
  }

  choose(cell) {
    this.cell = cell;
    this.chart.pick(cell);
  }

  follow(event) {
    if (event.target !== this.chart.node || !this.chart.header.picks) return;
    const start = this.cell ?? this.chart.header.picked ?? [this.traces.findIndex((trace) => trace.z || isBars(trace)), 0, 0];
    if (event.key in ARROW_STEPS) this.point(this.cell ? stepFrom(this.traces, start, event.key) : start);
    else if (event.key === "Enter" && this.cell) this.choose(this.cell);
    else return;
    event.preventDefault();
  }

  // Show the cell's hover label, and announce it.
  point(cell) {
    const [curve, row, column] = (this.cell = cell);
    const trace = this.traces[curve];
    const place = trace.z ? { xval: column, yval: (trace.y0 ?? 0) + row } : [{ curveNumber: curve, pointNumber: row }];
    this.chart.Plotly?.Fx.hover(this.chart.node, place, "xy");
    const lines = [...this.chart.node.querySelectorAll(".hovertext .nums, .hovertext .nums tspan.line")];
    this.chart.spoken.textContent = lines.map((line) => line.textContent).join(", ") || String(trace.z ? trace.z[row][column] : trace.x[row]);
  }
}
