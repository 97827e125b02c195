// The selected head's scores as bars: shares on a scale to 1, other measures on a scale to the largest of all heads.

import { cssRgb } from "../../shared/js/colour.js";
import { element, fill, formatNumber, formatScore, scoreLabel } from "../../shared/js/dom.js";
import { scoreOf } from "./store.js";

export function createHeadScores(view) {
  const section = element("section", { class: "head-scores", "data-part": "head-scores" });
  section.addEventListener("click", (event) => {
    const name = event.target.closest("[data-score]")?.dataset.score;
    const head = name && view.scores ? headWithLargest(view.scores, name) : null;
    if (head) view.select({ ...head, combine: "head" });
  });
  return { element: section };
}

// The head whose score of this name is the largest; null where no head has one.
export function headWithLargest({ names, values, layers, heads }, name) {
  const start = names.indexOf(name) * layers * heads;
  let best = -1;
  for (let index = 0; index < layers * heads; index++) {
    const value = values[start + index];
    if (Number.isFinite(value) && (best < 0 || value > values[start + best])) best = index;
  }
  return best < 0 ? null : { layer: Math.floor(best / heads), head: best % heads };
}

function largest({ names, values, layers, heads }, name) {
  const start = names.indexOf(name) * layers * heads;
  return values.subarray(start, start + layers * heads).reduce((best, value) => (value > best ? value : best), 0);
}

// The rows stay while the text does: a button keeps its focus, and its place below the finger that pressed it.
export function paintHeadScores(scores, view) {
  const { labels, scores: known, state, theme, shade } = view;
  const { layer, head, combine } = state.selected;
  const colour = cssRgb(shade.ramp[Math.round(shade.ramp.length * 0.72)]);
  scores.element.style.setProperty("--bar", colour);
  scores.element.style.setProperty("--track", cssRgb(theme.masked));
  if (scores.source !== view.header) buildRows(scores, view);
  // Means and maxima over heads have no scores.
  scores.list.hidden = combine !== "head";
  for (const row of combine === "head" ? scores.rows : []) {
    const top = known ? Math.max(1, largest(known, row.name)) : 1;
    paintRow(row, scoreOf(known, row.name, layer, head), top, labels);
  }
  const error = view.exact?.maxError;
  scores.verified.textContent = typeof error === "number" ? fill(labels.verified, { value: formatNumber(error, 2) }) : "";
}

function buildRows(scores, view) {
  scores.source = view.header;
  scores.rows = view.scoreNames.map((name) => scoreRow(view.labels, name));
  scores.list = element("dl", {}, ...scores.rows.flatMap(({ cells }) => cells));
  scores.verified = element("p", { class: "note" });
  scores.element.replaceChildren(element("h4", {}, view.labels.headScores), scores.list, scores.verified);
}

// Its name is explained by the page's glossary, the bar tells what a click does.
function scoreRow(labels, name) {
  const label = scoreLabel(labels, name);
  const hint = fill(labels.showLargest, { score: label });
  const [share, number, unit] = [element("i"), element("span", { class: "number" }), element("span", { class: "unit" })];
  const button = element("button", { type: "button", "data-score": name, "data-term": name, "aria-label": hint }, label);
  const bar = element("span", { class: "bar", "aria-hidden": "true" }, share);
  const cells = [element("dt", {}, button), element("dd", { "data-score": name, title: hint }, bar, number, unit)];
  return { name, cells, share, number, unit };
}

function paintRow({ name, share, number, unit }, value, top, labels) {
  const waiting = value === undefined;
  const missing = value === null || waiting;
  share.style.width = `${missing ? 0 : Math.min(100, Math.max(0, (100 * value) / top))}%`;
  number.textContent = waiting ? "…" : formatScore(value);
  unit.textContent = missing ? "" : labels[`unit_${name}`] ?? "";
}
