// A text area that reports its text when typing pauses, and never undoes a keystroke.

import { mount } from "../../../../playground/viewer/shared/js/mount.js";

const COUNT_FROM = 0.8;

class LiveText {
  constructor(root) {
    this.root = root;
    this.area = root.querySelector("textarea");
    this.label = root.querySelector("label");
    this.count = root.querySelector(".count");
    this.revision = null;
    this.composing = false;
    this.area.addEventListener("input", () => this.edited());
    this.area.addEventListener("blur", () => this.report());
    this.area.addEventListener("keydown", (event) => this.onKey(event));
    this.area.addEventListener("compositionstart", () => (this.composing = true));
    this.area.addEventListener("compositionend", () => {
      this.composing = false;
      this.edited();
    });
  }

  // Python's text replaces the typed one only under a new revision; else it echoes an older edit.
  accept(component) {
    const { data } = component;
    this.component = component;
    this.delay = data.delay;
    this.label.textContent = data.label;
    this.label.hidden = data.labelHidden;
    this.area.placeholder = data.placeholder;
    this.area.maxLength = data.maxChars;
    this.area.rows = data.rows;
    if (data.revision !== this.revision) {
      clearTimeout(this.timer);
      this.revision = data.revision;
      if (this.area.value !== data.value) this.area.value = data.value;
      this.reported = data.value;
    }
    this.showCount();
  }

  edited() {
    this.showCount();
    clearTimeout(this.timer);
    if (!this.composing) this.timer = setTimeout(() => this.report(), this.delay);
  }

  onKey(event) {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    this.report();
  }

  report() {
    clearTimeout(this.timer);
    const text = this.area.value;
    if (this.composing || text === this.reported) return;
    this.reported = text;
    this.component.setStateValue("text", { value: text, revision: this.revision });
  }

  // The count appears once four fifths of the allowed length are used.
  showCount() {
    const [length, most] = [this.area.value.length, this.area.maxLength];
    this.count.textContent = length >= COUNT_FROM * most ? `${length} / ${most}` : "";
  }

  dispose() {
    clearTimeout(this.timer);
  }
}

export default function liveText(component) {
  return mount(component, (root) => new LiveText(root), ".live-text");
}
