// Terms of the glossary where they first stand in a page's prose: underlined, and explained when one points at them.
// The CSS highlight API draws the lines: React owns the text nodes, which stay as they are.

const HIGHLIGHT = "playground-term";
const PROSE = "[data-testid=stCaptionContainer], .plain-caption, [data-testid=stHeading], [data-testid=stWidgetLabel]";
const HINT_SHEET = `
::highlight(${HIGHLIGHT}) { text-decoration: underline dotted; text-underline-offset: 0.2em; }
.playground-hint { position: fixed; z-index: 1000; max-width: 24rem; padding: 0.5rem 0.75rem; border-radius: 0.35rem;
  border: 1px solid currentcolor; font-size: 0.85rem; line-height: 1.45; pointer-events: none; }
.playground-hint p { margin: 0; }
.playground-hint p + p { margin-top: 0.25rem; }
`;

const escaped = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

// The longest form first, so that "attention head" is not taken for "head".
export function termPattern(terms) {
  const forms = terms.flatMap((term, index) => term.forms.map((form) => [form, index])).sort((a, b) => b[0].length - a[0].length);
  const words = forms.map(([form]) => escaped(form)).join("|");
  return {
    pattern: new RegExp(`(?<![\\p{L}-])(?:${words})(?![\\p{L}-])`, "giu"),
    index: new Map(forms.map(([form, index]) => [form.toLowerCase(), index])),
  };
}

// [{ term, start, end }] of the terms in a text that were not seen before; those are added to `seen`.
export function findTerms(text, { pattern, index }, seen) {
  return [...text.matchAll(pattern)].flatMap((match) => {
    const term = index.get(match[0].toLowerCase());
    if (term === undefined || seen.has(term)) return [];
    seen.add(term);
    return [{ term, start: match.index, end: match.index + match[0].length }];
  });
}

function proseNodes() {
  const nodes = [];
  for (const block of document.querySelectorAll(PROSE)) {
    const walker = document.createTreeWalker(block, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) if (!walker.currentNode.parentElement.closest("h1, code, .katex")) nodes.push(walker.currentNode);
  }
  return nodes;
}

export class Hints {
  constructor() {
    this.ranges = [];
    this.box = Object.assign(document.createElement("div"), { className: "playground-hint", hidden: true });
    this.box.setAttribute("role", "tooltip");
    this.sheet = Object.assign(document.createElement("style"), { textContent: HINT_SHEET });
    document.head.append(this.sheet);
    document.body.append(this.box);
    this.onPoint = (event) => this.point(event);
    document.addEventListener("pointermove", this.onPoint, { passive: true });
    document.addEventListener("pointerdown", this.onPoint, { passive: true });
  }

  accept(terms) {
    this.terms = terms;
    this.search = termPattern(terms);
    this.mark();
  }

  mark() {
    if (!this.search || !globalThis.CSS?.highlights) return;
    const seen = new Set();
    this.ranges = proseNodes().flatMap((node) => findTerms(node.data, this.search, seen).map(({ term, start, end }) => {
      const range = new StaticRange({ startContainer: node, startOffset: start, endContainer: node, endOffset: end });
      return { term, range };
    }));
    CSS.highlights.set(HIGHLIGHT, new Highlight(...this.ranges.map(({ range }) => range)));
  }

  point({ clientX, clientY }) {
    const caret = document.caretPositionFromPoint?.(clientX, clientY);
    const hit = caret && this.ranges.find(({ range }) =>
      range.startContainer === caret.offsetNode && range.startOffset <= caret.offset && caret.offset <= range.endOffset);
    if (!hit) {
      this.box.hidden = true;
      return;
    }
    if (this.box.hidden || this.shown !== hit.term) this.show(hit.term, clientX, clientY);
  }

  show(term, x, y) {
    this.shown = term;
    const page = getComputedStyle(document.querySelector(".stApp"));
    Object.assign(this.box.style, { background: page.backgroundColor, color: page.color, fontFamily: page.fontFamily });
    this.box.replaceChildren(...this.terms[term].lines.map((line) => Object.assign(document.createElement("p"), { textContent: line })));
    this.box.hidden = false;
    const { width, height } = this.box.getBoundingClientRect();
    this.box.style.left = `${Math.max(8, Math.min(x, innerWidth - width - 8))}px`;
    this.box.style.top = `${y + 20 + height > innerHeight ? y - height - 12 : y + 20}px`;
  }

  dispose() {
    document.removeEventListener("pointermove", this.onPoint);
    document.removeEventListener("pointerdown", this.onPoint);
    globalThis.CSS?.highlights?.delete(HIGHLIGHT);
    this.box.remove();
    this.sheet.remove();
  }
}
