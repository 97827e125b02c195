// Numbers that can be picked: by a click, or by arrow keys and Enter. A place is a curve of cells, a row and a column.

const STEPS = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };

// The place that a key leads to from another; curves of cells lie below each other.
export function stepped(traces, [curve, row, column], key) {
  const [down, right] = STEPS[key];
  let [to, place] = [curve, row + down];
  if (!traces[to].z[place]) {
    to += down;
    if (!traces[to]?.z) return [curve, row, column];
    place = down > 0 ? 0 : traces[to].z.length - 1;
  }
  return [to, place, Math.max(0, Math.min(traces[to].z[place].length - 1, column + right))];
}

// The frame around a place, for plotly.
export function frameOf(traces, place, color) {
  const [curve, row, column] = place ?? [];
  if (traces[curve]?.z?.[row]?.[column] === undefined) return [];
  const y = (traces[curve].y0 ?? 0) + row;
  return [{ type: "rect", x0: column - 0.5, x1: column + 0.5, y0: y - 0.5, y1: y + 0.5, line: { color, width: 2 } }];
}

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
    const cell = point?.pointNumber ?? point?.pointIndex;
    if (Array.isArray(cell)) this.choose([point.curveNumber, ...cell]);
  }

  choose(place) {
    this.place = place;
    this.chart.pick(place);
  }

  follow(event) {
    if (event.target !== this.chart.node || !this.chart.header.picks) return;
    const start = this.place ?? this.chart.header.picked ?? [this.traces.findIndex(({ z }) => z), 0, 0];
    if (event.key in STEPS) this.point(this.place ? stepped(this.traces, start, event.key) : start);
    else if (event.key === "Enter" && this.place) this.choose(this.place);
    else return;
    event.preventDefault();
  }

  // Show and say the number, as pointing does.
  point(place) {
    const [curve, row, column] = (this.place = place);
    this.chart.Plotly?.Fx.hover(this.chart.node, { xval: column, yval: (this.traces[curve].y0 ?? 0) + row }, "xy");
    const lines = [...this.chart.node.querySelectorAll(".hovertext .nums, .hovertext .nums tspan.line")];
    this.chart.spoken.textContent = lines.map((line) => line.textContent).join(", ") || String(this.traces[curve].z[row][column]);
  }
}
