// A curve in the unit square with the chosen point on it.

import { svgElement } from "../../../../playground/viewer/shared/js/dom.js";

const SIDE = 220;
const LEFT = 44;
const BOTTOM = 40;
const TOP = 22;
const RIGHT = 8;

const across = (x) => LEFT + SIDE * x;
const down = (y) => TOP + SIDE * (1 - y);

function ticks() {
  return [0, 0.5, 1].flatMap((value) => [
    svgElement("line", { class: "grid", x1: across(0), x2: across(1), y1: down(value), y2: down(value) }),
    svgElement("line", { class: "grid", x1: across(value), x2: across(value), y1: down(0), y2: down(1) }),
    svgElement("text", { x: LEFT - 6, y: down(value) + 4, "text-anchor": "end" }, String(value)),
    svgElement("text", { x: across(value), y: down(0) + 15, "text-anchor": "middle" }, String(value)),
  ]);
}

// points: [[x, y]] of every threshold; chance: the two ends of the line of a classifier that guesses.
export function plot({ title, x, y, points, chance, chosen }) {
  const [[fromX, fromY], [toX, toY]] = chance;
  const path = points.map(([px, py]) => `${across(px).toFixed(1)},${down(py).toFixed(1)}`).join(" ");
  const middle = TOP + SIDE / 2;
  return svgElement("svg", { class: "plot", viewBox: `0 0 ${LEFT + SIDE + RIGHT} ${TOP + SIDE + BOTTOM}`, role: "img", "aria-label": title },
    svgElement("text", { class: "title", x: LEFT, y: 14 }, title),
    ...ticks(),
    svgElement("line", { class: "chance", x1: across(fromX), y1: down(fromY), x2: across(toX), y2: down(toY) }),
    svgElement("polyline", { class: "curve", points: path }),
    svgElement("circle", { class: "chosen", cx: across(chosen[0]), cy: down(chosen[1]), r: 5.5 }),
    svgElement("text", { x: LEFT + SIDE / 2, y: TOP + SIDE + 34, "text-anchor": "middle" }, x),
    svgElement("text", { x: 12, y: middle, "text-anchor": "middle", transform: `rotate(-90 12 ${middle})` }, y));
}
