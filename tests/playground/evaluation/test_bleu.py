"""BLEU counted by us: equal to sacrebleu on random corpora, and worked by hand where it is famous."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sacrebleu.metrics import BLEU
from sacrebleu.tokenizers.tokenizer_13a import Tokenizer13a

from playground.errors import UserError
from playground.evaluation.bleu import (
    BleuConfig,
    bleu_parts,
    bleu_scores,
    bleu_signature,
    bleu_statistics,
    bleu_tokens,
    mean_sentence_bleu,
)
from playground.evaluation.lines import ComparedLines, pair_lines
from playground.evaluation.ngrams import mark_ngrams

WORDS = st.sampled_from(["the", "cat", "sat", "on", "mat", "a", "dog", ",", "3.5", "it's", "你好", "猫", "Äh!"])
SENTENCES = st.lists(WORDS, max_size=9).map(" ".join)
FILLED = st.lists(WORDS, min_size=1, max_size=9).map(" ".join)


@st.composite
def corpora(draw):
    n_references = draw(st.integers(1, 4))
    rows = draw(st.lists(st.tuples(SENTENCES, *[FILLED] * n_references), min_size=1, max_size=4))
    return ComparedLines(hypotheses=tuple(row[0] for row in rows), references=tuple(row[1:] for row in rows))


PIECES = st.sampled_from([*"ab1 2.,-'&;\t\"()<>!\u00a0é你\n\r\x0b", "&quot;", "&lt;", "<skipped>", "1,000.5", "-\n"])


@settings(max_examples=1_000)
@given(st.lists(PIECES, max_size=14).map("".join))
def test_the_tokens_of_any_text_are_sacrebleus(text):
    assert bleu_tokens(text, BleuConfig()) == Tokenizer13a()(text.rstrip()).split()


configs = st.builds(
    BleuConfig,
    tokenizer=st.sampled_from(["13a", "zh", "char", "intl", "none"]),
    effective_order=st.booleans(),
    smoothing=st.sampled_from(["exp", "none"]),
    lowercase=st.booleans(),
)


@settings(max_examples=500)
@given(corpora(), configs)
def test_every_number_is_sacrebleus(lines, config):
    metric = BLEU(
        tokenize=config.tokenizer,
        effective_order=config.effective_order,
        smooth_method=config.smoothing,
        lowercase=config.lowercase,
        force=True,
    )
    theirs = metric.corpus_score(lines.hypotheses, list(zip(*lines.references, strict=True)))
    statistics = bleu_statistics(lines, config)
    parts = bleu_parts(statistics.sum(0), config)
    assert parts.score == pytest.approx(theirs.score, abs=1e-9)
    assert list(parts.matches) == theirs.counts
    assert list(parts.totals) == theirs.totals
    assert (parts.hypothesis_length, parts.reference_length) == (theirs.sys_len, theirs.ref_len)
    assert parts.brevity_penalty == pytest.approx(theirs.bp, abs=1e-12)
    assert [100 * p for p in parts.precisions] == pytest.approx(theirs.precisions, abs=1e-9)
    for order in range(4):
        marked = [
            mark_ngrams(bleu_tokens(text, config), [bleu_tokens(r, config) for r in references], order + 1)
            for text, references in zip(lines.hypotheses, lines.references, strict=True)
        ]
        assert sum(mark.matches for mark in marked) == theirs.counts[order]
        assert sum(mark.total for mark in marked) == theirs.totals[order]


def test_the_seven_times_repeated_word_has_two_sevenths():
    """Papineni et al. 2002, example 2: without clipping the precision would be 7/7."""
    lines = pair_lines("the the the the the the the", ["The cat is on the mat.", "There is a cat on the mat."])
    config = BleuConfig(lowercase=True)
    parts = bleu_parts(bleu_statistics(lines, config)[0], config)
    assert (parts.matches[0], parts.totals[0]) == (2, 7)
    assert parts.precisions[0] == pytest.approx(2 / 7)


def test_a_score_worked_by_hand():
    """Five of six words, three of five pairs, one of four triples, none of three fours: BP 1."""
    lines = pair_lines("the cat sat on the mat", ["the cat sits on the mat"])
    parts = bleu_parts(bleu_statistics(lines)[0])
    assert (parts.matches, parts.totals) == ((5, 3, 1, 0), (6, 5, 4, 3))
    assert parts.score == pytest.approx(100 * (5 / 6 * 3 / 5 * 1 / 4 * 1 / 2 / 3) ** 0.25)


def test_chinese_needs_its_characters():
    """Cut at spaces, two Chinese sentences are two different words, and the score is 0."""
    lines = pair_lines("猫坐在垫子上。", ["猫坐在地毯上。"])
    assert bleu_scores(bleu_statistics(lines, BleuConfig(tokenizer="none")))[0] == 0
    config = BleuConfig(tokenizer="zh")
    assert bleu_tokens("猫坐在垫子上。", config) == list("猫坐在垫子上。")
    assert bleu_parts(bleu_statistics(lines, config)[0], config).matches == (5, 3, 1, 0)


def test_the_corpus_is_not_the_mean_of_its_sentences():
    lines = pair_lines("a b c d e\nx", ["a b c d e\ny z y z y"])
    statistics = bleu_statistics(lines)
    assert mean_sentence_bleu(statistics) == pytest.approx(50)
    assert bleu_scores(statistics.sum(0)) == pytest.approx(100 * np.exp(1 - 10 / 6) * (5 / 6) ** 0.25, abs=1e-9)


def test_short_sentences_need_the_effective_order():
    lines = pair_lines("good morning", ["good morning"])
    assert bleu_scores(bleu_statistics(lines))[0] == 0
    assert bleu_scores(bleu_statistics(lines), BleuConfig(effective_order=True))[0] == pytest.approx(100)


@pytest.mark.parametrize(("references", "config"), [(1, BleuConfig()), (3, BleuConfig(tokenizer="zh"))])
def test_the_signature_is_sacrebleus(references, config):
    signature = bleu_signature(references, config)
    assert signature.startswith(f"nrefs:{references}|case:mixed|eff:no|tok:{config.tokenizer}|smooth:exp|version:")


def test_what_cannot_be_compared_is_refused_with_its_line():
    with pytest.raises(UserError, match="line 2 has no partner"):
        pair_lines("a\nb", ["a"])
    with pytest.raises(UserError, match="Line 2 has an empty reference"):
        pair_lines("a\nb\nc", ["a\n\nc"])
    with pytest.raises(UserError, match="no line"):
        pair_lines("", [""])
    with pytest.raises(UserError, match="Line 1 has 5 references"):
        pair_lines("a", ["a"] * 5)
    with pytest.raises(UserError, match="No tokenizer is called"):
        BleuConfig(tokenizer="klingon")
    assert pair_lines("a\n\nc", ["a\nb\nc"]).empty_hypotheses == (2,)
