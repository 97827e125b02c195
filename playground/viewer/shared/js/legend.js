// The colour scale with its ticks, on the page and in exported pictures.

import { cssRgb, scaleTicks, scaleWeight, sized } from "./colour.js";
import { element, sizeCanvas } from "./dom.js";

export const LEGEND_HEIGHT = 44;
const LEGEND_WIDTH = 260;

export function drawLegend(context, { shade, theme, labels, settings }, x, y, width) {
  context.font = `${sized(11, theme)}px ${theme.sans}`;
  context.textBaseline = "top";
  context.textAlign = "left";
  context.fillStyle = cssRgb(theme.faded);
  context.fillText(settings.range === "row" ? labels.legendRow : labels.legend, x, y);
  const steps = Math.min(128, Math.round(width));
  for (let step = 0; step < steps; step++) {
    context.fillStyle = cssRgb(shade.ramp[Math.round((step / (steps - 1)) * (shade.ramp.length - 1))]);
    context.fillRect(x + (step * width) / steps, y + 16, width / steps + 0.5, 9);
  }
  context.strokeStyle = cssRgb(theme.line);
  context.lineWidth = 1;
  context.strokeRect(x + 0.5, y + 15.5, width - 1, 10);
  context.fillStyle = cssRgb(theme.faded);
  for (const tick of scaleTicks(settings.scale)) {
    const tickX = x + scaleWeight(settings.scale, tick) * width;
    context.fillRect(Math.min(tickX, x + width - 1), y + 25, 1, 3);
    context.textAlign = tickX <= x + 1 ? "left" : tickX >= x + width - 1 ? "right" : "center";
    context.fillText(String(tick), tickX, y + 30);
  }
}

export function createLegend() {
  return { element: element("canvas", { class: "legend", role: "img" }) };
}

export function paintLegend(legend, view) {
  const { theme, shade, labels, state } = view;
  const room = Math.min(LEGEND_WIDTH, view.figureBox.clientWidth - 4);
  if (room < 40) return;
  const context = sizeCanvas(legend.element, room + 2, LEGEND_HEIGHT);
  drawLegend(context, { shade, theme, labels, settings: state.settings }, 1, 0, room);
  legend.element.setAttribute("aria-label", `${labels.legend}, ${labels[state.settings.scale]}`);
}
