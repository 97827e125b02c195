// Lines of tokens with what a measure counted, equal ones lit up together, linked ones joined by a line.

import { decodePayload } from "../../../../playground/viewer/shared/js/decode.js";
import { element, svgElement } from "../../../../playground/viewer/shared/js/dom.js";
import { mount } from "../../../../playground/viewer/shared/js/mount.js";
import { MARGIN, saveSvg, svgOf } from "../../../../playground/viewer/shared/js/token_picture.js";
import { columnsOfChips, rowOfChips, stateLegend } from "./chips.js";

class ComparedLines {
  constructor(root) {
    this.root = root;
    this.lines = svgElement("svg", { class: "links", "aria-hidden": "true" });
    this.list = element("div", { class: "list" });
    this.comparison = element("div", { class: "comparison" }, this.lines, this.list);
    this.legend = element("div", {});
    this.note = element("p", { class: "note" });
    this.save = element("button", { type: "button", class: "save", onclick: () => this.savePicture() }, "SVG");
    root.replaceChildren(this.legend, this.comparison, this.note, this.save);
    this.list.addEventListener("pointerover", (event) => this.light(event.target.closest(".chip")?.dataset.text));
    this.list.addEventListener("pointerleave", () => this.light(undefined));
    this.observer = new ResizeObserver(() => this.drawLinks());
    this.observer.observe(this.list);
  }

  accept({ data }) {
    if (!data || data === this.data) return;
    this.data = data;
    const { rows, links, stacked, states, label, notes, saveLabel, cut } = decodePayload(data).header;
    Object.assign(this, { links, label, notes });
    this.list.setAttribute("role", "group");
    this.list.setAttribute("aria-label", label);
    this.list.classList.toggle("linked", links.length > 0);
    this.list.replaceChildren(...(stacked ? [columnsOfChips(rows, states)] : rows.map((row) => rowOfChips(row, states))));
    this.legend.replaceChildren(stateLegend(states));
    this.note.textContent = cut;
    this.note.hidden = !cut;
    this.save.setAttribute("aria-label", saveLabel);
    this.save.title = saveLabel;
    this.drawLinks();
  }

  // Every chip with the same text: where else does this n-gram stand?
  light(text) {
    for (const node of this.list.querySelectorAll(".chip")) node.classList.toggle("same", Boolean(text) && node.dataset.text === text);
  }

  // Ends of each link in the comparison's own pixels: the bottom of the upper chip, the top of the lower one.
  ends() {
    const rows = [...this.list.querySelectorAll(".chips")].map((row) => row.children);
    const frame = this.comparison.getBoundingClientRect();
    return this.links.map(([row, i, j]) => {
      const [from, to] = [rows[row][i].getBoundingClientRect(), rows[row + 1][j].getBoundingClientRect()];
      return {
        x1: from.left + from.width / 2 - frame.left, y1: from.bottom - frame.top,
        x2: to.left + to.width / 2 - frame.left, y2: to.top - frame.top,
      };
    });
  }

  drawLinks() {
    const ends = this.links?.length ? this.ends() : [];
    this.lines.replaceChildren(...ends.map((place) => svgElement("line", place)));
  }

  savePicture() {
    const style = getComputedStyle(this.root);
    const [page, faded] = [style.getPropertyValue("--page"), style.getPropertyValue("--soft")];
    const extra = (this.links.length ? this.ends() : []).map(({ x1, y1, x2, y2 }) => svgElement("line", {
      x1: x1 + MARGIN, y1: y1 + MARGIN, x2: x2 + MARGIN, y2: y2 + MARGIN, stroke: "rgb(31, 157, 87)", "stroke-width": 1.5,
    }));
    saveSvg(svgOf(this.list, { page, faded, notes: this.notes, extra }), this.label);
  }

  dispose() {
    this.observer.disconnect();
  }
}

export default function comparedLines(component) {
  return mount(component, (root) => new ComparedLines(root));
}
