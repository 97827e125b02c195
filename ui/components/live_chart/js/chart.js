// A live chart: one plotly node for as long as it is on the page, updated by Plotly.react.

import { readTheme } from "../../../../playground/viewer/shared/js/colour.js";
import { decodePayload } from "../../../../playground/viewer/shared/js/decode.js";
import { element } from "../../../../playground/viewer/shared/js/dom.js";
import { mount } from "../../../../playground/viewer/shared/js/mount.js";
import { loadPlotly } from "./library.js";
import { leastWidth, roomBeside, written } from "./numbers.js";
import { Picking, frameOf, isRun, nearest } from "./pick.js";
import { saveButtons } from "./save.js";
import { fillTable } from "./table.js";
import { enlarged, isCrowded, recoloured, themedLayout } from "./theme.js";

// An explicit list: plotly's default one offers to upload the chart to a foreign server.
const BUTTONS = ["zoom2d", "pan2d", "resetScale2d"];

class LiveChart {
  constructor(root) {
    this.root = root;
    this.node = element("div", { class: "plot" });
    this.note = element("p", { class: "note", role: "status" });
    this.answer = element("p", { class: "answer", role: "status", hidden: "" });
    this.table = element("table");
    this.spoken = element("p", { role: "status" });
    this.dragging = false;
    const values = element("div", { class: "values" }, this.table, this.spoken);
    this.scroller = element("div", { class: "scroller" }, this.node);
    root.replaceChildren(this.scroller, this.note, this.answer, values);
    this.picking = new Picking(this);
    this.sizes = new ResizeObserver(() => root.clientWidth !== this.width && this.draw());
    this.sizes.observe(root);
    // New data would break off a drag that draws a zoom box: painting waits until it ends.
    this.node.addEventListener("pointerdown", () => (this.dragging = true));
    this.release = () => {
      if (!this.dragging) return;
      this.dragging = false;
      this.draw();
    };
    addEventListener("pointerup", this.release);
    addEventListener("pointercancel", this.release);
    this.resized = () => this.draw();
    addEventListener("resize", this.resized);
  }

  accept({ data, setTriggerValue }) {
    this.pick = (cell) => {
      if (!this.header.picks) return;
      // The frame does not wait for the page's answer.
      this.header.picked = cell;
      this.draw();
      setTriggerValue("picked", cell);
    };
    if (data && data !== this.data) {
      this.data = data;
      this.header = decodePayload(data).header;
      this.root.style.minHeight = `${this.header.height}px`;
      this.curves = fillTable(this.table, this.header.figure, this.header);
      this.node.setAttribute("role", "figure");
      this.node.setAttribute("aria-label", this.header.label);
      this.node.classList.toggle("picks", Boolean(this.header.picks));
      if (this.header.picks) this.node.tabIndex = 0;
    }
    if (this.header) this.draw();
  }

  say(text) {
    this.note.textContent = text;
    this.note.hidden = !text;
  }

  draw() {
    if (this.dragging || !this.header) return;
    this.scheduled ??= requestAnimationFrame(() => {
      this.scheduled = null;
      this.paint();
    });
  }

  async paint() {
    const { labels, script } = this.header;
    if (!this.Plotly) {
      if (!this.root.classList.contains("without")) this.say(labels.loading);
      this.Plotly = await loadPlotly(script).catch(() => null);
    }
    if (this.disposed) return;
    this.root.classList.toggle("without", !this.Plotly);
    if (!this.Plotly) return this.say(labels.missing);
    this.say(this.curves ? "" : labels.empty);
    this.width = this.root.clientWidth;
    if (this.width) await this.react();
  }

  async react() {
    const { header, node, Plotly } = this;
    const { figure, revision } = header;
    this.theme = readTheme(this.root);
    node.classList.toggle("crowded", isCrowded(figure.layout));
    const height = this.theme.room || header.height;
    this.root.style.minHeight = node.style.height = `${height}px`;
    const shown = this.theme.dark ? recoloured(figure, header.dark) : structuredClone(figure);
    const frame = roomBeside(shown.layout, shown.data);
    const width = Math.max(this.width, leastWidth(shown.data) + frame);
    const { data, annotations } = written(shown.data, width - frame);
    const layout = themedLayout(shown.layout, this.theme, { width, height, revision });
    layout.shapes = [...(layout.shapes ?? []), ...frameOf(shown.data, header.picked, layout.font.color)];
    layout.annotations = [...(layout.annotations ?? []), ...annotations];
    // A finger scrolls a wide picture; it cannot draw a zoom box at the same time.
    if (width > this.width) layout.dragmode = false;
    this.scroller.toggleAttribute("data-wide", width > this.width);
    // Any change of config, even a new function, makes plotly start over and forget the zoom.
    this.config ??= { displaylogo: false, responsive: false, showSendToCloud: false, modeBarButtons: [BUTTONS, saveButtons(this)] };
    await Plotly.react(node, enlarged(data, this.theme.scale), enlarged(layout, this.theme.scale), this.config);
    if (this.listening) this.pointAgain();
    else this.listen();
    node.dataset.drawn = String(Number(node.dataset.drawn ?? 0) + 1);
  }

  listen() {
    this.listening = true;
    this.node.on("plotly_hover", ({ xvals, yvals }) => (this.pointed = { xval: xvals?.[0], yval: yvals?.[0] }));
    this.node.on("plotly_unhover", () => (this.pointed = undefined));
    this.node.on("plotly_click", ({ points, event }) => {
      this.follow(nearest(points ?? [], event.clientY - this.node.getBoundingClientRect().top)?.customdata);
      this.picking.click(points?.[0]);
    });
  }

  // The last customdata of a point may be a run of this app, or "say:" and a sentence that answers the click. Only
  // links to runs are opened.
  follow(customdata) {
    const last = String((Array.isArray(customdata) && customdata[customdata.length - 1]) ?? "");
    this.answer.textContent = last.startsWith("say:") ? last.slice(4) : "";
    this.answer.hidden = !this.answer.textContent;
    if (isRun(last)) open(new URL(last, document.baseURI), "_blank", "noopener");
  }

  // New data removes the hover label; show it again under a resting pointer.
  pointAgain() {
    if (this.pointed === undefined || !this.node.matches(":hover")) return;
    const { xval, yval } = this.pointed;
    // Only the mode "closest" needs a height; with several panels a height would belong to one of them.
    const point = this.node._fullLayout.hovermode === "closest" ? { xval, yval } : { xval };
    try {
      this.Plotly.Fx.hover(this.node, point);
    } catch {
      this.pointed = undefined;
    }
  }

  dispose() {
    this.disposed = true;
    this.sizes.disconnect();
    removeEventListener("pointerup", this.release);
    removeEventListener("pointercancel", this.release);
    removeEventListener("resize", this.resized);
    this.Plotly?.purge(this.node);
  }
}

export default function liveChart(component) {
  return mount(component, (root) => new LiveChart(root), ".live-chart");
}
