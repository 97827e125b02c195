// The frames that this page has received, by run; they outlive the element that shows them.

const REELS = Symbol.for("playground.films");
const REELS_KEPT = 3;
const REEL_BYTES = 48 * 1024 * 1024;

function reels() {
  globalThis[REELS] ??= { byRun: new Map(), choices: new Map() };
  return globalThis[REELS];
}

export function keptChoices() {
  return reels().choices;
}

function sizeOf(frame) {
  return Object.values(frame.sites).reduce((sum, { maps, scores }) => sum + maps.byteLength + scores.byteLength, 0);
}

// Cut a message into frames: { step, sites: { kind: { maps, scores } } }.
function framesOf(header, arrays) {
  return header.steps.map((step, index) => {
    const sites = {};
    for (const kind of Object.keys(header.sites)) {
      const [maps, scores] = [arrays[`maps_${kind}`], arrays[`scores_${kind}`]];
      const [size, count] = [maps.length / header.steps.length, scores.length / header.steps.length];
      sites[kind] = { maps: maps.slice(index * size, (index + 1) * size), scores: scores.slice(index * count, (index + 1) * count) };
    }
    return { step, sites };
  });
}

// Beyond the memory limit every other frame is dropped; the first and the last stay.
function thinned(frames) {
  const bytes = frames.length ? frames.length * sizeOf(frames[0]) : 0;
  if (bytes <= REEL_BYTES) return frames;
  return frames.filter((_, index) => index % 2 === 0 || index === frames.length - 1);
}

// Add a message's frames to its run; null when frames before them are missing, so that all must be requested.
export function addFrames(header, arrays) {
  const { byRun } = reels();
  const known = byRun.get(header.run);
  const fresh = framesOf(header, arrays);
  if (header.since !== null && !known?.frames.some(({ step }) => step === header.since)) return null;
  const kept = header.since === null ? [] : known.frames.filter(({ step }) => step <= header.since);
  const late = header.since === null ? [] : known.frames.filter(({ step }) => step > header.since && step <= header.newest);
  const steps = new Set(fresh.map(({ step }) => step));
  const after = [...late.filter(({ step }) => !steps.has(step)), ...fresh].sort((a, b) => a.step - b.step);
  const reel = { run: header.run, frames: thinned([...kept, ...after]) };
  byRun.delete(header.run);
  byRun.set(header.run, reel);
  while (byRun.size > REELS_KEPT) byRun.delete(byRun.keys().next().value);
  return reel;
}

export function lastStep(reel) {
  return reel?.frames.length ? reel.frames[reel.frames.length - 1].step : null;
}

// The frame at a step, or the last one before it.
export function frameIndex(reel, step) {
  if (step === null) return reel.frames.length - 1;
  let [low, high] = [0, reel.frames.length - 1];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (reel.frames[middle].step <= step) low = middle;
    else high = middle - 1;
  }
  return Math.max(0, low);
}

// A frame's score of one head; NaN where it is not defined.
export function scoreAt(frame, kind, site, name, layer, head) {
  const index = site.scores.indexOf(name);
  if (index < 0) return NaN;
  return frame.sites[kind].scores[(index * site.layers + layer) * site.heads + head];
}

export function bestHead(frame, kind, site, name) {
  let best = { layer: 0, head: 0, value: -Infinity };
  for (let layer = 0; layer < site.layers; layer++) {
    for (let head = 0; head < site.heads; head++) {
      const value = scoreAt(frame, kind, site, name, layer, head);
      if (value > best.value) best = { layer, head, value };
    }
  }
  return best;
}
