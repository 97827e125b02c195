// What is chosen: kind, head, score, step (null follows the newest); and how Python hears of it.

import { clamp, debounce } from "../../shared/js/dom.js";
import { bestHead, lastStep } from "./reel.js";

// What the first frames lead to when nobody has chosen yet: the newest frame, and the head that scores best in it.
export function startChoice(initial, header, reel) {
  const kinds = Object.keys(header.sites);
  const preferred = kinds.includes("cross") ? "cross" : kinds[0];
  const kind = kinds.includes(initial.kind) ? initial.kind : preferred;
  const site = header.sites[kind];
  const score = site.scores.includes(initial.score) ? initial.score : (site.scores[0] ?? "");
  const best = bestHead(reel.frames[reel.frames.length - 1], kind, site, score);
  return validChoice({
    kind, score, step: initial.step ?? null, layer: initial.layer ?? best.layer, head: initial.head ?? best.head, loop: false,
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

// Tells Python what is chosen once it has settled, and which frames are here: at once after everything was sent,
// later only now and then, since each report costs a run of the script and repeated frames cost little.
export function makeFilmReporter(send) {
  const FRAMES_UNSAID = 8;
  let last = "";
  let said = { run: null, have: null, count: 0 };
  let pending = null;
  const flush = () => {
    const text = JSON.stringify(pending);
    if (text === last) return;
    last = text;
    said = { run: pending.run, have: pending.have, count: pending.count };
    const { count: _count, ...report } = pending;
    send(report);
  };
  const calmly = debounce(flush, 250);
  const describe = (choice, reel, request) => {
    const { loop: _loop, ...plain } = choice;
    return { ...plain, run: reel.run, have: lastStep(reel), count: reel.frames.length, request };
  };
  return {
    choice(choice, reel, request) {
      pending = describe(choice, reel, request);
      calmly();
    },
    frames(choice, reel, request) {
      const next = describe(choice, reel, request);
      const news = said.run !== next.run || said.have === null || next.have < said.have;
      if (!news && next.count - said.count < FRAMES_UNSAID) return;
      pending = next;
      flush();
    },
    // Earlier frames are missing here: the answer to this number brings all.
    everything(run, request) {
      calmly.cancel();
      pending = { run, have: null, count: 0, request };
      flush();
    },
    cancel: () => calmly.cancel(),
  };
}
