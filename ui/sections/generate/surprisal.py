"""Surprisal section: each token's probability, surprisal and entropy; perplexity and bits per byte."""

import math

import streamlit as st

from playground.charts.generate import surprisal_figure
from playground.charts.layout import mark_spaces
from playground.errors import UserError
from playground.lens.generate.findings import describe_surprisal
from playground.lens.generate.surprisal import TextSurprisal, text_surprisal
from playground.models import LoadedModel
from playground.progress import OnProgress
from playground.snippets import origin
from playground.text import _
from playground.viewer.token_view.surprisal_items import surprisal_items
from ui.cache import results_of
from ui.components.token_view import token_view
from ui.jobs import refuse, require
from ui.sections.generate.text_doors import show_typed_text_doors
from ui.state.parameters import COLOUR_BY, UNIT
from ui.widgets.chart import draw
from ui.widgets.choice import choose_option
from ui.widgets.download import offer_snippet, text_details
from ui.widgets.findings import show_findings
from ui.widgets.number_columns import decimals
from ui.widgets.text import Texts

MOST_BARS = 400
"""A longer text has no bar chart."""


def show_surprisal(model: LoadedModel, texts: Texts) -> None:
    """The text (encoder-decoder: the target) coloured by surprisal, probability or entropy, and its scores."""
    if model.kind == "encoder-decoder" and texts.target is None:
        refuse(UserError(_("Enter a target text to score.")))
    titles = {"surprisal": _("Surprisal"), "probability": _("Probability"), "entropy": _("Entropy")}
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        measure = choose_option(COLOUR_BY, _("Colour by"), titles, key=COLOUR_BY)
        unit = choose_option(UNIT, _("Unit"), {"nats": _("Nats"), "bits": _("Bits")}, key=UNIT)
    scores = _score(model, texts)
    names = [f"{position} {mark_spaces(token.text)}" for position, token in enumerate(scores.tokens)]
    is_masked, in_bits = model.kind == "encoder", unit == "bits"
    show_findings(describe_surprisal(names, scores.surprisal, scores.predicted, is_masked=is_masked, in_bits=in_bits))
    token_view(
        surprisal_items(scores, measure, in_bits=in_bits),
        layout="text",
        label=_("The text, coloured by {measure}").format(measure=titles[measure]),
        key="judged",
        provenance=origin(model, details={**text_details(texts), "coloured by": measure}),
    )
    st.caption(_("Point at a token for its numbers. Uncoloured tokens are not predicted."))
    _show_numbers(model, scores, texts, names, in_bits=in_bits)
    _show_totals(scores, is_masked=is_masked, in_bits=in_bits)
    show_typed_text_doors(model, texts)
    call = f"scores = text_surprisal(model, {texts.text!r}, target={texts.target!r})"
    print_line = "print(scores.surprisal, scores.perplexity, scores.bits_per_byte)"
    offer_snippet(model, ["playground.lens.generate.surprisal import text_surprisal"], [call, print_line])


def _score(model: LoadedModel, texts: Texts) -> TextSurprisal:
    def compute(on_progress: OnProgress) -> TextSurprisal:
        return text_surprisal(model, texts.text, target=texts.target, on_progress=on_progress)

    return require(
        ("surprisal", texts.text, texts.target), compute, title=_("Scoring the text, token:"), cache=results_of(model)
    )


def _show_totals(scores: TextSurprisal, *, is_masked: bool, in_bits: bool) -> None:
    mean = scores.mean / math.log(2) if in_bits else scores.mean
    perplexity = _("Pseudo-perplexity") if is_masked else _("Perplexity")
    about = {
        _("Pseudo-perplexity"): _(
            "exp of the mean surprisal, each token masked alone and predicted from all others (Salazar et al. 2020). "
            "Not comparable with a decoder's perplexity."
        ),
        _("Perplexity"): _("exp of the mean surprisal in nats."),
    }
    values = {
        _("Tokens predicted"): f"{int(scores.predicted.sum()):,}",
        _("Mean surprisal (bits per token)") if in_bits else _("Mean surprisal (nats per token)"): _number(mean),
        perplexity: _number(scores.perplexity),
        _("Bits per byte"): _number(scores.bits_per_byte),
    }
    for column, (label, value) in zip(st.columns(len(values)), values.items(), strict=True):
        column.metric(label, value, help=about.get(label))
    if scores.missing_bits:
        st.caption(scores.missing_bits)


def _number(value: float | None) -> str:
    return f"{value:,.3f}" if value is not None and math.isfinite(value) else "–"


def _show_numbers(model: LoadedModel, scores: TextSurprisal, texts: Texts, names: list[str], *, in_bits: bool) -> None:
    """Bar chart and table of the scores."""
    if len(names) <= MOST_BARS:
        name = _("Surprisal and entropy of each token")
        figure = surprisal_figure(names, scores.surprisal, scores.entropy, in_bits=in_bits)
        revision, details = f"{hash(tuple(names))}.{in_bits}", text_details(texts)
        draw(model, figure, key="surprise_chart", height=300, revision=revision, label=name, details=details)
    with st.expander(_("Table"), icon=":material/table:"):
        scale = 1 / math.log(2) if in_bits else 1.0
        unit = _("bits") if in_bits else _("nats")
        surprisal, entropy = _("surprisal ({unit})").format(unit=unit), _("entropy ({unit})").format(unit=unit)
        columns = {
            _("token"): names,
            _("probability"): scores.probability,
            surprisal: scores.surprisal * scale,
            entropy: scores.entropy * scale,
            _("rank"): [int(rank) + 1 if rank >= 0 else None for rank in scores.rank],
        }
        st.dataframe(columns, height=300, column_config=decimals(surprisal, entropy))
