// One map in full: its layout, and the layer that changes only with the data, zoom or theme.

import { cssRgb, sized } from "./colour.js";
import { clamp } from "./dom.js";
import { cellSpan, rowEnd } from "./matrix.js";
import { drawNumbered, longestToken, textWidth } from "./tokens.js";

const FONT = 12;
const ANGLE = -Math.PI / 3.2;
const LONGEST_LABEL = 116;
const CELL = 34;
const AXIS = 18;
const STEPS = [1, 2, 5, 10, 20, 50, 100, 200, 500];

export function tokenFont(theme) {
  return `${sized(FONT, theme)}px ${theme.mono}`;
}

// An axis: its tokens, and the cells (tokens, or groups of them) that the map has for them. A token may carry its
// position in the text, which is not its index where tokens are hidden; `number` is what is written of it.
export function makeAxis(tokens, cells) {
  const span = (index) => cellSpan(index, cells, tokens.length);
  const positionOf = (index) => tokens[index]?.[3] ?? index;
  const indexOf = new Map(tokens.map((_, index) => [positionOf(index), index]));
  return {
    tokens, cells, span,
    text: (index) => tokens[span(index)[0]]?.[0] ?? "",
    positions: (index) => span(index).map(positionOf),
    number: (index) => (tokens[0]?.[3] === undefined ? "" : String(positionOf(span(index)[0]))),
    cellOf: (position) => {
      const index = indexOf.get(position);
      return index === undefined ? null : Math.min(cells - 1, Math.floor((index * cells) / tokens.length));
    },
  };
}

// The figure's coordinates, in CSS pixels, for a map drawn at this width.
export function heatmapLayout(context, { matrix, axes, theme, width, height, corner }) {
  context.font = tokenFont(theme);
  const [axis, letter, longest] = [AXIS, FONT, LONGEST_LABEL].map((pixels) => sized(pixels, theme));
  const largest = theme.room ? Infinity : CELL;
  const left = axis + Math.max(longestToken(context, axes.query, longest) + 10, corner);
  const keyLabel = longestToken(context, axes.key, longest);
  const flat = keyLabel + 8 <= Math.min(largest, (width - left) / matrix.columns);
  const rise = flat ? letter + 8 : keyLabel * Math.sin(-ANGLE) + letter + 4;
  const top = axis + Math.max(rise, corner);
  const right = flat ? 2 : Math.min(keyLabel * Math.cos(ANGLE) + 6, 0.2 * width);
  let cellWidth = Math.min((width - left - right) / matrix.columns, largest);
  let cellHeight = Math.min((height - top) / matrix.rows, largest);
  if (matrix.rows === matrix.columns || Math.min(cellWidth, cellHeight) > 8) {
    cellWidth = cellHeight = Math.min(cellWidth, cellHeight);
  }
  const plot = { width: Math.max(8, cellWidth * matrix.columns), height: Math.max(8, cellHeight * matrix.rows) };
  return { left, top, flat, plot, keyLabel, letter, axis, longest, width, height: top + plot.height + 2 };
}

// The size of one cell on screen at the current zoom.
function cellSize(layout, matrix, frame) {
  return {
    width: layout.plot.width / frame.width / matrix.columns,
    height: layout.plot.height / frame.height / matrix.rows,
  };
}

export function cellX(layout, matrix, frame, column) {
  return layout.left + ((column / matrix.columns - frame.x) / frame.width) * layout.plot.width;
}

export function cellY(layout, matrix, frame, row) {
  return layout.top + ((row / matrix.rows - frame.y) / frame.height) * layout.plot.height;
}

function visibleCells(cells, start, size) {
  return [Math.floor(start * cells), Math.min(cells, Math.ceil((start + size) * cells - 1e-6))];
}

// What is under the pointer: x and y from the plot's corner, and the row and column there; null outside the plot.
export function pointedCell({ layout, matrix, frame }, canvas, event) {
  const box = canvas.getBoundingClientRect();
  const [x, y] = [event.clientX - box.left - layout.left, event.clientY - box.top - layout.top];
  const column = Math.floor((frame.x + (x / layout.plot.width) * frame.width) * matrix.columns);
  const row = Math.floor((frame.y + (y / layout.plot.height) * frame.height) * matrix.rows);
  return {
    x, y,
    row: y >= 0 && y < layout.plot.height && row < matrix.rows ? row : null,
    column: x >= 0 && x < layout.plot.width && column < matrix.columns ? column : null,
  };
}

export function drawHeatmap(context, figure, pixelRatio) {
  const { layout, matrix, frame, theme } = figure;
  context.save();
  context.beginPath();
  context.rect(layout.left, layout.top, layout.plot.width, layout.plot.height);
  context.clip();
  const image = figure.image(frame, layout.plot, pixelRatio);
  context.imageSmoothingEnabled = false;
  context.drawImage(image.canvas, layout.left + image.x, layout.top + image.y, image.width, image.height);
  drawSeparators(context, figure);
  drawSegmentBorders(context, figure);
  context.restore();
  context.strokeStyle = cssRgb(theme.line);
  context.lineWidth = 1;
  context.strokeRect(layout.left - 0.5, layout.top - 0.5, layout.plot.width + 1, layout.plot.height + 1);
  drawRowLabels(context, figure);
  drawColumnLabels(context, figure);
  drawAxisNames(context, figure);
}

// A thin line of background between cells, where they are large enough to spare the pixel.
function drawSeparators(context, { layout, matrix, frame, theme }) {
  const cell = cellSize(layout, matrix, frame);
  if (Math.min(cell.width, cell.height) < 9) return;
  context.fillStyle = cssRgb(theme.background);
  const [column0, column1] = visibleCells(matrix.columns, frame.x, frame.width);
  const bottom = layout.top + layout.plot.height;
  for (let column = column0 + 1; column < column1; column++) {
    // In a causal map no earlier query sees this key: the line starts at the diagonal.
    const top = matrix.triangle ? Math.max(layout.top, cellY(layout, matrix, frame, column - 1)) : layout.top;
    context.fillRect(Math.round(cellX(layout, matrix, frame, column)) - 0.5, top, 1, Math.max(0, bottom - top));
  }
  const [row0, row1] = visibleCells(matrix.rows, frame.y, frame.height);
  for (let row = row0 + 1; row < row1; row++) {
    const right = cellX(layout, matrix, frame, rowEnd(matrix, row));
    context.fillRect(layout.left, Math.round(cellY(layout, matrix, frame, row)) - 0.5, Math.max(0, right - layout.left), 1);
  }
}

// The first cell of a pair's second text; null for a single text.
function segmentBorder(axis) {
  for (let cell = 1; cell < axis.cells; cell++) {
    if (axis.tokens[axis.span(cell)[0]][2] !== axis.tokens[axis.span(cell - 1)[0]][2]) return cell;
  }
  return null;
}

function drawSegmentBorders(context, { layout, matrix, frame, theme, axes }) {
  context.fillStyle = cssRgb(theme.faded);
  const [row, column] = [segmentBorder(axes.query), segmentBorder(axes.key)];
  if (row !== null) {
    context.fillRect(layout.left, Math.round(cellY(layout, matrix, frame, row)) - 1, layout.plot.width, 1.5);
  }
  if (column !== null) {
    context.fillRect(Math.round(cellX(layout, matrix, frame, column)) - 1, layout.top, 1.5, layout.plot.height);
  }
}

function labelStep(pixels, needed) {
  return STEPS.find((step) => step * pixels >= needed) ?? 1000;
}

function labelColours(theme, special) {
  const [colour, numberColour] = [cssRgb(special ? theme.faded : theme.text), cssRgb(theme.faded)];
  return { colour, numberColour, markColour: cssRgb(theme.faint) };
}

export function rowLabelStep(layout, matrix, frame) {
  return labelStep(cellSize(layout, matrix, frame).height, layout.letter + 2);
}

export function columnLabelStep(layout, matrix, frame) {
  return labelStep(cellSize(layout, matrix, frame).width, layout.letter + 4);
}

function drawRowLabels(context, figure) {
  const { layout, matrix, frame } = figure;
  const [first, last] = visibleCells(matrix.rows, frame.y, frame.height);
  const step = rowLabelStep(layout, matrix, frame);
  for (let row = Math.ceil(first / step) * step; row < last; row += step) drawRowLabel(context, figure, row);
}

export function drawRowLabel(context, { layout, matrix, frame, theme, axes, masks }, row, strong) {
  const y = cellY(layout, matrix, frame, row + 0.5);
  if (y < layout.top || y > layout.top + layout.plot.height) return;
  const special = axes.query.tokens[axes.query.span(row)[0]][1];
  const out = masks.rows && !masks.rows[row];
  context.font = (strong ? "700 " : "") + tokenFont(theme);
  context.textBaseline = "middle";
  const look = { ...labelColours(theme, special || out), align: "right", room: layout.left - layout.axis - 8 };
  drawNumbered(context, axes.query.number(row), axes.query.text(row), layout.left - 6, y, look);
}

function drawColumnLabels(context, figure) {
  const { layout, matrix, frame } = figure;
  const [first, last] = visibleCells(matrix.columns, frame.x, frame.width);
  const step = columnLabelStep(layout, matrix, frame);
  for (let column = Math.ceil(first / step) * step; column < last; column += step) {
    drawColumnLabel(context, figure, column);
  }
}

export function drawColumnLabel(context, { layout, matrix, frame, theme, axes, masks }, column, strong) {
  const x = cellX(layout, matrix, frame, column + 0.5);
  if (x < layout.left || x > layout.left + layout.plot.width) return;
  const special = axes.key.tokens[axes.key.span(column)[0]][1];
  const out = masks.columns && !masks.columns[column];
  context.save();
  context.font = (strong ? "700 " : "") + tokenFont(theme);
  context.textBaseline = "middle";
  context.translate(x, layout.top - (layout.flat ? layout.letter / 2 + 3 : 6));
  if (!layout.flat) context.rotate(ANGLE);
  const look = { ...labelColours(theme, special || out), align: "left", room: layout.keyLabel };
  const single = { cells: 1, text: () => axes.key.text(column), number: () => axes.key.number(column) };
  const start = layout.flat ? -longestToken(context, single, layout.longest) / 2 : 0;
  drawNumbered(context, axes.key.number(column), axes.key.text(column), start, 0, look);
  context.restore();
}

function drawAxisNames(context, { layout, theme, labels }) {
  context.font = `${sized(11, theme)}px ${theme.sans}`;
  context.fillStyle = cssRgb(theme.faded);
  context.textBaseline = "top";
  const key = labels.keyAxis + " →";
  context.textAlign = "left";
  const room = layout.width - layout.left;
  context.fillText(key, layout.left + clamp(0, 0, room - textWidth(context, key)), 2);
  context.save();
  context.translate(3, layout.top + layout.plot.height);
  context.rotate(-Math.PI / 2);
  if (textWidth(context, labels.queryAxis) + 14 < layout.plot.height + layout.top) {
    context.textAlign = layout.plot.height > 150 ? "right" : "left";
    context.fillText("← " + labels.queryAxis, layout.plot.height > 150 ? layout.plot.height : 0, 0);
  }
  context.restore();
}
