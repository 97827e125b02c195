// Attention maps: coded or exact, packed or full, over tokens or over pooled cells.

const tables = new Map();

// p = (code / maximum)^2
function codeTable(maximum) {
  if (!tables.has(maximum)) {
    tables.set(maximum, Float32Array.from({ length: maximum + 1 }, (_, code) => (code / maximum) ** 2));
  }
  return tables.get(maximum);
}

export function entryCount(rows, columns, packing) {
  return packing === "lower" ? (rows * (rows + 1)) / 2 : rows * columns;
}

export function makeMatrix({ values, offset = 0, rows, columns, packing, causal, exact }) {
  const maximum = values instanceof Uint8Array ? 255 : values instanceof Uint16Array ? 65535 : 0;
  return {
    values, offset, rows, columns, exact,
    packed: packing === "lower",
    triangle: packing === "lower" || (causal && rows === columns),
    table: maximum ? codeTable(maximum) : null,
    rowMaximum: null,
  };
}

export function codedMatrix(header, maps, layer, head) {
  const { rows, columns, packing, causal, heads } = header;
  const offset = (layer * heads + head) * entryCount(rows, columns, packing);
  return makeMatrix({ values: maps, offset, rows, columns, packing, causal, exact: false });
}

// The mean or maximum over heads, computed from codes: a preview until the exact aggregate arrives.
export function combinedMatrix(header, maps, { layer, combine }) {
  const { rows, columns, packing, causal, layers, heads } = header;
  const size = entryCount(rows, columns, packing);
  const [first, last] = combine.startsWith("all") ? [0, layers * heads] : [layer * heads, (layer + 1) * heads];
  const { table } = codedMatrix(header, maps, 0, 0);
  const values = new Float32Array(size);
  const mean = combine.endsWith("mean");
  for (let index = first; index < last; index++) {
    for (let entry = 0; entry < size; entry++) {
      const weight = table[maps[index * size + entry]];
      if (mean) values[entry] += weight / (last - first);
      else if (weight > values[entry]) values[entry] = weight;
    }
  }
  return makeMatrix({ values, rows, columns, packing, causal, exact: false });
}

export function rowStart(matrix, row) {
  return matrix.offset + (matrix.packed ? (row * (row + 1)) / 2 : row * matrix.columns);
}

export function rowEnd(matrix, row) {
  return matrix.triangle ? Math.min(row + 1, matrix.columns) : matrix.columns;
}

// The weight from query row to key column; undefined above the diagonal of a causal map.
export function weightAt(matrix, row, column) {
  if (column >= rowEnd(matrix, row)) return undefined;
  const value = matrix.values[rowStart(matrix, row) + column];
  return matrix.table ? matrix.table[value] : value;
}

export function rowMaxima(matrix) {
  if (matrix.rowMaximum) return matrix.rowMaximum;
  const maxima = new Float32Array(matrix.rows);
  for (let row = 0; row < matrix.rows; row++) {
    const start = rowStart(matrix, row);
    const end = start + rowEnd(matrix, row);
    let best = 0;
    for (let index = start; index < end; index++) if (matrix.values[index] > best) best = matrix.values[index];
    maxima[row] = matrix.table ? matrix.table[best] : best;
  }
  matrix.rowMaximum = maxima;
  return maxima;
}

// The first and last token of a cell.
export function cellSpan(index, cells, tokens) {
  if (cells === tokens) return [index, index];
  const first = Math.floor((index * tokens) / cells);
  return [first, Math.max(first, Math.floor(((index + 1) * tokens) / cells) - 1)];
}

// The `count` largest weights among the pairs that `allowed(row, column)` lets through, largest first.
export function strongest(matrix, count, rows, columns, allowed) {
  const best = [];
  let floor = 0;
  for (const row of rows) {
    const end = rowEnd(matrix, row);
    for (const column of columns ?? indices(end)) {
      if (column >= end) continue;
      const weight = weightAt(matrix, row, column);
      if (!(weight > floor) || !allowed(row, column)) continue;
      best.push({ row, column, weight });
      if (best.length >= 4 * count) floor = keepLargest(best, count);
    }
  }
  keepLargest(best, count);
  return best;
}

function keepLargest(best, count) {
  best.sort((a, b) => b.weight - a.weight);
  best.length = Math.min(best.length, count);
  return best.length === count ? best[count - 1].weight : 0;
}

export function* indices(count) {
  for (let index = 0; index < count; index++) yield index;
}
