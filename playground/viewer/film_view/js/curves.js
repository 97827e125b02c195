// Head scores over training: curves of the selected score for every head, and a table of the selected head's scores.

import { cssRgb, sized } from "../../shared/js/colour.js";
import { element, fill, formatScore, scoreLabel, showTip, sizeCanvas } from "../../shared/js/dom.js";
import { bestHead, frameIndex, scoreAt } from "./reel.js";

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

// The index of the frame nearest to a horizontal position.
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

export function scoreColour(film, name) {
  const { colours, otherColours } = film.header;
  const index = film.site.scores.indexOf(name);
  const pair = colours[name] ?? otherColours[Math.max(0, index) % otherColours.length];
  return pair[film.theme.dark ? 1 : 0];
}

// Scores within [0, 1] get that scale, whatever their maximum; others the range that they cover.
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
  let drawing = false;
  context.beginPath();
  for (const frame of film.reel.frames) {
    const value = scoreAt(frame, film.choice.kind, film.site, film.choice.score, layer, head);
    if (Number.isNaN(value)) drawing = false;
    else {
      const [x, y] = [stepX(film.reel, frame.step, width), valueY(curves, value, CURVES_HEIGHT)];
      if (drawing) context.lineTo(x, y);
      else context.moveTo(x, y);
      drawing = true;
    }
  }
  context.stroke();
}

function drawGrid(context, curves, width) {
  const { film } = curves;
  const [low, high] = curves.range;
  context.font = `${sized(11, film.theme)}px ${film.theme.sans}`;
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

// The events of the selected score: when it passed its threshold, said beside a dashed line.
function drawMarks(context, curves, width) {
  const { film } = curves;
  const { choice, theme, reel } = film;
  const [first, last] = stepRange(reel);
  context.save();
  context.setLineDash([4, 3]);
  context.lineWidth = 1;
  context.strokeStyle = context.fillStyle = cssRgb(theme.text);
  context.font = `${sized(11, theme)}px ${theme.sans}`;
  context.textBaseline = "top";
  for (const mark of marksOf(film.header, choice)) {
    if (mark.step < first || mark.step > last) continue;
    const x = Math.round(stepX(reel, mark.step, width)) + 0.5;
    const y = Math.round(valueY(curves, mark.threshold, CURVES_HEIGHT)) + 0.5;
    context.beginPath();
    context.moveTo(x, CURVES_TOP);
    context.lineTo(x, CURVES_HEIGHT - CURVES_BOTTOM);
    context.moveTo(CURVES_LEFT, y);
    context.lineTo(x, y);
    context.stroke();
    const wide = context.measureText(mark.text).width;
    const start = x > width / 2 ? x - 5 - wide : x + 5;
    context.textAlign = "left";
    context.fillText(mark.text, Math.max(2, Math.min(start, width - wide - 2)), CURVES_TOP);
  }
  context.restore();
}

function marksOf(header, { kind, score }) {
  return (header.marks ?? []).filter((mark) => mark.kind === kind && mark.score === score);
}

// Every curve, without the cursor; exported pictures use it too.
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
  drawMarks(context, curves, width);
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
  const events = marksOf(curves.film.header, curves.film.choice).map(({ text }) => text);
  curves.base.setAttribute("role", "img");
  curves.base.setAttribute("aria-label", [scoreLabel(curves.film.labels, curves.film.choice.score), ...events].join(". "));
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
  let nearest = { layer: choice.layer, head: choice.head, distance: NEAR };
  for (let layer = 0; layer < site.layers; layer++) {
    for (let head = 0; head < site.heads; head++) {
      const value = scoreAt(frame, choice.kind, site, choice.score, layer, head);
      const distance = Math.abs(valueY(curves, value, CURVES_HEIGHT) - y);
      if (distance < nearest.distance) nearest = { layer, head, distance };
    }
  }
  const value = scoreAt(frame, choice.kind, site, choice.score, nearest.layer, nearest.head);
  film.tip.replaceChildren(
    element("strong", {}, fill(labels.step, { step: film.number(frame.step) })),
    element("div", {}, `${fill(labels.layerHead, nearest)}: ${formatScore(value)}`),
  );
  showTip(film.tip, film.root, event);
}

// The selected head's scores at the step shown, the first and the last step, beside the best head of each score.
export function createScores(film) {
  return { film, element: element("div", { class: "scores", "data-part": "scores" }) };
}

export function paintScores(scores) {
  const { film } = scores;
  const { labels, site, choice, frame, reel } = film;
  if (!site.scores.length) return scores.element.replaceChildren(element("p", { class: "note" }, labels.noScores));
  const heads = ["score", "now", "first", "last", "best"].map((name, index) =>
    element("th", { scope: "col", class: index ? "numeric" : null }, labels[name]));
  const caption = element("caption", {}, fill(labels.scoresOf, { title: film.title(), step: film.number(frame.step) }));
  const rows = site.scores.map((name) => scoreRow(film, name, [frame, reel.frames[0], reel.frames[reel.frames.length - 1]], choice));
  scores.element.replaceChildren(element("table", {}, caption, element("thead", {}, element("tr", {}, ...heads)), element("tbody", {}, ...rows)));
}

function scoreRow(film, name, frames, { kind, layer, head, score }) {
  const values = frames.map((frame) => scoreAt(frame, kind, film.site, name, layer, head));
  const best = bestHead(frames[0], kind, film.site, name);
  const chip = element("i", { class: "chip" });
  chip.style.background = scoreColour(film, name);
  const bestText = Number.isFinite(best.value) ? fill(film.labels.bestHead, { ...best, value: formatScore(best.value) }) : "–";
  const selectBest = element("button", { type: "button", class: "link", onclick: () => film.choose({ layer: best.layer, head: best.head, score: name }) }, bestText);
  // Its name is explained by the page's glossary.
  const selectScore = element("button", { type: "button", class: "link", "data-term": name, onclick: () => film.choose({ score: name }) }, scoreLabel(film.labels, name));
  return element("tr", { "data-score": name, "aria-selected": String(name === score) },
    element("th", { scope: "row" }, chip, selectScore),
    ...values.map((value) => element("td", { class: "numeric" }, formatScore(value))),
    element("td", { class: "numeric" }, selectBest));
}
