// Two toolbars: kind, score and export above the maps; play, loop, follow the newest and the step above the curves.

import { clamp, element, fill, scoreLabel, svgElement } from "../../shared/js/dom.js";
import { scoreColour } from "./curves.js";

const FILM_SECONDS = 9;
const PLAY_SHAPE = "M5 3.5v13l11-6.5z";
const PAUSE_SHAPE = "M5 4h3.5v12H5zM11.5 4H15v12h-3.5z";

export function createChoices(film) {
  return { film, signature: "", element: element("div", { class: "toolbar", role: "toolbar" }) };
}

function buildChoices(choices) {
  const { film } = choices;
  const { labels, header, site } = film;
  choices.kinds = Object.keys(header.sites).map((kind) => element("button", {
    type: "button", "data-kind": kind, onclick: () => film.choose({ kind }),
  }, labels[kind]));
  choices.score = element("select", { "data-choice": "score", onchange: () => film.choose({ score: choices.score.value }) },
    ...site.scores.map((name) => element("option", { value: name }, scoreLabel(labels, name))));
  const kinds = element("div", { class: "field" }, element("span", {}, labels.kinds),
    element("div", { class: "switch", role: "group", "aria-label": labels.kinds }, ...choices.kinds));
  const score = element("label", { class: "field" }, element("span", {}, labels.score), choices.score);
  const save = element("button", { type: "button", class: "word", "data-export": "png", onclick: () => film.save() }, "PNG");
  save.setAttribute("aria-label", labels.savePng);
  choices.element.replaceChildren(
    ...(choices.kinds.length > 1 ? [kinds] : []),
    ...(site.scores.length ? [score] : []),
    element("div", { class: "field exports" }, element("span", {}, labels.export), element("div", {}, save)),
  );
}

export function paintChoices(choices) {
  const { header, site, choice, labels } = choices.film;
  const signature = JSON.stringify([Object.keys(header.sites), site.scores, labels.score]);
  if (choices.signature !== signature) buildChoices(choices);
  choices.signature = signature;
  for (const button of choices.kinds) button.setAttribute("aria-pressed", String(button.dataset.kind === choice.kind));
  choices.score.value = choice.score;
}

export function createPlayer(film) {
  const shape = svgElement("path", {});
  const icon = svgElement("svg", { viewBox: "0 0 20 20", "aria-hidden": "true" }, shape);
  const play = element("button", { type: "button", class: "word play", "data-part": "play", onclick: () => film.togglePlay() }, icon);
  const loop = element("button", { type: "button", class: "word", "data-part": "loop", onclick: () => film.choose({ loop: !film.choice.loop }) });
  const newest = element("button", { type: "button", class: "word", "data-part": "newest", onclick: () => film.follow() });
  const step = element("output", { class: "step", "data-part": "step" });
  const caption = element("span", { class: "curves-caption" });
  return { film, play, shape, loop, newest, step, caption, element: element("div", { class: "player" }, play, loop, newest, caption, step) };
}

export function paintPlayer(player) {
  const { film, play, shape, loop, newest, step, caption } = player;
  const { labels, header, choice, frame } = film;
  shape.setAttribute("d", film.playing ? PAUSE_SHAPE : PLAY_SHAPE);
  play.setAttribute("aria-label", film.playing ? labels.pause : labels.play);
  play.title = film.playing ? labels.pause : labels.play;
  loop.textContent = labels.loop;
  loop.setAttribute("aria-pressed", String(choice.loop));
  newest.textContent = labels.newest;
  newest.hidden = !header.live;
  newest.setAttribute("aria-pressed", String(choice.step === null));
  const chip = element("i", { class: "chip" });
  if (choice.score) chip.style.background = scoreColour(film, choice.score);
  const text = fill(labels.curvesCaption, { score: scoreLabel(labels, choice.score), title: film.title() });
  caption.replaceChildren(...(choice.score ? [chip, text] : []));
  step.textContent = fill(header.lastStep ? labels.stepOf : labels.step, { step: film.number(frame.step), last: film.number(header.lastStep) });
}

// The time per frame that plays a film in nine seconds, within what the eye can follow.
export function frameMilliseconds(count) {
  return clamp((1000 * FILM_SECONDS) / count, 60, 500);
}
