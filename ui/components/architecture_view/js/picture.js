// The drawing as a file: SVG in the colours of the page's theme, and the same as PNG.

import { element, svgElement } from "../../../../playground/viewer/shared/js/dom.js";
import { fileStem, saveBlob, withLink } from "../../../../playground/viewer/shared/js/files.js";

const SHARPNESS = 2;

// A drawing as text, with one theme's colours and its notes.
export function fileOf(svg, { styles, theme }) {
  const copy = svg.cloneNode(true);
  copy.querySelector("style").textContent = styles[theme];
  const height = copy.dataset.whole;
  copy.prepend(svgElement("desc", {}, withLink(["transformer-playground"]).join("\n")));
  copy.setAttribute("height", height);
  copy.setAttribute("viewBox", `0 0 ${copy.getAttribute("width")} ${height}`);
  for (const box of copy.querySelectorAll(".box")) for (const name of ["tabindex", "role"]) box.removeAttribute(name);
  return new XMLSerializer().serializeToString(copy);
}

export function saveDrawing(text, label) {
  saveBlob(new Blob([text], { type: "image/svg+xml" }), `${fileStem(label, { fallback: "architecture", most: 60 })}.svg`);
}

export async function savePixels(text, label) {
  const address = URL.createObjectURL(new Blob([text], { type: "image/svg+xml" }));
  const image = new Image();
  image.src = address;
  await image.decode();
  const canvas = element("canvas", { width: SHARPNESS * image.naturalWidth, height: SHARPNESS * image.naturalHeight });
  canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
  URL.revokeObjectURL(address);
  canvas.toBlob((blob) => saveBlob(blob, `${fileStem(label, { fallback: "architecture", most: 60 })}.png`));
}
