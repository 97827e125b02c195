// Tokens made visible: spaces, line ends and tabs as marks, control characters as their code points.

import { element } from "./dom.js";

const MARKS = { " ": "␣", "\n": "↵", "\r": "␍", "\t": "⇥", "\u00a0": "⍽", "\u3000": "□" };
// Direction overrides would reorder what stands around a token; other controls, and spaces of every width, are invisible.
const HIDDEN =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u1680\u2000-\u200b\u200e\u200f\u2028-\u202f\u205f-\u2069\ufeff\ufff9-\ufffb]/;
// Joiners, fillers, variation selectors and tags have no shape of their own: a token of nothing else needs a mark.
const SHAPELESS = /^[\p{Default_Ignorable_Code_Point}\u2800\u00ad]+$/u;
const RIGHT_TO_LEFT = /^[^\p{L}]*[\p{Script=Arabic}\p{Script=Hebrew}\p{Script=Syriac}\p{Script=Thaana}]/u;
const segmenter = globalThis.Intl?.Segmenter ? new Intl.Segmenter() : null;
const pieceCache = new Map();

function graphemes(text) {
  return segmenter ? Array.from(segmenter.segment(text), (part) => part.segment) : Array.from(text);
}

// [{ text, mark }]: marks are drawn dimmer than the token's own letters.
export function tokenPieces(text) {
  if (pieceCache.has(text)) return pieceCache.get(text);
  const pieces = [];
  for (const character of graphemes(text)) {
    const mark = MARKS[character] ?? (HIDDEN.test(character) || SHAPELESS.test(character) ? codeMark(character) : null);
    const last = pieces[pieces.length - 1];
    if (last && last.mark === (mark !== null)) last.text += mark ?? character;
    else pieces.push({ text: mark ?? character, mark: mark !== null });
  }
  if (!pieces.length) pieces.push({ text: "∅", mark: true });
  if (pieceCache.size > 20000) pieceCache.clear();
  pieceCache.set(text, pieces);
  return pieces;
}

function codeMark(character) {
  if (character === "\r\n") return "␍↵";
  const isShapeless = SHAPELESS.test(character);
  const mark = (part) => `‹${part.codePointAt(0).toString(16)}›`;
  return Array.from(character, (part) => (isShapeless || HIDDEN.test(part) ? mark(part) : part)).join("");
}

export function tokenText(text) {
  return tokenPieces(text).map((piece) => piece.text).join("");
}

// An inline element that shows one token; `bdi` keeps its direction to itself.
export function tokenNode(text, special) {
  const spans = tokenPieces(text).map((piece) => element("span", piece.mark ? { class: "mark" } : {}, piece.text));
  return element("bdi", { class: special ? "token special" : "token" }, ...spans);
}

const widths = new Map();

export function textWidth(context, text) {
  const key = `${context.font}\n${text}`;
  let width = widths.get(key);
  if (width === undefined) {
    if (widths.size > 20000) widths.clear();
    width = context.measureText(text).width;
    widths.set(key, width);
  }
  return width;
}

export function forgetWidths() {
  widths.clear();
}

function tokenWidth(context, text) {
  return tokenPieces(text).reduce((sum, piece) => sum + textWidth(context, piece.text), 0);
}

// The width of an axis's longest token, at most `most`, and of the number before it.
export function longestToken(context, axis, most) {
  let width = 0;
  for (let cell = 0; cell < axis.cells && width < most; cell++) {
    width = Math.max(width, tokenWidth(context, axis.text(cell)));
  }
  return Math.min(width, most) + (axis.cells ? numberWidth(context, axis.number(axis.cells - 1)) : 0);
}

const NUMBER_GAP = 5;

function numberWidth(context, number) {
  return number ? textWidth(context, number) + NUMBER_GAP : 0;
}

// "23 ␣cat": a token behind its position in the text; `room` is for both.
export function drawNumbered(context, number, text, x, y, look) {
  const before = numberWidth(context, number);
  const right = look.align === "right";
  const total = drawToken(context, text, right ? x : x + before, y, { ...look, room: look.room - before });
  if (!before) return total;
  context.fillStyle = look.numberColour;
  context.fillText(number, right ? x - total - before : x, y);
  return total + before;
}

// Draw a token that begins ("left") or ends ("right") at x, cut to `room` pixels with an ellipsis.
// A right-to-left token's pieces are drawn from its last to its first.
function drawToken(context, text, x, y, { align, room, colour, markColour }) {
  const pieces = tokenWidth(context, text) <= room ? tokenPieces(text) : cutPieces(context, text, room);
  const total = pieces.reduce((sum, piece) => sum + textWidth(context, piece.text), 0);
  let at = align === "right" ? x - total : x;
  context.textAlign = "left";
  const leftmostFirst = RIGHT_TO_LEFT.test(text) ? [...pieces].reverse() : pieces;
  for (const piece of leftmostFirst) {
    context.fillStyle = piece.mark ? markColour : colour;
    context.fillText(piece.text, at, y);
    at += textWidth(context, piece.text);
  }
  return total;
}

function cutPieces(context, text, room) {
  const kept = [];
  let left = room - textWidth(context, "…");
  for (const piece of tokenPieces(text)) {
    const letters = graphemes(piece.text);
    let part = "";
    for (const letter of letters) {
      if (textWidth(context, part + letter) > left) return [...kept, { text: part + "…", mark: piece.mark }];
      part += letter;
    }
    left -= textWidth(context, part);
    kept.push({ text: part, mark: piece.mark });
  }
  return kept;
}
