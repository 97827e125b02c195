// The page's colours and fonts, applied to a figure made for a light page.

import { cssRgb } from "../../../../playground/viewer/shared/js/colour.js";

const CLEAR = "rgba(0, 0, 0, 0)";

// An array of numbers holds no colours; a colour scale's stop is a number and a colour.
function isNumbers(array) {
  return typeof array[0] === "number" && typeof array[1] !== "string";
}

// Replace every colour that has a counterpart on a dark page.
export function recoloured(value, dark) {
  if (typeof value === "string") return dark[value.toLowerCase()] ?? value;
  if (Array.isArray(value)) return isNumbers(value) ? value : value.map((part) => recoloured(part, dark));
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, recoloured(part, dark)]));
}

// A trace or a layout with its type, and the room for it, so much larger.
export function enlarged(value, scale) {
  if (scale === 1 || value === null || typeof value !== "object" || isNumbers(value)) return value;
  if (Array.isArray(value)) return value.map((part) => enlarged(part, scale));
  const larger = (name, part) => {
    if (/font$/i.test(name) && part?.size) return { ...part, size: part.size * scale };
    if (name === "margin" && part) return Object.fromEntries(Object.entries(part).map(([side, room]) => [side, typeof room === "number" ? room * scale : room]));
    return enlarged(part, scale);
  };
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, larger(name, part)]));
}

// In pixels; below it there is room for few names of powers, and none for digits between them.
const NARROW = 480;
const FEW_TICKS = 3;

function themedAxis(name, axis, theme, width) {
  const soft = cssRgb(theme.faded);
  const isCrowded = width < NARROW && name.startsWith("x") && axis.type === "log";
  return {
    ...axis,
    ...(isCrowded ? { nticks: FEW_TICKS } : {}),
    // A slanted name that ends beyond the picture's edge widens the margin; plotly would leave it out.
    ...(axis.ticktext ? { ticklabeloverflow: "allow" } : {}),
    gridcolor: cssRgb(theme.line),
    linecolor: cssRgb(theme.line),
    tickfont: { size: 11, ...axis.tickfont, color: soft },
    title: { ...axis.title, font: { size: 12, ...axis.title?.font, color: soft } },
    showspikes: name.startsWith("x"),
    spikecolor: soft,
    spikethickness: 1,
    spikedash: "solid",
  };
}

const BUTTONS_HEIGHT = 24;
const PLOTLY_TOP = 100;

// Whether a layout has no room above its picture for plotly's buttons.
export function isCrowded({ margin }) {
  return (margin?.t ?? PLOTLY_TOP) < BUTTONS_HEIGHT;
}

// The layout in the page's size, fonts and colours; `revision` keeps a person's zoom.
export function themedLayout(layout, theme, { width, height, revision }) {
  const axes = Object.keys(layout).filter((name) => /^[xy]axis\d*$/.test(name));
  const text = cssRgb(theme.text);
  return {
    ...layout,
    ...Object.fromEntries(axes.map((name) => [name, themedAxis(name, layout[name], theme, width)])),
    width,
    height,
    autosize: false,
    uirevision: revision || "kept",
    paper_bgcolor: CLEAR,
    plot_bgcolor: CLEAR,
    font: { ...layout.font, family: theme.sans, color: text },
    legend: { ...layout.legend, bgcolor: CLEAR, font: { size: 12, color: text } },
    hoverlabel: {
      ...layout.hoverlabel,
      bgcolor: cssRgb(theme.background),
      bordercolor: cssRgb(theme.line),
      font: { family: theme.sans, size: 12, color: text },
    },
    modebar: { bgcolor: CLEAR, color: cssRgb(theme.faded), activecolor: text, orientation: "h" },
  };
}
