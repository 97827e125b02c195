// The part of a canvas context's interface that our figures use, with SVG elements instead of pixels.

import { svgElement } from "../../shared/js/dom.js";

const CELLS_AS_SHAPES = 5000;
const ANCHORS = { left: "start", center: "middle", right: "end" };
const BASELINES = { top: "text-before-edge", middle: "central", alphabetic: "alphabetic" };

function round(value) {
  return String(Math.round(value * 100) / 100);
}

export class VectorContext {
  constructor(width, height, ruler) {
    this.root = this.make("svg", { width, height, viewBox: `0 0 ${width} ${height}` });
    this.parents = [this.root];
    this.ruler = ruler;
    this.clips = 0;
    this.path = [];
    Object.assign(this, { fillStyle: "#000", strokeStyle: "#000", font: "12px sans-serif", lineWidth: 1 });
    Object.assign(this, { textAlign: "left", textBaseline: "alphabetic", saved: [] });
  }

  make(name, attributes) {
    const rounded = Object.entries(attributes).map(([key, value]) => [key, typeof value === "number" ? round(value) : value]);
    return svgElement(name, Object.fromEntries(rounded));
  }

  add(name, attributes) {
    const node = this.make(name, attributes);
    this.parents[this.parents.length - 1].append(node);
    return node;
  }

  save() {
    const { fillStyle, strokeStyle, font, lineWidth, textAlign, textBaseline } = this;
    this.saved.push({ fillStyle, strokeStyle, font, lineWidth, textAlign, textBaseline, depth: this.parents.length });
  }

  restore() {
    const { depth, ...style } = this.saved.pop();
    this.parents.length = depth;
    Object.assign(this, style);
  }

  nest(attributes) {
    this.parents.push(this.add("g", attributes));
  }

  translate(x, y) {
    this.nest({ transform: `translate(${round(x)} ${round(y)})` });
  }

  rotate(angle) {
    this.nest({ transform: `rotate(${round((angle * 180) / Math.PI)})` });
  }

  rect(x, y, width, height) {
    this.box = { x, y, width, height };
  }

  clip() {
    const id = `clip${this.clips++}`;
    this.add("clipPath", { id }).append(this.make("rect", this.box));
    this.nest({ "clip-path": `url(#${id})` });
  }

  fillRect(x, y, width, height) {
    if (width > 0 && height > 0) this.add("rect", { x, y, width, height, fill: this.fillStyle });
  }

  strokeRect(x, y, width, height) {
    this.add("rect", { x, y, width, height, fill: "none", stroke: this.strokeStyle, "stroke-width": this.lineWidth });
  }

  clearRect() {}

  beginPath() {
    this.path = [];
  }

  moveTo(...point) {
    this.path.push(`M${point.map(round).join(" ")}`);
  }

  lineTo(...point) {
    this.path.push(`L${point.map(round).join(" ")}`);
  }

  bezierCurveTo(...points) {
    this.path.push(`C${points.map(round).join(" ")}`);
  }

  stroke() {
    this.add("path", { d: this.path.join(""), fill: "none", stroke: this.strokeStyle, "stroke-width": this.lineWidth });
  }

  measureText(text) {
    this.ruler.font = this.font;
    return this.ruler.measureText(text);
  }

  fillText(text, x, y) {
    const [, weight, size, family] = /^(\d{3} )?(\d+)px (.*)$/.exec(this.font);
    const node = this.add("text", {
      x, y, fill: this.fillStyle, "font-size": size, "font-family": family,
      "font-weight": weight?.trim() ?? "400", "text-anchor": ANCHORS[this.textAlign] ?? "start",
      "dominant-baseline": BASELINES[this.textBaseline], "xml:space": "preserve",
    });
    node.textContent = text;
  }

  // A small map becomes shapes that a drawing program can edit, a large one a single image.
  drawImage(canvas, x, y, width, height) {
    if (canvas.width * canvas.height > CELLS_AS_SHAPES) {
      this.add("image", { x, y, width, height, href: canvas.toDataURL(), preserveAspectRatio: "none", style: "image-rendering: pixelated" });
      return;
    }
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    const [w, h] = [width / canvas.width, height / canvas.height];
    this.nest({ "shape-rendering": "crispEdges" });
    for (let index = 0; index < data.length; index += 4) {
      const [column, row] = [(index / 4) % canvas.width, Math.floor(index / 4 / canvas.width)];
      const colour = `rgb(${data[index]},${data[index + 1]},${data[index + 2]})`;
      this.add("rect", { x: x + column * w, y: y + row * h, width: w, height: h, fill: colour });
    }
    this.parents.pop();
  }

  text() {
    return new XMLSerializer().serializeToString(this.root);
  }
}
