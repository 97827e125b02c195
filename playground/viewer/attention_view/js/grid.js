// All heads at once: one canvas of thumbnails, layers from top to bottom, heads from left to right.

import { cssRgb, sized } from "../../shared/js/colour.js";
import { ARROW_STEPS, clamp, element, fill, formatScore, scoreLabel, showTip, sizeCanvas } from "../../shared/js/dom.js";
import { codedMatrix } from "../../shared/js/matrix.js";
import { cellImage, pairMasks, rasterize } from "../../shared/js/paint.js";
import { scoreOf } from "./store.js";

const GAP = 2;
const TOP = 5;
const LABEL_SIDE = 22;
const SMALLEST = 28;

export function createGrid(view) {
  const canvas = element("canvas", { class: "thumbs" });
  const numbers = element("canvas", { class: "head-numbers" });
  const chosen = element("div", { class: "thumb-mark chosen" });
  const hovered = element("div", { class: "thumb-mark hovered", hidden: true });
  const active = element("span", { role: "gridcell", id: "active-head", class: "unseen" });
  const board = element("div", {
    class: "board", tabindex: "0", role: "grid", "aria-activedescendant": "active-head", "data-part": "grid",
  }, numbers, canvas, hovered, chosen, element("div", { role: "row", class: "unseen" }, active));
  const scroller = element("div", { class: "grid-scroll" }, board);
  const more = element("p", { class: "note more", "data-part": "more" });
  const grid = { view, canvas, numbers, chosen, hovered, active, board, scroller, more, size: null, hover: null };
  grid.element = element("div", { class: "grid-box" }, scroller, more);
  scroller.addEventListener("scroll", () => sayMore(grid));
  board.addEventListener("pointermove", (event) => hoverHead(grid, headAt(grid, event), event));
  board.addEventListener("pointerleave", () => hoverHead(grid, null));
  board.addEventListener("click", (event) => {
    const head = headAt(grid, event);
    if (head) view.select(head);
  });
  board.addEventListener("keydown", (event) => moveByKey(grid, event));
  return grid;
}

function measure(grid) {
  const { header } = grid.view;
  const room = grid.scroller.clientWidth - LABEL_SIDE - 6;
  const tall = parseFloat(getComputedStyle(grid.scroller).maxHeight) || 600;
  const wide = Math.floor(room / header.heads) - GAP;
  // Fill the width, but do not let a few layers scroll only because there are few heads.
  const size = clamp(Math.min(wide, Math.max(SMALLEST, Math.floor((tall - 24) / header.layers) - GAP)), 10, 84);
  const aspect = clamp(header.rows / header.columns, 0.4, 1.6);
  return { width: size, height: header.rows === header.columns ? size : Math.max(8, Math.round(size * aspect)) };
}

export function paintGrid(grid) {
  const { header } = grid.view;
  if (!grid.scroller.clientWidth) return;
  const size = (grid.size = measure(grid));
  const width = LABEL_SIDE + header.heads * (size.width + GAP);
  const height = TOP + header.layers * (size.height + GAP) + GAP;
  const context = sizeCanvas(grid.canvas, width, height);
  paintThumbs(grid, context);
  dimUnmatched(grid, context);
  grid.canvas.dataset.painted = header.trace;
  paintMarks(grid);
  sayMore(grid);
}

// Which layers are in sight, where not all of them are.
function sayMore(grid) {
  const { scroller, view: { header, labels } } = grid;
  const hidden = scroller.scrollHeight - scroller.clientHeight > grid.size.height / 2;
  grid.more.hidden = !hidden;
  if (!hidden) return;
  const layerAt = (y) => Math.round((y - TOP) / (grid.size.height + GAP));
  const [first, last] = [layerAt(scroller.scrollTop), layerAt(scroller.scrollTop + scroller.clientHeight - grid.canvas.offsetTop) - 1];
  grid.more.textContent = fill(labels.layersShown, { first, last: Math.min(last, header.layers - 1), total: header.layers });
}

// Show which head is selected: cheap enough to keep up with a held arrow key.
export function paintMarks(grid) {
  if (!grid.size) return;
  paintNumbers(grid);
  moveMark(grid, grid.chosen, grid.view.state.selected);
  describeActive(grid);
}

function paintThumbs(grid, context) {
  const { header, maps, shade, state } = grid.view;
  const ratio = window.devicePixelRatio || 1;
  const [w, h] = [Math.round(grid.size.width * ratio), Math.round(grid.size.height * ratio)];
  const image = context.createImageData(w, h);
  const pixels = new Uint32Array(image.data.buffer);
  const area = { left: 0, top: 0, width: w, height: h, stride: w };
  const cells = { row0: 0, rows: header.rows, column0: 0, columns: header.columns };
  let masks = null;
  for (let layer = 0; layer < header.layers; layer++) {
    for (let head = 0; head < header.heads; head++) {
      const matrix = codedMatrix(header, maps, layer, head);
      masks ??= pairMasks(state.settings.pairs, header.queryTokens, header.keyTokens, matrix);
      rasterize(pixels, area, matrix, cells, shade, masks);
      const { x, y } = corner(grid, layer, head);
      context.putImageData(image, Math.round(x * ratio), Math.round(y * ratio));
    }
  }
}

function paintNumbers(grid) {
  const { header, theme, state } = grid.view;
  const { selected } = state;
  const font = (chosen) => `${chosen ? 600 : 400} ${sized(11, theme)}px ${theme.sans}`;
  const top = sizeCanvas(grid.numbers, grid.canvas.clientWidth, 16);
  const context = grid.canvas.getContext("2d");
  context.clearRect(0, 0, LABEL_SIDE, grid.canvas.clientHeight);
  top.textAlign = "center";
  const step = grid.size.width < 15 && header.heads > 10 ? 2 : 1;
  for (let head = 0; head < header.heads; head++) {
    const chosen = selected.combine === "head" && head === selected.head;
    if (head % step && !chosen) continue;
    top.font = font(chosen);
    top.fillStyle = cssRgb(chosen ? theme.text : theme.faded);
    top.fillText(String(header.headNumbers[head]), corner(grid, 0, head).x + grid.size.width / 2, 12);
  }
  context.textAlign = "right";
  context.textBaseline = "middle";
  for (let layer = 0; layer < header.layers; layer++) {
    const chosen = !selected.combine.startsWith("all") && layer === selected.layer;
    if (grid.size.height < 9 && layer % 2 && !chosen) continue;
    context.font = font(chosen);
    context.fillStyle = cssRgb(chosen ? theme.text : theme.faded);
    context.fillText(String(header.blocks[layer]), LABEL_SIDE - 5, corner(grid, layer, 0).y + grid.size.height / 2 + 0.5);
  }
}

function dimUnmatched(grid, context) {
  const { header, theme, matches } = grid.view;
  if (!matches) return;
  context.fillStyle = cssRgb(theme.background, 0.8);
  for (let layer = 0; layer < header.layers; layer++) {
    for (let head = 0; head < header.heads; head++) {
      if (matches.has(layer * header.heads + head)) continue;
      const { x, y } = corner(grid, layer, head);
      context.fillRect(x - 0.5, y - 0.5, grid.size.width + 1, grid.size.height + 1);
    }
  }
}

function corner(grid, layer, head) {
  return { x: LABEL_SIDE + head * (grid.size.width + GAP), y: TOP + layer * (grid.size.height + GAP) };
}

// Outline a head, a layer or the whole grid.
function moveMark(grid, mark, { layer, head, combine }) {
  const { header } = grid.view;
  const whole = combine.startsWith("all");
  const first = corner(grid, whole ? 0 : layer, combine === "head" ? head : 0);
  const last = corner(grid, whole ? header.layers - 1 : layer, combine === "head" ? head : header.heads - 1);
  Object.assign(mark.style, {
    left: `${first.x - 2}px`,
    top: `${first.y - 2 + grid.canvas.offsetTop}px`,
    width: `${last.x - first.x + grid.size.width + 4}px`,
    height: `${last.y - first.y + grid.size.height + 4}px`,
  });
}

function headAt(grid, event) {
  const { header } = grid.view;
  const box = grid.canvas.getBoundingClientRect();
  const head = Math.floor((event.clientX - box.left - LABEL_SIDE) / (grid.size.width + GAP));
  const layer = Math.floor((event.clientY - box.top - TOP) / (grid.size.height + GAP));
  const inside = layer >= 0 && head >= 0 && layer < header.layers && head < header.heads;
  return inside ? { layer, head, combine: "head" } : null;
}

function hoverHead(grid, head, event) {
  const { view } = grid;
  grid.hovered.hidden = !head;
  if (!head) {
    grid.hover = null;
    view.tip.hidden = true;
    return;
  }
  moveMark(grid, grid.hovered, head);
  const key = `${head.layer},${head.head}`;
  if (grid.hover !== key) fillTip(grid, head);
  grid.hover = view.scores ? key : null;
  showTip(view.tip, view.root, event);
}

function fillTip(grid, { layer, head }) {
  const { view } = grid;
  const { header, maps, shade, labels } = view;
  const preview = element("canvas", { class: "tip-map" });
  const matrix = codedMatrix(header, maps, layer, head);
  const side = 132;
  const height = header.rows === header.columns ? side : Math.round(side * clamp(header.rows / header.columns, 0.4, 1.6));
  const context = sizeCanvas(preview, side, height);
  const whole = { x: 0, y: 0, width: 1, height: 1 };
  const masks = pairMasks(view.state.settings.pairs, header.queryTokens, header.keyTokens, matrix);
  const image = cellImage(matrix, whole, { width: side, height }, window.devicePixelRatio || 1, shade, masks);
  context.imageSmoothingEnabled = false;
  context.drawImage(image.canvas, 0, 0, side, height);
  const list = element("dl", { class: "tip-scores" });
  for (const name of view.scoreNames) {
    const value = scoreOf(view.scores, name, layer, head);
    list.append(element("dt", {}, scoreLabel(labels, name)), element("dd", {}, value === undefined ? "…" : formatScore(value)));
  }
  view.tip.replaceChildren(element("strong", {}, fill(labels.layerHead, { layer: header.blocks[layer], head: header.headNumbers[head] })), preview, list);
}

const KEY_STEPS = {
  ...ARROW_STEPS,
  Home: [0, -Infinity], End: [0, Infinity], PageUp: [-5, 0], PageDown: [5, 0],
};

function moveByKey(grid, event) {
  const step = KEY_STEPS[event.key];
  if (!step || event.altKey || event.metaKey) return;
  event.preventDefault();
  const { header, state } = grid.view;
  const far = event.ctrlKey && Number.isFinite(step[1]) === false;
  const layer = far ? (step[1] > 0 ? header.layers - 1 : 0) : state.selected.layer + step[0];
  grid.view.select({
    layer: clamp(layer, 0, header.layers - 1),
    head: clamp(state.selected.head + step[1], 0, header.heads - 1),
    combine: "head",
  });
  showChosen(grid);
}

// Scroll the grid, and only the grid, so that the selected thumbnail is in sight.
export function showChosen(grid) {
  if (!grid.size) return; // not laid out yet: the view stands on a tab that is not shown
  const { selected } = grid.view.state;
  const { x, y } = corner(grid, selected.layer, selected.head);
  const { scroller } = grid;
  const top = grid.canvas.offsetTop;
  scroller.scrollTop = clamp(scroller.scrollTop, y + top + grid.size.height + TOP - scroller.clientHeight, y - TOP);
  scroller.scrollLeft = clamp(scroller.scrollLeft, x + grid.size.width + GAP - scroller.clientWidth, Math.max(0, x - LABEL_SIDE));
}

function describeActive(grid) {
  const { header, labels, state } = grid.view;
  grid.board.setAttribute("aria-label", labels.grid);
  grid.board.setAttribute("aria-rowcount", header.layers);
  grid.board.setAttribute("aria-colcount", header.heads);
  grid.active.setAttribute("aria-rowindex", state.selected.layer + 1);
  grid.active.setAttribute("aria-colindex", state.selected.head + 1);
  grid.active.setAttribute("aria-selected", "true");
  grid.active.textContent = grid.view.title();
}
