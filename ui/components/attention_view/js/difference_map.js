// The difference of two maps: its values, its picture on a diverging ramp, and the legend of that ramp.

import { LEVELS, cssRgb, packRgb } from "../../shared/js/colour.js";
import { makeAxis } from "../../shared/js/heatmap.js";
import { indices, makeMatrix, weightAt } from "../../shared/js/matrix.js";

// A shown map between words, each an array of token positions: the mean over a query's tokens, the sum over a key's.
// Where a query may look at no token of a key there is no weight. Null while a position is not on show.
export function wordMatrix({ matrix, axes }, words) {
  const cells = (axis, groups) => groups.map((positions) => positions.map((position) => axes[axis].cellOf(position)));
  const [queries, keys] = [cells("query", words.queries), cells("key", words.keys)];
  const pooled = matrix.rows !== axes.query.tokens.length || matrix.columns !== axes.key.tokens.length;
  if (pooled || [...queries, ...keys].some((group) => group.includes(null))) return null;
  const values = Float32Array.from({ length: queries.length * keys.length }, (_, index) => {
    const [rows, columns] = [queries[Math.floor(index / keys.length)], keys[index % keys.length]];
    const weights = rows.flatMap((row) => columns.map((column) => weightAt(matrix, row, column)));
    const known = weights.filter((weight) => weight !== undefined);
    return known.length ? known.reduce((sum, weight) => sum + weight, 0) / rows.length : NaN;
  });
  return makeMatrix({ values, rows: queries.length, columns: keys.length, packing: "full", causal: false, exact: matrix.exact });
}

// The axes of maps between words.
export function wordAxes({ queries, keys }) {
  const axis = (texts) => makeAxis(texts.map((text) => [text, 0, 0]), texts.length);
  return { query: axis(queries), key: axis(keys) };
}

// Left minus right, NaN where either is undefined; `largest` is the largest absolute difference.
export function differenceMatrix(left, right) {
  const { rows, columns } = left;
  const values = new Float32Array(rows * columns).fill(NaN);
  let largest = 0;
  for (const row of indices(rows)) {
    for (const column of indices(columns)) {
      const difference = weightAt(left, row, column) - weightAt(right, row, column);
      if (Number.isNaN(difference)) continue;
      values[row * columns + column] = difference;
      largest = Math.max(largest, Math.abs(difference));
    }
  }
  return { values, rows, columns, largest, triangle: left.triangle, exact: left.exact && right.exact };
}

// Where several cells share a pixel, the one with the largest absolute difference is shown.
export function differenceImage(matrix, ramps, masked, width, height) {
  const canvas = document.createElement("canvas");
  canvas.width = Math.min(matrix.columns, width);
  canvas.height = Math.min(matrix.rows, height);
  const context = canvas.getContext("2d");
  const image = context.createImageData(canvas.width, canvas.height);
  const pixels = new Uint32Array(image.data.buffer);
  const best = new Float32Array(pixels.length).fill(NaN);
  matrix.values.forEach((value, index) => {
    const [row, column] = [Math.floor(index / matrix.columns), index % matrix.columns];
    const y = Math.floor((row * canvas.height) / matrix.rows);
    const pixel = y * canvas.width + Math.floor((column * canvas.width) / matrix.columns);
    if (Number.isNaN(best[pixel]) || Math.abs(value) > Math.abs(best[pixel])) best[pixel] = value;
  });
  best.forEach((value, pixel) => {
    pixels[pixel] = packRgb(Number.isNaN(value) ? masked : differenceColour(ramps, value, matrix.largest));
  });
  context.putImageData(image, 0, 0);
  return canvas;
}

// The square root keeps small differences visible, as on the maps themselves.
function differenceColour(ramps, value, largest) {
  const share = largest > 0 ? Math.sqrt(Math.abs(value) / largest) : 0;
  return ramps[value < 0 ? "negative" : "positive"][Math.round(share * (LEVELS - 1))];
}

export function drawDifferenceLegend(context, { ramps, theme, largest, format }, x, y, width) {
  for (let step = 0; step < width; step++) {
    const signed = (2 * step) / (width - 1) - 1;
    context.fillStyle = cssRgb(differenceColour(ramps, Math.sign(signed) * signed * signed, 1));
    context.fillRect(x + step, y, 1.5, 9);
  }
  context.strokeStyle = cssRgb(theme.line);
  context.strokeRect(x + 0.5, y - 0.5, width - 1, 10);
  context.font = `11px ${theme.sans}`;
  context.textBaseline = "top";
  context.fillStyle = cssRgb(theme.faded);
  for (const [share, align] of [[-1, "left"], [-0.5, "center"], [0, "center"], [0.5, "center"], [1, "right"]]) {
    context.textAlign = align;
    context.fillText(format(Math.sign(share) * share * share * largest), x + ((share + 1) / 2) * width, y + 13);
  }
}
