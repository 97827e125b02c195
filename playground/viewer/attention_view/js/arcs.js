// Arcs: queries on the left, keys on the right, a curve for each of the largest weights.

import { cssRgb, sized } from "../../shared/js/colour.js";
import { formatWeight } from "../../shared/js/dom.js";
import { tokenFont } from "../../shared/js/heatmap.js";
import { gathered } from "./chosen.js";
import { indices, rowMaxima, strongest } from "../../shared/js/matrix.js";
import { pairAllowed, shadeColour } from "../../shared/js/paint.js";
import { drawNumbered, longestToken, textWidth } from "../../shared/js/tokens.js";

export const ARC_ROW = 19;
export const ARC_HEAD = 24;
export const LINKS_PER_TOKEN = 16;
const NUMBER = 66;
const [SHORTEST, LONGEST] = [40, 150];

function columnWidth(context, axis) {
  return Math.max(SHORTEST, longestToken(context, axis, LONGEST));
}

export function arcsLayout(context, { axes, theme, width }) {
  context.font = tokenFont(theme);
  const room = Math.max(60, (width - 2 * NUMBER) * 0.36);
  const left = NUMBER + Math.min(columnWidth(context, axes.query), room);
  const right = Math.min(columnWidth(context, axes.key), room);
  const gap = Math.min(Math.max(40, width - left - right - NUMBER - 24), 460);
  return {
    left, right: left + gap + 16, labelLeft: left - NUMBER, labelRight: right, width,
    height: Math.max(axes.query.cells, axes.key.cells) * ARC_ROW + 6,
  };
}

function arcY(cell, scroll) {
  return ARC_HEAD + (cell + 0.5) * ARC_ROW - scroll;
}

// Draw what a viewport of this height shows after scrolling by `scroll` pixels.
export function drawArcs(context, figure, { scroll, height, focus }) {
  const { axes } = figure;
  const visible = (axis) => {
    const first = Math.max(0, Math.floor((scroll - ARC_HEAD) / ARC_ROW));
    return [first, Math.min(axis.cells, Math.ceil((scroll + height) / ARC_ROW) + 1)];
  };
  const rows = visible(axes.query);
  const links = focus ? focusLinks(figure, focus) : openLinks(figure, rows);
  context.save();
  context.beginPath();
  context.rect(0, ARC_HEAD, figure.layout.width, height - ARC_HEAD);
  context.clip();
  drawLinks(context, figure, links, { scroll, height, focused: Boolean(focus) });
  if (focus) drawFocusWeights(context, figure, links, scroll, focus);
  drawTokens(context, figure, "query", rows, scroll, focus);
  drawTokens(context, figure, "key", visible(axes.key), scroll, focus);
  drawBorder(context, figure, scroll);
  context.restore();
  drawHeads(context, figure);
}

function openLinks({ matrix, masks }, [first, last]) {
  const links = [];
  for (let row = first; row < Math.min(last, matrix.rows); row++) {
    links.push(...strongest(matrix, LINKS_PER_TOKEN, [row], null, (r, c) => pairAllowed(masks, r, c)));
  }
  return links.reverse();
}

export function focusLinks({ matrix, masks }, focus) {
  const rows = focus.axis === "query" ? focus.cells : indices(matrix.rows);
  const columns = focus.axis === "key" ? focus.cells : null;
  return strongest(matrix, 4096, rows, columns, (r, c) => pairAllowed(masks, r, c)).reverse();
}

function strength({ matrix, shade }, row, weight, several = false) {
  const maxima = shade.byRow && !several ? rowMaxima(matrix) : null;
  const share = maxima ? weight / (maxima[row] || 1) : Math.min(1, weight);
  return { level: shade.level(share) / 255, packed: shadeColour(shade, share) };
}

function unpack(packed, alpha) {
  return cssRgb([packed & 255, (packed >> 8) & 255, (packed >> 16) & 255], alpha);
}

function drawLinks(context, figure, links, { scroll, height, focused }) {
  const { layout, shade } = figure;
  const colour = shade.ramp[Math.round(shade.ramp.length * 0.78)];
  const reach = (layout.right - layout.left) * 0.42;
  // Many overlapping lines need fainter strokes than the few of a single token.
  const steepness = focused ? 0.9 : 1.5;
  for (const { row, column, weight } of links) {
    const { level } = strength(figure, row, weight);
    const [y0, y1] = [arcY(row, scroll), arcY(column, scroll)];
    if (level < 0.02 || Math.max(y0, y1) < 0 || Math.min(y0, y1) > height) continue;
    context.strokeStyle = cssRgb(colour, Math.round(1000 * Math.min(1, 0.05 + level ** steepness)) / 1000);
    context.lineWidth = 0.6 + 2.6 * level;
    context.beginPath();
    context.moveTo(layout.left + 5, y0);
    context.bezierCurveTo(layout.left + reach, y0, layout.right - reach, y1, layout.right - 5, y1);
    context.stroke();
  }
}

// Each token at the other end of the links gets its weight, of several chosen ones put together, as a tinted bar and a
// number.
function drawFocusWeights(context, figure, links, scroll, focus) {
  const { layout, theme, matrix, masks } = figure;
  const onRight = focus.axis === "query";
  const weights = gathered(matrix, focus, figure.gather, (row, column) => pairAllowed(masks, row, column));
  const several = focus.cells.length > 1;
  for (const cell of new Set(links.map(({ row, column }) => (onRight ? column : row)))) {
    const y = arcY(cell, scroll);
    const { level, packed } = strength(figure, onRight ? focus.cell : cell, weights[cell], several);
    context.fillStyle = unpack(packed, 0.3);
    const full = onRight ? layout.labelRight : layout.labelLeft;
    const width = Math.max(1, full * Math.min(1, level));
    context.fillRect(onRight ? layout.right : layout.left - width, y - ARC_ROW / 2 + 1, width, ARC_ROW - 2);
    context.font = `${sized(11, theme)}px ${theme.mono}`;
    context.textBaseline = "middle";
    context.textAlign = onRight ? "left" : "right";
    context.fillStyle = cssRgb(theme.faded);
    const x = onRight ? layout.right + layout.labelRight + 8 : layout.left - layout.labelLeft - 8;
    context.fillText(formatWeight(matrix, weights[cell]).replace(" ", ""), x, y);
  }
}

function drawTokens(context, figure, axis, [first, last], scroll, focus) {
  const { layout, theme, axes, masks } = figure;
  const isQuery = axis === "query";
  context.textBaseline = "middle";
  for (let cell = first; cell < last; cell++) {
    const [, special] = axes[axis].tokens[axes[axis].span(cell)[0]];
    const allowed = isQuery ? masks.rows : masks.columns;
    const chosen = focus?.axis === axis && focus.cells.includes(cell);
    const away = (focus?.axis === axis && !chosen) || special || (allowed && !allowed[cell]);
    context.font = (chosen ? "700 " : "") + tokenFont(theme);
    const x = isQuery ? layout.left : layout.right;
    drawNumbered(context, axes[axis].number(cell), axes[axis].text(cell), x, arcY(cell, scroll), {
      align: isQuery ? "right" : "left",
      room: isQuery ? layout.labelLeft : layout.labelRight,
      colour: cssRgb(away ? theme.faded : theme.text),
      numberColour: cssRgb(theme.faded),
      markColour: cssRgb(theme.faint),
    });
  }
}

function drawBorder(context, { layout, theme, axes }, scroll) {
  context.fillStyle = cssRgb(theme.line);
  for (const axis of ["query", "key"]) {
    for (let cell = 1; cell < axes[axis].cells; cell++) {
      const segments = [cell - 1, cell].map((index) => axes[axis].tokens[axes[axis].span(index)[0]][2]);
      if (segments[0] === segments[1]) continue;
      const x = axis === "query" ? layout.left - layout.labelLeft : layout.right;
      context.fillRect(x, arcY(cell, scroll) - ARC_ROW / 2 - 0.5, axis === "query" ? layout.labelLeft : layout.labelRight, 1.5);
    }
  }
}

function drawHeads(context, { layout, theme, labels }) {
  context.font = `${sized(11, theme)}px ${theme.sans}`;
  context.fillStyle = cssRgb(theme.faded);
  context.textBaseline = "middle";
  context.textAlign = "right";
  context.fillText(labels.query, layout.left, 10);
  context.textAlign = "left";
  context.fillText(labels.key, layout.right, 10);
  context.strokeStyle = cssRgb(theme.line);
  context.lineWidth = 1;
  context.beginPath();
  context.moveTo(Math.max(0, layout.left - layout.labelLeft), ARC_HEAD - 4.5);
  context.lineTo(Math.min(layout.width, layout.right + Math.max(layout.labelRight, textWidth(context, labels.key))), ARC_HEAD - 4.5);
  context.stroke();
}
