"""The unigram model's best segmentation: equal to all segmentations tried one by one, and to the library."""

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, models

from playground.tokens.unigram import PieceScores, best_segmentation, piece_scores

quick = settings(max_examples=60)
PIECES = st.dictionaries(st.text("abc", min_size=1, max_size=4), st.floats(-9, -0.5), min_size=1, max_size=12)


def every_segmentation(text: str, pieces: dict[str, float]) -> Iterator[list[str]]:
    """All ways to cut a text into pieces, or characters that are none."""
    if not text:
        yield []
    for end in range(1, len(text) + 1):
        if text[:end] in pieces or (end == 1 and text[0] not in pieces):
            yield from ([text[:end], *rest] for rest in every_segmentation(text[end:], pieces))


@quick
@given(PIECES, st.text("abcd", max_size=9))
def test_no_segmentation_is_more_probable(pieces, text):
    vocabulary = PieceScores(scores=pieces, unknown=None)
    lattice = best_segmentation(vocabulary, text)
    totals = [
        sum(pieces.get(piece, vocabulary.unknown_score) for piece in way) for way in every_segmentation(text, pieces)
    ]
    assert lattice.score == pytest.approx(max(totals), abs=1e-9)
    assert "".join(piece.text for piece in lattice.best) == text
    assert sum(piece.score for piece in lattice.best) == pytest.approx(lattice.score, abs=1e-9)


@quick
@given(PIECES, st.text("abcd é", max_size=12), st.booleans())
def test_the_library_cuts_the_same(pieces, text, has_bytes):
    rows = [("<unk>", 0.0), *pieces.items()]
    if has_bytes:
        rows += [(f"<0x{byte:02X}>", -20.0) for byte in range(256)]
    library = models.Unigram(rows, 0, has_bytes)
    vocabulary = piece_scores(Tokenizer(library))
    ids = {piece: index for index, (piece, _score) in enumerate(rows)}
    lattice = best_segmentation(vocabulary, text)
    assert [ids[piece] for piece in lattice.pieces] == [token.id for token in library.tokenize(text)]


def test_candidates_by_hand():
    lattice = best_segmentation(PieceScores(scores={"a": -1.0, "b": -2.0, "ab": -2.5, "c": -1.0}, unknown="?"), "abcx")
    assert [(c.text, round(c.total, 2), c.is_best) for c in lattice.candidates] == [
        ("a", -1.0, False),
        ("ab", -2.5, True),
        ("b", -3.0, False),
        ("c", -3.5, True),
        ("x", -16.0, True),
    ]
    assert lattice.pieces == ("ab", "c", "?")


def test_an_empty_pre_token():
    lattice = best_segmentation(PieceScores(scores={"a": -1.0}, unknown="?"), "")
    assert (lattice.pieces, lattice.score) == ((), 0.0)
