// The elements of each kind of sample. Text becomes nothing but text nodes.

import { element, fill, formatNumber } from "../../../../playground/viewer/shared/js/dom.js";
import { tokenNode } from "../../../../playground/viewer/shared/js/tokens.js";

// A prompt and its continuation, as one running text.
export function textSample(sample, labels) {
  return element("figure", { class: "written", "data-kind": "text" },
    element("p", { dir: "auto" },
      element("span", { class: "prompt", title: labels.prompt }, sample.prompt),
      element("span", { class: "continuation", title: labels.continuation }, sample.text)));
}

function mark(isRight, labels) {
  return element("td", { class: isRight ? "mark right" : "mark wrong" },
    element("span", { "aria-hidden": "true" }, isRight ? "✓" : "×"),
    element("span", { class: "unseen" }, isRight ? labels.correct : labels.wrong));
}

export function answerTable(samples, labels) {
  const head = ["input", "output", "reference"].map((name) => element("th", { scope: "col" }, labels[name]));
  const rows = samples.map((sample) => element("tr", { "data-kind": "answer", "data-right": String(sample.isRight) },
    mark(sample.isRight, labels),
    ...[sample.question, sample.answer, sample.right].map((text) => element("td", {}, element("bdi", { class: "text" }, text)))));
  const correct = samples.filter(({ isRight }) => isRight).length;
  return element("div", { class: "table-scroll answers" }, element("table", {},
    element("caption", {}, fill(labels.share, { correct, count: samples.length })),
    element("thead", {}, element("tr", {}, element("th", { class: "mark" }), ...head)),
    element("tbody", {}, ...rows)));
}

function guessBars(word, labels) {
  const rows = word.guesses.map(([text, share]) => {
    const bar = element("i", { class: "share" });
    bar.style.inlineSize = `${Math.max(1, 100 * share)}%`;
    return element("li", text === word.right ? { class: "right" } : {},
      tokenNode(text, false), element("span", { class: "bar" }, bar), element("span", { class: "numeric" }, formatNumber(share, 3)));
  });
  return element("div", { class: "guesses", role: "tooltip" },
    element("strong", {}, fill(labels.guesses, { position: word.position })),
    element("ol", {}, ...rows),
    element("div", { class: "reference" }, fill(labels.referenceWord, { word: word.right })));
}

function maskedChip(word, labels) {
  const [best] = word.guesses;
  const isRight = best?.[0] === word.right;
  const verdict = isRight ? labels.correct : labels.wrong;
  const description = best ? `${best[0]}, ${verdict}; ${fill(labels.referenceWord, { word: word.right })}` : word.right;
  const parts = [tokenNode(best?.[0] ?? "", false)];
  if (!isRight) parts.push(element("span", { class: "instead" }, tokenNode(word.right, false)));
  const button = element("button", {
    type: "button", class: `masked ${isRight ? "right" : "wrong"}`, "data-position": word.position, "aria-label": description,
  }, ...parts);
  return element("span", { class: "holder" }, button, guessBars(word, labels));
}

export function maskedSample(sample, labels) {
  const byPosition = new Map(sample.masked.map((word) => [word.position, word]));
  const chips = sample.tokens.map((text, position) =>
    byPosition.has(position) ? maskedChip(byPosition.get(position), labels) : element("span", { class: "plain" }, tokenNode(text, /^<\|.*\|>$/.test(text))));
  return element("div", { class: "masked-text", dir: "auto", "data-kind": "masked" }, ...chips);
}
