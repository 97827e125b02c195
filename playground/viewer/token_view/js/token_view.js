// Tokens coloured in a running text, or listed with bars. Text becomes nothing but text nodes.

import { decodePayload } from "../../shared/js/decode.js";
import { element, showTip } from "../../shared/js/dom.js";
import { mount } from "../../shared/js/mount.js";
import { saveSvg, svgOf } from "../../shared/js/token_picture.js";
import { barRow, chip, legend, textNode } from "./rows.js";

class TokenView {
  constructor(root) {
    this.root = root;
    this.list = element("div", {});
    this.tip = element("div", { class: "tip", role: "tooltip", hidden: true });
    this.save = element("button", { type: "button", class: "save", hidden: true, onclick: () => this.savePicture() }, "SVG");
    root.replaceChildren(this.list, this.save, this.tip);
    for (const name of ["pointermove", "focusin"]) this.list.addEventListener(name, (event) => this.point(event));
    for (const name of ["pointerleave", "focusout"]) this.list.addEventListener(name, () => (this.tip.hidden = true));
    this.list.addEventListener("click", (event) => this.pick(event));
  }

  accept({ data, setTriggerValue }) {
    this.report = (index) => setTriggerValue("picked", index);
    if (!data || data === this.data) return;
    this.data = data;
    const { items, layout, label, notes, saveLabel, series, removedLabel } = decodePayload(data).header;
    Object.assign(this, { items, label, notes });
    this.save.hidden = !notes.length;
    this.save.setAttribute("aria-label", saveLabel);
    this.save.title = saveLabel;
    this.list.className = layout;
    this.list.setAttribute("role", "list");
    this.list.setAttribute("aria-label", label);
    this.tip.hidden = true;
    const nodes = items.map((item, index) => (layout === "text" ? chip(item, index) : barRow(item, index, removedLabel)));
    this.list.replaceChildren(...(series.length ? [legend(series)] : []), ...nodes);
  }

  // The index of the token under the pointer or the focus; null outside the tokens.
  indexOf(event) {
    const node = event.target.closest?.("[data-index]");
    return node ? Number(node.dataset.index) : null;
  }

  point(event) {
    const index = this.indexOf(event);
    const lines = index === null ? [] : this.items[index].lines;
    if (!lines.length) return void (this.tip.hidden = true);
    this.tip.replaceChildren(
      element("strong", {}, textNode(this.items[index])),
      ...lines.map((line) => element("div", {}, line)),
    );
    // Focus by keyboard has no pointer: the tooltip appears at the token.
    const { left, bottom } = event.target.getBoundingClientRect();
    showTip(this.tip, this.root, event.clientX === undefined ? { clientX: left, clientY: bottom } : event);
  }

  savePicture() {
    const style = getComputedStyle(this.root);
    const [page, faded] = [style.getPropertyValue("--page"), style.getPropertyValue("--soft")];
    saveSvg(svgOf(this.list, { page, faded, notes: this.notes }), this.label);
  }

  pick(event) {
    const index = this.indexOf(event);
    if (index === null || !this.items[index].clickable) return;
    // A sign at once: the page's answer brings new tokens.
    this.list.querySelector(".pressed")?.classList.remove("pressed");
    event.target.closest("[data-index]").classList.add("pressed");
    this.report(index);
  }
}

export default function tokenView(component) {
  return mount(component, (root) => new TokenView(root));
}
