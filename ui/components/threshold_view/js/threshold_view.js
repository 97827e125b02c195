// The threshold of a classifier: counts, scores and both curves follow the slider without asking the server.

import { decodePayload } from "../../../../playground/viewer/shared/js/decode.js";
import { element, fill, formatNumber, formatScore } from "../../../../playground/viewer/shared/js/dom.js";
import { fileStem, saveBlob, withLink } from "../../../../playground/viewer/shared/js/files.js";
import { mount } from "../../../../playground/viewer/shared/js/mount.js";
import { plot } from "./plots.js";
import { countsAt, curvesCsv, scoresOf } from "./scores.js";

const SHOWN = ["accuracy", "precision", "recall", "f1", "falsePositiveRate"];
const SERVED = ["stroke", "stroke-width", "stroke-dasharray", "fill", "font-size", "font-family"];

class ThresholdView {
  constructor(root) {
    this.root = root;
    this.slider = element("input", {
      type: "range", min: 0, step: 1,
      oninput: () => this.move(Number(this.slider.value)),
      onchange: () => this.report(this.data.thresholds[this.index]),
    });
    this.rule = element("output", { class: "rule" });
    this.table = element("table", {});
    this.scores = element("dl", {});
    this.plots = element("div", { class: "plots" });
    this.files = element("div", { class: "files" });
    const numbers = element("div", { class: "numbers" }, element("div", { class: "table-scroll" }, this.table), this.scores);
    root.replaceChildren(element("div", { class: "over" }, this.slider, this.rule), element("div", { class: "shown" }, numbers, this.plots), this.files);
  }

  accept({ data, setStateValue }) {
    // The slider's first place predicts nothing: it has no number to report.
    this.report = (threshold) => threshold !== null && setStateValue("threshold", threshold);
    if (!data || data === this.bytes) return;
    this.bytes = data;
    this.data = decodePayload(data).header;
    const { labels, thresholds, start } = this.data;
    // Left is the lowest threshold, where everything is predicted positive: the list falls, so the slider is turned.
    Object.assign(this.slider, { max: thresholds.length - 1 });
    this.slider.setAttribute("aria-label", labels.threshold);
    this.slider.dir = "rtl";
    const button = (text, title, save) => element("button", { type: "button", class: "save", title, "aria-label": title, onclick: save }, text);
    this.files.replaceChildren(button("CSV", labels.saveCsv, () => this.saveCsv()), button("SVG", labels.saveSvg, () => this.saveSvg()));
    this.move(start);
  }

  move(index) {
    this.index = index;
    const { labels, thresholds, positive } = this.data;
    const threshold = thresholds[index];
    const rule = fill(threshold === null ? labels.none : labels.rule, { positive, threshold: formatNumber(threshold) });
    this.slider.value = index;
    this.slider.setAttribute("aria-valuetext", rule);
    this.rule.textContent = rule;
    this.root.dataset.threshold = threshold;
    const counts = countsAt(this.data, index);
    this.showCounts(counts);
    const scores = scoresOf(counts);
    this.scores.replaceChildren(...SHOWN.flatMap((name) => [element("dt", {}, labels[name]), element("dd", { "data-score": name }, formatScore(scores[name]))]));
    this.showPlots(scores, counts);
  }

  showCounts({ tp, fp, fn, tn }) {
    const { labels, positive } = this.data;
    const cell = (name, count, isRight) => element("td", { class: isRight ? "right" : "wrong", "data-count": name }, count.toLocaleString("en"));
    const heading = (label, scope) => element("th", { scope }, fill(label, { positive }));
    this.table.replaceChildren(
      element("thead", {}, element("tr", {}, element("td", {}), heading(labels.predicted, "col"), heading(labels.notPredicted, "col"))),
      element("tbody", {},
        element("tr", {}, heading(labels.is, "row"), cell("tp", tp, true), cell("fn", fn, false)),
        element("tr", {}, heading(labels.isNot, "row"), cell("fp", fp, false), cell("tn", tn, true))));
  }

  showPlots(scores, { tp, fp, fn, tn }) {
    const { labels } = this.data;
    this.points ??= new WeakMap();
    if (!this.points.has(this.data)) {
      const all = this.data.thresholds.map((_, index) => scoresOf(countsAt(this.data, index)));
      this.points.set(this.data, {
        roc: all.map(({ falsePositiveRate, recall }) => [falsePositiveRate, recall]),
        pr: all.map(({ recall, precision }) => [recall, precision ?? 1]),
      });
    }
    const { roc, pr } = this.points.get(this.data);
    const base = (tp + fn) / (tp + fp + fn + tn);
    this.plots.replaceChildren(
      plot({ title: labels.roc, x: labels.falsePositiveRate, y: labels.recall, points: roc, chance: [[0, 0], [1, 1]], chosen: [scores.falsePositiveRate, scores.recall] }),
      plot({ title: labels.pr, x: labels.recall, y: labels.precision, points: pr, chance: [[0, base], [1, base]], chosen: [scores.recall, scores.precision ?? 1] }));
  }

  stem() {
    return fileStem(this.data.label, { fallback: "threshold", most: 60 });
  }

  saveCsv() {
    saveBlob(new Blob([curvesCsv({ ...this.data, provenance: withLink(this.data.provenance) })], { type: "text/csv" }), `${this.stem()}.csv`);
  }

  // Both plots side by side, their computed looks written into the file.
  saveSvg() {
    const plots = [...this.plots.children];
    const whole = plots[0].cloneNode(false);
    const { width, height } = plots[0].viewBox.baseVal;
    plots.forEach((node, place) => {
      const copy = node.cloneNode(true);
      [...node.querySelectorAll("*")].forEach((source, index) => {
        const style = getComputedStyle(source);
        for (const name of SERVED) copy.querySelectorAll("*")[index].setAttribute(name, style.getPropertyValue(name));
      });
      for (const [name, value] of Object.entries({ x: place * width, width, height })) copy.setAttribute(name, value);
      whole.append(copy);
    });
    const description = document.createElementNS("http://www.w3.org/2000/svg", "desc");
    description.textContent = withLink(this.data.provenance).join("\n");
    whole.prepend(description);
    whole.setAttribute("viewBox", `0 0 ${2 * width} ${height}`);
    saveBlob(new Blob([new XMLSerializer().serializeToString(whole)], { type: "image/svg+xml" }), `${this.stem()}.svg`);
  }
}

export default function thresholdView(component) {
  return mount(component, (root) => new ThresholdView(root));
}
