// From weights to pixels: max-pooled where there are more cells than pixels, else one pixel a cell.

import { LEVELS, attentionRamp, packRgb, scaleWeight } from "./colour.js";
import { cellSpan, rowEnd, rowMaxima, rowStart } from "./matrix.js";

const TABLE_STEPS = 4096;

// The colour of every weight, computed once per theme and settings.
export function makeShade(theme, settings) {
  const ramp = attentionRamp(settings.palette, theme);
  const packed = Uint32Array.from(ramp, packRgb);
  const level = (weight) => Math.round(scaleWeight(settings.scale, Math.min(weight, 1)) * (LEVELS - 1));
  // The square root spreads the table's steps where the eye and the scales need them.
  const colours = Uint32Array.from({ length: TABLE_STEPS + 1 }, (_, step) => packed[level((step / TABLE_STEPS) ** 2)]);
  return { ramp, level, colours, byRow: settings.range === "row", masked: packRgb(theme.masked) };
}

export function shadeColour(shade, weight) {
  return shade.colours[Math.round(Math.sqrt(Math.min(weight, 1)) * TABLE_STEPS)];
}

// 1 for each cell of an axis that holds a token of this segment; null where all count.
function segmentMask(tokens, cells, segment) {
  if (segment === null) return null;
  return Uint8Array.from({ length: cells }, (_, cell) => {
    const [first, last] = cellSpan(cell, cells, tokens.length);
    for (let index = first; index <= last; index++) if (tokens[index][2] === segment) return 1;
    return 0;
  });
}

const SEGMENTS = { a: 0, b: 1 };

export function pairMasks(pairs, queryTokens, keyTokens, matrix) {
  const [from, to] = pairs === "all" ? [null, null] : pairs.split("-").map((name) => SEGMENTS[name]);
  return {
    rows: segmentMask(queryTokens, matrix.rows, from),
    columns: segmentMask(keyTokens, matrix.columns, to),
  };
}

export function pairAllowed(masks, row, column) {
  return (!masks.rows || masks.rows[row] === 1) && (!masks.columns || masks.columns[column] === 1);
}

function edges(start, count, pixels) {
  const edge = new Int32Array(pixels + 1);
  for (let pixel = 0; pixel <= pixels; pixel++) edge[pixel] = start + Math.floor((pixel * count) / pixels);
  return edge;
}

// Paint cells [row0, row0 + rows) x [column0, …) into a rectangle of a pixel buffer.
export function rasterize(target, area, matrix, cells, shade, masks) {
  const rowEdge = edges(cells.row0, cells.rows, area.height);
  const columnEdge = edges(cells.column0, cells.columns, area.width);
  const colourOf = colourLookup(matrix, shade);
  const maxima = shade.byRow ? rowMaxima(matrix) : null;
  for (let y = 0; y < area.height; y++) {
    const line = (area.top + y) * area.stride + area.left;
    const [first, last] = [rowEdge[y], Math.max(rowEdge[y] + 1, rowEdge[y + 1])];
    if (y > 0 && rowEdge[y - 1] === first && rowEdge[y] === rowEdge[y - 1] && last === first + 1) {
      target.copyWithin(line, line - area.stride, line - area.stride + area.width);
      continue;
    }
    for (let x = 0; x < area.width; x++) {
      const end = Math.max(columnEdge[x] + 1, columnEdge[x + 1]);
      const best = blockMaximum(matrix, first, last, columnEdge[x], end, masks, maxima);
      target[line + x] = best < 0 ? shade.masked : colourOf(best);
    }
  }
}

// The largest value of a block; -1 where every pair in it is masked.
function blockMaximum(matrix, row0, row1, column0, column1, masks, maxima) {
  let best = -1;
  for (let row = row0; row < row1; row++) {
    if (masks?.rows && !masks.rows[row]) continue;
    const start = rowStart(matrix, row);
    const end = Math.min(column1, rowEnd(matrix, row));
    for (let column = column0; column < end; column++) {
      if (masks?.columns && !masks.columns[column]) continue;
      let value = matrix.values[start + column];
      if (maxima) value = maxima[row] > 0 ? (matrix.table ? matrix.table[value] : value) / maxima[row] : 0;
      if (value > best) best = value;
    }
  }
  return best;
}

// Codes go through the code table; values scaled by row, and exact ones, are weights already.
function colourLookup(matrix, shade) {
  if (matrix.table && !shade.byRow) return (code) => shadeColour(shade, matrix.table[code]);
  return (weight) => shadeColour(shade, weight);
}

// The visible part of a map as an image, with its position and size in the plot.
export function cellImage(matrix, frame, plot, pixelRatio, shade, masks) {
  const column0 = Math.floor(frame.x * matrix.columns);
  const row0 = Math.floor(frame.y * matrix.rows);
  const columns = Math.min(matrix.columns, Math.ceil((frame.x + frame.width) * matrix.columns - 1e-6)) - column0;
  const rows = Math.min(matrix.rows, Math.ceil((frame.y + frame.height) * matrix.rows - 1e-6)) - row0;
  const width = Math.max(1, Math.min(columns, Math.round(plot.width * pixelRatio)));
  const height = Math.max(1, Math.min(rows, Math.round(plot.height * pixelRatio)));
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width, height });
  const context = canvas.getContext("2d");
  const image = context.createImageData(width, height);
  const area = { left: 0, top: 0, width, height, stride: width };
  rasterize(new Uint32Array(image.data.buffer), area, matrix, { row0, rows, column0, columns }, shade, masks);
  context.putImageData(image, 0, 0);
  return {
    canvas,
    x: ((column0 / matrix.columns - frame.x) / frame.width) * plot.width,
    y: ((row0 / matrix.rows - frame.y) / frame.height) * plot.height,
    width: (columns / matrix.columns / frame.width) * plot.width,
    height: (rows / matrix.rows / frame.height) * plot.height,
  };
}
