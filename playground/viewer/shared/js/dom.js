// Small DOM, text and number helpers. Text only ever becomes text nodes.

export function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value !== null && value !== undefined && value !== false) node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children);
  return node;
}

// The step, [rows, columns], that each arrow key makes in a table of cells.
export const ARROW_STEPS = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };

export function svgElement(tag, attributes, ...children) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

// "{title}, step {step}" with its values; a name without a value stays as it is.
export function fill(template, values) {
  return (template ?? "").replace(/\{(\w+)\}/g, (match, name) => (name in values ? values[name] : match));
}

// Four significant digits, with a true minus sign.
export function formatNumber(value, digits = 4) {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  if (value === 0) return "0";
  const size = Math.abs(value);
  const text = size < 1e-4 || size >= 1e6 ? value.toExponential(digits - 1) : value.toPrecision(digits);
  return text.replace(/^-/, "−");
}

export function scoreLabel(labels, name) {
  return labels[`score_${name}`] ?? name.replaceAll("_", " ");
}

// Scores stand below each other: a fixed number of decimals for each order of magnitude.
export function formatScore(value) {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  const size = Math.abs(value);
  return value.toFixed(size < 10 ? 3 : size < 100 ? 2 : 1).replace(/^-/, "−");
}

export function formatWeight(matrix, value) {
  return (matrix.exact ? "" : "≈ ") + formatNumber(value);
}

// Size a canvas in CSS pixels, sharp on any screen; returns its cleared context, scaled to CSS pixels.
export function sizeCanvas(canvas, width, height) {
  const ratio = window.devicePixelRatio || 1;
  const [w, h] = [Math.max(1, Math.round(width * ratio)), Math.max(1, Math.round(height * ratio))];
  if (canvas.width !== w || canvas.height !== h) Object.assign(canvas, { width: w, height: h });
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  return context;
}

export function clamp(value, low, high) {
  return Math.max(low, Math.min(high, value));
}

// A function that calls back once it has not been called for this long.
export function debounce(callback, milliseconds) {
  let timer = 0;
  const later = () => {
    clearTimeout(timer);
    timer = setTimeout(callback, milliseconds);
  };
  later.cancel = () => clearTimeout(timer);
  return later;
}

// Show a tooltip beside a point of the window, within its component.
export function showTip(tip, root, { clientX, clientY }) {
  tip.hidden = false;
  const box = root.getBoundingClientRect();
  const [x, y] = [clamp(clientX - box.left, 0, box.width), clientY - box.top];
  const [width, height] = [tip.offsetWidth, tip.offsetHeight];
  const left = x + 16 + width > box.width ? x - 16 - width : x + 16;
  const top = y + 16 + height > box.height ? y - 12 - height : y + 16;
  tip.style.left = `${clamp(left, 0, Math.max(0, box.width - width))}px`;
  tip.style.top = `${Math.max(top, -height)}px`;
}
