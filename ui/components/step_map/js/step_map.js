// The steps on a token's way as boxes in groups. The left and right keys go from box to box, wherever nothing else on
// the page takes them; what is chosen is marked at once and reported.

import { element } from "../../../../playground/viewer/shared/js/dom.js";
import { mount } from "../../../../playground/viewer/shared/js/mount.js";

const STEPS = { ArrowLeft: -1, ArrowRight: 1 };

// How long a box that was chosen here stays marked although the page's answer still names another.
const PATIENCE = 4000;

class StepMap {
  constructor(root) {
    this.root = root;
    this.shown = "";
    this.chosen = { name: "", at: -PATIENCE };
    root.addEventListener("keydown", (event) => this.onKey(event));
    this.onDocumentKey = (event) => document.activeElement === document.body && this.onKey(event);
    document.addEventListener("keydown", this.onDocumentKey);
  }

  accept({ data, setTriggerValue }) {
    this.report = (name) => setTriggerValue("picked", name);
    const shown = JSON.stringify(data.groups);
    if (shown !== this.shown) {
      this.shown = shown;
      this.draw(data);
    }
    const isPending = this.chosen.name !== data.current && performance.now() - this.chosen.at < PATIENCE;
    this.mark(isPending ? this.chosen.name : data.current);
  }

  draw({ groups, labels }) {
    this.root.setAttribute("aria-label", labels.title);
    this.boxes = new Map();
    const nodes = groups.map((group) => {
      const boxes = group.boxes.map((box) => this.box(box));
      const title = group.title ? [element("span", { class: "title" }, group.title)] : [];
      return element("div", { class: "group", role: "group", "aria-label": group.title || null }, ...title, ...boxes);
    });
    this.previous = this.arrow("‹", labels.previous, -1);
    this.next = this.arrow("›", labels.next, 1);
    this.strip = element("div", { class: "way" }, ...nodes);
    this.root.replaceChildren(this.previous, this.strip, this.next);
  }

  box({ name, title, number }) {
    const mark = number ? [element("span", { class: "number" }, `${number} `)] : [];
    const node = element("button", { type: "button", class: "box", onclick: () => this.choose(name) }, ...mark, title);
    this.boxes.set(name, { node, number });
    return node;
  }

  arrow(text, label, step) {
    const attributes = { type: "button", class: "arrow", "aria-label": label, title: label, onclick: () => this.move(step) };
    return element("button", attributes, text);
  }

  // Only numbered boxes lie on the way.
  get way() {
    return [...this.boxes].filter(([, box]) => box.number).map(([name]) => name);
  }

  get place() {
    return this.way.indexOf(this.current);
  }

  mark(current) {
    this.current = current;
    for (const [name, { node }] of this.boxes) {
      node.classList.toggle("current", name === current);
      if (name === current) node.setAttribute("aria-current", "step");
      else node.removeAttribute("aria-current");
    }
    this.reveal(this.boxes.get(current)?.node);
    this.previous.disabled = this.place <= 0;
    this.next.disabled = this.place === this.way.length - 1;
  }

  // On a telephone the boxes stand in one line that scrolls.
  reveal(node) {
    if (!node) return;
    const left = node.offsetLeft - this.strip.offsetLeft - (this.strip.clientWidth - node.offsetWidth) / 2;
    this.strip.scrollTo({ left });
  }

  choose(name) {
    if (name === this.current) return;
    this.chosen = { name, at: performance.now() };
    this.mark(name);
    this.report(name);
  }

  move(step) {
    const name = this.way[this.place < 0 ? (step > 0 ? 0 : this.way.length - 1) : this.place + step];
    if (name === undefined) return;
    const hadFocus = this.root.getRootNode().activeElement;
    this.choose(name);
    if (hadFocus?.classList.contains("box")) this.boxes.get(name).node.focus();
  }

  onKey(event) {
    const step = STEPS[event.key];
    if (!step || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey || event.defaultPrevented) return;
    event.preventDefault();
    this.move(step);
  }

  dispose() {
    document.removeEventListener("keydown", this.onDocumentKey);
  }
}

export default function stepMap(component) {
  return mount(component, (root) => new StepMap(root));
}
