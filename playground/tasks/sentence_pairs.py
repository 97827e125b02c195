"""Rows of two texts for an encoder, with masked words: Devlin et al. 2019, sections 3.1 and A.1."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Int

from playground.special_tokens import END_ID, MASK_ID, PAD_ID, SPECIALS, START_ID
from playground.tasks.sentences import Sentences
from playground.tasks.task import IGNORED, Batch

FIRST_WORD = len(SPECIALS)
FOLLOWS, RANDOM = range(2)
"""The classes, numbered as in BERT."""
FRAME = 3
"""START, and END after each text."""
TO_MASK, TO_RANDOM = 0.8, 0.9
"""Of the chosen words 80% become MASK, 10% a random word, and 10% stay."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Spans:
    """The first and the second text of each row: [begin, end) in the flat ids."""

    first: Int[np.ndarray, "row 2"]
    second: Int[np.ndarray, "row 2"]
    classes: Int[np.ndarray, "row"]


def pair_batch(
    sentences: Sentences, generator: np.random.Generator, *, rows: int, length: int, share: float, vocabulary: int
) -> Batch:
    """Rows START A END B END with a share of their words masked, and whether B follows A as the class."""
    spans = sample_spans(sentences, generator, rows=rows, space=length - FRAME)
    ids, segments = join_texts(sentences.ids, spans)
    read, labels = mask_words(ids, generator, share=share, vocabulary=vocabulary)
    is_real = ids != PAD_ID
    return Batch(
        ids=torch.from_numpy(read),
        labels=torch.from_numpy(labels),
        segments=torch.from_numpy(segments),
        mask=None if is_real.all() else torch.from_numpy(is_real),
        classes=torch.from_numpy(spans.classes),
    )


def sample_spans(sentences: Sentences, generator: np.random.Generator, *, rows: int, space: int) -> Spans:
    """Sample two passages for each row, together at most `space` tokens; in half of the rows B follows A.

    A ends at the end of a sentence, and B begins at the start of one. A gets a quarter to three quarters of the space,
    or less if its document has less before it, and B the rest. A random B may begin at any sentence but the next.
    """
    starts, documents = sentences.starts, sentences.documents
    # Sentences at tokens 0, 5, 9, 14, documents at sentences 0 and 2: texts can meet only where a sentence follows
    # another one of its document, so `joint` is sentence 1 or 3.
    is_opening = np.isin(np.arange(len(sentences)), documents)
    joint = generator.choice(np.flatnonzero(~is_opening), rows)
    most = generator.integers(max(1, space // 4), max(2, 3 * space // 4 + 1), rows)
    opening = np.maximum(np.searchsorted(starts, starts[joint] - most), _opening_of(documents, joint))
    # With space 8 and a joint at token 20, A may begin at 14 at the earliest. If the last sentence alone is longer,
    # it loses its beginning.
    begin = np.where(opening < joint, starts[opening], starts[joint] - most)
    classes = (generator.random(rows) < 0.5).astype(np.int64)
    # With joint 1 of 4 sentences, 0, 1, 2 become 0, 2, 3: any sentence but the one that follows.
    other = generator.integers(0, len(sentences) - 1, rows)
    second = np.where(classes == RANDOM, other + (other >= joint), joint)
    room = space - (starts[joint] - begin)
    # B ends with its document at the latest: sentence 2 belongs to the document that ends before sentence 4.
    ends = starts[documents[np.searchsorted(documents, second, side="right")]]
    return Spans(
        first=np.stack([begin, starts[joint]], axis=1),
        second=np.stack([starts[second], np.minimum(starts[second] + room, ends)], axis=1),
        classes=classes,
    )


def _opening_of(documents: Int[np.ndarray, "document+1"], sentence: Int[np.ndarray, "row"]) -> np.ndarray:
    """The first sentence of the document of each sentence."""
    opening: np.ndarray = documents[np.searchsorted(documents, sentence, side="right") - 1]
    return opening


def join_texts(flat: Int[np.ndarray, "token"], spans: Spans) -> tuple[np.ndarray, np.ndarray]:
    """The rows START A END B END, padded to the longest, and the segment of each token: 0 up to the first END."""
    first, second = (np.diff(span, axis=1) for span in (spans.first, spans.second))
    # Lengths 2 and 3: START a a END b b b END, with A at positions 1 and 2, B at 4 to 6, and END at 3 and 7.
    positions = np.arange(int((first + second).max()) + FRAME)[None]
    after = first + 2
    in_first = (positions >= 1) & (positions <= first)
    in_second = (positions >= after) & (positions < after + second)
    source = np.where(in_first, spans.first[:, :1] + positions - 1, spans.second[:, :1] + positions - after)
    words = flat[np.clip(source, 0, len(flat) - 1)].astype(np.int64)
    ids = np.where(in_first | in_second, words, PAD_ID)
    ids[:, 0] = START_ID
    ids[(positions == after - 1) | (positions == after + second)] = END_ID
    return ids, ((positions >= after) & (positions <= after + second)).astype(np.int64)


def mask_words(
    ids: Int[np.ndarray, "row token"], generator: np.random.Generator, *, share: float, vocabulary: int
) -> tuple[np.ndarray, np.ndarray]:
    """Mask a share of each row's words: the input of the model, and labels that are IGNORED at all other positions.

    At least one word of each row is chosen, if there is one; special tokens never are.
    """
    chosen = _choose_words(ids >= FIRST_WORD, generator, share)
    # One number decides for each word: below 0.8 MASK, from there to 0.9 a random word, above it stays.
    uniform = generator.random(ids.shape)
    words = generator.integers(FIRST_WORD, vocabulary, ids.shape)
    read = np.where(uniform < TO_MASK, MASK_ID, np.where(uniform < TO_RANDOM, words, ids))
    return np.where(chosen, read, ids), np.where(chosen, ids, IGNORED)


def _choose_words(is_word: Bool[np.ndarray, "row token"], generator: np.random.Generator, share: float) -> np.ndarray:
    counts = is_word.sum(axis=1, keepdims=True)
    n_chosen = np.minimum(counts, np.maximum(1, np.round(share * counts)))
    scores = np.where(is_word, generator.random(is_word.shape), np.inf)
    # The rank of each score: 0.7 ∞ 0.2 0.5 become 2 3 0 1, and with n_chosen 2 the last two words are chosen.
    chosen: np.ndarray = scores.argsort(axis=1).argsort(axis=1) < n_chosen
    return chosen
