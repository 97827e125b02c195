// The chosen head in numbers, each with a bar: scores against 1, other measures against the largest head.

import { cssRgb } from "../../shared/js/colour.js";
import { element, fill, formatFact, formatNumber } from "../../shared/js/dom.js";

export function createFacts() {
  return { element: element("section", { class: "facts", "data-part": "facts" }) };
}

function largest(table) {
  let best = 0;
  for (const row of table) for (const value of row) if (value !== null && value > best) best = value;
  return best;
}

export function paintFacts(facts, view) {
  const { header, labels, state, theme, shade } = view;
  const { layer, head, combine } = state.selected;
  const colour = cssRgb(shade.ramp[Math.round(shade.ramp.length * 0.72)]);
  facts.element.style.setProperty("--bar", colour);
  facts.element.style.setProperty("--track", cssRgb(theme.masked));
  const list = element("dl", {});
  const extra = view.exact?.facts ?? {};
  for (const name of view.factNames) {
    const value = combine === "head" ? header.facts[name][layer]?.[head] : extra[name];
    if (value === undefined && combine !== "head") continue;
    const top = Math.max(1, largest(header.facts[name]));
    list.append(...factRow(view, name, value, value / top));
  }
  const children = [element("h4", {}, labels.factsOf), list];
  if (typeof extra.exactness === "number") {
    children.push(element("p", { class: "note" }, fill(labels.exactness, { value: formatNumber(extra.exactness, 2) })));
  }
  facts.element.replaceChildren(...children);
}

function factRow(view, name, value, share) {
  const bar = element("span", { class: "bar", "aria-hidden": "true" }, element("i"));
  const missing = value === null || value === undefined;
  bar.firstChild.style.width = `${missing ? 0 : Math.min(100, Math.max(0, 100 * share))}%`;
  const unit = missing ? "" : view.labels[`unit_${name}`] ?? "";
  return [
    element("dt", {}, view.factLabel(name)),
    element("dd", { "data-fact": name }, bar, element("span", { class: "number" }, formatFact(value)),
      element("span", { class: "unit" }, unit)),
  ];
}
