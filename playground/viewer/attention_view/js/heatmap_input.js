// The heatmap on the page: its canvases, with pointer, wheel and keys.

import { cellsOfPin, choiceOf } from "./chosen.js";
import { ARROW_STEPS, clamp, element, sizeCanvas } from "../../shared/js/dom.js";
import { drawHeatmap, heatmapLayout, pointedCell } from "../../shared/js/heatmap.js";
import { MINIMAP, describeCell, drawMinimap, drawOverlay, showCellTip } from "../../shared/js/heatmap_layers.js";
import { cellImage } from "../../shared/js/paint.js";

const PAGE_SCROLL_PAUSE = 350;
const CLICK_SLOP = 4;
// The legend below a map that fills the window, in projector mode.
const LEGEND_ROOM = 90;

export function createHeatmap(view) {
  const map = { view, hover: null, figure: null, drag: null, pageScroll: 0 };
  map.base = element("canvas", { class: "layer" });
  map.overlay = element("canvas", { class: "layer over" });
  map.minimap = element("canvas", { class: "minimap", hidden: true });
  map.zoomBar = element("div", { class: "zoom-bar" },
    zoomButton(map, "zoomOut", "−", () => zoomBy(map, 1 / 1.6)),
    zoomButton(map, "zoomIn", "+", () => zoomBy(map, 1.6)),
    zoomButton(map, "zoomReset", "⤢", () => setFrame(map, 0, 0, 1)));
  map.element = element("div", {
    class: "heatmap", tabindex: "0", role: "application", "data-part": "heatmap",
  }, map.base, map.overlay, map.minimap, map.zoomBar);
  listen(map);
  return map;
}

function zoomButton(map, label, sign, action) {
  return element("button", { type: "button", class: "quiet", "data-label": label, onclick: action }, sign);
}

function listen(map) {
  const { overlay, element: box, minimap } = map;
  overlay.addEventListener("pointermove", (event) => onMove(map, event));
  overlay.addEventListener("pointerleave", () => hoverCell(map, null));
  overlay.addEventListener("pointerdown", (event) => onDown(map, event));
  overlay.addEventListener("pointerup", (event) => onUp(map, event));
  overlay.addEventListener("pointercancel", () => (map.drag = null));
  overlay.addEventListener("dblclick", () => setFrame(map, 0, 0, 1));
  overlay.addEventListener("wheel", (event) => onWheel(map, event), { passive: false });
  box.addEventListener("keydown", (event) => onKey(map, event));
  minimap.addEventListener("pointerdown", (event) => {
    minimap.setPointerCapture(event.pointerId);
    centreFrame(map, event);
  });
  minimap.addEventListener("pointermove", (event) => event.buttons && centreFrame(map, event));
  const foreign = (event) => {
    if (!event.composedPath().includes(overlay)) map.pageScroll = performance.now();
  };
  window.addEventListener("wheel", foreign, { passive: true, capture: true });
  map.dispose = () => window.removeEventListener("wheel", foreign, { capture: true });
}

export function paintHeatmap(map) {
  const { view } = map;
  const width = map.element.clientWidth;
  if (!width) return;
  const { matrix, axes, frame, theme, shade, masks, labels } = view;
  const many = Math.max(axes.query.tokens.length, axes.key.tokens.length) > 64;
  const zoomed = frame.width < 1 || frame.height < 1;
  const corner = many || zoomed ? MINIMAP + 6 : 0;
  const above = map.element.getBoundingClientRect().top - view.root.getBoundingClientRect().top;
  const height = theme.room ? Math.max(260, theme.room - above - LEGEND_ROOM) : clamp(window.innerHeight * 0.72, 340, 660);
  const probe = map.base.getContext("2d");
  const layout = heatmapLayout(probe, { matrix, axes, theme, width, height, corner });
  const image = (part, plot, ratio) => cellImage(matrix, part, plot, ratio, shade, masks);
  const figure = { layout, matrix, axes, frame, theme, masks, labels, image };
  map.figure = figure;
  const context = sizeCanvas(map.base, width, layout.height);
  drawHeatmap(context, figure, window.devicePixelRatio || 1);
  sizeCanvas(map.overlay, width, layout.height);
  map.element.style.height = `${layout.height}px`;
  map.minimap.hidden = corner === 0;
  if (corner) drawMinimap(sizeCanvas(map.minimap, MINIMAP, MINIMAP), figure, window.devicePixelRatio || 1);
  map.zoomBar.style.top = `${layout.top + layout.plot.height - 26}px`;
  map.zoomBar.style.left = `${Math.min(layout.left + layout.plot.width + 8, width - 30)}px`;
  map.zoomBar.classList.toggle("inside", layout.left + layout.plot.width + 38 > width);
  for (const button of map.zoomBar.children) {
    button.title = labels[button.dataset.label];
    button.setAttribute("aria-label", labels[button.dataset.label]);
  }
  map.element.setAttribute("aria-label", `${view.title()}. ${labels.heatmapHelp}`);
  Object.assign(map.element.dataset, {
    left: layout.left, top: layout.top, width: layout.plot.width, height: layout.plot.height,
    rows: matrix.rows, columns: matrix.columns, exact: matrix.exact,
    frame: [frame.x, frame.y, frame.width, frame.height].join(","),
  });
  paintOverlay(map);
}

// The cells of the pinned tokens; null where there are none, or where they are hidden.
export function pinnedCell(view) {
  return cellsOfPin(view.state.settings.pin, view.axes);
}

export function paintOverlay(map) {
  if (!map.figure) return;
  const hover = map.hover && map.hover.row < map.figure.matrix.rows && map.hover.column < map.figure.matrix.columns;
  drawOverlay(map.overlay.getContext("2d"), map.figure, hover ? map.hover : null, pinnedCell(map.view));
}

// The cell, row label or column label under the pointer.
function targetOf(map, event) {
  const { x, y, row, column } = pointedCell(map.figure, map.overlay, event);
  if (row !== null && column !== null) return { row, column };
  if (row !== null && x < 0) return { row, column: null };
  if (y < 0 && x >= 0) return labelUnder(map.figure, x, y);
  return null;
}

// Column labels slant to the right: follow the slant down to the column.
function labelUnder({ layout, matrix, frame }, x, y) {
  const foot = layout.flat ? x : x + y / Math.tan(Math.PI / 3.2);
  const column = Math.floor((frame.x + (foot / layout.plot.width) * frame.width) * matrix.columns);
  return foot >= 0 && foot < layout.plot.width && column < matrix.columns ? { row: null, column } : null;
}

function onMove(map, event) {
  if (!map.figure) return;
  if (map.drag) return map.drag.label ? dragChoice(map, event) : dragFrame(map, event);
  hoverCell(map, targetOf(map, event), event);
}

function hoverCell(map, cell, event) {
  const { view, figure } = map;
  const same = cell && map.hover && cell.row === map.hover.row && cell.column === map.hover.column;
  map.hover = cell;
  map.overlay.style.cursor = cell ? "crosshair" : "default";
  if (cell && cell.row !== null && cell.column !== null) showCellTip(view, figure, cell, event);
  else {
    view.tip.hidden = true;
    delete view.figureBox.dataset.hover;
  }
  if (!same) paintOverlay(map);
}

function onDown(map, event) {
  if (event.button !== 0 || !map.figure) return;
  map.overlay.setPointerCapture(event.pointerId);
  const { x, y } = map.view.frame;
  const target = targetOf(map, event);
  const label = target && (target.row === null || target.column === null) ? pinnable(target) : null;
  map.drag = { x: event.clientX, y: event.clientY, frameX: x, frameY: y, moved: false, label };
  map.element.focus({ preventScroll: true });
}

function dragFrame(map, event) {
  const { drag, view, figure } = map;
  const [dx, dy] = [event.clientX - drag.x, event.clientY - drag.y];
  if (Math.hypot(dx, dy) > CLICK_SLOP) drag.moved = true;
  if (!drag.moved) return;
  const { width, height } = view.frame;
  const x = drag.frameX - (dx / figure.layout.plot.width) * width;
  setFrame(map, x, drag.frameY - (dy / figure.layout.plot.height) * height, width);
}

// Along the labels a drag chooses all tokens that it passes.
function dragChoice(map, event) {
  const { label, moved } = map.drag;
  const { row, column } = pointedCell(map.figure, map.overlay, event);
  const cell = label.axis === "query" ? row : column;
  if (cell === null || (!moved && cell === label.cell)) return;
  if (!moved) map.view.choose(label.axis, label.cell, "first");
  map.drag.moved = true;
  map.view.choose(label.axis, cell, "range");
}

function onUp(map, event) {
  const moved = map.drag?.moved;
  map.drag = null;
  if (moved || !map.figure) return;
  const cell = targetOf(map, event);
  if (cell) pinCell(map, cell, choiceOf(event, map.view.several));
}

// A row stands for its query, a column's label for its key.
function pinnable({ row, column }) {
  return row === null ? { axis: "key", cell: column } : { axis: "query", cell: row };
}

function pinCell(map, target, how) {
  const { axis, cell } = pinnable(target);
  map.view.choose(axis, cell, how);
}

// A page scroll that passes over the map keeps scrolling the page; a wheel turned while the page rests zooms.
function onWheel(map, event) {
  const now = performance.now();
  const zooms = event.ctrlKey || event.metaKey || now - map.pageScroll > PAGE_SCROLL_PAUSE;
  const leaving = event.deltaY > 0 && map.view.frame.width >= 1;
  if (!zooms || leaving || !map.figure) {
    map.pageScroll = now;
    return;
  }
  event.preventDefault();
  const { layout } = map.figure;
  const box = map.overlay.getBoundingClientRect();
  const x = clamp((event.clientX - box.left - layout.left) / layout.plot.width, 0, 1);
  const y = clamp((event.clientY - box.top - layout.top) / layout.plot.height, 0, 1);
  zoomBy(map, Math.exp(-clamp(event.deltaY, -120, 120) / 300), x, y);
}

// Zoom around the point (x, y) of the plot, in shares of its width and height.
function zoomBy(map, factor, x = 0.5, y = 0.5) {
  const { frame, matrix } = map.view;
  const smallest = Math.min(1, 4 / Math.max(matrix.rows, matrix.columns));
  const size = clamp(frame.width / factor, smallest, 1);
  setFrame(map, frame.x + x * (frame.width - size), frame.y + y * (frame.height - size), size);
}

function setFrame(map, x, y, size) {
  const high = Math.max(0, 1 - size);
  map.view.frame = { x: clamp(x, 0, high), y: clamp(y, 0, high), width: size, height: size };
  map.view.refresh("figure");
}

function centreFrame(map, event) {
  const box = map.minimap.getBoundingClientRect();
  const { width, height } = map.view.frame;
  const { rows, columns } = map.figure.matrix;
  const [wide, high] = rows > columns ? [columns / rows, 1] : [1, rows / columns];
  const x = (event.clientX - box.left) / (box.width * wide);
  setFrame(map, x - width / 2, (event.clientY - box.top) / (box.height * high) - height / 2, width);
}

function onKey(map, event) {
  if (event.target !== map.element || !map.figure || event.altKey || event.metaKey || event.ctrlKey) return;
  const { view } = map;
  const pinHere = () => map.hover && pinCell(map, map.hover, event.shiftKey || view.several ? "toggle" : "only");
  const actions = {
    "+": () => zoomBy(map, 1.6), "=": () => zoomBy(map, 1.6), "-": () => zoomBy(map, 1 / 1.6),
    0: () => setFrame(map, 0, 0, 1), Enter: pinHere, " ": pinHere, Escape: () => view.setting("pin", null),
  };
  const step = ARROW_STEPS[event.key];
  const action = step ? () => (event.shiftKey ? extendChoice(map, step) : moveCell(map, step)) : actions[event.key];
  if (!action) return;
  event.preventDefault();
  action();
}

// With shift an arrow key takes the next token into the choice: up and down queries, left and right keys.
function extendChoice(map, step) {
  const axis = step[0] ? "query" : "key";
  const cellOf = ({ row, column }) => (axis === "query" ? row : column);
  const { view } = map;
  if (!map.hover) moveCell(map, [0, 0]);
  if (pinnedCell(view)?.axis !== axis) view.choose(axis, cellOf(map.hover) ?? 0, "first");
  moveCell(map, step);
  view.choose(axis, cellOf(map.hover), "range");
}

// Move the crosshair by keyboard: keep its cell in sight and announce it.
function moveCell(map, [down, right]) {
  const { view, figure } = map;
  const { matrix } = figure;
  const pinned = pinnedCell(view);
  const start = map.hover ?? { row: pinned?.axis === "query" ? pinned.cell : 0, column: 0 };
  const row = clamp((start.row ?? 0) + (map.hover ? down : 0), 0, matrix.rows - 1);
  const column = clamp((start.column ?? 0) + (map.hover ? right : 0), 0, matrix.columns - 1);
  map.hover = { row, column };
  const { frame } = view;
  const x = clamp(frame.x, (column + 1) / matrix.columns - frame.width, column / matrix.columns);
  const y = clamp(frame.y, (row + 1) / matrix.rows - frame.height, row / matrix.rows);
  if (x !== frame.x || y !== frame.y) setFrame(map, x, y, frame.width);
  paintOverlay(map);
  const box = map.overlay.getBoundingClientRect();
  const { layout } = figure;
  showCellTip(view, figure, map.hover, {
    clientX: box.left + layout.left + (((column + 0.5) / matrix.columns - view.frame.x) / view.frame.width) * layout.plot.width,
    clientY: box.top + layout.top + (((row + 0.5) / matrix.rows - view.frame.y) / view.frame.height) * layout.plot.height,
  });
  view.announce(describeCell(view, figure, map.hover).sentence);
}
