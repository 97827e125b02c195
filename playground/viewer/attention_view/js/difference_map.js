// The difference of two maps: its values, its picture on a diverging ramp, and the legend of that ramp.

import { LEVELS, cssRgb, packRgb, sized } from "../../shared/js/colour.js";
import { indices, weightAt } from "../../shared/js/matrix.js";

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
  context.font = `${sized(11, theme)}px ${theme.sans}`;
  context.textBaseline = "top";
  context.fillStyle = cssRgb(theme.faded);
  for (const [share, align] of [[-1, "left"], [-0.5, "center"], [0, "center"], [0.5, "center"], [1, "right"]]) {
    context.textAlign = align;
    context.fillText(format(Math.sign(share) * share * share * largest), x + ((share + 1) / 2) * width, y + 13);
  }
}
