// Brings a part of the page into sight that a button has opened further down.

let shown = 0;

// Every run brings the last request again, and a page change makes a new frame: each turn is answered once in a tab.
export function takeTurn(request) {
  if (!request || request.turn <= shown) return null;
  shown = request.turn;
  return request.key;
}

// Whether the part was there to be shown; the focus goes with it, so that Tab goes on from there.
export function bringIntoSight(key) {
  const part = document.querySelector(`.st-key-${CSS.escape(key)}`);
  if (!part?.checkVisibility()) return false;
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  part.tabIndex = -1;
  part.focus({ preventScroll: true });
  part.scrollIntoView({ block: "start", behavior: calm ? "instant" : "smooth" });
  return true;
}
