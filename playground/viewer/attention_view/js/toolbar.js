// The tools in the titles' row: how the map is drawn, its settings in a menu, and the field that filters heads.

import { debounce, element, fill } from "../../shared/js/dom.js";
import { choicesOf } from "./state.js";

const COMBINE_LABELS = {
  "head": "combineHead", "layer mean": "combineLayerMean", "layer max": "combineLayerMax",
  "all mean": "combineAllMean", "all max": "combineAllMax",
};

export function createToolbar(view) {
  const bar = { view, built: null, selects: {}, switches: {} };
  bar.element = element("div", { class: "toolbar", role: "toolbar" });
  return bar;
}

function optionLabel(name, choice, labels) {
  if (name === "combine") return labels[COMBINE_LABELS[choice]];
  return labels[name === "pairs" || name === "units" ? `${name}_${choice}` : choice];
}

function choiceSelect(bar, name, change) {
  const { labels } = bar.view;
  const options = choicesOf(name).map((choice) => element("option", { value: choice }, optionLabel(name, choice, labels)));
  const select = element("select", { "data-choice": name, "aria-label": labels[name], onchange: () => change(select.value) }, ...options);
  bar.selects[name] = select;
  return select;
}

function choiceField(bar, name, change) {
  return element("label", { class: "field" }, element("span", {}, bar.view.labels[name]), choiceSelect(bar, name, change));
}

function choiceSwitch(bar, name) {
  const { view } = bar;
  const buttons = choicesOf(name).map((choice) => element("button", {
    type: "button", [`data-${name}`]: choice, onclick: () => view.setting(name, choice),
  }, optionLabel(name, choice, view.labels)));
  bar.switches[name] = buttons;
  return element("div", { class: "switch", role: "group", "aria-label": view.labels[name] }, ...buttons);
}

function exportButtons({ view }) {
  const button = (kind, label) => element("button", {
    type: "button", class: "quiet word", "data-export": kind, "aria-label": label, onclick: () => view.save(kind),
  }, kind.toUpperCase());
  return element("div", { class: "field exports" }, element("span", {}, view.labels.export),
    element("div", {}, button("png", view.labels.savePng), button("svg", view.labels.saveSvg)));
}

// The settings that are changed rarely: a menu that Escape, or a click elsewhere, closes.
function settingsMenu(bar, ...fields) {
  const { labels } = bar.view;
  const summary = element("summary", { class: "word" }, bar.view.header.follows ? labels.export : labels.settings);
  const menu = element("details", { class: "menu", "data-part": "settings" }, summary, element("div", { class: "panel" }, ...fields));
  const close = (event) => event.composedPath().includes(menu) || (menu.open = false);
  menu.addEventListener("toggle", () => {
    if (menu.open) document.addEventListener("pointerdown", close, { capture: true });
    else document.removeEventListener("pointerdown", close, { capture: true });
  });
  menu.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !menu.open) return;
    event.stopPropagation();
    menu.open = false;
    summary.focus();
  });
  return menu;
}

function buildToolbar(bar, paired) {
  const { view } = bar;
  Object.assign(bar, { selects: {}, switches: {} });
  const change = (name) => (value) => view.setting(name, value);
  const combine = (value) => view.select({ ...view.state.selected, combine: value });
  bar.element.setAttribute("aria-label", view.labels.toolbar);
  bar.element.replaceChildren(
    choiceSwitch(bar, "view"),
    ...(view.hasWords ? [choiceSwitch(bar, "units")] : []),
    choiceSelect(bar, "combine", combine),
    ...(paired ? [choiceSelect(bar, "pairs", change("pairs"))] : []),
    settingsMenu(bar, ...["scale", "range", "palette"].map((name) => choiceField(bar, name, change(name))), exportButtons(bar)),
  );
}

export function paintToolbar(bar) {
  const { view } = bar;
  bar.element.classList.toggle("following", Boolean(view.header.follows));
  const signature = `${Boolean(view.header.follows)}|${view.paired}|${view.hasWords}|${JSON.stringify(view.labels)}`;
  if (bar.built !== signature) buildToolbar(bar, view.paired);
  bar.built = signature;
  for (const [name, select] of Object.entries(bar.selects)) {
    select.value = name === "combine" ? view.state.selected.combine : view.state.settings[name];
  }
  for (const [name, buttons] of Object.entries(bar.switches)) {
    for (const button of buttons) button.setAttribute("aria-pressed", String(button.dataset[name] === view.state.settings[name]));
  }
}

export function createFilterField(view) {
  const field = { view };
  const later = debounce(() => view.setting("filter", field.input.value), 150);
  field.input = element("input", {
    type: "text", spellcheck: "false", autocomplete: "off", maxlength: "200", oninput: later, "data-part": "filter",
  });
  field.title = element("h4");
  field.result = element("p", { class: "note filter-result", role: "status" });
  field.element = element("div", { class: "filter" }, element("div", { class: "title" }, field.title, field.input), field.result);
  return field;
}

export function paintFilterField(field) {
  const { labels, state, matches, filterError, header, scores } = field.view;
  const waiting = !scores && state.settings.filter.trim() ? labels.scoresWaiting : "";
  field.title.textContent = labels.allHeads;
  field.input.setAttribute("aria-label", labels.filter);
  field.input.title = labels.filter;
  field.input.placeholder = labels.filterExample;
  // While somebody types, the field is newer than the state.
  if (field.input.getRootNode().activeElement !== field.input) field.input.value = state.settings.filter;
  field.input.setAttribute("aria-invalid", String(Boolean(filterError)));
  field.result.classList.toggle("error", Boolean(filterError));
  field.result.textContent = filterError
    ? fill(labels[filterError[0]], { example: labels.filterExample, ...filterError[1] })
    : matches ? fill(labels.filterMatches, { count: matches.size, total: header.layers * header.heads }) : waiting;
}
