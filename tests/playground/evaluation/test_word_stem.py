"""Word stems against NLTK's stemmer, which rouge-score calls, and Porter's own examples."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nltk.stem.porter import PorterStemmer

from playground.evaluation.word_stem import DERIVED, DERIVED_TWICE, ENDINGS, IRREGULAR, word_stem

STEMMER = PorterStemmer()
SUFFIXES = ["", "s", "es", "ies", "ed", "ied", "eed", "ing", "y", "e", "ll", "logi", *ENDINGS]
SUFFIXES += [ending for ending, _instead in (*DERIVED, *DERIVED_TWICE)]
ROOTS = st.text("aeiouybdlrstz0", max_size=6)


@settings(max_examples=2000)
@given(ROOTS, st.sampled_from(SUFFIXES), st.sampled_from(SUFFIXES))
def test_every_stem_is_nltks(root, first, second):
    word = root + first + second
    assert word_stem(word) == (STEMMER.stem(word) if word else "")


def test_irregular_words_are_nltks():
    assert all(word_stem(word) == STEMMER.stem(word) for word in IRREGULAR)


@pytest.mark.parametrize(
    ("word", "stem"),
    [
        ("caresses", "caress"),
        ("plastered", "plaster"),
        ("hopping", "hop"),
        ("filing", "file"),
        ("vietnamization", "vietnam"),
        ("electrical", "electr"),
        ("adjustment", "adjust"),
        ("adoption", "adopt"),
        ("controlling", "control"),
        ("roll", "roll"),
    ],
)
def test_porters_examples(word, stem):
    assert word_stem(word) == stem
