// The drawing of an architecture: one SVG that the server has laid out, with tooltips, keyboard and a choice of boxes.

import { decodePayload } from "../../../../playground/viewer/shared/js/decode.js";
import { element, showTip } from "../../../../playground/viewer/shared/js/dom.js";
import { mount } from "../../../../playground/viewer/shared/js/mount.js";
import { fileOf, saveDrawing, savePixels } from "./picture.js";

const STEPS = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 };

function parsed(text) {
  const svg = document.importNode(new DOMParser().parseFromString(text, "image/svg+xml").documentElement, true);
  svg.dataset.whole = svg.getAttribute("height");
  return svg;
}

class ArchitectureView {
  constructor(root) {
    this.root = root;
    this.sheet = element("div", { class: "sheet" });
    this.tip = element("div", { class: "tip", role: "tooltip", hidden: true });
    this.svg = element("button", { type: "button", class: "save", onclick: () => saveDrawing(this.file(), this.label) }, "SVG");
    this.png = element("button", { type: "button", class: "save", onclick: () => savePixels(this.file(), this.label) }, "PNG");
    root.replaceChildren(this.sheet, element("div", { class: "saves" }, this.svg, this.png), this.tip);
    for (const name of ["pointermove", "focusin"]) this.sheet.addEventListener(name, (event) => this.point(event));
    for (const name of ["pointerleave", "focusout"]) this.sheet.addEventListener(name, () => (this.tip.hidden = true));
    this.sheet.addEventListener("click", (event) => this.pick(event));
    this.sheet.addEventListener("keydown", (event) => this.press(event));
    this.observer = new ResizeObserver(() => this.arrange());
    this.observer.observe(root);
  }

  accept({ data, setTriggerValue }) {
    this.report = (index) => setTriggerValue("picked", index);
    if (!data || data === this.data) return;
    this.data = data;
    const { drawings, styles, tips, label, hint, saveSvg, savePng, narrowestPair } = decodePayload(data).header;
    Object.assign(this, { styles, tips, label, hint, narrowestPair, shown: null });
    this.drawings = drawings.map(parsed);
    for (const [button, title] of [[this.svg, saveSvg], [this.png, savePng]]) {
      button.setAttribute("aria-label", title);
      button.title = title;
    }
    this.arrange();
  }

  // Two columns where they fit, else one.
  arrange() {
    if (!this.drawings) return;
    const isNarrow = this.root.clientWidth < this.narrowestPair;
    const drawing = this.drawings[isNarrow ? this.drawings.length - 1 : 0];
    if (drawing === this.shown) return;
    this.shown = drawing;
    drawing.querySelector("style").textContent = this.styles.page;
    const height = drawing.dataset.page;
    drawing.setAttribute("height", height);
    drawing.setAttribute("viewBox", `0 0 ${drawing.getAttribute("width")} ${height}`);
    for (const box of drawing.querySelectorAll(".box")) {
      box.setAttribute("tabindex", "0");
      box.setAttribute("role", this.hint ? "button" : "img");
    }
    this.sheet.classList.toggle("choosing", Boolean(this.hint));
    this.sheet.replaceChildren(drawing);
  }

  file() {
    const theme = getComputedStyle(this.root).colorScheme.includes("dark") ? "dark" : "light";
    return fileOf(this.shown, { styles: this.styles, theme });
  }

  boxOf(event) {
    return event.target.closest?.(".box") ?? null;
  }

  point(event) {
    const box = this.boxOf(event);
    if (!box) return void (this.tip.hidden = true);
    const [path, ...lines] = this.tips[Number(box.dataset.index)];
    const hint = this.hint ? [element("em", {}, this.hint)] : [];
    this.tip.replaceChildren(element("strong", {}, path), ...lines.map((line) => element("div", {}, line)), ...hint);
    const { left, bottom } = box.getBoundingClientRect();
    showTip(this.tip, this.root, event.clientX === undefined ? { clientX: left, clientY: bottom } : event);
  }

  pick(event) {
    const box = this.boxOf(event);
    if (!box || !this.hint) return;
    // A sign at once: the page's answer is another step.
    this.shown.querySelector(".pressed")?.classList.remove("pressed");
    box.classList.add("pressed");
    this.report(Number(box.dataset.index));
  }

  press(event) {
    const box = this.boxOf(event);
    if (!box) return;
    if (event.key in STEPS) {
      const boxes = [...this.shown.querySelectorAll(".box")];
      boxes[boxes.indexOf(box) + STEPS[event.key]]?.focus();
    } else if (event.key === "Enter" || event.key === " ") this.pick(event);
    else return;
    event.preventDefault();
  }

  dispose() {
    this.observer.disconnect();
  }
}

export default function architectureView(component) {
  return mount(component, (root) => new ArchitectureView(root));
}
