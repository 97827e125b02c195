// A view on a page without a server: its payloads stand in the page's own elements, and nobody is told what is chosen.

import { decodePayload } from "./decode.js";

function bytesOf(text) {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}

// Show a view in its place. `takers` receive what is sent besides it: exact maps and scores.
function placeView(show, place, takers) {
  const sent = (kind) => [...document.querySelectorAll(`script[data-of="${place}"][data-kind="${kind}"]`)];
  const parentElement = document.getElementById(place).attachShadow({ mode: "open" });
  parentElement.append(document.getElementById(`${place}-style`).content.cloneNode(true));
  const root = document.createElement("div");
  root.className = "root";
  parentElement.append(root);
  for (const script of sent("also")) {
    const { header, arrays } = decodePayload(bytesOf(script.textContent));
    takers[header.kind](header, arrays);
  }
  const [bytes] = sent("data");
  const [values] = sent("values");
  const data = bytes ? bytesOf(bytes.textContent) : JSON.parse(values.textContent);
  const paint = () => show({ data, parentElement, setStateValue() {}, setTriggerValue() {} });
  paint();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", paint);
}
