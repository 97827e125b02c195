// The chosen head in full: tokens on both axes, the gold alignment outlined, the weight under the pointer.

import { cssRgb } from "../../shared/js/colour.js";
import { clamp, element, sizeCanvas } from "../../shared/js/dom.js";
import { cellX, cellY, drawHeatmap, heatmapLayout } from "../../shared/js/heatmap.js";
import { WHOLE_MAP, describeCell, drawOverlay, showCellTip } from "../../shared/js/heatmap_layers.js";
import { cellImage } from "../../shared/js/paint.js";

export function createStage(film) {
  const stage = { film, hover: null, figure: null };
  stage.base = element("canvas", { class: "layer" });
  stage.overlay = element("canvas", { class: "layer over" });
  stage.element = element("div", { class: "heatmap", tabindex: "0", role: "application", "data-part": "heatmap" },
    stage.base, stage.overlay);
  stage.overlay.addEventListener("pointermove", (event) => {
    stage.pointer = { clientX: event.clientX, clientY: event.clientY };
    point(stage, cellAt(stage, event));
  });
  stage.overlay.addEventListener("pointerleave", () => point(stage, null));
  stage.element.addEventListener("keydown", (event) => stageKey(stage, event));
  return stage;
}

function cellAt({ figure, overlay }, event) {
  if (!figure) return null;
  const { layout, matrix } = figure;
  const box = overlay.getBoundingClientRect();
  const column = Math.floor(((event.clientX - box.left - layout.left) / layout.plot.width) * matrix.columns);
  const row = Math.floor(((event.clientY - box.top - layout.top) / layout.plot.height) * matrix.rows);
  const inside = row >= 0 && row < matrix.rows && column >= 0 && column < matrix.columns;
  return inside ? { row, column } : null;
}

function point(stage, cell) {
  stage.hover = cell;
  if (!cell) stage.film.tip.hidden = true;
  paintPointed(stage);
}

const CELL_MOVES = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };

function stageKey(stage, event) {
  const move = CELL_MOVES[event.key];
  if (!move || !stage.figure) return;
  event.preventDefault();
  const { matrix } = stage.figure;
  const from = stage.hover ?? { row: 0, column: -move[1] };
  stage.hover = { row: clamp(from.row + move[0], 0, matrix.rows - 1), column: clamp(from.column + move[1], 0, matrix.columns - 1) };
  stage.pointer = null;
  drawOverlay(stage.overlay.getContext("2d"), stage.figure, stage.hover, null);
  stage.film.announce(describeCell(stage.film, stage.figure, stage.hover).sentence);
}

// What is under a resting pointer changes with every frame of a film that plays.
function paintPointed(stage) {
  const { figure, hover, film, pointer } = stage;
  if (!figure) return;
  drawOverlay(stage.overlay.getContext("2d"), figure, hover, null);
  if (hover && pointer) showCellTip(film, figure, hover, pointer);
}

export function stageFigure(context, film, width, height) {
  const { matrix, axes, theme, shade, labels } = film;
  const layout = heatmapLayout(context, { matrix, axes, theme, width, height, corner: 0 });
  const masks = { rows: null, columns: null };
  const image = (part, plot, ratio) => cellImage(matrix, part, plot, ratio, shade, masks);
  return { layout, matrix, axes, frame: WHOLE_MAP, theme, masks, labels, image };
}

// Gold pairs stand in tokens; a pooled map has them in the cell of their tokens.
export function drawGold(context, figure, pairs) {
  const { layout, matrix, axes, theme } = figure;
  const cellOf = (axis, token) => Math.min(axis.cells - 1, Math.floor(((token + 0.5) * axis.cells) / axis.tokens.length));
  const [wide, high] = [layout.plot.width / matrix.columns, layout.plot.height / matrix.rows];
  for (const [query, key] of pairs) {
    if (query >= axes.query.tokens.length || key >= axes.key.tokens.length) continue;
    const x = cellX(layout, matrix, WHOLE_MAP, cellOf(axes.key, key));
    const y = cellY(layout, matrix, WHOLE_MAP, cellOf(axes.query, query));
    context.strokeStyle = cssRgb(theme.background);
    context.lineWidth = 4;
    context.strokeRect(x + 1.5, y + 1.5, wide - 3, high - 3);
    context.strokeStyle = theme.gold;
    context.lineWidth = 2;
    context.strokeRect(x + 1.5, y + 1.5, wide - 3, high - 3);
  }
}

export function paintStage(stage) {
  const { film } = stage;
  const width = stage.element.clientWidth;
  if (!width) return;
  const height = clamp(window.innerHeight * 0.45, 260, 440);
  const figure = (stage.figure = stageFigure(stage.base.getContext("2d"), film, width, height));
  const context = sizeCanvas(stage.base, width, figure.layout.height);
  drawHeatmap(context, figure, window.devicePixelRatio || 1);
  if (film.choice.kind === "cross") drawGold(context, figure, film.header.alignment);
  sizeCanvas(stage.overlay, width, figure.layout.height);
  stage.element.style.height = `${figure.layout.height}px`;
  stage.element.setAttribute("aria-label", `${film.title()}. ${film.labels.heatmapHelp}`);
  const { layout, matrix } = figure;
  Object.assign(stage.element.dataset, {
    left: layout.left, top: layout.top, width: layout.plot.width, height: layout.plot.height,
    rows: matrix.rows, columns: matrix.columns, step: film.frame.step,
  });
  paintPointed(stage);
}
