"""What the page Tokens looks at: a model, its texts, and what the tokenizer makes of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import streamlit as st

from playground.csv_table import csv_table
from playground.errors import UserError
from playground.models import LoadedModel, is_local
from playground.models.catalogue import MINILM, SMOLLM2
from playground.snippets import origin
from playground.text import _
from playground.tokens.tokenization import Tokenization, tokenize
from ui.cache import tokenizations
from ui.jobs import require
from ui.sections.generate.text_doors import text_parameters
from ui.state.address import pack
from ui.state.attention import model_key, read_token
from ui.state.link import link_lines
from ui.state.parameters import MODE, OTHER_TEXT
from ui.text import error_sentence
from ui.warm import EMBEDDED
from ui.widgets.chart import draw
from ui.widgets.context_bar import ContextBar, bar_token
from ui.widgets.doors import ABLATE, ATTENTION, GENERATE, INSIDE, doors
from ui.widgets.download import text_details
from ui.widgets.text import Texts

if TYPE_CHECKING:
    import plotly.graph_objects as go

CHARACTERS = "induction"
"""The shipped model that reads one character after the other."""
MOST_SHOWN = 2_048
"""Tokens that are drawn, and that the bar lists; counts and files are of the whole text."""


@dataclass(frozen=True, kw_only=True)
class TokenSubject:
    """A model on its texts."""

    model: LoadedModel
    texts: Texts
    cut: Tokenization
    position: int
    """Of the token that is looked at."""

    @property
    def details(self) -> dict[str, object]:
        """What was read, for the files of a picture."""
        return text_details(self.texts)


def tokenization_of(model: LoadedModel, text: str, pair: str | None = None) -> Tokenization:
    """The tokens of a text, kept; ends the page's run with a sentence where the tokenizer fails."""
    return require(
        (*model_key(model), text, pair),
        lambda _on_progress: tokenize(model, text, pair),
        title=_("Tokenizing …"),
        cache=tokenizations(),
    )


def obtain_subject(bar: ContextBar, model: LoadedModel, texts: Texts) -> TokenSubject:
    """The tokens of the bar's text, and the one that is looked at; ends the run where there are none."""
    cut = tokenization_of(model, texts.text, texts.pair)
    if not cut.tokens:
        st.info(_("The text has no tokens yet. Type something above."), icon=":material/keyboard:")
        st.stop()
    shown = [token.token.text for token in cut.tokens[:MOST_SHOWN]]
    default = next((n for n, token in enumerate(cut.tokens[:MOST_SHOWN]) if _is_worth_seeing(cut, n)), None)
    first = next((n for n, token in enumerate(cut.tokens[:MOST_SHOWN]) if not token.is_template), 0)
    position = bar_token(bar, shown, first if default is None else default)
    return TokenSubject(model=model, texts=texts, cut=cut, position=read_token(len(shown), position))


def _is_worth_seeing(cut: Tokenization, position: int) -> bool:
    """Whether a token's pre-token has several tokens, so that there are steps to see."""
    token, following = cut.tokens[position], cut.tokens[position + 1 : position + 2]
    return token.pretoken is not None and any(each.pretoken == token.pretoken for each in following)


def other_tokenizer(first: str) -> str:
    """A model on this machine that cuts texts in another way: a large vocabulary if there is one, else characters."""
    large = [entry.name for entry in (SMOLLM2, MINILM) if is_local(entry) and entry.name != first]
    return next(iter(large), EMBEDDED if first == CHARACTERS else CHARACTERS)


def offer_text_doors(text: str | None = None, other: str | None = None) -> None:
    """To the pages that look at a text; by default the page's own, and beside another one where there are two."""
    context = {} if text is None else text_parameters(text)
    beside = {} if other is None else {str(MODE): "texts", str(OTHER_TEXT): pack(other)}
    links = {
        _("Compare their attention") if beside else _("Look at its attention"): (ATTENTION, {**context, **beside}),
        _("Inside the model"): (INSIDE, context),
        _("What it predicts"): (GENERATE, context),
        _("Take it apart"): (ABLATE, context),
    }
    doors(links)


def offer_csv(
    model: LoadedModel, rows: Sequence[Sequence[object]], *, name: str, details: Mapping[str, object]
) -> None:
    """A button for numbers as CSV, the header first."""
    st.download_button(
        _("Download CSV"),
        csv_table(rows, [*origin(model, details=details), *link_lines()]),
        file_name=f"{name}.csv",
        mime="text/csv",
        key=f"csv_{name}",
        type="tertiary",
        icon=":material/download:",
        on_click="ignore",
    )


def show_chart(
    model: LoadedModel, figure: "go.Figure", *, key: str, label: str, details: Mapping[str, object], height: int = 0
) -> None:
    """A chart as high as its figure says."""
    draw(
        model,
        figure,
        key=key,
        height=height or int(figure.layout.height or 420),
        revision=repr(sorted(details.items(), key=str)),
        label=label,
        details=details,
    )


def answered(error: UserError) -> None:
    """Say why a part of the page is not there; the rest of the page goes on."""
    st.info(error_sentence(error), icon=":material/info:")
