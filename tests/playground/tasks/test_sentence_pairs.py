"""Pairs of texts and masked words: frames, order, shares."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from playground.special_tokens import END_ID, MASK_ID, PAD_ID, START_ID
from playground.tasks.sentence_pairs import (
    FIRST_WORD,
    FOLLOWS,
    RANDOM,
    Spans,
    join_texts,
    mask_words,
    pair_batch,
    sample_spans,
)
from playground.tasks.sentences import Sentences
from playground.tasks.task import IGNORED


def numbered(documents: list[list[int]]) -> Sentences:
    """Documents of sentences with the given lengths; no token stands twice."""
    lengths = [length for document in documents for length in document]
    return Sentences(
        ids=np.arange(FIRST_WORD, FIRST_WORD + sum(lengths), dtype=np.uint16),
        starts=np.cumsum([0, *lengths]),
        documents=np.cumsum([0, *map(len, documents)]),
    )


def test_a_row_by_hand():
    spans = Spans(first=np.array([[0, 2], [1, 2]]), second=np.array([[2, 5], [4, 5]]), classes=np.array([0, 1]))
    ids, segments = join_texts(np.array([10, 11, 12, 13, 14]), spans)
    assert ids.tolist() == [
        [START_ID, 10, 11, END_ID, 12, 13, 14, END_ID],
        [START_ID, 11, END_ID, 14, END_ID, PAD_ID, PAD_ID, PAD_ID],
    ]
    assert segments.tolist() == [[0, 0, 0, 0, 1, 1, 1, 1], [0, 0, 0, 1, 1, 0, 0, 0]]


documents = st.lists(st.lists(st.integers(1, 40), min_size=1, max_size=6), min_size=1, max_size=4).filter(
    lambda found: any(len(document) > 1 for document in found)
)


@settings(max_examples=80)
@given(documents, st.integers(5, 60), st.integers(0, 2**32))
def test_spans_are_runs_of_one_document_that_fit(given_documents, space, seed):
    sentences = numbered(given_documents)
    spans = sample_spans(sentences, np.random.default_rng(seed), rows=20, space=space)
    bounds = sentences.starts[sentences.documents]
    starts, openings = set(sentences.starts.tolist()), set(bounds.tolist())
    for (a, a_end), (b, b_end), kind in zip(spans.first, spans.second, spans.classes, strict=True):
        assert a < a_end
        assert b < b_end
        assert a_end - a + b_end - b <= space
        assert a_end in starts - openings
        assert b in starts
        for begin, end in ((a, a_end), (b, b_end)):
            assert np.searchsorted(bounds, begin, side="right") == np.searchsorted(bounds, end, side="left")
        # A is whole sentences, or the end of one that is too long.
        assert a in starts or not starts & set(range(a + 1, a_end))
        assert (b == a_end) == (kind == FOLLOWS)


def test_half_of_the_pairs_follow():
    spans = sample_spans(numbered([[5] * 50] * 4), np.random.default_rng(0), rows=4000, space=40)
    assert spans.classes.mean() == pytest.approx(0.5, abs=0.03)
    lengths = np.diff(spans.first, axis=1)
    assert (lengths.min(), lengths.max()) == (5, 30)


def test_a_row_is_full_where_its_document_goes_on():
    batch = pair_batch(numbered([[7] * 500]), np.random.default_rng(0), rows=50, length=64, share=0.15, vocabulary=4000)
    follows = batch.classes == FOLLOWS
    assert 0 < follows.sum() < 50
    real = torch.ones_like(batch.ids, dtype=torch.bool) if batch.mask is None else batch.mask
    assert (real.sum(1)[follows] == 64).float().mean() > 0.9


def test_masking_is_eight_one_one_of_the_share():
    """Of 100 words in each row 15 are chosen; special tokens and padding never."""
    generator = np.random.default_rng(0)
    ids = np.full((400, 104), PAD_ID)
    ids[:, 0] = START_ID
    ids[:, 1:101] = generator.integers(FIRST_WORD, 5000, (400, 100))
    ids[:, 101] = END_ID
    read, labels = mask_words(ids, generator, share=0.15, vocabulary=5000)
    counted = labels != IGNORED
    assert (counted.sum(1) == 15).all()
    assert (labels[counted] == ids[counted]).all()
    assert (read[~counted] == ids[~counted]).all()
    assert (ids[counted] >= FIRST_WORD).all()
    assert (read[counted] == MASK_ID).mean() == pytest.approx(0.8, abs=0.02)
    assert (read[counted] == ids[counted]).mean() == pytest.approx(0.1, abs=0.015)
    others = (read != MASK_ID) & (read != ids)
    assert read[others].min() >= FIRST_WORD


@settings(max_examples=40)
@given(st.integers(0, 12), st.floats(0.01, 0.99))
def test_at_least_one_word_is_masked_where_there_is_one(count, share):
    ids = np.array([[START_ID, *range(FIRST_WORD, FIRST_WORD + count), END_ID]])
    _, labels = mask_words(ids, np.random.default_rng(0), share=share, vocabulary=FIRST_WORD + 20)
    assert (labels != IGNORED).sum() == (min(count, max(1, round(share * count))))


def test_a_random_second_text_is_not_the_next():
    spans = sample_spans(numbered([[1, 1]]), np.random.default_rng(3), rows=50, space=10)
    assert set(spans.classes.tolist()) == {FOLLOWS, RANDOM}
    assert (spans.second[spans.classes == RANDOM][:, 0] == 0).all()
