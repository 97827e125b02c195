// The film: collects frames as they arrive, holds the selection, and repaints the parts that a change touches.

import { readTheme } from "../../shared/js/colour.js";
import { decodePayload } from "../../shared/js/decode.js";
import { element, fill } from "../../shared/js/dom.js";
import { makeAxis } from "../../shared/js/heatmap.js";
import { createLegend, paintLegend } from "../../shared/js/legend.js";
import { codedMatrix } from "../../shared/js/matrix.js";
import { mount } from "../../shared/js/mount.js";
import { makeShade } from "../../shared/js/paint.js";
import { makeFilmReporter, startChoice, validChoice } from "./choice.js";
import { createCurves, createScores, paintCurves, paintCursor, paintScores } from "./curves.js";
import { createChoices, createPlayer, frameMilliseconds, paintChoices, paintPlayer } from "./player.js";
import { addFrames, frameIndex, keptChoices } from "./reel.js";
import { saveFilmPicture } from "./picture.js";
import { createStage, paintStage } from "./stage.js";
import { createThumbs, paintThumbs } from "./thumbs.js";
import { createTimeline, paintKnob, paintTicks } from "./timeline.js";

class Film {
  constructor(root) {
    this.root = root;
    this.waiting = new Set();
    this.request = 0;
    this.settings = { palette: "ink", scale: "sqrt", range: "global" };
    this.reporter = makeFilmReporter((report) => this.component.setStateValue("film", report));
    this.build();
    this.sizes = new ResizeObserver(() => {
      if (this.width === root.clientWidth) return;
      this.width = root.clientWidth;
      this.refresh("all");
    });
    this.sizes.observe(root);
    addEventListener("resize", (this.windowResized = () => this.adoptTheme()));
  }

  build() {
    this.parts = {
      choices: createChoices(this), thumbs: createThumbs(this), stage: createStage(this), legend: createLegend(),
      player: createPlayer(this), curves: createCurves(this), timeline: createTimeline(this), scores: createScores(this),
    };
    const { choices, thumbs, stage, legend, player, curves, timeline, scores } = this.parts;
    this.heading = element("h3");
    this.note = element("p", { class: "note" });
    this.empty = element("p", { class: "empty", hidden: true });
    this.tip = element("div", { class: "tip", hidden: true, "aria-hidden": "true" });
    this.live = element("div", { class: "unseen", role: "status", "aria-live": "polite", "data-part": "live" });
    this.figureBox = element("div", { class: "figure" }, stage.element, this.note, legend.element);
    this.body = element("div", { class: "film" }, choices.element,
      element("div", { class: "panes" }, element("div", { class: "left" }, thumbs.element, scores.element),
        element("div", { class: "right" }, element("div", { class: "title" }, this.heading), this.figureBox)),
      element("div", { class: "time" }, player.element, curves.element, timeline.element));
    this.root.replaceChildren(this.empty, this.body, this.tip, this.live);
  }

  accept(component) {
    this.component = component;
    const { data } = component;
    if (data && data !== this.data) this.take(data);
    this.adoptTheme();
  }

  adoptTheme() {
    this.theme = readTheme(this.root);
    this.shade = makeShade(this.theme, this.settings);
    this.theme.gold = this.header?.colours.alignment[this.theme.dark ? 1 : 0];
    this.refresh("all");
  }

  take(data) {
    this.data = data;
    const { header, arrays } = decodePayload(data);
    const reel = addFrames(header, arrays);
    this.header = header;
    this.labels = header.labels;
    if (!reel) {
      // This page lacks the frames before these: ask for all, once for each message.
      this.request = header.request + 1;
      return this.reporter.requestAll(header.run, this.request);
    }
    this.request = header.request;
    this.reel = reel;
    const shown = reel.frames.length > 0 && Object.keys(header.sites).length > 0;
    this.body.hidden = !shown;
    this.empty.hidden = shown;
    this.empty.textContent = header.labels.empty;
    if (!shown) return;
    // Another run has other heads; the same one, taken back, keeps what was chosen.
    const [id] = header.run.split(":");
    if (this.id !== id) this.choice = null;
    this.id = id;
    const { asked = 0 } = header.initial;
    const kept = this.asked === undefined || this.asked === asked ? (this.choice ?? keptChoices().get(header.run)) : null;
    this.asked = asked;
    const chosen = kept && !(kept.automatic && kept.step === null);
    this.choice = chosen ? validChoice(kept, header) : { ...startChoice(header.initial, header, reel), loop: kept?.loop ?? false };
    this.locate();
    this.reporter.frames({ ...this.choice, asked }, reel, this.request);
  }

  // Look up the frame, map and axes of the selection.
  locate() {
    const { header, choice, reel } = this;
    keptChoices().set(header.run, choice);
    this.site = header.sites[choice.kind];
    this.index = frameIndex(reel, choice.step);
    this.frame = reel.frames[this.index];
    this.matrix = codedMatrix(this.site, this.frame.sites[choice.kind].maps, choice.layer, choice.head);
    this.axes = { query: makeAxis(this.site.queryTokens, this.site.rows), key: makeAxis(this.site.keyTokens, this.site.columns) };
  }

  title() {
    return fill(this.labels.layerHead, this.choice);
  }

  number(value) {
    return Number(value ?? 0).toLocaleString();
  }

  announce(text) {
    this.live.textContent = text;
  }

  choose(change) {
    const automatic = this.choice.automatic && Object.keys(change).every((name) => name === "loop");
    this.choice = validChoice({ ...this.choice, ...change, automatic }, this.header);
    this.locate();
    if ("layer" in change) this.announce(fill(this.labels.chosen, { title: this.title() }));
    this.refresh("all");
    this.reporter.choice({ ...this.choice, asked: this.asked }, this.reel, this.request);
  }

  // Go to a frame; from the last frame on, a live film follows the newest.
  seek(index) {
    this.stop();
    this.show(index);
    this.reporter.choice({ ...this.choice, asked: this.asked }, this.reel, this.request);
  }

  show(index) {
    const last = index >= this.reel.frames.length - 1;
    this.choice.step = last ? null : this.reel.frames[index].step;
    this.locate();
    this.refresh("frame");
  }

  follow() {
    this.seek(this.reel.frames.length - 1);
  }

  togglePlay() {
    if (this.playing) {
      this.stop();
      this.reporter.choice({ ...this.choice, asked: this.asked }, this.reel, this.request);
    } else {
      if (this.index >= this.reel.frames.length - 1) this.show(0);
      this.playing = setTimeout(() => this.advance(), frameMilliseconds(this.reel.frames.length));
    }
    this.refresh("frame");
  }

  advance() {
    const { length } = this.reel.frames;
    const atEnd = this.index >= length - 1;
    if (atEnd && !this.choice.loop) {
      this.stop();
      this.reporter.choice({ ...this.choice, asked: this.asked }, this.reel, this.request);
      return this.refresh("frame");
    }
    this.show(atEnd ? 0 : this.index + 1);
    this.playing = setTimeout(() => this.advance(), frameMilliseconds(length));
  }

  stop() {
    clearTimeout(this.playing);
    this.playing = null;
  }

  save() {
    return saveFilmPicture(this, this.parts.curves);
  }

  // Repaint before the next animation frame: "all", or "frame" where only the step has changed.
  refresh(what) {
    this.waiting.add(what);
    this.scheduled ??= requestAnimationFrame(() => {
      this.scheduled = null;
      const all = this.waiting.has("all");
      this.waiting.clear();
      if (this.frame && this.theme && this.root.clientWidth) this.repaint(all);
    });
  }

  repaint(all) {
    const { parts, labels, header, site } = this;
    if (all) {
      paintChoices(parts.choices);
      paintLegend(parts.legend, { theme: this.theme, shade: this.shade, labels, state: { settings: this.settings }, figureBox: this.figureBox });
      paintCurves(parts.curves);
      paintTicks(parts.timeline);
    } else paintCursor(parts.curves);
    const pooled = site.rows < site.queryTokens.length || site.columns < site.keyTokens.length;
    const notes = [];
    if (this.choice.kind === "cross" && header.alignment.length) notes.push(labels.gold);
    if (pooled) notes.push(fill(labels.pooled, { count: Math.ceil(site.queryTokens.length / site.rows) }));
    this.note.textContent = notes.join(". ");
    this.heading.textContent = this.title();
    paintThumbs(parts.thumbs);
    paintStage(parts.stage);
    paintKnob(parts.timeline);
    paintPlayer(parts.player);
    paintScores(parts.scores);
    Object.assign(this.root.dataset, { frames: this.reel.frames.length, step: this.frame.step, since: header.since ?? "all" });
  }

  dispose() {
    this.stop();
    this.sizes.disconnect();
    removeEventListener("resize", this.windowResized);
    this.reporter.cancel();
  }
}

export default function filmView(component) {
  return mount(component, (root) => new Film(root));
}
