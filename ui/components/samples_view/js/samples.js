// Samples over time: the newest, or those of the step that was chosen on the slider.

import { decodePayload } from "../../shared/js/decode.js";
import { clamp, element, fill } from "../../shared/js/dom.js";
import { answerTable, maskedSample, textSample } from "./kinds.js";

const mounted = new WeakMap();

class Samples {
  constructor(root) {
    this.root = root;
    this.step = null;
    this.slider = element("input", { type: "range", min: 0, step: 1, "data-part": "slider", oninput: () => this.choose(Number(this.slider.value)) });
    this.said = element("output", { class: "step" });
    this.newest = element("button", { type: "button", class: "word", onclick: () => this.choose(Infinity) });
    this.bar = element("div", { class: "over" }, this.slider, this.said, this.newest);
    this.shown = element("div", { class: "samples", "data-part": "samples" });
    this.empty = element("p", { class: "note" });
    root.replaceChildren(this.bar, this.empty, this.shown);
    root.getRootNode().host?.closest?.('[data-testid="stElementContainer"]')?.style.setProperty("opacity", "1", "important");
  }

  accept({ data }) {
    if (!data || data === this.data) return;
    this.data = data;
    const { header } = decodePayload(data);
    if (header.run !== this.header?.run) this.step = null;
    this.header = header;
    this.paint();
  }

  choose(index) {
    const { entries } = this.header;
    this.step = index >= entries.length - 1 ? null : entries[index].step;
    this.paint();
  }

  // The chosen step's place, or the one before it where thinning took it away; the newest for null.
  place() {
    const { entries } = this.header;
    const later = this.step === null ? -1 : entries.findIndex(({ step }) => step > this.step);
    return later < 0 ? entries.length - 1 : clamp(later - 1, 0, entries.length - 1);
  }

  paint() {
    const { entries, labels } = this.header;
    this.bar.hidden = entries.length < 2;
    this.empty.textContent = entries.length ? "" : labels.empty;
    if (!entries.length) return this.shown.replaceChildren();
    const index = this.place();
    const entry = entries[index];
    const step = fill(labels.step, { step: entry.step.toLocaleString() });
    Object.assign(this.slider, { max: entries.length - 1, value: index });
    this.slider.setAttribute("aria-label", labels.over);
    this.slider.setAttribute("aria-valuetext", step);
    this.said.textContent = step;
    this.newest.textContent = labels.newest;
    this.newest.setAttribute("aria-pressed", String(this.step === null));
    const drawn = JSON.stringify([entry, labels]);
    // What has not changed stays as it is, with its focus and open list.
    if (drawn !== this.drawn) this.shown.replaceChildren(...this.draw(entry.samples));
    this.drawn = drawn;
    this.root.dataset.step = entry.step;
  }

  draw(samples) {
    const { labels } = this.header;
    const of = (kind) => samples.filter((sample) => sample.kind === kind);
    const masked = of("masked").map((sample) => maskedSample(sample, labels));
    const answers = of("answer");
    return [
      ...of("text").map((sample) => textSample(sample, labels)),
      ...(answers.length ? [answerTable(answers, labels)] : []),
      ...(masked.length ? [element("p", { class: "note" }, labels.maskedHelp), ...masked] : []),
    ];
  }
}

export default function samplesView(component) {
  const { parentElement } = component;
  const root = parentElement.querySelector(".root");
  let samples = mounted.get(parentElement);
  if (samples?.root !== root) {
    samples = new Samples(root);
    mounted.set(parentElement, samples);
  }
  samples.accept(component);
  return () => mounted.delete(parentElement);
}
