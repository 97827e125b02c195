"""The steps of the chosen token's pre-token: merges as a tree, the best segmentation, the look-ups."""

from collections.abc import Mapping, Sequence

import streamlit as st

from playground.charts.layout import mark_spaces
from playground.charts.tokens import merge_figure, pieces_figure
from playground.errors import UserError
from playground.lens.capture.alphabet import alphabet_of
from playground.lens.capture.tokens import readable, rust_tokenizer
from playground.text import _, _n, fill
from playground.tokens.bpe import MergeReplay
from playground.tokens.segmentation import Segmentation, segment
from playground.tokens.unigram import LatticePiece, UnigramLattice
from playground.tokens.wordpiece import LongestMatch, MatchAttempt
from ui.sections.tokens.subject import TokenSubject, answered, show_chart
from ui.text import inert

MOST_SYMBOLS = 36
"""Symbols or characters below one picture; of a longer pre-token the part around the chosen token is shown."""
MOST_ATTEMPTS = 24
MOST_CANDIDATES = 120


def show_steps(subject: TokenSubject) -> None:
    """How the chosen token's pre-token was cut, or why there is nothing to show."""
    cut, token = subject.cut, subject.cut.tokens[subject.position]
    if cut.algorithm is None:
        return
    if token.pretoken is None:
        st.caption(_("The template adds this token to every text: no character stands behind it."))
        return
    stretch = cut.pretokens[token.pretoken]
    if stretch.is_added:
        st.caption(_("This token was added to the vocabulary as a whole: it is found before the algorithm begins."))
        return
    rust = rust_tokenizer(subject.model.tokenizer)
    assert rust is not None  # a tokenizer with an algorithm is one
    try:
        segmentation = segment(rust, stretch.text)
    except UserError as error:
        answered(error)
        return
    answer = cut.tokens_of(token.pretoken)
    if list(segmentation.ids) != [each.token.id for each in answer]:
        st.warning(_("These steps do not lead to the tokenizer's own tokens, so they are not shown."))
        return
    index = next(n for n, each in enumerate(answer) if each is token)
    _show_segmentation(subject, segmentation, index)


def _show_segmentation(subject: TokenSubject, segmentation: Segmentation, index: int) -> None:
    steps = segmentation.steps
    if isinstance(steps, MergeReplay):
        _show_merges(subject, segmentation.text, steps, index)
    elif isinstance(steps, UnigramLattice):
        _show_lattice(subject, steps, index)
    elif isinstance(steps, LongestMatch):
        _show_match(subject, steps, index)
    else:
        sentence = _("The pre-token {word} is looked up in a vocabulary of {vocabulary:,}: there are no steps.")
        word = inert(f"“{mark_spaces(segmentation.text)}”")
        st.markdown(sentence.format(word=word, vocabulary=subject.cut.vocabulary))


def window(spans: list[tuple[int, int]], chosen: int, most: int = MOST_SYMBOLS) -> tuple[int, int]:
    """The pieces around the chosen one that together cover at most so many symbols: the first, and behind the last.

    >>> window([(0, 3), (3, 5), (5, 9)], 1, most=6)
    (1, 3)
    """
    first, last = chosen, chosen + 1
    while True:
        right = last < len(spans) and spans[last][1] - spans[first][0] <= most
        left = not right and first > 0 and spans[last - 1][1] - spans[first - 1][0] <= most
        if not right and not left:
            return first, last
        first, last = first - left, last + right


def _show_merges(subject: TokenSubject, text: str, replay: MergeReplay, index: int) -> None:
    first, last = window(list(replay.spans), index)
    start, end = replay.spans[first][0], replay.spans[last - 1][1]
    numbered = [(n, merge) for n, merge in enumerate(replay.merges, 1) if start <= merge.start and merge.end <= end]
    _say(
        _("{word} begins as {symbols}; {merges}, then {pieces}."),
        {
            "symbols": _n("{n} symbol", "{n} symbols", len(replay.symbols)),
            "merges": _n("{n} merge", "{n} merges", len(replay.merges)),
            "pieces": _n("{n} token", "{n} tokens", len(replay.pieces)),
        },
        text,
    )
    _say_window(len(replay.pieces), last - first)
    symbols = spelled(subject, list(replay.symbols[start:end]))
    results = [spelled(subject, [merge.result])[0] for _n, merge in numbered]
    brackets = [
        (merge.start - start, merge.end - start, result) for (_n, merge), result in zip(numbered, results, strict=True)
    ]
    figure = merge_figure(symbols, brackets, [n for n, _merge in numbered])
    details = {**subject.details, "pre-token": text}
    show_chart(subject.model, figure, key="merge_chart", label=_("Merges, the first ones lowest"), details=details)
    with st.expander(_("Table of merges"), icon=":material/table:"):
        st.dataframe(
            [
                {
                    _("merge"): n,
                    _("left"): merge.left,
                    _("right"): merge.right,
                    _("result"): merge.result,
                    _("place in the merge table"): merge.rank,
                }
                for n, merge in numbered
            ],
            hide_index=True,
            width="content",
            key="merge_rows",
        )


def _show_lattice(subject: TokenSubject, lattice: UnigramLattice, index: int) -> None:
    spans = [(piece.start, piece.end) for piece in lattice.best]
    first, last = window(spans, min(index, len(spans) - 1))
    start, end = spans[first][0], spans[last - 1][1]
    inside = [piece for piece in lattice.candidates if start <= piece.start and piece.end <= end]
    _say(
        _("{candidates} pieces fit into {word}; the best way through them has the log probability {score:.2f}."),
        {"candidates": len(lattice.candidates), "score": lattice.score},
        lattice.text,
    )
    _say_window(len(spans), last - first)
    _draw_candidates(subject, lattice, inside, (start, end))
    with st.expander(_("Table of pieces"), icon=":material/table:"):
        st.dataframe(
            [
                {
                    _("piece"): piece.text,
                    _("from"): piece.start,
                    _("to"): piece.end,
                    _("log probability"): piece.score,
                    _("best total to its end"): piece.total,
                    _("in the best segmentation"): piece.is_best,
                }
                for piece in inside
            ],
            hide_index=True,
            width="content",
            key="lattice_rows",
        )


def _draw_candidates(
    subject: TokenSubject, lattice: UnigramLattice, inside: Sequence[LatticePiece], span: tuple[int, int]
) -> None:
    start, end = span
    shown = sorted(inside, key=lambda piece: (not piece.is_best, -piece.score))[:MOST_CANDIDATES]
    sentence = _("{piece}: {score:.2f}; best total to its end {total:.2f}")
    bars = [
        (
            piece.start - start,
            piece.end - start,
            piece.text,
            fill(sentence, piece=mark_spaces(piece.text), score=piece.score, total=piece.total),
        )
        for piece in shown
    ]
    best, names = [piece.is_best for piece in shown], (_("best segmentation"), _("other pieces"))
    figure = pieces_figure(lattice.text[start:end], bars, best, names=names, in_order=False)
    details = {**subject.details, "pre-token": lattice.text}
    label = _("Pieces that fit, and the best segmentation")
    show_chart(subject.model, figure, key="lattice_chart", label=label, details=details)


def _show_match(subject: TokenSubject, match: LongestMatch, index: int) -> None:
    if match.is_too_long:
        st.caption(_("This pre-token has more characters than WordPiece looks up: the whole of it is unknown."))
        return
    _say(
        _("{word}: {attempts}, a character shorter after each failure, and {pieces}."),
        {
            "attempts": _n("{n} look-up", "{n} look-ups", len(match.attempts)),
            "pieces": _n("{n} token", "{n} tokens", len(match.pieces)),
        },
        match.text,
    )
    shown = attempts_around(match, index)
    if len(shown) < len(match.attempts):
        st.caption(_("Shown: the pieces that were found, and the last look-ups of the chosen one."))
    yes, no = _("{piece}: found"), _("{piece}: not in the vocabulary")
    bars = [
        (each.start, each.end, each.piece, (yes if each.is_found else no).format(piece=each.piece)) for each in shown
    ]
    found, names = [each.is_found for each in shown], (_("in the vocabulary"), _("not in it"))
    figure = pieces_figure(match.text, bars, found, names=names, in_order=True)
    details = {**subject.details, "pre-token": match.text}
    label = _("Look-ups from the top down")
    show_chart(subject.model, figure, key="match_chart", label=label, details=details)


def attempts_around(match: LongestMatch, index: int) -> list[MatchAttempt]:
    """All look-ups, or of many those that succeeded and the last ones before the chosen token was found."""
    if len(match.attempts) <= MOST_ATTEMPTS:
        return list(match.attempts)
    found = [each for each in match.attempts if each.is_found][:MOST_ATTEMPTS]
    start = found[index].start if index < len(found) else max(each.start for each in match.attempts)
    failed = [each for each in match.attempts if each.start == start and not each.is_found]
    kept = {id(each) for each in (*found, *failed[-max(1, MOST_ATTEMPTS - len(found)) :])}
    return [each for each in match.attempts if id(each) in kept]


def _say(sentence: str, values: Mapping[str, object], word: str) -> None:
    quoted = mark_spaces(word if len(word) <= 60 else word[:60] + "…")
    st.text(fill(sentence, word=f"“{quoted}”", **values))


def _say_window(count: int, shown: int) -> None:
    if shown < count:
        st.caption(_("The {shown} tokens around the chosen one, of {all}.").format(shown=shown, all=count))


def spelled(subject: TokenSubject, pieces: list[str]) -> list[str]:
    """Pieces as a person reads them: bytes as characters, numbered where a character runs over several."""
    tokenizer = subject.model.tokenizer
    return readable(pieces, [False] * len(pieces), alphabet_of(rust_tokenizer(tokenizer) or tokenizer))
