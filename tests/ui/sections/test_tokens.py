"""What of long steps is drawn: the part around the chosen token."""

from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, models

from playground.tokens.wordpiece import match_longest, wordpiece_vocabulary
from ui.sections.tokens.steps import MOST_ATTEMPTS, attempts_around, window


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
