// What is selected: kind, head, score and step (null follows the newest); and the reports of it to Python.

import { clamp, debounce } from "../../shared/js/dom.js";
import { bestHead, lastStep } from "./reel.js";

// The default selection: the newest frame, and the head that scores best in it; as long as nobody has chosen a head,
// it changes with the frames.
export function startChoice(initial, header, reel) {
  const kinds = Object.keys(header.sites);
  const preferred = kinds.includes("cross") ? "cross" : kinds[0];
  const kind = kinds.includes(initial.kind) ? initial.kind : preferred;
  const site = header.sites[kind];
  const score = site.scores.includes(initial.score) ? initial.score : (site.scores[0] ?? "");
  const best = bestHead(reel.frames[reel.frames.length - 1], kind, site, score);
  return validChoice({
    kind, score, step: initial.step ?? null, layer: initial.layer ?? best.layer, head: initial.head ?? best.head, loop: false,
    automatic: initial.layer === undefined,
  }, header);
}

export function validChoice(choice, header) {
  const kinds = Object.keys(header.sites);
  const kind = kinds.includes(choice.kind) ? choice.kind : kinds[0];
  const site = header.sites[kind];
  return {
    ...choice, kind,
    score: site.scores.includes(choice.score) ? choice.score : (site.scores[0] ?? ""),
    layer: clamp(choice.layer | 0, 0, site.layers - 1),
    head: clamp(choice.head | 0, 0, site.heads - 1),
  };
}

// Report the selection once it has settled, and which frames have arrived: at once after all were sent, later once
// in eight frames. Each report reruns the script, which costs more than being sent a few frames twice.
export function makeFilmReporter(send) {
  const FRAMES_PER_REPORT = 8;
  let last = "";
  let reported = { run: null, have: null, count: 0 };
  let pending = null;
  const flush = () => {
    const text = JSON.stringify(pending);
    if (text === last) return;
    last = text;
    reported = { run: pending.run, have: pending.have, count: pending.count };
    const { count: _count, ...report } = pending;
    send(report);
  };
  const later = debounce(flush, 250);
  const describe = (choice, reel, request) => {
    const { loop: _loop, automatic: _automatic, ...plain } = choice;
    return { ...plain, run: reel.run, have: lastStep(reel), count: reel.frames.length, request };
  };
  return {
    choice(choice, reel, request) {
      pending = describe(choice, reel, request);
      later();
    },
    frames(choice, reel, request) {
      const next = describe(choice, reel, request);
      const restarted = reported.run !== next.run || reported.have === null || next.have < reported.have;
      if (!restarted && next.count - reported.count < FRAMES_PER_REPORT) return;
      pending = next;
      flush();
    },
    // Ask for all frames, because earlier ones are missing; the answer repeats the request's number.
    requestAll(run, request) {
      later.cancel();
      pending = { run, have: null, count: 0, request };
      flush();
    },
    cancel: () => later.cancel(),
  };
}
