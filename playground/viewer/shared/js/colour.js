// Perceptually even colour ramps: interpolated in OKLab, starting at the page's background.

export const LEVELS = 256;
const LOG_FLOOR = 4; // decades below 1 that the logarithmic scale shows

// [lightness, chroma, hue in degrees]; the ramp's zero is the page's background.
const RAMPS = {
  ink: { light: [[0.7, 0.125, 252], [0.34, 0.15, 264]], dark: [[0.53, 0.13, 256], [0.9, 0.075, 230]] },
  cividis: {
    light: [[0.8, 0.14, 98], [0.57, 0.025, 110], [0.3, 0.075, 262]],
    dark: [[0.34, 0.08, 262], [0.6, 0.025, 110], [0.93, 0.15, 102]],
  },
};
const DIVERGING = {
  light: { negative: [[0.76, 0.1, 65], [0.5, 0.13, 48]], positive: [[0.7, 0.125, 252], [0.36, 0.15, 264]] },
  dark: { negative: [[0.5, 0.09, 55], [0.84, 0.12, 75]], positive: [[0.5, 0.12, 256], [0.86, 0.09, 230]] },
};

function toLinear(channel) {
  const value = channel / 255;
  return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
}

function toByte(value) {
  const clipped = Math.min(Math.max(value, 0), 1);
  const coded = clipped <= 0.0031308 ? 12.92 * clipped : 1.055 * clipped ** (1 / 2.4) - 0.055;
  return Math.round(255 * coded);
}

// Björn Ottosson's OKLab, from 8-bit sRGB.
export function toOklab([red, green, blue]) {
  const [r, g, b] = [red, green, blue].map(toLinear);
  const long = Math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
  const medium = Math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
  const short = Math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
  return [
    0.2104542553 * long + 0.793617785 * medium - 0.0040720468 * short,
    1.9779984951 * long - 2.428592205 * medium + 0.4505937099 * short,
    0.0259040371 * long + 0.7827717662 * medium - 0.808675766 * short,
  ];
}

export function fromOklab([lightness, a, b]) {
  const long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const short = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  return [
    toByte(4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short),
    toByte(-1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short),
    toByte(-0.0041960863 * long - 0.7034186147 * medium + 1.707614701 * short),
  ];
}

function fromLch([lightness, chroma, hue]) {
  const angle = (hue * Math.PI) / 180;
  return [lightness, chroma * Math.cos(angle), chroma * Math.sin(angle)];
}

// Walk the control points at a speed that makes equal steps equally far apart in OKLab.
function interpolate(points, share) {
  const lengths = points.slice(1).map((point, index) => Math.hypot(...point.map((v, i) => v - points[index][i])));
  let left = share * lengths.reduce((sum, length) => sum + length, 0);
  let index = 0;
  while (index < lengths.length - 1 && left > lengths[index]) left -= lengths[index++];
  const part = lengths[index] ? left / lengths[index] : 0;
  return points[index].map((value, axis) => value + part * (points[index + 1][axis] - value));
}

export function packRgb([red, green, blue]) {
  return ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0;
}

export function cssRgb([red, green, blue], alpha = 1) {
  return alpha === 1 ? `rgb(${red}, ${green}, ${blue})` : `rgba(${red}, ${green}, ${blue}, ${alpha})`;
}

function mixRgb(from, to, share) {
  const [start, end] = [toOklab(from), toOklab(to)];
  return fromOklab(start.map((value, axis) => value + share * (end[axis] - value)));
}

function rampFrom(background, points) {
  const path = [toOklab(background), ...points.map(fromLch)];
  return Array.from({ length: LEVELS }, (_, level) => fromOklab(interpolate(path, level / (LEVELS - 1))));
}

export function attentionRamp(palette, { background, dark }) {
  return rampFrom(background, RAMPS[palette][dark ? "dark" : "light"]);
}

export function divergingRamps({ background, dark }) {
  const { negative, positive } = DIVERGING[dark ? "dark" : "light"];
  return { negative: rampFrom(background, negative), positive: rampFrom(background, positive) };
}

// The position on the ramp, in [0, 1], of a weight in [0, 1].
export function scaleWeight(scale, weight) {
  if (scale === "linear") return weight;
  if (scale === "sqrt") return Math.sqrt(weight);
  return weight > 0 ? Math.max(0, 1 + Math.log10(weight) / LOG_FLOOR) : 0;
}

export function scaleTicks(scale) {
  if (scale === "linear") return [0, 0.25, 0.5, 0.75, 1];
  if (scale === "sqrt") return [0, 0.01, 0.1, 0.25, 0.5, 1];
  return [0.0001, 0.001, 0.01, 0.1, 1];
}

const probe = document.createElement("canvas").getContext("2d", { willReadFrequently: true });

// Any CSS colour as 8-bit [red, green, blue]; the fallback where it is not one.
function parseColour(text, fallback) {
  if (!text || text === "unset" || !globalThis.CSS?.supports("color", text)) return fallback;
  probe.canvas.width = probe.canvas.height = 1;
  probe.fillStyle = text;
  probe.fillRect(0, 0, 1, 1);
  return [...probe.getImageData(0, 0, 1, 1).data.slice(0, 3)];
}

export function readTheme(element) {
  const style = getComputedStyle(element);
  const read = (name) => style.getPropertyValue(`--st-${name}`).trim();
  const background = parseColour(read("background-color"), [255, 255, 255]);
  const text = parseColour(read("text-color"), [49, 51, 63]);
  const dark = toOklab(background)[0] < 0.6;
  return {
    background, text, dark,
    faded: mixRgb(text, background, 0.4),
    faint: mixRgb(text, background, 0.62),
    line: mixRgb(background, text, dark ? 0.2 : 0.14),
    masked: mixRgb(background, text, dark ? 0.07 : 0.045),
    mono: read("code-font") || "ui-monospace, monospace",
    sans: read("font") || "system-ui, sans-serif",
    // In projector mode: how much larger the type is, and the height that the picture fills.
    scale: parseFloat(style.getPropertyValue("--type-scale")) || 1,
    room: parseFloat(style.getPropertyValue("--picture-height")) || 0,
  };
}

// A size in pixels as large as the type is: projector mode enlarges both.
export const sized = (pixels, theme) => pixels * (theme.scale ?? 1);
