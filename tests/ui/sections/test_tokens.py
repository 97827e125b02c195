"""What of long steps is drawn: the part around the chosen token; and which bytes of a token are said."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, normalizers

from playground.tokens.tokenization import tokenize
from playground.tokens.wordpiece import match_longest, wordpiece_vocabulary
from tests.helpers.families import small_model
from tests.playground.lens.capture.test_typed_bytes import byte_level
from ui.sections.tokens.steps import MOST_ATTEMPTS, attempts_around, window
from ui.sections.tokens.tokenizer import text_token_lines


@given(st.lists(st.integers(1, 9), min_size=1, max_size=30), st.integers(0, 29), st.integers(1, 40))
def test_a_window_holds_the_chosen_piece_and_no_more_fits(lengths, chosen, most):
    spans, start = [], 0
    for length in lengths:
        spans.append((start, start + length))
        start += length
    chosen %= len(spans)
    first, last = window(spans, chosen, most)
    assert first <= chosen < last
    covered = spans[last - 1][1] - spans[first][0]
    assert covered <= most or last - first == 1
    assert last == len(spans) or spans[last][1] - spans[first][0] > most
    assert first == 0 or spans[last - 1][1] - spans[first - 1][0] > most


def test_of_many_look_ups_those_that_succeed_are_shown_and_the_last_ones_of_the_chosen_piece():
    tokens = {token: n for n, token in enumerate(["[UNK]", "a", "##b", *(f"##{x}" for x in "cdefghijk")])}
    vocabulary = wordpiece_vocabulary(Tokenizer(models.WordPiece(tokens, unk_token="[UNK]")))
    match = match_longest(vocabulary, "abcdefghijk")
    assert len(match.attempts) == 66
    shown = attempts_around(match, 2)
    assert [each.piece for each in shown if each.is_found] == list(match.pieces)
    assert {each.start for each in shown if not each.is_found} == {2}
    assert len(shown) <= MOST_ATTEMPTS
    assert len(attempts_around(match_longest(vocabulary, "abx"), 0)) == 6


@pytest.mark.parametrize(
    ("normalizer", "text", "lines"),
    [
        (normalizers.NFKC(), "\ufb01", ["typed, 2 tokens together: 3 bytes: ef ac 81", "piece: 1 byte: 66"]),
        (normalizers.Lowercase(), "T", ["typed: 1 byte: 54", "piece: 1 byte: 74"]),
        (normalizers.Strip(), " t", ["typed: 2 bytes: 20 74", "piece: 1 byte: 74"]),
        (None, "t", ["1 byte: 74"]),
    ],
)
def test_bytes_that_were_typed_are_said_where_the_piece_has_others(normalizer, text, lines):
    model = dataclasses.replace(small_model("gpt2"), tokenizer=byte_level(normalizer))
    assert text_token_lines(tokenize(model, text), 0)[2:] == lines
