// The attention view: holds the payload and the state, and repaints the parts that a change touches.

import { createArcs, paintArcs } from "./arcs_input.js";
import { cellsOfPin, nextCells, pinOf } from "./chosen.js";
import { createChosenLine, createSeveral, paintChosenLine, paintSeveral, saidOfChosen } from "./chosen_line.js";
import { LINKS_PER_TOKEN } from "./arcs.js";
import { readTheme } from "../../shared/js/colour.js";
import { decodePayload } from "../../shared/js/decode.js";
import { element, fill } from "../../shared/js/dom.js";
import { savePicture } from "./export.js";
import { createHeadScores, paintHeadScores } from "./head_scores.js";
import { headsThatMatch, parseFilter } from "./filter.js";
import { createGrid, paintGrid, paintMarks, showChosen } from "./grid.js";
import { createHeadsTable, paintHeadsTable } from "./heads_table.js";
import { createMarks, marksShown, paintMarksOfView } from "./marks.js";
import { makeAxis } from "../../shared/js/heatmap.js";
import { createHeatmap, paintHeatmap, paintOverlay } from "./heatmap_input.js";
import { createLegend, paintLegend } from "../../shared/js/legend.js";
import { createLinks, paintLinks } from "./links.js";
import { codedMatrix, combinedMatrix, makeMatrix } from "../../shared/js/matrix.js";
import { mount } from "../../shared/js/mount.js";
import { makeShade, pairMasks } from "../../shared/js/paint.js";
import { makeReporter, nextState, numbered, reported } from "./state.js";
import { findHead, findScores, headKey, publishShown, sharedStore, subscribe } from "./store.js";
import { forgetWidths, tokenText } from "../../shared/js/tokens.js";
import { createFilterField, createToolbar, paintFilterField, paintToolbar } from "./toolbar.js";
import { mapByWord } from "./words.js";

const WHOLE_FRAME = { x: 0, y: 0, width: 1, height: 1 };
const PINNED = { query: "pinnedQuery", key: "pinnedKey" };

class AttentionView {
  constructor(root) {
    this.root = root;
    this.frame = { ...WHOLE_FRAME };
    this.state = null;
    this.several = false;
    this.waiting = new Set();
    this.reporter = makeReporter((state) => this.component.setStateValue("view", reported(state, this.header)));
    this.build();
    const stops = [
      subscribe("head", ({ view }) => view === this.header?.view && this.headArrived()),
      subscribe("scores", ({ view }) => view === this.header?.view && this.scoresArrived()),
      subscribe("host", ({ view }) => view === this.header?.view && this.placeTables()),
    ];
    this.unsubscribe = () => stops.forEach((stop) => stop());
    this.sizes = new ResizeObserver(() => this.resized());
    this.sizes.observe(root);
    // Projector mode changes the size of the type, and of the room for the picture.
    addEventListener("resize", (this.windowResized = () => this.adoptTheme()));
    document.fonts?.addEventListener?.("loadingdone", (this.fontsLoaded = () => {
      forgetWidths();
      this.refresh("all");
    }));
  }

  build() {
    this.parts = {
      toolbar: createToolbar(this), filter: createFilterField(this), grid: createGrid(this), heatmap: createHeatmap(this),
      arcs: createArcs(this), legend: createLegend(), headScores: createHeadScores(this), links: createLinks(this), heads: createHeadsTable(this),
      marks: createMarks(this), chosen: createChosenLine(this), several: createSeveral(this),
    };
    const { chosen, several, toolbar, filter, grid, heatmap, arcs, legend, headScores, links, heads, marks } = this.parts;
    this.heading = element("h3");
    this.badge = element("span", { class: "badge" });
    this.finding = element("p", { class: "finding", "data-part": "finding" });
    this.notes = element("div", { class: "notes" });
    this.hint = element("p", { class: "note" });
    this.tip = element("div", { class: "tip", hidden: true, "aria-hidden": "true" });
    this.live = element("div", { class: "unseen", role: "status", "aria-live": "polite", "data-part": "live" });
    this.figureBox = element("div", { class: "figure" }, heatmap.element, arcs.element, this.hint,
      element("div", { class: "foot" }, legend.element, several));
    const left = element("div", { class: "left" }, filter.element, grid.element, marks.element);
    const title = element("div", { class: "title" }, this.heading, this.badge, toolbar.element);
    const right = element("div", { class: "right" }, title, this.finding, chosen.element, this.notes, this.figureBox);
    this.below = element("div", { class: "below" }, headScores.element, links.element, heads.element);
    this.root.replaceChildren(element("div", { class: "panes" }, left, right), this.below, this.tip, this.live);
  }

  // The tables stand where the page has a place for them, else below the picture.
  placeTables() {
    const host = sharedStore().hosts.get(this.header.view);
    if (this.below.parentNode === (host ?? this.root)) return;
    if (host) host.replaceChildren(this.below);
    else this.root.insertBefore(this.below, this.tip);
  }

  // Painting sets the height, so only a new width may trigger another painting.
  resized() {
    if (this.width === this.root.clientWidth) return;
    this.width = this.root.clientWidth;
    this.refresh("all");
  }

  // Take a new payload, or only a new theme when the payload is the one already shown.
  accept(component) {
    this.component = component;
    const { data } = component;
    if (data && data !== this.data) {
      this.data = data;
      const { header, arrays } = decodePayload(data);
      this.takeHeader(header, arrays.maps);
    }
    this.adoptTheme();
  }

  adoptTheme() {
    if (!this.header) return;
    this.theme = readTheme(this.root);
    this.root.dataset.theme = this.theme.dark ? "dark" : "light";
    this.refresh("all");
  }

  takeHeader(header, maps) {
    header.keyTokens ??= header.queryTokens;
    if (this.header && this.header.view !== header.view) publishShown(this.header.view, null);
    const first = !this.header;
    Object.assign(this, { header, maps, labels: header.labels, scoreNames: header.scoreNames });
    this.scores = findScores(header.view, header.trace);
    this.hasWords = header.queryWords.length > 0;
    this.paired = [...header.queryTokens, ...header.keyTokens].some((token) => token[2] === 1);
    // A view that Streamlit mounts again resumes the state of its predecessor.
    this.state = nextState(header, this.state ?? sharedStore().states.get(header.view));
    sharedStore().states.set(header.view, this.state);
    if (!this.paired) this.state.settings.pairs = "all";
    if (first) this.reporter.start(this.state, nextState(header, null));
    this.root.classList.toggle("blank", !header.rows || !header.columns || !header.layers);
    this.below.hidden = this.root.classList.contains("blank");
    this.placeTables();
    this.root.dataset.trace = header.trace;
    this.findMatches();
    this.chooseMatrix();
  }

  // Show the exact map if it has arrived, else the overview's.
  chooseMatrix() {
    const { header, maps, state } = this;
    const { layer, head, combine } = state.selected;
    this.exact = findHead(header.view, header.trace, numbered(state.selected, header));
    if (this.exact) this.matrix = makeMatrix({ ...this.exact, causal: header.causal, exact: true });
    else this.matrix = combine === "head" ? codedMatrix(header, maps, layer, head) : combinedMatrix(header, maps, state.selected);
    this.axes = {
      query: makeAxis(header.queryTokens, this.matrix.rows),
      key: makeAxis(header.keyTokens, this.matrix.columns),
    };
    this.shown = { matrix: this.matrix, axes: this.axes, title: `${header.title} · ${this.title()}` };
    publishShown(header.view, this.shown);
    const words = state.settings.units === "words" && this.hasWords && mapByWord(this, header);
    this.byWord = Boolean(words);
    Object.assign(this, words);
  }

  headArrived() {
    if (this.exact || !findHead(this.header.view, this.header.trace, numbered(this.state.selected, this.header))) return;
    this.chooseMatrix();
    this.refresh("figure", "info");
  }

  scoresArrived() {
    const known = this.scores;
    this.scores = findScores(this.header.view, this.header.trace);
    if (known?.values !== this.scores?.values) this.findMatches();
    this.refresh("info", "toolbar", ...(this.matches && !known ? ["grid"] : []));
  }

  title() {
    const { labels } = this;
    const names = { "head": "layerHead", "layer mean": "layerMean", "layer max": "layerMax", "all mean": "allMean", "all max": "allMax" };
    const { selected } = this.state;
    // A mixed stack attends in some blocks only: a row is called by its block's number in the model.
    return fill(labels[names[selected.combine]], { ...numbered(selected, this.header), head: this.header.headNumbers[selected.head] });
  }

  select(selected) {
    this.state.selected = { ...selected };
    this.chooseMatrix();
    this.announce(fill(this.labels.chosen, { title: this.title() }));
    this.refresh("marks", "figure", "info", "toolbar");
    this.reporter.report(this.state, true);
  }

  setting(name, value) {
    if (JSON.stringify(this.state.settings[name]) === JSON.stringify(value)) return;
    this.state.settings[name] = value;
    if (name === "filter") this.findMatches();
    if (name === "units") this.chooseMatrix();
    // A choice of tokens leaves the thumbnails as they are.
    if (name === "pin" || name === "gather" || name === "units") this.refresh("figure", "info", "toolbar");
    else this.refresh("all");
    this.reporter.report(this.state, false);
  }

  // Pin a token: alone, among others, or all up to it. A pin is a position of the text, whatever is hidden.
  choose(axis, cell, how) {
    const { axes, labels, state } = this;
    const pinned = cellsOfPin(state.settings.pin, axes);
    const current = pinned?.axis === axis && how !== "first" ? pinned : null;
    const next = nextCells(current, cell, how === "first" ? "only" : how);
    this.setting("pin", pinOf(axis, next, axes));
    const said = saidOfChosen(this);
    if (said) this.announce(said);
    else if (next) this.announce(fill(labels[PINNED[axis]], { token: tokenText(axes[axis].text(next.cell)) }));
  }

  findMatches() {
    const { header, scoreNames } = this;
    const parsed = parseFilter(this.state.settings.filter, ["layer", "head", ...scoreNames]);
    this.filterError = parsed?.error ?? null;
    this.matches = parsed?.test && this.scores ? headsThatMatch(parsed.test, header, this.scores) : null;
  }

  announce(text) {
    this.live.textContent = text;
  }

  save(kind) {
    return savePicture(this, kind);
  }

  // Repaint parts before the next frame: "all", "grid", "marks", "figure", "overlay", "info", "toolbar".
  refresh(...what) {
    what.forEach((part) => this.waiting.add(part));
    this.scheduled ??= requestAnimationFrame(() => {
      this.scheduled = null;
      const parts = new Set(this.waiting);
      this.waiting.clear();
      if (this.header && this.theme) this.repaint((part) => parts.has("all") || parts.has(part));
    });
  }

  repaint(touches) {
    const started = performance.now();
    const { header, parts, state } = this;
    this.shade = makeShade(this.theme, state.settings);
    this.masks = pairMasks(state.settings.pairs, this.axes.query.tokens, this.axes.key.tokens, this.matrix);
    if (this.root.classList.contains("blank")) return this.paintEmpty();
    if (touches("toolbar")) paintToolbar(parts.toolbar);
    if (touches("toolbar")) paintFilterField(parts.filter);
    this.root.classList.toggle("with-marks", marksShown(this));
    if (touches("grid")) paintGrid(parts.grid);
    else if (touches("marks")) paintMarks(parts.grid);
    if (touches("figure")) this.paintFigure();
    if (touches("figure")) paintMarksOfView(parts.marks);
    if (touches("overlay")) paintOverlay(parts.heatmap);
    if (touches("info")) this.paintInfo();
    if (!this.root.dataset.paint) showChosen(parts.grid);
    this.root.dataset.paint = (performance.now() - started).toFixed(1);
  }

  paintEmpty() {
    this.heading.textContent = this.labels.empty;
    this.badge.textContent = "";
    this.root.dataset.paint = "0";
  }

  paintFigure() {
    const { parts, state, labels } = this;
    const arcs = state.settings.view === "arcs";
    parts.arcs.element.hidden = !arcs;
    parts.heatmap.element.hidden = arcs;
    this.hint.textContent = arcs && this.matrix.columns > LINKS_PER_TOKEN ? fill(labels.arcsMore, { count: LINKS_PER_TOKEN }) : "";
    if (arcs) paintArcs(parts.arcs);
    else paintHeatmap(parts.heatmap);
    paintLegend(parts.legend, this);
    paintSeveral(parts.several, this);
  }

  paintInfo() {
    const { header, labels, parts, matrix, state } = this;
    this.heading.textContent = this.title();
    this.badge.textContent = matrix.exact ? "" : "≈";
    this.badge.title = matrix.exact ? "" : labels.approximate;
    // What one sees, said by Python; while the scores are on their way, its room stays empty.
    this.finding.textContent = this.scores?.findings.get(headKey(header.trace, numbered(state.selected, header))) ?? "";
    paintChosenLine(parts.chosen);
    this.finding.hidden = state.selected.combine !== "head" || !parts.chosen.element.hidden;
    this.finding.dispatchEvent(new Event("prose", { bubbles: true, composed: true }));
    const pooled = this.byWord ? 1 : Math.ceil(header.keyTokens.length / matrix.columns);
    const notes = [
      this.byWord && labels.byWord,
      header.firstExcluded && labels.firstExcluded,
      header.specialHidden && labels.specialHidden,
      pooled > 1 && fill(labels.pooled, { count: pooled }),
    ].filter(Boolean);
    this.notes.replaceChildren(...notes.map((text) => element("p", { class: "note" }, text)));
    paintHeadScores(parts.headScores, this);
    paintLinks(parts.links, this);
    paintHeadsTable(parts.heads);
  }

  dispose() {
    this.unsubscribe();
    this.sizes.disconnect();
    removeEventListener("resize", this.windowResized);
    this.reporter.cancel();
    this.parts.heatmap.dispose();
    this.parts.arcs.dispose();
    this.below.remove();
    if (this.scheduled) cancelAnimationFrame(this.scheduled);
    document.fonts?.removeEventListener?.("loadingdone", this.fontsLoaded);
    // Streamlit may mount the next view before it unmounts this one.
    if (this.header && sharedStore().shown.get(this.header.view) === this.shown) publishShown(this.header.view, null);
  }
}

export default function attentionView(component) {
  return mount(component, (root) => new AttentionView(root));
}
