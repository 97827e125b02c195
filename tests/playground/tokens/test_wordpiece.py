"""WordPiece's longest match, equal to the library's."""

from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, models

from playground.tokens.wordpiece import match_longest, wordpiece_vocabulary

WORDS = st.lists(st.text("abc", min_size=1, max_size=4), max_size=12, unique=True)


@settings(max_examples=60)
@given(WORDS, WORDS, st.text("abcd", min_size=1, max_size=12))
def test_the_library_cuts_the_same(beginnings, continued, text):
    tokens = ["[UNK]", *beginnings, *(f"##{word}" for word in continued)]
    library = models.WordPiece({token: n for n, token in enumerate(tokens)}, unk_token="[UNK]")
    match = match_longest(wordpiece_vocabulary(Tokenizer(library)), text)
    assert list(match.pieces) == [token.value for token in library.tokenize(text)]


def test_look_ups_in_order():
    tokens = {token: n for n, token in enumerate(["[UNK]", "un", "u", "##a", "##able"])}
    vocabulary = wordpiece_vocabulary(Tokenizer(models.WordPiece(tokens, unk_token="[UNK]")))
    match = match_longest(vocabulary, "unable")
    assert [each.piece for each in match.attempts] == ["unable", "unabl", "unab", "una", "un", "##able"]
    assert [each.is_found for each in match.attempts] == [False] * 4 + [True] * 2
    assert match.pieces == ("un", "##able")
    assert match_longest(vocabulary, "unx").pieces == ("[UNK]",)


def test_a_very_long_word_is_not_looked_up():
    library = models.WordPiece({"[UNK]": 0, "a": 1, "##a": 2}, unk_token="[UNK]", max_input_chars_per_word=5)
    match = match_longest(wordpiece_vocabulary(Tokenizer(library)), "aaaaaa")
    assert match.is_too_long
    assert match.pieces == ("[UNK]",) == tuple(token.value for token in library.tokenize("aaaaaa"))
