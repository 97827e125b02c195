// A text area that reports its text when the typing pauses, and never takes back a keystroke.

const areas = new WeakMap();
const COUNT_FROM = 0.8;

class LiveText {
  constructor(root) {
    this.area = root.querySelector("textarea");
    this.label = root.querySelector("label");
    this.count = root.querySelector(".count");
    this.revision = null;
    this.composing = false;
    // Streamlit fades what waits for its script; whoever types must not see the text fade.
    const box = root.getRootNode().host?.closest?.('[data-testid="stElementContainer"]');
    box?.style.setProperty("opacity", "1", "important");
    this.area.addEventListener("input", () => this.edited());
    this.area.addEventListener("blur", () => this.report());
    this.area.addEventListener("keydown", (event) => this.onKey(event));
    this.area.addEventListener("compositionstart", () => (this.composing = true));
    this.area.addEventListener("compositionend", () => {
      this.composing = false;
      this.edited();
    });
  }

  // Python's text counts only when its revision is new; anything else is an echo of an older edit.
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

  // How much room is left is worth saying only when it gets tight.
  showCount() {
    const [length, most] = [this.area.value.length, this.area.maxLength];
    this.count.textContent = length >= COUNT_FROM * most ? `${length} / ${most}` : "";
  }

  dispose() {
    clearTimeout(this.timer);
  }
}

export default function liveText(component) {
  const { parentElement } = component;
  const root = parentElement.querySelector(".live-text");
  let text = areas.get(parentElement);
  if (!text || text.area !== root.querySelector("textarea")) {
    text?.dispose();
    text = new LiveText(root);
    areas.set(parentElement, text);
  }
  text.accept(component);
  return () => {
    text.dispose();
    areas.delete(parentElement);
  };
}
