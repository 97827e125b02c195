// Texts on the cells of a picture. Numbers are always readable: smaller, with fewer digits, upright, or in a picture
// that is wider than the page and scrolls. A token that is too long for its cell is cut.

const LETTER = 0.55;
const [NORMAL, SMALL] = [12, 11];
// Beside a text, and the width of an upright line.
const GAP = 3;
const LINE = 14;
const FEWEST_LETTERS = 3;
const COLOUR_BAR = 80;

const widthOf = (texts, size) => Math.max(0, ...texts.map((text) => text.length)) * LETTER * size + GAP;

const inColumns = ({ meta }) => typeof meta?.columns === "number";

// The width that the columns of all traces need; 0 where any will do.
export function leastWidth(traces) {
  const needs = traces.filter(inColumns).map(({ meta }) => {
    const column = meta.shorter ? (meta.upright ? LINE : widthOf(meta.shorter, SMALL)) : (meta.least ?? 0);
    return column * meta.columns;
  });
  return Math.max(0, ...needs);
}

// The room beside the cells: the rows' names, which may have markup of their own, and a colour bar.
export function roomBeside({ yaxis, margin }, traces) {
  const names = (yaxis?.ticktext ?? []).map((name) => name.replace(/&\w+;/g, "x"));
  const left = Math.max(margin?.l ?? 80, widthOf(names, SMALL) + 2 * GAP);
  return left + (margin?.r ?? 80) + (traces.some(({ colorbar }) => colorbar) ? COLOUR_BAR : 0);
}

// How numbers are written in columns of this width: in full where they fit.
function formOf({ text, meta }, column) {
  const forms = [[text, NORMAL], [text, SMALL], [meta.shorter, SMALL]];
  const [texts, size] = forms.find(([texts, size]) => widthOf(texts, size) <= column) ?? forms[2];
  return { texts, size, upright: Boolean(meta.upright) && widthOf(texts, size) > column };
}

function cut(text, letters) {
  if (text.length <= letters) return text;
  return letters < FEWEST_LETTERS ? "" : `${text.slice(0, letters - 1)}…`;
}

// The traces as they fit into `width`, and an annotation for each upright number: plotly turns no other text.
export function written(traces, width) {
  const annotations = [];
  const data = traces.map((trace) => {
    if (trace.mode !== "text" || !inColumns(trace)) return trace;
    const column = width / trace.meta.columns;
    if (!trace.meta.shorter) {
      const letters = Math.floor((column - GAP) / ((trace.textfont?.size ?? NORMAL) * LETTER));
      return { ...trace, text: trace.text.map((text) => cut(text, letters)) };
    }
    const { texts, size, upright } = formOf(trace, column);
    if (!upright) return { ...trace, text: texts, textfont: { ...trace.textfont, size } };
    const more = texts.map((text, index) => ({
      x: trace.x[index], y: trace.y[index], text, textangle: -90, showarrow: false, font: { size },
    }));
    annotations.push(...more);
    return { ...trace, text: texts.map(() => "") };
  });
  return { data, annotations };
}
