// The heatmap's moving layers: crosshair, pin, labels of the cell under the pointer, and the minimap.

import { cssRgb } from "./colour.js";
import { element, fill, formatWeight, showTip } from "./dom.js";
import { cellX, cellY, columnLabelStep, drawColumnLabel, drawRowLabel, rowLabelStep } from "./heatmap.js";
import { rowEnd, weightAt } from "./matrix.js";
import { pairAllowed } from "./paint.js";
import { tokenNode } from "./tokens.js";

export const WHOLE_MAP = { x: 0, y: 0, width: 1, height: 1 };
export const MINIMAP = 72;

// pin: an axis and the cells on it that are pinned, in their order; null for none.
export function drawOverlay(context, figure, hover, pin) {
  const { layout, theme } = figure;
  context.clearRect(0, 0, layout.width, layout.height);
  context.save();
  context.beginPath();
  context.rect(layout.left, layout.top, layout.plot.width, layout.plot.height);
  context.clip();
  if (pin) dimAround(context, figure, pin);
  if (hover) drawCross(context, figure, hover);
  context.restore();
  for (const cell of pin?.cells ?? []) strongLabel(context, figure, pin.axis, cell);
  if (hover && hover.row !== null) strongLabel(context, figure, "query", hover.row);
  if (hover && hover.column !== null) strongLabel(context, figure, "key", hover.column);
  context.strokeStyle = cssRgb(theme.text);
}

function band(figure, axis, cell) {
  const { layout, matrix, frame } = figure;
  if (axis === "query") {
    const y = cellY(layout, matrix, frame, cell);
    return [layout.left, y, layout.plot.width, cellY(layout, matrix, frame, cell + 1) - y];
  }
  const x = cellX(layout, matrix, frame, cell);
  return [x, layout.top, cellX(layout, matrix, frame, cell + 1) - x, layout.plot.height];
}

// Pinned rows or columns keep their colours, the rest fades.
function dimAround(context, figure, { axis, cells }) {
  const { layout, theme } = figure;
  const along = axis === "query" ? 1 : 0;
  const end = along ? layout.top + layout.plot.height : layout.left + layout.plot.width;
  const fade = (from, to) => {
    if (along) context.fillRect(layout.left, from, layout.plot.width, Math.max(0, to - from));
    else context.fillRect(from, layout.top, Math.max(0, to - from), layout.plot.height);
  };
  context.fillStyle = cssRgb(theme.background, 0.72);
  let free = along ? layout.top : layout.left;
  for (const cell of cells) {
    const box = band(figure, axis, cell);
    fade(free, box[along]);
    free = Math.max(free, box[along] + box[along + 2]);
  }
  fade(free, end);
  context.strokeStyle = cssRgb(theme.text);
  context.lineWidth = 1;
  for (const [first, last] of runs(cells)) {
    const [x, y] = band(figure, axis, first);
    const [x1, y1, width, height] = band(figure, axis, last);
    context.strokeRect(x + 0.5, y + 0.5, x1 + width - x - 1, y1 + height - y - 1);
  }
}

// Neighbours share one outline: [1, 2, 5] is [1, 2] and [5, 5].
function runs(cells) {
  const found = [];
  for (const cell of cells) {
    const last = found.at(-1);
    if (last && cell === last[1] + 1) last[1] = cell;
    else found.push([cell, cell]);
  }
  return found;
}

function drawCross(context, figure, { row, column }) {
  const { theme } = figure;
  context.fillStyle = cssRgb(theme.text, 0.09);
  if (row !== null) context.fillRect(...band(figure, "query", row));
  if (column !== null) context.fillRect(...band(figure, "key", column));
  if (row === null || column === null) return;
  const [, y, , height] = band(figure, "query", row);
  const [x, , width] = band(figure, "key", column);
  context.strokeStyle = cssRgb(theme.text);
  context.lineWidth = 1.5;
  context.strokeRect(x - 0.25, y - 0.25, Math.max(width, 3) + 0.5, Math.max(height, 3) + 0.5);
}

// Where labels are thinned out, a label that was left out is written over its neighbours.
function strongLabel(context, figure, axis, cell) {
  const { layout, matrix, frame, theme } = figure;
  context.fillStyle = cssRgb(theme.background, 0.94);
  if (axis === "query") {
    const y = cellY(layout, matrix, frame, cell + 0.5);
    const reach = cell % rowLabelStep(layout, matrix, frame) ? 14 : 8;
    context.fillRect(18, y - reach, layout.left - 20, 2 * reach);
    drawRowLabel(context, figure, cell, true);
    return;
  }
  const x = cellX(layout, matrix, frame, cell + 0.5);
  const reach = cell % columnLabelStep(layout, matrix, frame) ? 14 : 7;
  context.save();
  context.beginPath();
  context.rect(0, 0, layout.width, layout.top - 1);
  context.clip();
  context.translate(x, layout.top - 6);
  if (!layout.flat) context.rotate(-Math.PI / 3.2);
  if (layout.flat) context.fillRect(-20, -12, 40, 15);
  else context.fillRect(1, -reach, layout.keyLabel + 8, 2 * reach);
  context.restore();
  drawColumnLabel(context, figure, cell, true);
}

// A cell's tokens and weight: as the tooltip's content, and as a sentence for screen readers.
export function describeCell(view, figure, { row, column }) {
  const { matrix, axes, masks } = figure;
  const { labels } = view;
  const weight = pairAllowed(masks, row, column) ? weightAt(matrix, row, column) : undefined;
  const shown = column < rowEnd(matrix, row) && weight !== undefined ? formatWeight(matrix, weight) : "–";
  const node = element("div", { class: "tip-cell" },
    element("span", { class: "tip-label" }, labels.query), cellName(view, axes.query, row),
    element("span", { class: "tip-label" }, labels.key), cellName(view, axes.key, column),
    element("span", { class: "tip-label" }, labels.weight), element("output", {}, shown));
  const sentence = fill(labels.cell, { query: axes.query.text(row), key: axes.key.text(column), value: shown });
  return { node, shown, weight, sentence };
}

// "23 ␣cat", or the first of the tokens that share a cell behind "tokens 21–41".
export function cellName({ labels }, axis, cell) {
  const [first, last] = axis.positions(cell);
  const [text, special] = axis.tokens[axis.span(cell)[0]];
  const position = first === last ? String(first) : fill(labels.tokens, { first, last });
  return element("span", { class: "tip-token" }, element("span", { class: "position" }, position), tokenNode(text, special));
}

export function showCellTip(view, figure, hover, event) {
  const { node, shown, weight } = describeCell(view, figure, hover);
  view.tip.replaceChildren(node);
  const ends = [figure.axes.query.positions(hover.row)[0], figure.axes.key.positions(hover.column)[0]];
  view.figureBox.dataset.hover = JSON.stringify({
    query: ends[0], key: ends[1], value: shown, weight: weight ?? null, exact: figure.matrix.exact,
  });
  showTip(view.tip, view.root, event);
}

// The whole map in the corner between the labels, with a frame around the visible part.
export function drawMinimap(context, figure, pixelRatio) {
  const { matrix, theme, frame } = figure;
  const aspect = matrix.rows / matrix.columns;
  const width = aspect > 1 ? Math.max(16, MINIMAP / aspect) : MINIMAP;
  const height = aspect > 1 ? MINIMAP : Math.max(16, MINIMAP * aspect);
  const image = figure.image(WHOLE_MAP, { width, height }, pixelRatio);
  context.imageSmoothingEnabled = false;
  context.drawImage(image.canvas, 0, 0, width, height);
  context.strokeStyle = cssRgb(theme.line);
  context.lineWidth = 1;
  context.strokeRect(0.5, 0.5, width - 1, height - 1);
  context.strokeStyle = cssRgb(theme.text);
  context.lineWidth = 1.5;
  const [w, h] = [Math.max(4, frame.width * width), Math.max(4, frame.height * height)];
  context.strokeRect(frame.x * width + 0.75, frame.y * height + 0.75, w - 1.5, h - 1.5);
  return { width, height };
}
