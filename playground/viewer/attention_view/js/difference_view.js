// The difference of the maps that two attention views show; repaints whenever either changes.

import { divergingRamps, readTheme } from "../../shared/js/colour.js";
import { differenceImage, differenceMatrix, drawDifferenceLegend } from "./difference_map.js";
import { wordAxes, wordMatrix } from "./words.js";
import { element, fill, formatNumber, formatWeight, showTip, sizeCanvas } from "../../shared/js/dom.js";
import { drawHeatmap, heatmapLayout, pointedCell } from "../../shared/js/heatmap.js";
import { WHOLE_MAP, cellName, drawOverlay } from "../../shared/js/heatmap_layers.js";
import { weightAt } from "../../shared/js/matrix.js";
import { mount } from "../../shared/js/mount.js";
import { sharedStore, subscribe } from "./store.js";

const TALLEST_MAP = 640;

class DifferenceView {
  constructor(root) {
    this.root = root;
    this.title = element("h4");
    this.message = element("p", { class: "note", role: "status" });
    this.notes = element("div", { class: "notes" });
    this.canvas = element("canvas", { class: "difference" });
    this.overlay = element("canvas", { class: "layer over" });
    this.tip = element("div", { class: "tip", hidden: true, "aria-hidden": "true" });
    this.box = element("div", { class: "figure stacked" }, this.canvas, this.overlay);
    root.replaceChildren(this.title, this.message, this.box, this.notes, this.tip);
    this.box.addEventListener("pointermove", (event) => this.point(event));
    this.box.addEventListener("pointerleave", () => this.leave());
    this.unsubscribe = subscribe("shown", ({ view }) => [this.data?.left, this.data?.right].includes(view) && this.refresh());
    this.sizes = new ResizeObserver(() => this.width !== root.clientWidth && this.refresh());
    this.sizes.observe(root);
  }

  accept({ data }) {
    this.data = data;
    this.refresh();
  }

  refresh() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      this.paint();
    });
  }

  paint() {
    const { shown } = sharedStore();
    const { labels } = this.data;
    this.width = this.root.clientWidth;
    [this.left, this.right] = ["left", "right"].map((side) => this.byWords(shown.get(this.data[side]), side));
    this.message.textContent = this.problem(labels);
    const drawable = !this.message.textContent;
    this.box.hidden = !drawable;
    this.title.textContent = drawable ? fill(labels.difference, { left: this.left.title, right: this.right.title }) : "";
    this.notes.replaceChildren(...(this.data.words?.notes ?? []).map((text) => element("p", { class: "note" }, text)));
    this.root.dataset.state = drawable ? "drawn" : "message";
    this.leave();
    if (drawable && this.width) this.draw();
  }

  // What a side shows, between the words that both sides have where Python has aligned them.
  byWords(shown, side) {
    const { words } = this.data;
    if (!shown || !words) return shown;
    const matrix = wordMatrix(shown, words[side]);
    return matrix && { ...shown, matrix, axes: wordAxes(words) };
  }

  problem(labels) {
    if (this.data.words && !this.data.words.queries.length) return labels.noWords;
    if (!this.left || !this.right) return labels.waiting;
    const count = ({ axes }) => [axes.query.tokens.length, axes.key.tokens.length];
    const [left, right] = [count(this.left), count(this.right)];
    if (left.join() !== right.join()) {
      const size = ([queries, keys]) => (queries === keys ? String(queries) : `${queries} × ${keys}`);
      return fill(labels.differs, { left: size(left), right: size(right) });
    }
    const same = this.left.matrix.rows === this.right.matrix.rows && this.left.matrix.columns === this.right.matrix.columns;
    return same ? "" : labels.waiting;
  }

  draw() {
    const theme = readTheme(this.root);
    const ramps = divergingRamps(theme);
    const matrix = differenceMatrix(this.left.matrix, this.right.matrix);
    const { axes } = this.left;
    const { labels } = this.data;
    const probe = this.canvas.getContext("2d");
    const layout = heatmapLayout(probe, { matrix, axes, theme, width: this.width, height: TALLEST_MAP, corner: 0 });
    const image = (frame, plot, ratio) => ({
      canvas: differenceImage(matrix, ramps, theme.masked, Math.ceil(plot.width * ratio), Math.ceil(plot.height * ratio)),
      x: 0, y: 0, width: plot.width, height: plot.height,
    });
    this.figure = { layout, matrix, axes, frame: WHOLE_MAP, theme, masks: {}, labels, image };
    const context = sizeCanvas(this.canvas, this.width, layout.height + 46);
    drawHeatmap(context, this.figure, window.devicePixelRatio || 1);
    sizeCanvas(this.overlay, this.width, layout.height);
    const legend = { ramps, theme, largest: matrix.largest, format: (value) => formatNumber(value, 2) };
    drawDifferenceLegend(context, legend, layout.left, layout.height + 14, Math.min(260, this.width - layout.left - 4));
  }

  point(event) {
    if (!this.figure) return;
    const { row, column } = pointedCell(this.figure, this.canvas, event);
    if (row === null || column === null) return this.leave();
    this.describe(row, column);
    drawOverlay(this.overlay.getContext("2d"), this.figure, { row, column }, null);
    showTip(this.tip, this.root, event);
  }

  describe(row, column) {
    const { labels } = this.data;
    const line = (name, ...content) => [element("span", { class: "tip-label" }, name), element("span", {}, ...content)];
    const { left, right } = this;
    const { matrix: differences } = this.figure;
    const difference = differences.values[row * differences.columns + column];
    const value = ({ matrix }) => formatWeight(matrix, weightAt(matrix, row, column));
    const end = ({ axes }, name) => cellName(this.data, axes[name], name === "query" ? row : column);
    this.tip.replaceChildren(element("div", { class: "tip-cell" },
      ...line(labels.query, end(left, "query")), ...line(labels.key, end(left, "key")),
      ...line(labels.left, value(left)), ...line(labels.right, value(right)),
      ...line(labels.minus, element("strong", {}, formatNumber(difference)))));
    this.box.dataset.hover = JSON.stringify({ query: row, key: column, difference: formatNumber(difference) });
  }

  leave() {
    this.tip.hidden = true;
    this.overlay.getContext("2d").clearRect(0, 0, this.overlay.width, this.overlay.height);
    delete this.box.dataset.hover;
  }

  dispose() {
    this.unsubscribe();
    this.sizes.disconnect();
    if (this.frame) cancelAnimationFrame(this.frame);
  }
}

export default function differenceView(component) {
  return mount(component, (root) => new DifferenceView(root));
}
