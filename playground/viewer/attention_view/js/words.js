// Maps between words: attention to a word is the sum over its tokens, attention from it their mean, so that the row of a
// word sums to 1 as a token's does.

import { makeAxis } from "../../shared/js/heatmap.js";
import { makeMatrix, rowEnd, weightAt } from "../../shared/js/matrix.js";

// A shown map between words, each an array of token positions. Where a query may look at no token of a key there is no
// weight. Null while a position is not on show. triangle: whether the words stand in order on both axes of a causal map.
export function wordMatrix({ matrix, axes }, words, triangle = false) {
  const cells = (axis, groups) => groups.map((positions) => positions.map((position) => axes[axis].cellOf(position)));
  const [queries, keys] = [cells("query", words.queries), cells("key", words.keys)];
  const pooled = matrix.rows !== axes.query.tokens.length || matrix.columns !== axes.key.tokens.length;
  if (pooled || [...queries, ...keys].some((group) => group.includes(null))) return null;
  const values = groupedValues(matrix, queries, keys);
  return makeMatrix({ values, rows: queries.length, columns: keys.length, packing: "full", causal: triangle, exact: matrix.exact });
}

function groupedValues(matrix, queries, keys) {
  const owner = new Int32Array(matrix.columns).fill(-1);
  keys.forEach((cells, key) => cells.forEach((cell) => (owner[cell] = key)));
  const values = new Float32Array(queries.length * keys.length).fill(NaN);
  queries.forEach((cells, query) => {
    for (const row of cells) {
      const end = rowEnd(matrix, row);
      for (let column = 0; column < end; column++) {
        if (owner[column] < 0) continue;
        const at = query * keys.length + owner[column];
        values[at] = (values[at] || 0) + weightAt(matrix, row, column) / cells.length;
      }
    }
  });
  return values;
}

// The map of a text between its words, and its axes; null for an overview of cells, until the exact map is there.
export function mapByWord(shown, { queryWords, keyWords, queryTokens, keyTokens }) {
  const positions = (words) => words.map(([, places]) => places);
  const triangle = shown.matrix.triangle && JSON.stringify(queryWords) === JSON.stringify(keyWords);
  const matrix = wordMatrix(shown, { queries: positions(queryWords), keys: positions(keyWords) }, triangle);
  return matrix && { matrix, axes: { query: wordAxis(queryTokens, queryWords), key: wordAxis(keyTokens, keyWords) } };
}

// The axes of maps between words of two texts.
export function wordAxes({ queries, keys }) {
  const axis = (texts) => makeAxis(texts.map((text) => [text, 0, 0]), texts.length);
  return { query: axis(queries), key: axis(keys) };
}

// An axis of words, [text, positions] each, over the tokens of a text; it answers to the position of any of their tokens.
export function wordAxis(tokens, words) {
  const known = new Map(tokens.map((token, index) => [token[3] ?? index, token]));
  const listed = words.map(([text, positions]) => {
    const [, special, segment] = known.get(positions[0]) ?? [];
    return [text, positions.length === 1 ? special : 0, segment, positions[0]];
  });
  const cells = new Map(words.flatMap(([, positions], cell) => positions.map((position) => [position, cell])));
  return {
    ...makeAxis(listed, listed.length),
    positions: (cell) => [words[cell][1][0], words[cell][1].at(-1)],
    cellOf: (position) => cells.get(position) ?? null,
  };
}
