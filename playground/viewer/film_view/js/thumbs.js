// All heads at one step: a small map for each, layers from top to bottom, heads from left to right.

import { cssRgb, sized } from "../../shared/js/colour.js";
import { ARROW_STEPS, clamp, element, fill, sizeCanvas } from "../../shared/js/dom.js";
import { codedMatrix } from "../../shared/js/matrix.js";
import { rasterize } from "../../shared/js/paint.js";

const THUMB_GAP = 3;
const THUMB_SIDE = 20;
const THUMB_TOP = 18;

export function createThumbs(film) {
  const canvas = element("canvas", { class: "thumbs" });
  const chosen = element("div", { class: "thumb-mark chosen" });
  const active = element("span", { role: "gridcell", id: "active-head", class: "unseen" });
  const board = element("div", {
    class: "board", tabindex: "0", role: "grid", "aria-activedescendant": "active-head", "data-part": "grid",
  }, canvas, chosen, element("div", { role: "row", class: "unseen" }, active));
  const thumbs = { film, canvas, chosen, active, board, element: element("div", { class: "grid-scroll" }, board) };
  board.addEventListener("click", (event) => {
    const box = canvas.getBoundingClientRect();
    const { width, height } = thumbs.size;
    const head = Math.floor((event.clientX - box.left - THUMB_SIDE) / (width + THUMB_GAP));
    const layer = Math.floor((event.clientY - box.top - THUMB_TOP) / (height + THUMB_GAP));
    const { site } = film;
    if (head >= 0 && head < site.heads && layer >= 0 && layer < site.layers) film.choose({ layer, head });
  });
  board.addEventListener("keydown", (event) => moveHead(film, event));
  return thumbs;
}

const HEAD_MOVES = { ...ARROW_STEPS, Home: [0, -1e6], End: [0, 1e6] };

function moveHead(film, event) {
  const move = HEAD_MOVES[event.key];
  if (!move || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  const { site, choice } = film;
  film.choose({
    layer: clamp(choice.layer + move[0], 0, site.layers - 1),
    head: clamp(choice.head + move[1], 0, site.heads - 1),
  });
}

export function thumbsSize(site, room) {
  const width = clamp(Math.floor((room - THUMB_SIDE) / site.heads) - THUMB_GAP, 12, 110);
  const aspect = clamp(site.rows / site.columns, 0.4, 1.6);
  return { width, height: Math.max(8, Math.round(width * aspect)) };
}

export function thumbsArea(site, size) {
  return {
    width: THUMB_SIDE + site.heads * (size.width + THUMB_GAP),
    height: THUMB_TOP + site.layers * (size.height + THUMB_GAP),
  };
}

// Draw the thumbnails with the numbers of layers and heads, at the context's origin.
export function drawThumbs(context, film, size, ratio) {
  const { site, shade, frame, theme, choice } = film;
  const [w, h] = [Math.round(size.width * ratio), Math.round(size.height * ratio)];
  const area = { left: 0, top: 0, width: w, height: h, stride: w };
  const cells = { row0: 0, rows: site.rows, column0: 0, columns: site.columns };
  const { maps } = frame.sites[choice.kind];
  const tile = document.createElement("canvas");
  Object.assign(tile, { width: w, height: h });
  const brush = tile.getContext("2d");
  const image = brush.createImageData(w, h);
  const pixels = new Uint32Array(image.data.buffer);
  context.font = `${sized(11, theme)}px ${theme.sans}`;
  context.textBaseline = "middle";
  context.imageSmoothingEnabled = false;
  for (let layer = 0; layer < site.layers; layer++) {
    const y = THUMB_TOP + layer * (size.height + THUMB_GAP);
    context.textAlign = "right";
    context.fillStyle = cssRgb(layer === choice.layer ? theme.text : theme.faint);
    context.fillText(String(layer), THUMB_SIDE - 7, y + size.height / 2);
    for (let head = 0; head < site.heads; head++) {
      const x = THUMB_SIDE + head * (size.width + THUMB_GAP);
      rasterize(pixels, area, codedMatrix(site, maps, layer, head), cells, shade, null);
      brush.putImageData(image, 0, 0);
      context.drawImage(tile, x, y, size.width, size.height);
    }
  }
  context.textAlign = "center";
  for (let head = 0; head < site.heads; head++) {
    context.fillStyle = cssRgb(head === choice.head ? theme.text : theme.faint);
    context.fillText(String(head), THUMB_SIDE + head * (size.width + THUMB_GAP) + size.width / 2, THUMB_TOP / 2);
  }
}

export function paintThumbs(thumbs) {
  const { film } = thumbs;
  const { site, choice, labels } = film;
  const room = thumbs.element.clientWidth - 8;
  if (room < 40) return;
  const size = (thumbs.size = thumbsSize(site, room));
  const area = thumbsArea(site, size);
  drawThumbs(sizeCanvas(thumbs.canvas, area.width, area.height), film, size, window.devicePixelRatio || 1);
  Object.assign(thumbs.chosen.style, {
    left: `${THUMB_SIDE + choice.head * (size.width + THUMB_GAP)}px`,
    top: `${THUMB_TOP + choice.layer * (size.height + THUMB_GAP)}px`,
    width: `${size.width}px`, height: `${size.height}px`,
  });
  thumbs.board.setAttribute("aria-label", labels.grid);
  thumbs.active.textContent = fill(labels.layerHead, choice);
  Object.assign(thumbs.canvas.dataset, { width: size.width, height: size.height });
}
