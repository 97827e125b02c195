// Several chosen tokens in a line above the map: how their weights are put together, and a button that lets them go.

import { choicesOf } from "./state.js";
import { gatherOf } from "./chosen.js";
import { element, fill } from "../../shared/js/dom.js";
import { pinnedCell } from "./heatmap_input.js";

export function createChosenLine(view) {
  const line = { view, built: null };
  line.text = element("span");
  line.select = element("select", { "data-choice": "gather", onchange: () => view.setting("gather", line.select.value) });
  line.clear = element("button", { type: "button", class: "word", onclick: () => view.setting("pin", null) });
  line.element = element("div", { class: "chosen-line", "data-part": "chosen", hidden: true }, line.text, line.select, line.clear);
  return line;
}

// Where there is no shift key: while it is pressed, each click or tap takes a token into the choice, or out of it.
export function createSeveral(view) {
  const button = element("button", { type: "button", class: "word several", "data-part": "several" });
  button.addEventListener("click", () => {
    view.several = !view.several;
    button.setAttribute("aria-pressed", String(view.several));
  });
  return button;
}

export function paintSeveral(button, { labels, several }) {
  button.textContent = labels.several;
  button.title = labels.severalHelp;
  button.setAttribute("aria-pressed", String(several));
}

// The sentence; empty where no more than one token is chosen.
export function saidOfChosen({ labels, state, axes }) {
  const pin = pinnedCell({ state, axes });
  if (!(pin?.cells.length > 1)) return "";
  const how = gatherOf(state.settings.gather, pin.axis);
  return fill(labels[pin.axis === "query" ? "chosenQueries" : "chosenKeys"], { count: pin.cells.length, how: labels[how] });
}

export function paintChosenLine(line) {
  const { view } = line;
  const { labels, state } = view;
  const said = saidOfChosen(view);
  line.element.hidden = !said;
  if (!said) return;
  const pin = pinnedCell(view);
  line.text.textContent = said;
  if (line.built !== labels) {
    line.built = labels;
    const ways = choicesOf("gather").filter((way) => way !== "auto");
    line.select.replaceChildren(...ways.map((way) => element("option", { value: way }, labels[`gather_${way}`])));
    line.select.setAttribute("aria-label", labels.gather);
    line.clear.textContent = labels.clearChosen;
  }
  line.select.value = gatherOf(state.settings.gather, pin.axis);
}
