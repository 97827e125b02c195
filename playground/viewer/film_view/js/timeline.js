// The slider over the training steps, below the curves and on the same scale.

import { clamp, element, fill } from "../../shared/js/dom.js";
import { CURVES_LEFT, CURVES_RIGHT, nearestFrame, stepRange, stepX } from "./curves.js";

export function createTimeline(film) {
  const knob = element("div", { class: "knob" });
  const done = element("div", { class: "done" });
  const track = element("div", { class: "track", role: "slider", tabindex: "0", "data-part": "timeline" }, element("div", { class: "rail" }, done), knob);
  const ticks = element("div", { class: "ticks", "aria-hidden": "true" });
  const timeline = { film, knob, done, track, ticks, element: element("div", { class: "timeline" }, track, ticks) };
  const seek = (event) => {
    const left = timeline.element.getBoundingClientRect().left;
    film.seek(nearestFrame(film.reel, event.clientX - left, timeline.element.clientWidth));
  };
  track.addEventListener("pointerdown", (event) => {
    track.setPointerCapture(event.pointerId);
    seek(event);
  });
  track.addEventListener("pointermove", (event) => event.buttons && seek(event));
  track.addEventListener("keydown", (event) => sliderKey(film, event));
  return timeline;
}

function sliderKey(film, event) {
  const { length } = film.reel.frames;
  const leap = Math.max(1, Math.round(length / 10));
  const moves = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -leap, PageUp: leap, Home: -length, End: length };
  if (event.key === " ") film.togglePlay();
  else if (event.key in moves) film.seek(clamp(film.index + moves[event.key], 0, length - 1));
  else return;
  event.preventDefault();
}

// About `count` round steps within the range.
function tickSteps([first, last], count = 5) {
  const rough = (last - first) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const size = Math.max(1, [1, 2, 5, 10].map((factor) => factor * power).find((value) => value >= rough) ?? 10 * power);
  const steps = [];
  for (let step = Math.ceil(first / size) * size; step <= last; step += size) steps.push(step);
  return steps;
}

export function paintTicks(timeline) {
  const { film, ticks } = timeline;
  const width = timeline.element.clientWidth;
  const marks = tickSteps(stepRange(film.reel), width < 480 ? 3 : 6).map((step) => {
    const mark = element("span", {}, film.number(step));
    mark.style.left = `${stepX(film.reel, step, width)}px`;
    return mark;
  });
  ticks.replaceChildren(...marks);
}

export function paintKnob(timeline) {
  const { film, track, knob, done } = timeline;
  const { step } = film.frame;
  const [first, last] = stepRange(film.reel);
  const share = `${(100 * (step - first)) / (last - first)}%`;
  track.style.marginInline = `${CURVES_LEFT}px ${CURVES_RIGHT}px`;
  knob.style.insetInlineStart = share;
  done.style.inlineSize = share;
  const label = film.header.lastStep ? film.labels.stepOf : film.labels.step;
  const values = {
    "aria-label": film.labels.timeline, "aria-valuemin": first, "aria-valuemax": last, "aria-valuenow": step,
    "aria-valuetext": fill(label, { step: film.number(step), last: film.number(film.header.lastStep) }),
  };
  for (const [name, value] of Object.entries(values)) track.setAttribute(name, value);
}
