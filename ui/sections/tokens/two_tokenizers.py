"""The same text in two models' tokenizers: which tokens and which cuts they share."""

import streamlit as st

from playground.errors import UserError
from playground.snippets import loading, origin
from playground.text import _, _n
from playground.tokens.boundaries import SharedBoundaries, compare_boundaries
from playground.tokens.findings import describe_boundaries
from playground.tokens.tokenization import Tokenization
from ui.components.token_view import token_view
from ui.sections.tokens.subject import MOST_SHOWN, TokenSubject, answered, offer_csv, other_tokenizer, tokenization_of
from ui.sections.tokens.tokenizer import chip_of
from ui.text import inert
from ui.widgets.download import offer_snippet
from ui.widgets.findings import show_findings
from ui.widgets.model import choose_other_model, obtain_model


def show_two_tokenizers(subject: TokenSubject) -> None:
    """Both tokenizations below each other; tokens that the other one lacks are tinted."""
    other = obtain_model(choose_other_model(subject.model.name, other_tokenizer(subject.model.name)))
    text = subject.texts.text
    cuts = tokenization_of(subject.model, text), tokenization_of(other, text)
    names = (subject.model.name, other.name)
    shared: SharedBoundaries | None = None
    try:
        shared = compare_boundaries(*cuts)
        show_findings(describe_boundaries(names, (len(cuts[0].content), len(cuts[1].content)), shared))
    except UserError as error:
        answered(error)
    for side, (model, cut) in enumerate(zip((subject.model, other), cuts, strict=True)):
        count = _n("{n} token", "{n} tokens", len(cut.content))
        st.markdown(f"**{inert(model.name)}**: {count}")
        _show_side(cut, None if shared is None else shared.same[side], side, origin(model, details={"text": text}))
    st.caption(_("Tinted: the other tokenizer has no token of exactly these characters. Spaces at the edges aside."))
    rows: list[tuple[object, ...]] = [("model", "position", "token", "id", "start", "end")]
    for name, cut in zip(names, cuts, strict=True):
        rows += [
            (name, n, token.token.text, token.token.id, token.start, token.end) for n, token in enumerate(cut.tokens)
        ]
    offer_csv(subject.model, rows, name="two-tokenizers", details={"text": text, "other model": other.name})
    lines = [
        loading(other).replace("model =", "other ="),
        f"cuts = [tokenize(each, {text!r}) for each in (model, other)]",
        "print(compare_boundaries(*cuts))",
    ]
    imports = [
        "playground.tokens.boundaries import compare_boundaries",
        "playground.tokens.tokenization import tokenize",
    ]
    offer_snippet(subject.model, imports, lines)


def _show_side(cut: Tokenization, same: tuple[bool, ...] | None, side: int, provenance: list[str]) -> None:
    tokens = cut.tokens[:MOST_SHOWN]
    token_view(
        [
            chip_of(cut, n, clickable=False, value=0.0 if same is None or same[n] or token.is_template else 0.7)
            for n, token in enumerate(tokens)
        ],
        layout="text",
        label=_("The text as tokens of the first model") if side == 0 else _("The text as tokens of the second model"),
        key=f"side_{side}",
        provenance=provenance,
    )
    if len(tokens) < len(cut.tokens):
        st.caption(_("The first {shown:,} tokens are drawn.").format(shown=len(tokens)))
