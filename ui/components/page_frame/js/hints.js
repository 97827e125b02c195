// Terms of the glossary where they first stand on a page: underlined, and explained when one points at them, taps them,
// or comes to their paragraph or control with the Tab key; Escape closes. A component names what it shows by data-term.
// The CSS highlight API draws the lines: React owns the text nodes, which stay as they are.

import { findMarks, placesOf, sameMarks, scopes, stopOf } from "./marks.js";
import { placeHint, termPattern } from "./terms.js";

const TERM = "playground-term";
const HIGHLIGHTS = globalThis.CSS?.highlights;
const HELP = "[data-testid=stTooltipIcon]";
const STOP = "data-term-stop";
const HINT_SHEET = `
:root { --term-line: underline dotted; }
::highlight(${TERM}) { text-decoration: underline dotted; text-underline-offset: 0.2em; }
[${STOP}]:focus-visible { outline: 2px solid var(--st-primary-color, #2b4c9b); outline-offset: 2px; }
.playground-hint { position: fixed; z-index: 10000000; box-sizing: border-box; max-width: min(24rem, calc(100vw - 16px));
  max-height: calc(100vh - 16px); overflow: hidden; padding: 0.5rem 0.75rem; border-radius: 0.35rem;
  border: 1px solid color-mix(in oklab, currentcolor 45%, transparent); box-shadow: 0 4px 16px rgb(0 0 0 / 14%);
  font-size: 0.85rem; line-height: 1.45; pointer-events: none; }
.playground-hint p { margin: 0; }
.playground-hint p + p { margin-top: 0.25rem; }
.playground-hint .name { font-weight: 600; }
.playground-hint p + .name { margin-top: 0.6rem; }
`;

const paragraph = (textContent, className = "") => Object.assign(document.createElement("p"), { textContent, className });

function freeStops(isFree) {
  const stops = scopes().flatMap((scope) => [...scope.querySelectorAll(`[${STOP}]`)]);
  for (const stop of stops.filter(isFree)) for (const name of ["tabindex", STOP]) stop.removeAttribute(name);
}

export class Hints {
  constructor(onProse) {
    this.terms = [];
    this.found = [];
    this.box = Object.assign(document.createElement("div"), { className: "playground-hint", hidden: true });
    this.box.setAttribute("role", "tooltip");
    this.sheet = Object.assign(document.createElement("style"), { textContent: HINT_SHEET });
    document.head.append(this.sheet);
    document.body.append(this.box);
    this.ending = new AbortController();
    const { signal } = this.ending;
    this.onFocus = (event) => this.focus(event.composedPath());
    // Before a control hears of it, which may keep it to itself.
    const listen = (name, heard) => document.addEventListener(name, heard, { capture: true, passive: true, signal });
    for (const name of ["pointermove", "pointerdown"]) listen(name, (event) => this.point(event));
    listen("keydown", (event) => this.key(event));
    listen("scroll", () => this.place());
    // A component's finding has changed; a closed part of the page was opened.
    for (const name of ["prose", "toggle"]) listen(name, onProse);
  }

  accept(terms) {
    // Every rerun brings the terms again; only those of another language are searched for anew.
    const spelled = JSON.stringify(terms);
    if (spelled !== this.spelled) Object.assign(this, { terms, spelled, search: termPattern(terms) });
    this.mark();
  }

  mark() {
    if (!this.search) return;
    // A focus that moves within a component is heard of there only.
    for (const scope of scopes()) scope.addEventListener("focusin", this.onFocus, { signal: this.ending.signal });
    if (this.hint?.focused && !this.hint.anchor.isConnected) this.hide();
    this.place();
    const found = findMarks(this.search);
    if (sameMarks(found, this.found)) return;
    this.found = found;
    this.marks = new Map();
    for (const mark of found) this.marks.set(mark.node.parentElement, [...(this.marks.get(mark.node.parentElement) ?? []), mark]);
    if (HIGHLIGHTS) {
      const ranges = found.map(({ node, start, end }) => ({ startContainer: node, startOffset: start, endContainer: node, endOffset: end }));
      this.highlight = new Highlight(...ranges.map((range) => new StaticRange(range)));
      HIGHLIGHTS.set(TERM, this.highlight);
    }
    this.placeStops();
  }

  // One tab stop for a paragraph, however many terms it has; none for a control, which is one.
  placeStops() {
    this.stops = new Map();
    for (const { block, term } of this.found) {
      const { stop, isControl } = stopOf(block);
      if (!stop) continue;
      if (!this.stops.has(stop)) this.stops.set(stop, { isControl, terms: [] });
      this.stops.get(stop).terms.push(term);
    }
    freeStops((stop) => this.stops.get(stop)?.isControl !== false);
    for (const [stop, { isControl }] of this.stops) if (!isControl) Object.assign(stop, { tabIndex: 0 }).setAttribute(STOP, "");
  }

  // What a component has named by a score, as a hint.
  hintOfScore(anchor) {
    const term = this.terms.findIndex(({ score }) => score && score === anchor.dataset.term);
    return term < 0 ? null : { anchor, terms: [term], isAbove: true, area: () => anchor.getBoundingClientRect() };
  }

  hintAt(target, x, y) {
    const named = target.closest?.("[data-term]");
    if (named) return this.hintOfScore(named);
    const isThere = (mark) => placesOf(mark).some(({ left, right, top, bottom }) => left <= x && x <= right && top <= y && y <= bottom);
    const mark = this.marks?.get(target)?.find(isThere);
    return mark ? { anchor: target, terms: [mark.term], isAbove: stopOf(mark.block).isControl, area: () => placesOf(mark)[0] } : null;
  }

  point(event) {
    const isPress = event.type === "pointerdown";
    if (isPress) this.tabbed = false;
    // A mouse has explained a control before it presses it: the hint must not cover what the press shows.
    const isDone = isPress && event.pointerType === "mouse" && this.hint?.isAbove;
    if (isDone) return this.dismiss();
    const hint = this.hintAt(event.composedPath()[0], event.clientX, event.clientY);
    if (!hint) {
      this.dismissed = null;
      if (this.hint && (isPress || !this.hint.focused)) this.hide();
    } else if (![this.hint, this.dismissed].some((other) => other?.anchor === hint.anchor && other.terms[0] === hint.terms[0])) this.show(hint);
  }

  focus(path) {
    if (!this.tabbed || path[0].closest?.(HELP)) return;
    const anchor = path.find((node) => this.stops?.has(node) || node.dataset?.term);
    const stop = this.stops?.get(anchor);
    // A link within a paragraph is not the paragraph.
    if (!anchor || (stop && !stop.isControl && anchor !== path[0])) return;
    const area = () => anchor.getBoundingClientRect();
    const hint = stop ? { anchor, terms: stop.terms, isAbove: stop.isControl, area } : this.hintOfScore(anchor);
    if (hint) this.show({ ...hint, focused: path[0] });
  }

  // Any key closes a hint, so that none covers what is typed; Escape does nothing else then.
  key(event) {
    this.tabbed = event.key === "Tab" || event.key.startsWith("Arrow");
    if (!this.hint) return;
    if (event.key === "Escape") event.stopPropagation();
    this.dismiss();
  }

  dismiss() {
    this.dismissed = this.hint.focused ? null : this.hint;
    this.hide();
  }

  show(hint) {
    this.hide();
    this.hint = hint;
    const page = getComputedStyle(document.querySelector(".stApp"));
    Object.assign(this.box.style, { background: page.backgroundColor, color: page.color, fontFamily: page.fontFamily });
    this.box.replaceChildren(...hint.terms.flatMap((index) => {
      const { forms, lines } = this.terms[index];
      return [paragraph(forms[0], "name"), ...lines.map((line) => paragraph(line))];
    }));
    this.box.hidden = false;
    // No id of the page is known in a component's tree: the description itself is.
    hint.focused?.setAttribute("aria-description", this.box.innerText);
    this.place();
  }

  place() {
    // What was tapped may have been drawn anew: its hint stays where it is until the next tap.
    const area = this.hint?.area();
    if (!area?.width) return;
    if (area.bottom < 0 || area.top > innerHeight) return this.hide();
    const { left, top } = placeHint(area, this.box.getBoundingClientRect(), { width: innerWidth, height: innerHeight }, this.hint.isAbove);
    Object.assign(this.box.style, { left: `${left}px`, top: `${top}px` });
  }

  hide() {
    this.box.hidden = true;
    this.hint?.focused?.removeAttribute("aria-description");
    this.hint = null;
  }

  dispose() {
    this.hide();
    this.ending.abort();
    this.box.remove();
    this.sheet.remove();
    // The next page's frame may have been mounted before: then the marks are its own.
    if (HIGHLIGHTS && HIGHLIGHTS.get(TERM) !== this.highlight) return;
    HIGHLIGHTS?.delete(TERM);
    freeStops(() => true);
  }
}
