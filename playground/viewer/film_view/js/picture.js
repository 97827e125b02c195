// The shown frame as a PNG file: all heads, the selected one, its curve, and provenance.

import { cssRgb } from "../../shared/js/colour.js";
import { fill, scoreLabel } from "../../shared/js/dom.js";
import { fileStem, saveBlob, withLink } from "../../shared/js/files.js";
import { CURVES_HEIGHT, drawCurves, drawCursor } from "./curves.js";
import { drawHeatmap } from "../../shared/js/heatmap.js";
import { LEGEND_HEIGHT, drawLegend } from "../../shared/js/legend.js";
import { drawGold, stageFigure } from "./stage.js";
import { drawThumbs, thumbsArea, thumbsSize } from "./thumbs.js";

const PICTURE_WIDTH = 1100;
const PICTURE_MARGIN = 24;
const PICTURE_GAP = 28;
const PICTURE_SCALE = 2;
const PICTURE_LINE = 16;

function filmPicture(film, curves) {
  const { site, theme, labels, header, choice } = film;
  const canvas = document.createElement("canvas");
  const context = canvas.getContext("2d");
  const inner = PICTURE_WIDTH - 2 * PICTURE_MARGIN;
  const left = Math.round(inner * 0.36);
  const size = thumbsSize(site, left);
  const area = thumbsArea(site, size);
  const figure = stageFigure(context, film, inner - left - PICTURE_GAP, 520);
  const pictures = Math.max(area.height, figure.layout.height);
  const notes = [...(choice.kind === "cross" && header.alignment.length ? [labels.gold] : []), ...withLink(header.provenance)];
  const curvesTop = PICTURE_MARGIN + 34 + pictures + 20;
  const bottom = curvesTop + (choice.score ? CURVES_HEIGHT + 24 : 0);
  const height = bottom + LEGEND_HEIGHT + 10 + notes.length * PICTURE_LINE + PICTURE_MARGIN;
  Object.assign(canvas, { width: PICTURE_WIDTH * PICTURE_SCALE, height: Math.ceil(height * PICTURE_SCALE) });
  context.scale(PICTURE_SCALE, PICTURE_SCALE);
  context.fillStyle = cssRgb(theme.background);
  context.fillRect(0, 0, PICTURE_WIDTH, height);
  const drawAt = (x, y, draw) => {
    context.save();
    context.translate(x, y);
    draw();
    context.restore();
  };
  const write = (text, x, y, font, colour) => {
    context.font = `${font} ${theme.sans}`;
    Object.assign(context, { textAlign: "left", textBaseline: "top", fillStyle: cssRgb(colour) });
    context.fillText(text, x, y);
  };
  const step = fill(labels.step, { step: film.number(film.frame.step) });
  write([header.title, labels[choice.kind], film.title(), step].filter(Boolean).join(" · "), PICTURE_MARGIN, PICTURE_MARGIN, "600 15px", theme.text);
  drawAt(PICTURE_MARGIN, PICTURE_MARGIN + 34, () => drawThumbs(context, film, size, PICTURE_SCALE));
  drawAt(PICTURE_MARGIN + left + PICTURE_GAP, PICTURE_MARGIN + 34, () => {
    drawHeatmap(context, figure, PICTURE_SCALE);
    if (choice.kind === "cross") drawGold(context, figure, header.alignment);
  });
  if (choice.score) {
    write(scoreLabel(labels, choice.score), PICTURE_MARGIN, curvesTop, "12px", theme.faded);
    drawAt(PICTURE_MARGIN, curvesTop + 16, () => {
      drawCurves(context, curves, inner);
      drawCursor(context, curves, inner);
    });
  }
  drawLegend(context, { shade: film.shade, theme, labels, settings: film.settings }, PICTURE_MARGIN, bottom, 260);
  notes.forEach((line, index) => write(line, PICTURE_MARGIN, bottom + LEGEND_HEIGHT + 10 + index * PICTURE_LINE, "11px", theme.faded));
  return canvas;
}

export async function saveFilmPicture(film, curves) {
  const canvas = filmPicture(film, curves);
  const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
  const title = `${film.header.title} ${film.choice.kind} ${film.title()} step ${film.frame.step}`;
  saveBlob(blob, `${fileStem(title, { fallback: "film", most: 80 })}.png`);
}
