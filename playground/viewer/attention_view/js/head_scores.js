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

export function paintHeadScores(scores, view) {
  const { labels, scores: known, state, theme, shade } = view;
  const { layer, head, combine } = state.selected;
  const colour = cssRgb(shade.ramp[Math.round(shade.ramp.length * 0.72)]);
  scores.element.style.setProperty("--bar", colour);
  scores.element.style.setProperty("--track", cssRgb(theme.masked));
  const list = element("dl", {});
  // Means and maxima over heads have no scores.
  for (const name of combine === "head" ? view.scoreNames : []) {
    const value = scoreOf(known, name, layer, head);
    const top = known ? Math.max(1, largest(known, name)) : 1;
    list.append(...scoreRow(view, name, value, value / top));
  }
  const children = [element("h4", {}, labels.headScores), list];
  if (typeof view.exact?.maxError === "number") {
    children.push(element("p", { class: "note" }, fill(labels.verified, { value: formatNumber(view.exact.maxError, 2) })));
  }
  scores.element.replaceChildren(...children);
}

function scoreRow(view, name, value, share) {
  const bar = element("span", { class: "bar", "aria-hidden": "true" }, element("i"));
  const waiting = value === undefined;
  const missing = value === null || waiting;
  bar.firstChild.style.width = `${missing ? 0 : Math.min(100, Math.max(0, 100 * share))}%`;
  const label = scoreLabel(view.labels, name);
  const hint = fill(view.labels.showLargest, { score: label });
  const unit = missing ? "" : view.labels[`unit_${name}`] ?? "";
  return [
    element("dt", {}, element("button", { type: "button", "data-score": name, title: hint }, label)),
    element("dd", { "data-score": name, title: hint }, bar, element("span", { class: "number" }, waiting ? "…" : formatScore(value)),
      element("span", { class: "unit" }, unit)),
  ];
}
