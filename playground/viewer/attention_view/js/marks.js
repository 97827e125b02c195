// Three marks that explain the picture to somebody who sees it for the first time, until they are closed.

import { element } from "../../shared/js/dom.js";
import { sharedStore } from "./store.js";

const NAMES = ["markHead", "markClick", "markAxes"];

export function createMarks(view) {
  const marks = { view };
  marks.dots = NAMES.map((_, index) => element("span", { class: "dot", "aria-hidden": "true", hidden: true }, String(index + 1)));
  marks.texts = NAMES.map(() => element("span"));
  marks.button = element("button", { type: "button", class: "word", onclick: () => closeMarks(marks) });
  marks.element = element("section", { class: "marks", "data-part": "marks", hidden: true },
    ...marks.texts.map((text, index) => element("p", {}, element("span", { class: "dot inline" }, String(index + 1)), text)), marks.button);
  view.root.addEventListener("keydown", (event) => event.key === "Escape" && marksShown(view) && closeMarks(marks));
  return marks;
}

export function marksShown({ header }) {
  return Boolean(header?.marks) && !sharedStore().marksClosed;
}

function closeMarks(marks) {
  const { view } = marks;
  sharedStore().marksClosed = true;
  if (marks.element.contains(marks.element.getRootNode().activeElement)) view.parts.grid.board.focus({ preventScroll: true });
  view.component.setStateValue("marks", "closed");
  view.refresh("all");
}

// The first dot is on the first head, the second on the selected one, the third where both axes begin.
export function paintMarksOfView(marks) {
  const { view } = marks;
  const visible = marksShown(view);
  for (const node of [marks.element, ...marks.dots]) node.hidden = !visible;
  if (!visible) return;
  marks.texts.forEach((text, index) => (text.textContent = view.labels[NAMES[index]]));
  marks.button.textContent = view.labels.marksClose;
  marks.element.setAttribute("aria-label", view.labels.marks);
  const [first, chosen, axes] = marks.dots;
  view.parts.grid.board.append(first);
  view.parts.grid.chosen.append(chosen);
  view.parts.heatmap.element.append(axes);
  const { left, top } = view.parts.heatmap.element.dataset;
  Object.assign(axes.style, { left: `${left}px`, top: `${top}px` });
}
