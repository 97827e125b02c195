"""Tokenizer section: the text as chips, what comes before the algorithm, and the chosen token's bytes and steps."""

import streamlit as st

from playground.charts.layout import mark_spaces
from playground.lens.capture.text_tokens import TextToken
from playground.lens.capture.tokens import label
from playground.snippets import origin
from playground.text import _, _n
from playground.tokens.findings import describe_replay, describe_tokenization, describe_unknown
from playground.tokens.tokenization import Tokenization
from ui.components.token_view import TokenItem, token_view
from ui.sections.tokens.steps import show_steps
from ui.sections.tokens.subject import MOST_SHOWN, TokenSubject, offer_csv
from ui.state.address import write_values
from ui.state.parameters import PIN, QUERY
from ui.state.session import run_again
from ui.text import inert
from ui.widgets.download import offer_snippet
from ui.widgets.findings import show_findings

MOST_QUOTED = 400
"""Characters of the text that are quoted at each stage."""


def show_tokenizer(subject: TokenSubject) -> None:
    """The text as tokens; a click on one shows how it came about."""
    cut = subject.cut
    show_findings(describe_tokenization(cut), describe_replay(cut), describe_unknown(cut))
    picked = token_view(
        [chip_of(cut, n, chosen=n == subject.position) for n in range(min(len(cut.tokens), MOST_SHOWN))],
        layout="text",
        label=_("The text as tokens"),
        key="token_chips",
        provenance=origin(subject.model, details=subject.details),
    )
    if picked is not None and picked != subject.position:
        write_values({QUERY: str(picked), PIN: None})
        run_again()
    _say_what_is_shown(cut)
    _show_target(subject)
    _show_stages(cut)
    _show_token(subject)
    show_steps(subject)
    _offer_files(subject)


def chip_of(
    cut: Tokenization, position: int, *, chosen: bool = False, clickable: bool = True, value: float | None = None
) -> TokenItem:
    """A token as a chip, with its numbers on pointing at it."""
    token = cut.tokens[position]
    return TokenItem(
        text=token.token.text,
        special=token.token.special,
        value=_shade(token) if value is None else value,
        lines=tuple(text_token_lines(cut, position)),
        chosen=chosen,
        clickable=clickable,
    )


def _shade(token: TextToken) -> float | None:
    """Every second pre-token is tinted, so that one sees which tokens belong together; the template's are not."""
    return None if token.pretoken is None else 0.45 if token.pretoken % 2 else 0.15


def text_token_lines(cut: Tokenization, position: int) -> list[str]:
    """Id, spelling, bytes, and what is special about a token."""
    token = cut.tokens[position]
    lines = [_("id {id:,}").format(id=token.token.id), _("in the vocabulary: {piece}").format(piece=token.piece)]
    lines += _byte_lines(cut, position)
    if token.is_template:
        lines.append(_("added by the template"))
    elif token.token.special and not token.is_unknown:
        lines.append(_("special token, typed"))
    if token.is_unknown:
        lines.append(_("unknown: the vocabulary lacks these characters"))
    return lines


def _byte_lines(cut: Tokenization, position: int) -> list[str]:
    """The token's bytes, or, where the text was typed otherwise, both; what stands between two words is not said."""
    content, typed = cut.tokens[position].content, cut.typed[position]
    between = any(earlier.content for earlier in cut.typed[:position])
    if typed.tokens == 1 and content in (typed.content, typed.content.lstrip() if between else typed.content):
        return [_bytes(content)] if content else []
    together = _n("typed, {n} token", "typed, {n} tokens together", typed.tokens) if typed.tokens > 1 else _("typed")
    return [f"{title}: {_bytes(shown)}" for title, shown in ((together, typed.content), (_("piece"), content)) if shown]


def _bytes(content: bytes) -> str:
    return _n("{n} byte", "{n} bytes", len(content)) + ": " + content[:24].hex(" ")


def _show_target(subject: TokenSubject) -> None:
    """What an encoder-decoder's decoder reads of a target that was typed."""
    model, target = subject.model, subject.texts.target
    if model.kind != "encoder-decoder" or not target:
        return
    st.caption(_("What the decoder reads of the target:"))
    tokens = label(model.tokenizer, model.adapter.target_ids(target)[:MOST_SHOWN])
    token_view(
        [TokenItem(text=t.text, special=t.special, lines=(_("id {id:,}").format(id=t.id),)) for t in tokens],
        layout="text",
        label=_("The target as tokens"),
        key="target_chips",
        provenance=origin(model, details=subject.details),
    )


def _say_what_is_shown(cut: Tokenization) -> None:
    if len(cut.tokens) > MOST_SHOWN:
        sentence = _("The first {shown:,} tokens are drawn; the numbers above and the CSV are of the whole text.")
        st.caption(sentence.format(shown=MOST_SHOWN))
    st.caption(_("Two tints: tokens of one tint beside each other are one pre-token. Click a token for its steps."))


def _show_stages(cut: Tokenization) -> None:
    """What the text is before the algorithm gets it."""
    if cut.algorithm is None:
        st.info(
            _(
                "This tokenizer is written in Python. It tells its pieces and ids, not where they stand in the text "
                "or how it found them: normaliser, pre-tokens and steps are not shown."
            ),
            icon=":material/info:",
        )
        return
    stages = {
        _("Normaliser"): (cut.normaliser, _normalised(cut)),
        _("Pre-tokenizer"): (cut.pre_tokenizer, " | ".join(part.text for part in cut.pretokens[:MOST_QUOTED])),
        _("Algorithm"): ((cut.algorithm,), _algorithm_sentence(cut)),
        _("Template"): ((), cut.template or _("adds nothing")),
    }
    with st.container(border=True, gap="xsmall"):
        for title, (names, content) in stages.items():
            named = f" ({code_span(' + '.join(names))})" if names else ""
            st.markdown(f"**{title}**{named}: {inert(_quoted(content)) if content else _('nothing')}")


def _normalised(cut: Tokenization) -> str:
    if not cut.normaliser:
        return _("none")
    return cut.normalised if cut.normalised != cut.text else _("changes nothing here")


def code_span(name: str) -> str:
    """A name from a tokenizer's file, which no language changes."""
    return f"`{name.replace('`', '')}`"


def _quoted(text: str) -> str:
    """The beginning of a text in one line, its line ends visible."""
    marked = "".join(mark_spaces(letter) if letter in "\n\t\r" else letter for letter in text[: MOST_QUOTED + 1])
    return marked if len(text) <= MOST_QUOTED else marked[:MOST_QUOTED] + "…"


def _algorithm_sentence(cut: Tokenization) -> str:
    sentences = {
        "BPE": _("byte-pair encoding: neighbours are merged, in the order in which the merges were learned"),
        "Unigram": _("the segmentation of the largest probability, of all that are possible"),
        "WordPiece": _("from the left, the longest piece that the vocabulary holds"),
        "WordLevel": _("each pre-token is looked up whole; there is nothing to merge or to split"),
    }
    return sentences[cut.algorithm or "WordLevel"]


def _show_token(subject: TokenSubject) -> None:
    """The chosen token's characters with their bytes."""
    token = subject.cut.tokens[subject.position]
    title = _("Token {position}: {label}").format(
        position=subject.position, label=inert(f"“{mark_spaces(token.token.text)}”")
    )
    st.subheader(title, anchor=False)
    st.text(" · ".join(text_token_lines(subject.cut, subject.position)))
    text = subject.cut.pair if token.token.segment and subject.cut.pair else subject.cut.text
    letters = text[token.start : token.end]
    if not letters:
        return
    with st.expander(_("Characters and bytes"), icon=":material/data_array:"):
        st.dataframe(
            [
                {
                    _("character"): mark_spaces(letter) if letter.isprintable() or letter in "\n\t\r" else "",
                    _("code point"): f"U+{ord(letter):04X}",
                    _("bytes in UTF-8"): letter.encode().hex(" "),
                }
                for letter in letters[:MOST_QUOTED]
            ],
            hide_index=True,
            width="content",
            key="character_rows",
        )


def _offer_files(subject: TokenSubject) -> None:
    """All tokens as CSV, and the Python."""
    header = (
        "position",
        "token",
        "id",
        "piece",
        "bytes",
        "typed",
        "typed tokens",
        "start",
        "end",
        "pre-token",
        "template",
        "unknown",
    )
    rows: list[tuple[object, ...]] = [header]
    for position, token in enumerate(subject.cut.tokens):
        typed = subject.cut.typed[position]
        both = (token.content.hex(" "), typed.content.hex(" "), typed.tokens)
        facts = (token.token.text, token.token.id, token.piece, *both, token.start, token.end)
        place = "" if token.pretoken is None else token.pretoken
        rows.append((position, *facts, place, int(token.is_template), int(token.is_unknown)))
    offer_csv(subject.model, rows, name="tokens", details=subject.details)
    texts = subject.texts
    pair = "" if texts.pair is None else f", {texts.pair!r}"
    lines = [f"cut = tokenize(model, {texts.text!r}{pair})", "print([(t.piece, t.token.id) for t in cut.tokens])"]
    imports = ["playground.tokens.tokenization import tokenize"]
    token = subject.cut.tokens[subject.position]
    if token.pretoken is not None and not subject.cut.pretokens[token.pretoken].is_added:
        imports += [
            "playground.lens.capture.tokens import rust_tokenizer",
            "playground.tokens.segmentation import segment",
        ]
        word = subject.cut.pretokens[token.pretoken].text
        lines += [f"print(segment(rust_tokenizer(model.tokenizer), {word!r}).steps)"]
    offer_snippet(subject.model, imports, lines)
