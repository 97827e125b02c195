// Above the pictures: kind, score and export; above the curves: play, loop, follow the newest, and the step.

import { clamp, element, fill } from "../../shared/js/dom.js";
import { scoreColour, scoreLabel } from "./curves.js";

const FILM_SECONDS = 9;
const PLAY_SHAPE = "M5 3.5v13l11-6.5z";
const PAUSE_SHAPE = "M5 4h3.5v12H5zM11.5 4H15v12h-3.5z";
const SVG_SPACE = "http://www.w3.org/2000/svg";

export function createChoices(film) {
  const choices = { film, built: "", element: element("div", { class: "toolbar", role: "toolbar" }) };
  return choices;
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
  save.setAttribute("aria-label", `${labels.export}: PNG`);
  choices.element.replaceChildren(
    ...(choices.kinds.length > 1 ? [kinds] : []),
    ...(site.scores.length ? [score] : []),
    element("div", { class: "field exports" }, element("span", {}, labels.export), element("div", {}, save)),
  );
}

export function paintChoices(choices) {
  const { header, site, choice, labels } = choices.film;
  const built = JSON.stringify([Object.keys(header.sites), site.scores, labels.score]);
  if (choices.built !== built) buildChoices(choices);
  choices.built = built;
  for (const button of choices.kinds) button.setAttribute("aria-pressed", String(button.dataset.kind === choice.kind));
  choices.score.value = choice.score;
}

export function createPlayer(film) {
  const shape = document.createElementNS(SVG_SPACE, "path");
  const icon = document.createElementNS(SVG_SPACE, "svg");
  icon.setAttribute("viewBox", "0 0 20 20");
  icon.setAttribute("aria-hidden", "true");
  icon.append(shape);
  const play = element("button", { type: "button", class: "word play", "data-part": "play", onclick: () => film.togglePlay() }, icon);
  const loop = element("button", { type: "button", class: "word", "data-part": "loop", onclick: () => film.choose({ loop: !film.choice.loop }) });
  const newest = element("button", { type: "button", class: "word", "data-part": "newest", onclick: () => film.follow() });
  const step = element("output", { class: "step", "data-part": "step" });
  const drawn = element("span", { class: "drawn", "data-part": "drawn" });
  return { film, play, shape, loop, newest, step, drawn, element: element("div", { class: "player" }, play, loop, newest, drawn, step) };
}

export function paintPlayer(player) {
  const { film, play, shape, loop, newest, step, drawn } = player;
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
  const words = fill(labels.drawn, { score: scoreLabel(labels, choice.score), title: film.title() });
  drawn.replaceChildren(...(choice.score ? [chip, words] : []));
  const text = header.lastStep ? labels.stepOf : labels.step;
  step.textContent = fill(text, { step: film.number(frame.step), last: film.number(header.lastStep) });
}

// A whole film in a few seconds, but never faster than the eye or slower than patience.
export function frameMilliseconds(count) {
  return clamp((1000 * FILM_SECONDS) / count, 60, 500);
}
