// The selected head in full: tokens on both axes, the gold alignment outlined, the weight under the pointer.

import { cssRgb } from "../../shared/js/colour.js";
import { ARROW_STEPS, clamp, element, sizeCanvas } from "../../shared/js/dom.js";
import { cellX, cellY, drawHeatmap, heatmapLayout, pointedCell } from "../../shared/js/heatmap.js";
import { WHOLE_MAP, describeCell, drawOverlay, showCellTip } from "../../shared/js/heatmap_layers.js";
import { cellImage } from "../../shared/js/paint.js";

// Beside the timeline, above and below a map that fills the window: choices, title, legend.
const STAGE_REST = 170;

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
  const { row, column } = pointedCell(figure, overlay, event);
  return row === null || column === null ? null : { row, column };
}

function point(stage, cell) {
  stage.hover = cell;
  if (!cell) stage.film.tip.hidden = true;
  paintPointed(stage);
}

function stageKey(stage, event) {
  const step = ARROW_STEPS[event.key];
  if (!step || !stage.figure) return;
  event.preventDefault();
  const { matrix } = stage.figure;
  const from = stage.hover ?? { row: 0, column: -step[1] };
  stage.hover = { row: clamp(from.row + step[0], 0, matrix.rows - 1), column: clamp(from.column + step[1], 0, matrix.columns - 1) };
  stage.pointer = null;
  drawOverlay(stage.overlay.getContext("2d"), stage.figure, stage.hover, null);
  stage.film.announce(describeCell(stage.film, stage.figure, stage.hover).sentence);
}

// While the film plays, the weight under a resting pointer changes with every frame.
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

// Outline the gold pairs, given in tokens, at the cells that hold them.
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
  const { room } = film.theme;
  const below = film.body.querySelector(".time").offsetHeight + STAGE_REST;
  const height = room ? Math.max(260, room - below) : clamp(window.innerHeight * 0.45, 260, 440);
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
