"""ROUGE counted by us: equal to rouge-score on ASCII, by characters for Chinese."""

import random
import time
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rouge_score.rouge_scorer import RougeScorer

from playground.evaluation.lcs import lcs_length, lcs_links
from playground.evaluation.lines import ComparedLines, pair_lines
from playground.evaluation.rouge import (
    ROUGE_KINDS,
    RougeConfig,
    rouge,
    rouge_spreads,
    rouge_table,
    rouge_tokens,
    summary_lines,
    union_of_lines,
)

SCORERS = {stemmed: RougeScorer(list(ROUGE_KINDS), use_stemmer=stemmed) for stemmed in (False, True)}
INFLECTED = ["cats", "cat", "running", "runs", "flies", "dying", "happily", "happiness", "relational"]
WORDS = st.sampled_from(["the", "cat", "Sat", "on", "mat", "a_b", "it's", "3.5", "\n", "\n", "!?", "~", *INFLECTED])
TEXTS = st.one_of(
    st.lists(WORDS, max_size=14).map(" ".join), st.text(st.characters(max_codepoint=127, codec="ascii"), max_size=40)
)


@settings(max_examples=500)
@given(TEXTS, TEXTS, st.booleans())
def test_every_score_is_rouge_scores(hypothesis, reference, stemmed):
    ours = rouge(hypothesis, reference, RougeConfig(stemmed=stemmed))
    theirs = SCORERS[stemmed].score(reference, hypothesis)
    for kind in ROUGE_KINDS:
        assert ours[kind].precision == pytest.approx(theirs[kind].precision, abs=1e-12)
        assert ours[kind].recall == pytest.approx(theirs[kind].recall, abs=1e-12)
        assert ours[kind].f1 == pytest.approx(theirs[kind].fmeasure, abs=1e-12)


def test_the_best_of_several_references_is_taken():
    texts, hypothesis = ["a dog ran", "the cat sat"], "the cat sat down"
    theirs = SCORERS[False].score_multi(texts, hypothesis)
    table = rouge_table(pair_lines(hypothesis, texts))
    assert {kind: rows[0, 2] for kind, rows in table.items()} == pytest.approx(
        {kind: theirs[kind].fmeasure for kind in ROUGE_KINDS}
    )


def test_lins_own_example():
    """Lin 2004, section 3.1: S2 and S3 have the same bigrams with S1, but S2 keeps the order of three words."""
    reference = "police killed the gunman"
    assert rouge("police kill the gunman", reference)["rougeL"].f1 == pytest.approx(3 / 4)
    assert rouge("the gunman kill police", reference)["rougeL"].f1 == pytest.approx(2 / 4)
    assert rouge("police kill the gunman", reference)["rouge2"].hits == 1
    assert rouge("the gunman kill police", reference)["rouge2"].hits == 1


def test_lins_example_of_the_union():
    """Lin 2004, section 3.2: w1 w2 and w1 w3 w5 have the union w1 w2 w3 w5 with w1 w2 w3 w4 w5, so 4 of 5."""
    score = rouge("w1 w2 w6 w7 w8\nw1 w3 w8 w9 w5", "w1 w2 w3 w4 w5")["rougeLsum"]
    assert (score.hits, score.recall) == (4, 4 / 5)


@settings(max_examples=100)
@given(TEXTS, TEXTS, st.booleans())
def test_the_drawn_union_adds_up_to_what_counts(hypothesis, reference, stemmed):
    config = RougeConfig(stemmed=stemmed)
    union = union_of_lines(hypothesis, reference, config)
    score = rouge(hypothesis, reference, config)["rougeLsum"]
    assert union.hits == score.hits
    assert sum(len(line.tokens) for line in union.reference) == score.reference_total
    assert sum(len(line.tokens) for line in union.hypothesis) == score.hypothesis_total


def test_the_drawn_union_marks_what_counts_twice_as_once():
    """Both lines of the reference have a cat in common with the one line of the hypothesis, which has one cat."""
    union = union_of_lines("the cat", "a cat\nthe cat")
    assert [line.states for line in union.reference] == [("absent", "matched"), ("matched", "clipped")]
    assert [line.states for line in union.hypothesis] == [("matched", "matched")]


def test_sentences_are_lines_where_that_is_asked_for():
    config = RougeConfig(by_sentence=True)
    hypothesis, reference = "It rained all day. We left.", "We left. It rained."
    expected = SCORERS[False].score("We left.\nIt rained.", "It rained all day.\nWe left.")["rougeLsum"]
    assert rouge(hypothesis, reference, config)["rougeLsum"].f1 == pytest.approx(expected.fmeasure)
    assert rouge(hypothesis, reference)["rougeLsum"].f1 < expected.fmeasure
    assert summary_lines("猫睡了。狗跑了！3.5 m", config) == ["猫睡了。", "狗跑了！", "3.5 m"]


def test_chinese_is_counted_by_characters():
    scores = rouge("猫坐在垫子上。", "猫在垫子上睡觉。")
    assert rouge_tokens("猫坐在垫子上。") == list("猫坐在垫子上")
    assert (scores["rouge1"].hits, scores["rouge1"].hypothesis_total, scores["rouge1"].reference_total) == (5, 6, 7)
    assert scores["rougeL"].hits == 5
    assert scores["rouge2"].hits == 3
    assert rouge_tokens("Größe 10 ЕЖ") == ["größe", "10", "еж"]


@given(st.text("abcd", max_size=30), st.text("abcd", max_size=30))
def test_the_drawn_subsequence_is_one_and_has_the_counted_length(first, second):
    links = lcs_links(first, second)
    assert len(links) == lcs_length(first, second) == lcs_length(second, first)
    assert all(first[i] == second[j] for i, j in links)
    assert all(a < b and c < d for (a, c), (b, d) in pairwise(links))


def test_the_table_has_a_row_for_each_line():
    table = rouge_table(pair_lines("a b\nc", ["a b\nd"]))
    assert table["rougeL"].tolist() == [[1, 1, 1], [0, 0, 0]]


def test_five_thousand_pairs_take_less_than_five_seconds():
    """Half a second on two cores; the bound leaves room for whatever else the machine does."""
    dice = random.Random(0)
    words = [f"w{n}" for n in range(300)]
    texts = [" ".join(dice.choices(words, k=20)) for _ in range(10_000)]
    lines = ComparedLines(hypotheses=tuple(texts[:5_000]), references=tuple((text,) for text in texts[5_000:]))
    began = time.perf_counter()
    spreads = rouge_spreads(rouge_table(lines))
    assert time.perf_counter() - began < 5
    assert spreads["rouge1"]["f1"].n == 5_000
