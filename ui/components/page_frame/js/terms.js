// The glossary's terms in a text, and where a hint stands: values in, values out.

const MARGIN = 8;
const GAP = 6;

const escaped = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

// The longest form first, so that "attention head" is not taken for "head", and "arrow keys", another sense of the
// word, for "keys". A quoted token is no term: “key”, ␣key.
export function termPattern(terms) {
  const meant = terms.flatMap((term, index) => term.forms.map((form) => [form, index]));
  const others = terms.flatMap((term) => (term.otherSenses ?? []).map((phrase) => [phrase, undefined]));
  const forms = [...meant, ...others].sort((a, b) => b[0].length - a[0].length);
  const words = forms.map(([form]) => escaped(form)).join("|");
  return {
    pattern: new RegExp(`(?<![\\p{L}␣“-])(?:${words})(?![\\p{L}-])`, "giu"),
    index: new Map(forms.map(([form, index]) => [form.toLowerCase(), index])),
  };
}

// [{ term, start, end }] of all terms in a text.
export function matchTerms(text, { pattern, index }) {
  return [...text.matchAll(pattern)].flatMap((match) => {
    const term = index.get(match[0].toLowerCase());
    return term === undefined ? [] : [{ term, start: match.index, end: match.index + match[0].length }];
  });
}

// Those whose term was not seen before; it is added to `seen`.
export function firstTerms(found, seen) {
  return found.filter(({ term }) => !seen.has(term) && seen.add(term));
}

// { left, top } of a box beside an area, within the window: on the side that is asked for if it has room there.
export function placeHint({ left, top, bottom }, box, window, isAbove) {
  const [above, below] = [top - GAP - box.height, bottom + GAP];
  const fits = (y) => y >= MARGIN && y + box.height <= window.height - MARGIN;
  const [wanted, other] = isAbove ? [above, below] : [below, above];
  const y = fits(wanted) || !fits(other) ? wanted : other;
  const clamp = (value, most) => Math.max(MARGIN, Math.min(value, most - MARGIN));
  return { left: clamp(left, window.width - box.width), top: clamp(y, window.height - box.height) };
}
