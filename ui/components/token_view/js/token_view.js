// Tokens coloured in their place, or listed with bars. Text only ever becomes text nodes.

import { decodePayload } from "../../shared/js/decode.js";
import { clamp, element, placeTip } from "../../shared/js/dom.js";
import { saveSvg, svgOf } from "./picture.js";
import { tokenNode, tokenText } from "../../shared/js/tokens.js";

const shown = new WeakMap();

class TokenView {
  constructor(root) {
    this.root = root;
    this.list = element("div", {});
    this.tip = element("div", { class: "tip", role: "tooltip", hidden: true });
    this.save = element("button", { type: "button", class: "save", hidden: true, onclick: () => this.keep() }, "SVG");
    root.replaceChildren(this.list, this.save, this.tip);
    for (const name of ["pointermove", "focusin"]) this.list.addEventListener(name, (event) => this.point(event));
    for (const name of ["pointerleave", "focusout"]) this.list.addEventListener(name, () => (this.tip.hidden = true));
    this.list.addEventListener("click", (event) => this.pick(event));
    root.getRootNode().host?.closest?.('[data-testid="stElementContainer"]')?.style.setProperty("opacity", "1", "important");
  }

  accept({ data, setTriggerValue }) {
    this.report = (place) => setTriggerValue("picked", place);
    if (!data || data === this.data) return;
    this.data = data;
    const { items, layout, label, notes, saveLabel } = decodePayload(data).header;
    Object.assign(this, { items, label, notes });
    this.save.hidden = !notes.length;
    this.save.setAttribute("aria-label", saveLabel);
    this.save.title = saveLabel;
    this.list.className = layout;
    this.list.setAttribute("role", "list");
    this.list.setAttribute("aria-label", label);
    this.tip.hidden = true;
    this.list.replaceChildren(...items.map((item, place) => (layout === "text" ? chip(item, place) : barRow(item, place))));
  }

  place(event) {
    const node = event.target.closest?.("[data-place]");
    return node ? Number(node.dataset.place) : null;
  }

  point(event) {
    const place = this.place(event);
    const lines = place === null ? [] : this.items[place].lines;
    if (!lines.length) return void (this.tip.hidden = true);
    this.tip.replaceChildren(
      element("strong", {}, tokenNode(this.items[place].text, this.items[place].special)),
      ...lines.map((line) => element("div", {}, line)),
    );
    const box = this.root.getBoundingClientRect();
    const at = event.clientX === undefined ? event.target.getBoundingClientRect() : { left: event.clientX, bottom: event.clientY };
    placeTip(this.tip, box, at.left - box.left, at.bottom - box.top);
  }

  keep() {
    const style = getComputedStyle(this.root);
    const [page, faded] = [style.getPropertyValue("--page"), style.getPropertyValue("--soft")];
    saveSvg(svgOf(this.list, { page, faded, notes: this.notes }), this.label);
  }

  pick(event) {
    const place = this.place(event);
    if (place !== null && this.items[place].clickable) this.report(place);
  }
}

function holder(item, place, kind) {
  const tag = item.clickable ? "button" : "span";
  const node = element(tag, {
    type: item.clickable ? "button" : null,
    class: item.chosen ? `${kind} chosen` : kind,
    "data-place": place,
    "aria-pressed": item.clickable ? String(item.chosen) : null,
    "aria-label": item.clickable ? [tokenText(item.text), item.number, ...item.lines].filter(Boolean).join(", ") : null,
  });
  return node;
}

function chip(item, place) {
  const node = holder(item, place, "chip");
  if (item.value !== null) node.style.setProperty("--strength", `${Math.round(60 * clamp(item.value, 0, 1))}%`);
  node.append(tokenNode(item.text, item.special));
  const wrapped = element("span", { role: "listitem" }, node);
  return item.text.includes("\n") ? lineAfter(wrapped) : wrapped;
}

function lineAfter(node) {
  const both = document.createDocumentFragment();
  both.append(node, element("span", { class: "line-end" }));
  return both;
}

function barRow(item, place) {
  const node = holder(item, place, "row");
  const bar = element("i", { class: "share" });
  bar.style.inlineSize = `${100 * clamp(item.value ?? 0, 0, 1)}%`;
  node.append(tokenNode(item.text, item.special), element("span", { class: "bar" }, bar), element("span", { class: "numeric" }, item.number));
  return element("div", { role: "listitem" }, node);
}

export default function tokenView(component) {
  const { parentElement } = component;
  const root = parentElement.querySelector(".root");
  let view = shown.get(parentElement);
  if (view?.root !== root) {
    view = new TokenView(root);
    shown.set(parentElement, view);
  }
  view.accept(component);
  return () => shown.delete(parentElement);
}
