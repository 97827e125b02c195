// The chosen head's scores at the step shown, at the first and at the last: for the eye and for screen readers.

import { element, fill, formatFact } from "../../shared/js/dom.js";
import { scoreColour, scoreLabel } from "./curves.js";
import { bestHead, scoreAt } from "./reel.js";

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
  const bestText = Number.isFinite(best.value) ? fill(film.labels.bestHead, { ...best, value: formatFact(best.value) }) : "–";
  const go = element("button", { type: "button", class: "link", onclick: () => film.choose({ layer: best.layer, head: best.head, score: name }) }, bestText);
  return element("tr", { "data-score": name, "aria-selected": String(name === score) },
    element("th", { scope: "row" }, chip, scoreLabel(film.labels, name)),
    ...values.map((value) => element("td", { class: "numeric" }, formatFact(value))),
    element("td", { class: "numeric" }, go));
}
