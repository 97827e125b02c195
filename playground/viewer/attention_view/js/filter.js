// The head filter's language: comparisons joined by and, or, not and brackets, read by recursive descent.

import { scoreOf } from "./store.js";

const LEXEMES = /\s*(?:(<=|>=|==|!=|<|>|=|\(|\))|(\d*\.?\d+(?:[eE][-+]?\d+)?)|(-)|([\p{L}_][\p{L}\p{N}_]*)|(\S))/uy;
const COMPARE = {
  "<": (a, b) => a < b, "<=": (a, b) => a <= b, ">": (a, b) => a > b, ">=": (a, b) => a >= b,
  "=": (a, b) => a === b, "==": (a, b) => a === b, "!=": (a, b) => a !== b,
};

// The numbers of the heads whose scores pass a filter's test; a layer is called by its block's number in the model.
export function headsThatMatch(test, { layers, heads, blocks, headNumbers, scoreNames }, scores) {
  const matches = new Set();
  for (let layer = 0; layer < layers; layer++) {
    for (let head = 0; head < heads; head++) {
      const values = Object.fromEntries(scoreNames.map((name) => [name, scoreOf(scores, name, layer, head)]));
      if (test({ ...values, layer: blocks[layer], head: headNumbers[head] })) matches.add(layer * heads + head);
    }
  }
  return matches;
}

// { test(scores) } or { error: [label, values] } or null for an empty filter.
export function parseFilter(text, names) {
  if (!text.trim()) return null;
  const lexemes = splitLexemes(text);
  try {
    const reader = { lexemes, index: 0, names };
    const test = readDisjunction(reader);
    if (reader.index < lexemes.length) throw unexpected(lexemes[reader.index]);
    return { test };
  } catch (problem) {
    if (!Array.isArray(problem.label)) throw problem;
    return { error: problem.label };
  }
}

function splitLexemes(text) {
  const lexemes = [];
  LEXEMES.lastIndex = 0;
  for (let match = LEXEMES.exec(text); match && match[0].trim(); match = LEXEMES.exec(text)) {
    const [, operator, number, minus, name, other] = match;
    lexemes.push({ text: match[0].trim(), operator, number, minus, name: name?.toLowerCase(), other });
  }
  return lexemes;
}

function problem(label, values) {
  return Object.assign(new Error(label), { label: [label, values] });
}

function unexpected(lexeme) {
  return problem("filterUnexpected", { text: lexeme.text });
}

function take(reader) {
  const lexeme = reader.lexemes[reader.index++];
  if (!lexeme) throw problem("filterMore", {});
  return lexeme;
}

function takeKeyword(reader, name) {
  if (reader.lexemes[reader.index]?.name !== name) return false;
  reader.index++;
  return true;
}

function readDisjunction(reader) {
  let left = readConjunction(reader);
  while (takeKeyword(reader, "or")) {
    const [first, second] = [left, readConjunction(reader)];
    left = (scores) => first(scores) || second(scores);
  }
  return left;
}

function readConjunction(reader) {
  let left = readCondition(reader);
  while (takeKeyword(reader, "and")) {
    const [first, second] = [left, readCondition(reader)];
    left = (scores) => first(scores) && second(scores);
  }
  return left;
}

function readCondition(reader) {
  if (takeKeyword(reader, "not")) {
    const inner = readCondition(reader);
    return (scores) => !inner(scores);
  }
  if (reader.lexemes[reader.index]?.operator === "(") {
    reader.index++;
    const inner = readDisjunction(reader);
    if (reader.lexemes[reader.index++]?.operator !== ")") throw problem("filterBracket", {});
    return inner;
  }
  return readComparison(reader);
}

function readComparison(reader) {
  const lexeme = take(reader);
  if (!lexeme.name || ["and", "or"].includes(lexeme.name)) throw unexpected(lexeme);
  const name = reader.names.find((known) => known.toLowerCase() === lexeme.name);
  if (!name) throw problem("filterName", { name: lexeme.text, names: reader.names.join(", ") });
  const operator = reader.lexemes[reader.index++]?.operator;
  if (!(operator in COMPARE)) throw problem("filterOperator", { name: lexeme.text });
  const sign = reader.lexemes[reader.index]?.minus ? (reader.index++, -1) : 1;
  const number = reader.lexemes[reader.index++]?.number;
  if (number === undefined) throw problem("filterNumber", { operator });
  const bound = sign * Number(number);
  // A score that a head does not have satisfies no comparison.
  return (scores) => typeof scores[name] === "number" && COMPARE[operator](scores[name], bound);
}
