// Samples over training: the newest, or those of the step selected on the slider.

import { decodePayload } from "../../../../playground/viewer/shared/js/decode.js";
import { clamp, element, fill } from "../../../../playground/viewer/shared/js/dom.js";
import { mount } from "../../../../playground/viewer/shared/js/mount.js";
import { answerTable, maskedSample, textSample } from "./kinds.js";

class Samples {
  constructor(root) {
    this.root = root;
    this.step = null;
    this.slider = element("input", { type: "range", min: 0, step: 1, "data-part": "slider", oninput: () => this.choose(Number(this.slider.value)) });
    this.stepLabel = element("output", { class: "step" });
    this.newest = element("button", { type: "button", class: "word", onclick: () => this.choose(Infinity) });
    this.bar = element("div", { class: "over" }, this.slider, this.stepLabel, this.newest);
    this.shown = element("div", { class: "samples", "data-part": "samples" });
    this.empty = element("p", { class: "note" });
    root.replaceChildren(this.bar, this.empty, this.shown);
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

  // The index of the selected step's entry, or of the one before it if that was thinned out; the newest for null.
  entryIndex() {
    const { entries } = this.header;
    const later = this.step === null ? -1 : entries.findIndex(({ step }) => step > this.step);
    return later < 0 ? entries.length - 1 : clamp(later - 1, 0, entries.length - 1);
  }

  paint() {
    const { entries, labels } = this.header;
    this.bar.hidden = entries.length < 2;
    this.empty.textContent = entries.length ? "" : labels.empty;
    if (!entries.length) return this.shown.replaceChildren();
    const index = this.entryIndex();
    const entry = entries[index];
    const step = fill(labels.step, { step: entry.step.toLocaleString() });
    Object.assign(this.slider, { max: entries.length - 1, value: index });
    this.slider.setAttribute("aria-label", labels.over);
    this.slider.setAttribute("aria-valuetext", step);
    this.stepLabel.textContent = step;
    this.newest.textContent = labels.newest;
    this.newest.setAttribute("aria-pressed", String(this.step === null));
    const signature = JSON.stringify([entry, labels]);
    // Unchanged samples keep their elements, with focus and an open list of guesses.
    if (signature !== this.signature) this.shown.replaceChildren(...this.draw(entry.samples));
    this.signature = signature;
    this.root.dataset.step = entry.step;
  }

  draw(samples) {
    const { labels } = this.header;
    const ofKind = (kind) => samples.filter((sample) => sample.kind === kind);
    const masked = ofKind("masked").map((sample) => maskedSample(sample, labels));
    const answers = ofKind("answer");
    return [
      ...ofKind("text").map((sample) => textSample(sample, labels)),
      ...(answers.length ? [answerTable(answers, labels)] : []),
      ...(masked.length ? [element("p", { class: "note" }, labels.maskedHelp), ...masked] : []),
    ];
  }
}

export default function samplesView(component) {
  return mount(component, (root) => new Samples(root));
}
