// The arcs on the page: a canvas fixed in a scrolling area, with pointer and keys.

import { ARC_HEAD, ARC_ROW, arcsLayout, drawArcs, focusLinks } from "./arcs.js";
import { clamp, element, fill, formatWeight, sizeCanvas } from "../../shared/js/dom.js";
import { choiceOf } from "./chosen.js";
import { pinnedCell } from "./heatmap_input.js";
import { tokenText } from "../../shared/js/tokens.js";

const TALLEST = 600;

export function createArcs(view) {
  const arcs = { view, hover: null, figure: null };
  arcs.canvas = element("canvas", { class: "arcs-canvas" });
  arcs.spacer = element("div", { class: "arcs-spacer" }, arcs.canvas);
  arcs.element = element("div", {
    class: "arcs", tabindex: "0", role: "application", "data-part": "arcs",
  }, arcs.spacer);
  arcs.element.addEventListener("scroll", () => drawNow(arcs));
  arcs.element.addEventListener("pointermove", (event) => movePointer(arcs, tokenAt(arcs, event)));
  arcs.element.addEventListener("pointerleave", () => hoverToken(arcs, null));
  arcs.element.addEventListener("pointerdown", (event) => {
    arcs.drag = event.pointerType === "mouse" && event.button === 0 ? tokenAt(arcs, event) : null;
    arcs.dragged = false;
  });
  window.addEventListener("pointerup", (arcs.release = () => (arcs.drag = null)));
  arcs.dispose = () => window.removeEventListener("pointerup", arcs.release);
  arcs.element.addEventListener("click", (event) => {
    const token = tokenAt(arcs, event);
    if (token && !arcs.dragged) view.choose(token.axis, token.cell, choiceOf(event, view.several));
  });
  arcs.element.addEventListener("keydown", (event) => onArcsKey(arcs, event));
  return arcs;
}

// Along the tokens a drag chooses all that it passes.
function movePointer(arcs, token) {
  const { drag, view } = arcs;
  if (!drag) return hoverToken(arcs, token);
  if (token?.axis !== drag.axis || (!arcs.dragged && token.cell === drag.cell)) return;
  if (!arcs.dragged) view.choose(drag.axis, drag.cell, "first");
  arcs.dragged = true;
  hoverToken(arcs, null);
  view.choose(token.axis, token.cell, "range");
}

export function paintArcs(arcs) {
  const { view } = arcs;
  const width = arcs.element.clientWidth;
  if (!width) return;
  const { matrix, axes, theme, shade, masks, labels } = view;
  const layout = arcsLayout(arcs.canvas.getContext("2d"), { axes, theme, width });
  arcs.figure = { layout, matrix, axes, theme, shade, masks, labels, gather: view.state.settings.gather };
  const total = layout.height + ARC_HEAD;
  arcs.height = Math.min(total, TALLEST);
  arcs.element.style.height = `${arcs.height}px`;
  arcs.spacer.style.height = `${total}px`;
  arcs.element.setAttribute("aria-label", `${view.title()}. ${labels.arcsHelp}`);
  drawNow(arcs);
}

export function arcsFocus(arcs) {
  const { hover, view } = arcs;
  const pinned = pinnedCell(view);
  // A pointer on one of the chosen tokens shows them all.
  if (!hover || (pinned?.axis === hover.axis && pinned.cells.includes(hover.cell))) return pinned;
  return { ...hover, cells: [hover.cell] };
}

function drawNow(arcs) {
  if (!arcs.figure) return;
  const context = sizeCanvas(arcs.canvas, arcs.figure.layout.width, arcs.height);
  drawArcs(context, arcs.figure, { scroll: arcs.element.scrollTop, height: arcs.height, focus: arcsFocus(arcs) });
}

function tokenAt(arcs, event) {
  const { layout, axes } = arcs.figure ?? {};
  if (!layout) return null;
  const box = arcs.element.getBoundingClientRect();
  const [x, y] = [event.clientX - box.left, event.clientY - box.top];
  const cell = Math.floor((y - ARC_HEAD + arcs.element.scrollTop) / ARC_ROW);
  const axis = x < layout.left + 12 ? "query" : x > layout.right - 12 ? "key" : null;
  return axis && y > ARC_HEAD && cell >= 0 && cell < axes[axis].cells ? { axis, cell } : null;
}

function hoverToken(arcs, token) {
  if (token?.axis === arcs.hover?.axis && token?.cell === arcs.hover?.cell) return;
  arcs.hover = token;
  arcs.element.style.cursor = token ? "pointer" : "default";
  drawNow(arcs);
  const box = arcs.view.figureBox;
  if (token) box.dataset.hover = JSON.stringify(token);
  else delete box.dataset.hover;
}

function onArcsKey(arcs, event) {
  const { view } = arcs;
  const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
  if (step && arcs.figure) {
    const current = arcsFocus(arcs);
    const cells = view.axes.query.cells;
    const cell = current?.axis === "query" ? clamp(current.cell + step, 0, cells - 1) : 0;
    if (event.shiftKey && view.state.settings.pin?.axis !== "query") view.choose("query", current?.cell ?? 0, "first");
    hoverToken(arcs, { axis: "query", cell });
    if (event.shiftKey) view.choose("query", cell, "range");
    const middle = cell * ARC_ROW - arcs.height / 2;
    if (Math.abs(arcs.element.scrollTop - middle) > arcs.height / 2 - 3 * ARC_ROW) arcs.element.scrollTop = middle;
    announceLinks(arcs, cell);
  } else if ((event.key === "Enter" || event.key === " ") && arcs.hover) {
    view.choose(arcs.hover.axis, arcs.hover.cell, event.shiftKey || view.several ? "toggle" : "only");
  } else if (event.key === "Escape") {
    arcs.hover = null;
    view.setting("pin", null);
  } else return;
  event.preventDefault();
}

function announceLinks(arcs, cell) {
  const { matrix, axes } = arcs.figure;
  const best = focusLinks(arcs.figure, { axis: "query", cells: [cell] }).reverse().slice(0, 3);
  const sentences = best.map(({ column, weight }) => fill(arcs.view.labels.cell, {
    query: tokenText(axes.query.text(cell)), key: tokenText(axes.key.text(column)), value: formatWeight(matrix, weight),
  }));
  arcs.view.announce(sentences.join("; "));
}
