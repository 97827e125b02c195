// The view's state: taken from the payload, changed in the browser at once, reported to Python afterwards.

import { clamp, debounce } from "../../shared/js/dom.js";

const COMBINES = ["head", "layer mean", "layer max", "all mean", "all max"];
const CHOICES = {
  scale: ["sqrt", "linear", "log"],
  range: ["global", "row"],
  palette: ["ink", "cividis"],
  view: ["heatmap", "arcs"],
  pairs: ["all", "a-b", "b-a", "a-a", "b-b"],
  units: ["tokens", "words"],
  gather: ["auto", "sum", "mean"],
};

export function choicesOf(name) {
  return name === "combine" ? COMBINES : CHOICES[name];
}

// The state after a new payload: Python's if its revision is new, else the current one, made to fit the payload.
export function nextState(header, current) {
  const fresh = !current || current.revision !== header.revision;
  const source = fresh ? header.initial : current;
  const settings = { ...source.settings };
  for (const [name, choices] of Object.entries(CHOICES)) {
    if (!choices.includes(settings[name])) settings[name] = choices[0];
  }
  settings.filter = String(settings.filter ?? "");
  settings.pin = validPin(settings.pin, header);
  // Python calls a layer by its block's number in the model; here it is a row of the picture.
  const selected = fresh ? { ...source.selected, layer: header.blocks.indexOf(source.selected.layer) } : source.selected;
  return { revision: header.revision, selected: validSelected(selected, header), settings };
}

// What Python is told of a state.
export function reported(state, header) {
  return { ...state, selected: numbered(state.selected, header) };
}

export function numbered(selected, header) {
  return { ...selected, layer: header.blocks[selected.layer] ?? selected.layer };
}

function validSelected({ layer, head, combine }, { layers, heads }) {
  return {
    layer: clamp(layer | 0, 0, Math.max(0, layers - 1)),
    head: clamp(head | 0, 0, Math.max(0, heads - 1)),
    combine: COMBINES.includes(combine) ? combine : "head",
  };
}

// The position of a hidden token stays: the token may be shown again.
function validPin(pin, header) {
  if (!pin) return null;
  const count = pin.axis === "query" ? header.queryCount : header.keyCount;
  if (!(pin.index >= 0 && pin.index < count)) return null;
  const also = (pin.also ?? []).filter((index) => index >= 0 && index < count && index !== pin.index);
  return { axis: pin.axis, index: pin.index, also };
}

// Report a state once it has settled; the same state is never sent twice.
export function makeReporter(send) {
  let pending = null;
  let last = "";
  const flush = () => {
    const text = JSON.stringify(pending);
    if (text === last) return;
    last = text;
    send(JSON.parse(text));
  };
  const soon = debounce(flush, 60);
  const later = debounce(flush, 350);
  return {
    // Python knows its own initial state; a view that starts in another one reports it.
    start(state, known) {
      last = JSON.stringify(known);
      this.report(state, false);
    },
    report(state, urgent) {
      pending = state;
      later.cancel();
      soon.cancel();
      (urgent ? soon : later)();
    },
    cancel() {
      soon.cancel();
      later.cancel();
    },
  };
}
