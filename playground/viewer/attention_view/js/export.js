// The shown map as a PNG or SVG file: title, figure, colour scale and provenance.

import { drawArcs } from "./arcs.js";
import { arcsFocus } from "./arcs_input.js";
import { saidOfChosen } from "./chosen_line.js";
import { cssRgb } from "../../shared/js/colour.js";
import { fileStem, saveBlob, withLink } from "../../shared/js/files.js";
import { drawHeatmap } from "../../shared/js/heatmap.js";
import { pinnedCell } from "./heatmap_input.js";
import { drawOverlay } from "../../shared/js/heatmap_layers.js";
import { LEGEND_HEIGHT, drawLegend } from "../../shared/js/legend.js";
import { VectorContext } from "./vector.js";

const MARGIN = 20;
const LINE = 15;
const SHARPNESS = 2;

function figureSize(view) {
  if (view.state.settings.view === "heatmap") {
    const { layout } = view.parts.heatmap.figure;
    return { width: layout.width, height: layout.height };
  }
  return { width: view.parts.arcs.figure.layout.width, height: view.parts.arcs.height };
}

function drawFigure(context, view) {
  if (view.state.settings.view === "heatmap") {
    const { figure } = view.parts.heatmap;
    drawHeatmap(context, figure, SHARPNESS);
    if (pinnedCell(view)) drawOverlay(withoutClearing(context), figure, null, pinnedCell(view));
    return;
  }
  const { arcs } = view.parts;
  drawArcs(context, arcs.figure, { scroll: arcs.element.scrollTop, height: arcs.height, focus: arcsFocus(arcs) });
}

// The overlay clears its canvas first; in a picture it shares the canvas with the map, which must stay.
function withoutClearing(context) {
  return new Proxy(context, {
    get(target, name) {
      if (name === "clearRect") return () => {};
      const value = target[name];
      return typeof value === "function" ? value.bind(target) : value;
    },
    set(target, name, value) {
      target[name] = value;
      return true;
    },
  });
}

function footer(view) {
  const { header, labels } = view;
  const notes = [];
  if (header.firstExcluded) notes.push(labels.firstExcluded);
  if (header.specialHidden) notes.push(labels.specialHidden);
  if (view.byWord) notes.push(labels.byWord);
  if (saidOfChosen(view)) notes.push(saidOfChosen(view));
  if (!view.matrix.exact) notes.push(labels.approximate);
  return withLink([...header.provenance, ...notes]);
}

// A word, such as a link, in pieces that fit.
function pieces(context, word, room) {
  const letters = Math.max(8, Math.floor((word.length * room) / Math.max(room, context.measureText(word).width)));
  return word.match(new RegExp(`.{1,${letters}}`, "gu")) ?? [""];
}

function wrap(context, text, room) {
  const lines = [""];
  for (const word of text.split(" ").flatMap((whole) => pieces(context, whole, room))) {
    const longer = `${lines[lines.length - 1]} ${word}`.trim();
    if (context.measureText(longer).width <= room || !lines[lines.length - 1]) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}

function composePicture(view, ruler, makeContext) {
  const { theme, shade, labels, state, header } = view;
  const size = figureSize(view);
  const width = Math.max(size.width, 320) + 2 * MARGIN;
  ruler.font = `11px ${theme.sans}`;
  const lines = footer(view).flatMap((text) => wrap(ruler, text, width - 2 * MARGIN));
  const height = MARGIN + 30 + size.height + 14 + LEGEND_HEIGHT + 8 + lines.length * LINE + MARGIN;
  const context = makeContext(width, height);
  context.fillStyle = cssRgb(theme.background);
  context.fillRect(0, 0, width, height);
  context.font = `600 14px ${theme.sans}`;
  context.textBaseline = "top";
  context.textAlign = "left";
  context.fillStyle = cssRgb(theme.text);
  context.fillText(`${header.title} · ${labels[header.site]} · ${view.title()}`, MARGIN, MARGIN);
  context.save();
  context.translate(MARGIN, MARGIN + 30);
  drawFigure(context, view);
  context.restore();
  const below = MARGIN + 30 + size.height + 14;
  drawLegend(context, { shade, theme, labels, settings: state.settings }, MARGIN, below, 260);
  context.font = `11px ${theme.sans}`;
  context.textAlign = "left";
  context.textBaseline = "top";
  context.fillStyle = cssRgb(theme.faded);
  lines.forEach((line, index) => context.fillText(line, MARGIN, below + LEGEND_HEIGHT + 8 + index * LINE));
  return context;
}

function scratch() {
  return document.createElement("canvas").getContext("2d");
}

function svgBlob(view) {
  const ruler = scratch();
  const context = composePicture(view, ruler, (width, height) => new VectorContext(width, height, scratch()));
  return new Blob([context.text()], { type: "image/svg+xml" });
}

function pngBlob(view) {
  const canvas = document.createElement("canvas");
  composePicture(view, scratch(), (width, height) => {
    Object.assign(canvas, { width: Math.ceil(width * SHARPNESS), height: Math.ceil(height * SHARPNESS) });
    const context = canvas.getContext("2d");
    context.scale(SHARPNESS, SHARPNESS);
    return context;
  });
  return new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
}

export async function savePicture(view, kind) {
  const blob = kind === "svg" ? svgBlob(view) : await pngBlob(view);
  saveBlob(blob, `${fileStem(`${view.header.title} ${view.title()}`, { fallback: "attention", most: 80 })}.${kind}`);
}
