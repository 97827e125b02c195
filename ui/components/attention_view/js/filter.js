// The language of the head filter: comparisons joined by and, or, not and brackets.

const WORDS = /\s*(?:(<=|>=|==|!=|<|>|=|\(|\))|(\d*\.?\d+(?:[eE][-+]?\d+)?)|(-)|([\p{L}_][\p{L}\p{N}_]*)|(\S))/uy;
const COMPARE = {
  "<": (a, b) => a < b, "<=": (a, b) => a <= b, ">": (a, b) => a > b, ">=": (a, b) => a >= b,
  "=": (a, b) => a === b, "==": (a, b) => a === b, "!=": (a, b) => a !== b,
};

// { test(scores) } or { error: [label, values] } or null for an empty filter.
export function parseFilter(text, names) {
  if (!text.trim()) return null;
  const words = splitWords(text);
  try {
    const reader = { words, at: 0, names };
    const test = readAny(reader);
    if (reader.at < words.length) throw unexpected(words[reader.at]);
    return { test };
  } catch (problem) {
    if (!Array.isArray(problem.label)) throw problem;
    return { error: problem.label };
  }
}

function splitWords(text) {
  const words = [];
  WORDS.lastIndex = 0;
  for (let match = WORDS.exec(text); match && match[0].trim(); match = WORDS.exec(text)) {
    const [, operator, number, minus, name, other] = match;
    words.push({ text: match[0].trim(), operator, number, minus, name: name?.toLowerCase(), other });
  }
  return words;
}

function problem(label, values) {
  return Object.assign(new Error(label), { label: [label, values] });
}

function unexpected(word) {
  return problem("filterUnexpected", { text: word.text });
}

function take(reader) {
  const word = reader.words[reader.at++];
  if (!word) throw problem("filterMore", {});
  return word;
}

function takeWord(reader, name) {
  if (reader.words[reader.at]?.name !== name) return false;
  reader.at++;
  return true;
}

function readAny(reader) {
  let left = readAll(reader);
  while (takeWord(reader, "or")) {
    const [first, second] = [left, readAll(reader)];
    left = (scores) => first(scores) || second(scores);
  }
  return left;
}

function readAll(reader) {
  let left = readOne(reader);
  while (takeWord(reader, "and")) {
    const [first, second] = [left, readOne(reader)];
    left = (scores) => first(scores) && second(scores);
  }
  return left;
}

function readOne(reader) {
  if (takeWord(reader, "not")) {
    const inner = readOne(reader);
    return (scores) => !inner(scores);
  }
  if (reader.words[reader.at]?.operator === "(") {
    reader.at++;
    const inner = readAny(reader);
    if (reader.words[reader.at++]?.operator !== ")") throw problem("filterBracket", {});
    return inner;
  }
  return readComparison(reader);
}

function readComparison(reader) {
  const word = take(reader);
  if (!word.name || ["and", "or"].includes(word.name)) throw unexpected(word);
  const name = reader.names.find((known) => known.toLowerCase() === word.name);
  if (!name) throw problem("filterName", { name: word.text, names: reader.names.join(", ") });
  const operator = reader.words[reader.at++]?.operator;
  if (!(operator in COMPARE)) throw problem("filterOperator", { name: word.text });
  const sign = reader.words[reader.at]?.minus ? (reader.at++, -1) : 1;
  const number = reader.words[reader.at++]?.number;
  if (number === undefined) throw problem("filterNumber", { operator });
  const bound = sign * Number(number);
  // A score that a head does not have satisfies no comparison.
  return (scores) => typeof scores[name] === "number" && COMPARE[operator](scores[name], bound);
}
