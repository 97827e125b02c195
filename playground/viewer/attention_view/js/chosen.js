// Several chosen queries or keys: which cells they are, the next choice, and their weights put together.

import { indices, weightAt } from "../../shared/js/matrix.js";

// The cells of the pinned tokens, and the one that was pinned first; null where none is on show.
export function cellsOfPin(pin, axes) {
  if (!pin) return null;
  const cellOf = (position) => axes[pin.axis].cellOf(position);
  const shown = [pin.index, ...(pin.also ?? [])].map(cellOf).filter((cell) => cell !== null);
  if (!shown.length) return null;
  return { axis: pin.axis, cell: shown[0], cells: [...new Set(shown)].sort((a, b) => a - b) };
}

// What a pointer or key with these modifiers does to a choice.
export function choiceOf({ shiftKey, ctrlKey, metaKey }, several) {
  if (shiftKey) return "range";
  return ctrlKey || metaKey || several ? "toggle" : "only";
}

// The cells after one more: "only" it (a second time none), "toggle" it among the others, the "range" up to it.
export function nextCells(current, cell, how) {
  const { cell: first, cells } = current ?? { cell, cells: [] };
  if (how === "range") {
    const [low, high] = [Math.min(first, cell), Math.max(first, cell)];
    return { cell: first, cells: Array.from({ length: high - low + 1 }, (_, index) => low + index) };
  }
  if (how === "only") return cells.length === 1 && cells[0] === cell ? null : { cell, cells: [cell] };
  const next = cells.includes(cell) ? cells.filter((other) => other !== cell) : [...cells, cell].sort((a, b) => a - b);
  if (!next.length) return null;
  return { cell: next.includes(first) ? first : next[0], cells: next };
}

// A pin on these cells, by the positions of their first tokens.
export function pinOf(axis, chosen, axes) {
  if (!chosen) return null;
  const position = (cell) => axes[axis].positions(cell)[0];
  const also = chosen.cells.filter((cell) => cell !== chosen.cell).map(position);
  return { axis, index: position(chosen.cell), also };
}

// How weights are put together unless somebody says otherwise: the mean over queries, the sum over keys.
export function gatherOf(gather, axis) {
  if (gather !== "auto") return gather;
  return axis === "query" ? "mean" : "sum";
}

// For each key what the chosen queries attend to it, or for each query what it attends to the chosen keys; a key that a
// query cannot see counts as 0.
export function gathered(matrix, { axis, cells }, gather, allowed) {
  const values = new Float64Array(axis === "query" ? matrix.columns : matrix.rows);
  const share = gatherOf(gather, axis) === "mean" ? 1 / cells.length : 1;
  for (const other of indices(values.length)) {
    for (const cell of cells) {
      const [row, column] = axis === "query" ? [cell, other] : [other, cell];
      if (allowed(row, column)) values[other] += (weightAt(matrix, row, column) || 0) * share;
    }
  }
  return values;
}

// The `count` largest of such weights, the largest first.
export function largestGathered(values, count) {
  const cells = [...indices(values.length)].filter((cell) => values[cell] > 0);
  return cells.sort((a, b) => values[b] - values[a] || a - b).slice(0, count);
}
