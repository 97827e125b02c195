// The tokens as an SVG file: the browser's layout, box by box and line by line.

import { element, svgElement } from "./dom.js";
import { fileStem, saveBlob, withLink } from "./files.js";

export const MARGIN = 8;
const NOTE_SIZE = 10;
const NOTE_LETTERS = 120;
const NOTE_LETTER_WIDTH = 0.62;
// The baseline, as a share of the font size below the middle of a line's box.
const BELOW_MIDDLE = 0.35;

// Read any CSS colour as red, green, blue and opacity, since SVG programs may not know newer notations.
function colourReader() {
  const context = element("canvas", { width: 1, height: 1 }).getContext("2d", { willReadFrequently: true });
  const known = new Map();
  return (text) => {
    if (!known.has(text)) {
      context.clearRect(0, 0, 1, 1);
      context.fillStyle = text;
      context.fillRect(0, 0, 1, 1);
      const [red, green, blue, alpha] = context.getImageData(0, 0, 1, 1).data;
      known.set(text, { fill: `rgb(${red}, ${green}, ${blue})`, "fill-opacity": (alpha / 255).toFixed(3), alpha });
    }
    return known.get(text);
  };
}

function boxesOf(node, corner, colour) {
  const style = getComputedStyle(node);
  const { alpha, ...paint } = colour(style.backgroundColor);
  const outlined = node.classList.contains("chosen");
  if (!alpha && !outlined) return [];
  return [...node.getClientRects()].map((box) => svgElement("rect", {
    ...corner(box), width: box.width.toFixed(1), height: box.height.toFixed(1), rx: 3,
    ...(alpha ? paint : { fill: "none" }),
    ...(outlined ? { stroke: colour(style.outlineColor).fill, "stroke-width": 2 } : {}),
  }));
}

// The lines of a text node, without the letters that its box cuts off.
function linesOf(node) {
  const range = document.createRange();
  const end = node.parentElement.getBoundingClientRect().right + 1;
  const lines = [];
  for (let offset = 0; offset < node.data.length; ) {
    const letter = String.fromCodePoint(node.data.codePointAt(offset));
    range.setStart(node, offset);
    range.setEnd(node, (offset += letter.length));
    const box = range.getBoundingClientRect();
    if (!box.width || box.right > end) continue;
    const last = lines[lines.length - 1];
    if (last && Math.abs(last.box.top - box.top) < 2) Object.assign(last, { text: last.text + letter, right: box.right });
    else lines.push({ text: letter, box, right: box.right });
  }
  return lines;
}

function textsOf(node, corner, colour) {
  const style = getComputedStyle(node.parentElement);
  const size = parseFloat(style.fontSize);
  const { alpha, ...paint } = colour(style.color);
  // Where the page's font is missing, another one is drawn at the same width.
  return linesOf(node).map(({ text, box, right }) => svgElement("text", {
    textLength: (right - box.left).toFixed(1), lengthAdjust: "spacingAndGlyphs",
    x: corner(box).x, y: (Number(corner(box).y) + box.height / 2 + BELOW_MIDDLE * size).toFixed(1),
    "font-size": size, "font-family": style.fontFamily, "font-weight": style.fontWeight, "xml:space": "preserve", ...paint,
    ...(style.textDecorationLine === "line-through" ? { "text-decoration": "line-through" } : {}),
  }, text));
}

// The picture as text; `notes`, the provenance, stand below the tokens, a line each; `extra` shapes lie behind them.
export function svgOf(list, { page, faded, notes: given, extra = [] }) {
  const notes = withLink(given);
  const frame = list.getBoundingClientRect();
  const colour = colourReader();
  const corner = (box) => ({
    x: (box.left - frame.left + list.scrollLeft + MARGIN).toFixed(1),
    y: (box.top - frame.top + list.scrollTop + MARGIN).toFixed(1),
  });
  const shapes = [];
  for (const node of list.querySelectorAll("*")) shapes.push(...boxesOf(node, corner, colour));
  const walker = document.createTreeWalker(list, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) shapes.push(...textsOf(walker.currentNode, corner, colour));
  const shortened = notes.map((note) => (note.length > NOTE_LETTERS ? `${note.slice(0, NOTE_LETTERS)}…` : note));
  const widest = Math.max(0, ...shortened.map((note) => note.length)) * NOTE_LETTER_WIDTH * NOTE_SIZE;
  const [width, height] = [Math.max(list.scrollWidth, widest) + 2 * MARGIN, list.scrollHeight + 2 * MARGIN];
  const below = shortened.map((note, line) => svgElement("text", {
    x: MARGIN, y: height + 1.4 * NOTE_SIZE * (line + 1), "font-size": NOTE_SIZE, "font-family": "sans-serif", fill: colour(faded).fill,
  }, note));
  const whole = height + (notes.length ? 1.4 * NOTE_SIZE * (notes.length + 1) : 0);
  const ground = svgElement("rect", { width: "100%", height: "100%", fill: colour(page).fill });
  const size = { width, height: whole, viewBox: `0 0 ${width} ${whole}` };
  const origin = svgElement("desc", {}, notes.join("\n"));
  return new XMLSerializer().serializeToString(svgElement("svg", size, origin, ground, ...extra, ...shapes, ...below));
}

export function saveSvg(text, label) {
  saveBlob(new Blob([text], { type: "image/svg+xml" }), `${fileStem(label, { fallback: "tokens", most: 60 })}.svg`);
}
