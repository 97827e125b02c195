// Shared by the components of a page: exact maps by view, and the map that each view shows.

const STORE = Symbol.for("playground.attention");
const BYTES_KEPT = 96 * 1024 * 1024;

export function sharedStore() {
  globalThis[STORE] ??= { heads: new Map(), scores: new Map(), shown: new Map(), states: new Map(), hosts: new Map(), events: new EventTarget() };
  return globalThis[STORE];
}

// An aggregate's key leaves out what it is taken over: "layer mean" has a layer but no head.
export function headKey(trace, { layer, head, combine }) {
  if (combine.startsWith("all")) return `${trace}|${combine}`;
  return combine === "head" ? `${trace}|${layer}|${head}` : `${trace}|${combine}|${layer}`;
}

export function putHead(view, header, values) {
  const shared = sharedStore();
  const key = `${view}|${headKey(header.trace, header)}`;
  shared.heads.delete(key);
  shared.heads.set(key, { ...header, values });
  let bytes = 0;
  for (const [entryKey, entry] of [...shared.heads].reverse()) {
    bytes += entry.values.byteLength;
    if (bytes > BYTES_KEPT && entryKey !== key) shared.heads.delete(entryKey);
  }
  shared.events.dispatchEvent(new CustomEvent("head", { detail: { view } }));
}

export function findHead(view, trace, selected) {
  return sharedStore().heads.get(`${view}|${headKey(trace, selected)}`);
}

// A view's scores of one trace [name, layer, head], NaN where one is not defined, and the sentence on each head so far.
export function putScores(view, header, values) {
  const shared = sharedStore();
  const known = shared.scores.get(view);
  const findings = known?.trace === header.trace ? known.findings : new Map();
  findings.set(headKey(header.trace, header), header.finding);
  shared.scores.set(view, { ...header, values, findings });
  shared.events.dispatchEvent(new CustomEvent("scores", { detail: { view } }));
}

export function findScores(view, trace) {
  const scores = sharedStore().scores.get(view);
  return scores?.trace === trace ? scores : null;
}

// One head's score; null where it is not defined, undefined while the scores are on their way.
export function scoreOf(scores, name, layer, head) {
  if (!scores) return undefined;
  const value = scores.values[(scores.names.indexOf(name) * scores.layers + layer) * scores.heads + head];
  return Number.isFinite(value) ? value : null;
}

export function publishShown(view, shown) {
  const shared = sharedStore();
  if (shown) shared.shown.set(view, shown);
  else shared.shown.delete(view);
  shared.events.dispatchEvent(new CustomEvent("shown", { detail: { view } }));
}

// Where a view puts its tables.
export function publishHost(view, root) {
  const shared = sharedStore();
  shared.hosts.set(view, root);
  shared.events.dispatchEvent(new CustomEvent("host", { detail: { view } }));
}

// Take the place away, unless another has taken over: Streamlit may mount the next before it unmounts the last.
export function withdrawHost(view, root) {
  const shared = sharedStore();
  if (shared.hosts.get(view) !== root) return;
  shared.hosts.delete(view);
  shared.events.dispatchEvent(new CustomEvent("host", { detail: { view } }));
}

// Call back on every event of this kind; returns the function that unsubscribes.
export function subscribe(kind, callback) {
  const { events } = sharedStore();
  const listener = (event) => callback(event.detail);
  events.addEventListener(kind, listener);
  return () => events.removeEventListener(kind, listener);
}
