// The chosen score of every head over training: the chosen head strong, the others faint, a cursor at the step shown.

import { cssRgb } from "../../shared/js/colour.js";
import { element, fill, formatFact, placeTip, sizeCanvas } from "../../shared/js/dom.js";
import { frameIndex, scoreAt } from "./reel.js";

export const CURVES_HEIGHT = 150;
export const CURVES_LEFT = 44;
export const CURVES_RIGHT = 14;
const CURVES_TOP = 8;
const CURVES_BOTTOM = 8;
const NEAR = 14;

export function createCurves(film) {
  const curves = { film, base: element("canvas", { class: "layer" }), cursor: element("canvas", { class: "layer over" }) };
  curves.element = element("div", { class: "stacked curves", "data-part": "curves" }, curves.base, curves.cursor);
  const { cursor } = curves;
  cursor.addEventListener("pointerdown", (event) => {
    cursor.setPointerCapture(event.pointerId);
    film.seek(frameAtX(curves, event));
  });
  cursor.addEventListener("pointermove", (event) => {
    if (event.buttons) film.seek(frameAtX(curves, event));
    pointAtCurve(curves, event);
  });
  cursor.addEventListener("pointerleave", () => (film.tip.hidden = true));
  return curves;
}

export function stepRange({ frames }) {
  const first = frames[0].step;
  return [first, Math.max(frames[frames.length - 1].step, first + 1)];
}

export function stepX(reel, step, width) {
  const [first, last] = stepRange(reel);
  return CURVES_LEFT + ((step - first) / (last - first)) * (width - CURVES_LEFT - CURVES_RIGHT);
}

// The frame nearest to a horizontal place, as an index.
export function nearestFrame(reel, x, width) {
  const [first, last] = stepRange(reel);
  const step = first + ((x - CURVES_LEFT) / (width - CURVES_LEFT - CURVES_RIGHT)) * (last - first);
  const index = frameIndex(reel, step);
  const next = Math.min(index + 1, reel.frames.length - 1);
  return Math.abs(reel.frames[next].step - step) < Math.abs(reel.frames[index].step - step) ? next : index;
}

function frameAtX({ film, cursor }, event) {
  return nearestFrame(film.reel, event.clientX - cursor.getBoundingClientRect().left, cursor.clientWidth);
}

export function scoreLabel(labels, name) {
  return labels[`score_${name}`] ?? name.replaceAll("_", " ");
}

export function scoreColour(film, name) {
  const { colours, otherColours } = film.header;
  const place = film.site.scores.indexOf(name);
  const pair = colours[name] ?? otherColours[Math.max(0, place) % otherColours.length];
  return pair[film.theme.dark ? 1 : 0];
}

// Scores that are shares keep the scale from 0 to 1; others get the one that holds them.
function valueRange({ reel, site, choice }) {
  let [low, high] = [0, 1e-9];
  for (const frame of reel.frames) {
    for (let layer = 0; layer < site.layers; layer++) {
      for (let head = 0; head < site.heads; head++) {
        const value = scoreAt(frame, choice.kind, site, choice.score, layer, head);
        if (value < low) low = value;
        if (value > high) high = value;
      }
    }
  }
  return low >= 0 && high <= 1 ? [0, 1] : [low, high + 0.04 * (high - low)];
}

function valueY(curves, value, height) {
  const [low, high] = curves.range;
  return CURVES_TOP + (1 - (value - low) / (high - low)) * (height - CURVES_TOP - CURVES_BOTTOM);
}

function drawLine(context, curves, width, layer, head) {
  const { film } = curves;
  let open = false;
  context.beginPath();
  for (const frame of film.reel.frames) {
    const value = scoreAt(frame, film.choice.kind, film.site, film.choice.score, layer, head);
    if (Number.isNaN(value)) open = false;
    else {
      const [x, y] = [stepX(film.reel, frame.step, width), valueY(curves, value, CURVES_HEIGHT)];
      if (open) context.lineTo(x, y);
      else context.moveTo(x, y);
      open = true;
    }
  }
  context.stroke();
}

function drawGrid(context, curves, width) {
  const { film } = curves;
  const [low, high] = curves.range;
  context.font = `11px ${film.theme.sans}`;
  context.textAlign = "right";
  context.textBaseline = "middle";
  context.lineWidth = 1;
  for (const share of [0, 0.5, 1]) {
    const value = low + share * (high - low);
    const y = Math.round(valueY(curves, value, CURVES_HEIGHT)) + 0.5;
    context.strokeStyle = cssRgb(film.theme.line);
    context.beginPath();
    context.moveTo(CURVES_LEFT, y);
    context.lineTo(width - CURVES_RIGHT, y);
    context.stroke();
    context.fillStyle = cssRgb(film.theme.faded);
    context.fillText(high <= 1 ? String(Number(value.toFixed(2))) : value.toPrecision(2), CURVES_LEFT - 8, y);
  }
}

// Everything but the cursor; also what an exported picture holds.
export function drawCurves(context, curves, width) {
  const { film } = curves;
  const { site, choice } = film;
  curves.range = valueRange(film);
  drawGrid(context, curves, width);
  context.strokeStyle = scoreColour(film, choice.score);
  context.lineJoin = "round";
  context.lineWidth = 1;
  context.globalAlpha = Math.max(0.16, Math.min(0.4, 4 / (site.layers * site.heads)));
  for (let layer = 0; layer < site.layers; layer++) {
    for (let head = 0; head < site.heads; head++) drawLine(context, curves, width, layer, head);
  }
  context.globalAlpha = 1;
  context.lineWidth = 2.4;
  drawLine(context, curves, width, choice.layer, choice.head);
}

export function drawCursor(context, curves, width) {
  const { film } = curves;
  const { theme, choice, site, frame } = film;
  const x = stepX(film.reel, frame.step, width);
  context.fillStyle = cssRgb(theme.text);
  context.fillRect(x - 0.5, CURVES_TOP, 1, CURVES_HEIGHT - CURVES_TOP);
  const value = scoreAt(frame, choice.kind, site, choice.score, choice.layer, choice.head);
  if (Number.isNaN(value)) return;
  context.beginPath();
  context.arc(x, valueY(curves, value, CURVES_HEIGHT), 4, 0, 2 * Math.PI);
  context.fillStyle = scoreColour(film, choice.score);
  context.fill();
  context.strokeStyle = cssRgb(theme.background);
  context.lineWidth = 1.5;
  context.stroke();
}

export function paintCurves(curves) {
  const width = curves.element.clientWidth;
  curves.element.hidden = !curves.film.choice.score;
  if (!width || !curves.film.choice.score) return;
  drawCurves(sizeCanvas(curves.base, width, CURVES_HEIGHT), curves, width);
  curves.element.style.height = `${CURVES_HEIGHT}px`;
  paintCursor(curves);
}

export function paintCursor(curves) {
  const width = curves.element.clientWidth;
  if (!width || !curves.range) return;
  drawCursor(sizeCanvas(curves.cursor, width, CURVES_HEIGHT), curves, width);
}

function pointAtCurve(curves, event) {
  const { film, cursor } = curves;
  const { site, choice, labels } = film;
  const frame = film.reel.frames[frameAtX(curves, event)];
  const y = event.clientY - cursor.getBoundingClientRect().top;
  let near = { layer: choice.layer, head: choice.head, distance: NEAR };
  for (let layer = 0; layer < site.layers; layer++) {
    for (let head = 0; head < site.heads; head++) {
      const value = scoreAt(frame, choice.kind, site, choice.score, layer, head);
      const distance = Math.abs(valueY(curves, value, CURVES_HEIGHT) - y);
      if (distance < near.distance) near = { layer, head, distance };
    }
  }
  const value = scoreAt(frame, choice.kind, site, choice.score, near.layer, near.head);
  film.tip.replaceChildren(
    element("strong", {}, fill(labels.step, { step: film.number(frame.step) })),
    element("div", {}, `${fill(labels.layerHead, near)}: ${formatFact(value)}`),
  );
  const box = film.root.getBoundingClientRect();
  placeTip(film.tip, box, event.clientX - box.left, event.clientY - box.top);
}
