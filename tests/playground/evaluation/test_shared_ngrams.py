"""N-grams that lines share, counted in blocks: as dictionaries count them line by line."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playground.evaluation.lines import line_blocks, pair_lines
from playground.evaluation.ngrams import largest_counts, ngrams_of
from playground.evaluation.rouge import ROUGE_KINDS, RougeConfig, rouge, rouge_table
from playground.evaluation.shared_ngrams import shared_ngrams
from tests.playground.evaluation.test_bleu import corpora

ORDERS = 4


@st.composite
def texts(draw):
    n_texts, n_lines = draw(st.integers(2, 4)), draw(st.integers(1, 5))
    lines = st.lists(st.sampled_from("abc"), max_size=8)
    return [[draw(lines) for _line in range(n_lines)] for _text in range(n_texts)]


@settings(max_examples=300)
@given(texts())
def test_counts_are_those_of_dictionaries(texts):
    own, *references = texts
    for order, shared in enumerate(shared_ngrams(texts, ORDERS), start=1):
        assert shared.totals.tolist() == [[len(ngrams_of(line, order)) for line in lines] for lines in texts]
        for line, hypothesis in enumerate(own):
            mine = Counter(ngrams_of(hypothesis, order))
            theirs = [Counter(ngrams_of(lines[line], order)) for lines in references]
            assert shared.matches()[:, line].tolist() == [(mine & each).total() for each in theirs]
            allowed = largest_counts([lines[line] for lines in references], order)
            assert shared.clipped()[line] == (mine & allowed).total()


def test_codes_that_would_grow_too_large_are_numbered_anew():
    """4,000 different words make 4,000^6 pairs, triples and so on: more than 63 bits with the number of a line."""
    generator = np.random.default_rng(0)
    own = [generator.integers(0, 4_000, 40).tolist() for _line in range(200)]
    same = [line[:20] + line[21:] for line in own]
    for order, shared in enumerate(shared_ngrams([own, same], 6), start=1):
        wanted = [
            (Counter(ngrams_of(a, order)) & Counter(ngrams_of(b, order))).total()
            for a, b in zip(own, same, strict=True)
        ]
        assert shared.matches()[0].tolist() == wanted


@settings(max_examples=200)
@given(corpora(), st.booleans(), st.booleans())
def test_rouge_of_a_table_is_that_of_its_lines(lines, stemmed, by_sentence):
    config = RougeConfig(stemmed=stemmed, by_sentence=by_sentence)
    table = rouge_table(lines, config)
    for row, (hypothesis, references) in enumerate(zip(lines.hypotheses, lines.references, strict=True)):
        scored = [rouge(hypothesis, reference, config) for reference in references]
        for kind in ROUGE_KINDS:
            score = max((scores[kind] for scores in scored), key=lambda score: score.f1)
            assert table[kind][row] == pytest.approx([score.precision, score.recall, score.f1], abs=1e-12)


def test_blocks_cover_every_line_once_and_tell_how_far_they_are():
    lines, told = pair_lines("\n".join("abcdefgh"), ["\n".join("abcdefgh")]), []
    blocks = list(line_blocks(lines, lambda done, total: told.append((done, total)), size=3))
    assert [text for block, _texts in blocks for text in lines.hypotheses[block]] == list("abcdefgh")
    assert [text for _block, (own, _references) in blocks for text in own] == list("abcdefgh")
    assert told == [(0, 8), (3, 8), (6, 8)]
