// Three cards and a button that closes them for good. What was closed stays closed in this browser only.

import { patient } from "../../../../playground/viewer/shared/js/connection.js";

const CLOSED = "playground.first_steps.closed";
const SVG = "http://www.w3.org/2000/svg";

// A browser may refuse storage; the panel then stays closed until the page is loaded again.
function stored() {
  try {
    return localStorage.getItem(CLOSED) === "yes";
  } catch {
    return false;
  }
}

function store() {
  try {
    localStorage.setItem(CLOSED, "yes");
  } catch {
    // Nothing to do: see above.
  }
}

function picture({ filled, drawn }) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 100 100");
  svg.setAttribute("aria-hidden", "true");
  for (const [name, path] of [["filled", filled], ["drawn", drawn]]) {
    const shape = document.createElementNS(SVG, "path");
    shape.setAttribute("class", name);
    shape.setAttribute("d", path);
    svg.append(shape);
  }
  return svg;
}

function cardButton(card, open) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "card";
  const question = Object.assign(document.createElement("strong"), { textContent: card.question });
  const duration = Object.assign(document.createElement("span"), { textContent: card.duration });
  const text = document.createElement("span");
  text.className = "text";
  text.append(question, duration);
  button.append(picture(card), text);
  button.addEventListener("click", open);
  return button;
}

export default function firstSteps({ parentElement, data, setTriggerValue }) {
  const pick = patient((index) => setTriggerValue("picked", index));
  const panel = parentElement.querySelector(".first-steps");
  panel.hidden = stored();
  panel.setAttribute("aria-label", data.labels.title);
  panel.querySelector(".cards").replaceChildren(
    ...data.cards.map((card, index) => cardButton(card, () => pick(index))));
  const close = panel.querySelector(".close");
  close.textContent = data.labels.close;
  close.onclick = () => {
    store();
    panel.hidden = true;
  };
}
