"""Word stems, so that "cats" and "cat" count as one word.

Porter 1980, "An algorithm for suffix stripping"; the extensions are NLTK's, whose stemmer rouge-score calls.
"""

from functools import lru_cache

MOST_KEPT = 50_000
IRREGULAR = {
    **dict.fromkeys(("sky", "skies"), "sky"),
    **{"dying": "die", "lying": "lie", "tying": "tie", "news": "news", "howe": "howe"},
    **dict.fromkeys(("innings", "inning"), "inning"),
    **dict.fromkeys(("outings", "outing"), "outing"),
    **dict.fromkeys(("cannings", "canning"), "canning"),
    **{word: word for word in ("proceed", "exceed", "succeed")},
}
"""Words that the rules would get wrong."""
DERIVED = (
    *(("ational", "ate"), ("tional", "tion"), ("enci", "ence"), ("anci", "ance"), ("izer", "ize"), ("bli", "ble")),
    *(("alli", "al"), ("entli", "ent"), ("eli", "e"), ("ousli", "ous"), ("ization", "ize"), ("ation", "ate")),
    *(("ator", "ate"), ("alism", "al"), ("iveness", "ive"), ("fulness", "ful"), ("ousness", "ous"), ("aliti", "al")),
    *(("iviti", "ive"), ("biliti", "ble"), ("fulli", "ful")),
)
"""Step 2: endings of derived words and what stays of them, after a stem of at least one syllable."""
DERIVED_TWICE = (
    *(("icate", "ic"), ("ative", ""), ("alize", "al"), ("iciti", "ic"), ("ical", "ic"), ("ful", ""), ("ness", "")),
)
"""Step 3."""
ENDINGS = (
    *("al", "ance", "ence", "er", "ic", "able", "ible", "ant", "ement", "ment", "ent", "ion", "ou", "ism", "ate"),
    *("iti", "ous", "ive", "ize"),
)
"""Step 4: endings that fall after a stem of at least two syllables."""


@lru_cache(maxsize=MOST_KEPT)
def word_stem(word: str) -> str:
    """The stem of a word in lower case; words of one or two letters stay as they are.

    >>> [word_stem(word) for word in ("cats", "running", "relational", "happy", "flies", "dies", "at")]
    ['cat', 'run', 'relat', 'happi', 'fli', 'die', 'at']
    """
    if word in IRREGULAR:
        return IRREGULAR[word]
    if len(word) <= 2:
        return word
    stem = _without_past(_without_plural(word))
    if stem.endswith("y") and len(stem) > 2 and _shape(stem[:-1])[-1] == "c":
        stem = f"{stem[:-1]}i"
    stem = _without_ending(_replaced(_underived(stem), DERIVED_TWICE))
    return _without_double_l(_without_e(stem))


def _shape(word: str) -> str:
    """Consonants and vowels; y is a vowel after a consonant.

    >>> _shape("syzygy"), _shape("toy")
    ('cvcvcv', 'cvc')
    """
    shape = ""
    for letter in word:
        is_vowel = letter in "aeiou" or (letter == "y" and shape.endswith("c"))
        shape += "v" if is_vowel else "c"
    return shape


def _syllables(stem: str) -> int:
    """Porter's measure m: how often a consonant follows a vowel."""
    return _shape(stem).count("vc")


def _is_short(stem: str) -> bool:
    """Whether it ends like "wil" or "hop", or is like "at": an e was dropped behind it."""
    shape = _shape(stem)
    return (shape[-3:] == "cvc" and stem[-1] not in "wxy") or shape == "vc"


def _replaced(word: str, rules: tuple[tuple[str, str], ...]) -> str:
    """The word after the first rule whose ending it has, if a syllable stands before that."""
    for ending, instead in rules:
        if word.endswith(ending):
            stem = word.removesuffix(ending)
            return stem + instead if _syllables(stem) > 0 else word
    return word


def _without_plural(word: str) -> str:
    """Step 1a."""
    if word.endswith("ies"):
        return word[:-1] if len(word) == 4 else word[:-2]
    if word.endswith("sses"):
        return word[:-2]
    return word[:-1] if word.endswith("s") and not word.endswith("ss") else word


def _without_past(word: str) -> str:
    """Step 1b: -ed and -ing fall after a vowel, and what they changed before them is put right."""
    if word.endswith("ied"):
        return word[:-1] if len(word) == 4 else word[:-2]
    if word.endswith("eed"):
        return word[:-1] if _syllables(word[:-3]) > 0 else word
    ending = next((ending for ending in ("ed", "ing") if word.endswith(ending)), "")
    stem = word.removesuffix(ending)
    if not ending or "v" not in _shape(stem):
        return word
    if stem.endswith(("at", "bl", "iz")):
        return f"{stem}e"
    if len(stem) > 1 and stem[-1] == stem[-2] and _shape(stem)[-1] == "c":
        return stem if stem[-1] in "lsz" else stem[:-1]
    return f"{stem}e" if _syllables(stem) == 1 and _is_short(stem) else stem


def _underived(word: str) -> str:
    """Step 2."""
    if word.endswith("alli") and _syllables(word[:-4]) > 0:
        return _underived(word[:-2])
    if word.endswith("logi"):
        return word[:-1] if _syllables(word[:-3]) > 0 else word
    return _replaced(word, DERIVED)


def _without_ending(word: str) -> str:
    """Step 4."""
    for ending in ENDINGS:
        if word.endswith(ending):
            stem = word.removesuffix(ending)
            may_fall = ending != "ion" or stem.endswith(("s", "t"))
            return stem if _syllables(stem) > 1 and may_fall else word
    return word


def _without_e(word: str) -> str:
    """Step 5a."""
    stem = word.removesuffix("e")
    syllables = _syllables(stem)
    falls = syllables > 1 or (syllables == 1 and not _is_short(stem))
    return stem if falls else word


def _without_double_l(word: str) -> str:
    """Step 5b."""
    return word[:-1] if word.endswith("ll") and _syllables(word[:-1]) > 1 else word
