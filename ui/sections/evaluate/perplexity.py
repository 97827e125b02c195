"""Perplexity of up to four models on one text: coloured per token, written out, and bits per byte to compare by."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import streamlit as st

from playground.charts.evaluate import perplexity_bars
from playground.charts.layout import mark_spaces
from playground.errors import UserError
from playground.evaluation.perplexity import written_root
from playground.evaluation.resampling import Spread
from playground.lens.finding import Finding
from playground.lens.generate.surprisal import TextSurprisal, surprisal_alone
from playground.models import LoadedModel, catalogue
from playground.progress import OnProgress
from playground.snippets import origin
from playground.text import N_, _
from playground.viewer.token_view.surprisal_items import surprisal_items
from ui.cache import results_of
from ui.components.token_view import token_view
from ui.jobs import compute
from ui.sections.evaluate.numbers import interval_text, offer_results
from ui.sections.evaluate.perplexity_text import choose_text, is_typed, text_program
from ui.sections.evaluate.windows import show_strides
from ui.state.address import read_json_text, write_text
from ui.state.parameters import COLOURED_MODEL, COMPARED_MODELS, MODEL
from ui.state.parameters import GENERATE as GENERATE_SECTION
from ui.state.revisions import widget_key
from ui.state.trained import listed_models
from ui.text import inert
from ui.widgets.chart import draw
from ui.widgets.choice import choose_option
from ui.widgets.context_bar import bar_model, open_bar, require_readable
from ui.widgets.doors import ABLATE, ATTENTION, GENERATE, doors
from ui.widgets.download import offer_snippet
from ui.widgets.findings import show_findings
from ui.widgets.model import ModelChoice, obtain_model
from ui.widgets.number_columns import decimals

MOST_OTHERS = 3
MOST_COLOURED = 3_000
WRITTEN_TOKENS = 12
"""A longer product is not written out."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Judged:
    """A model and its scores of the text."""

    model: LoadedModel
    scores: TextSurprisal
    bits: Spread | None
    """Bits per byte, with the interval over tokens; None where nobody can tell."""

    @property
    def is_masked(self) -> bool:
        """Whether each token was predicted from both sides: a pseudo-perplexity."""
        return self.model.kind == "encoder"


def show_perplexity() -> None:
    """The models, the text, and what each makes of it."""
    bar = open_bar()
    _choice, first = bar_model(bar)
    form, found = st.columns([2, 3], gap="medium")
    with form:
        models = [first, *(obtain_model(ModelChoice(name=name)) for name in _choose_others(first.name))]
        text = choose_text(bar, first)
        for model in models:
            require_readable(model, text)
        judged = [one for model in models if (one := _judge(model, text)) is not None]
    if not judged:
        return
    with found:
        show_findings(_describe(judged))
        shown = _choose_shown(judged)
        _show_tokens(shown, text)
    _show_numbers(judged, text)
    _show_root(shown)
    strides = show_strides(shown.model, text, shown.scores) if shown.model.kind == "decoder" else None
    _offer(shown, text, strides)


def _choose_others(first: str) -> list[str]:
    """The names of up to three models beside the page's."""
    value = read_json_text(COMPARED_MODELS)
    known = [str(name)[:200] for name in value[:MOST_OTHERS]] if isinstance(value, list) else []
    translators = {entry.name for entry in catalogue() if entry.kind == "encoder-decoder"}
    titles = listed_models(first)
    names = [name for name in titles if name not in translators]
    chosen = st.multiselect(
        _("Other models on the same text"),
        list(dict.fromkeys([*names, *known])),
        default=known,
        format_func=lambda name: titles.get(name, name),
        max_selections=MOST_OTHERS,
        accept_new_options=True,
        key=widget_key(COMPARED_MODELS),
        placeholder=_("up to three"),
        width=420,
    )
    write_text(COMPARED_MODELS, json.dumps(chosen) if chosen else None)
    return [name for name in dict.fromkeys(chosen) if name != first]


def _judge(model: LoadedModel, text: str) -> Judged | None:
    """None, with a sentence, where this model cannot read the text."""

    def score(on_progress: OnProgress) -> Judged:
        scores = surprisal_alone(model, text, on_progress=on_progress)
        return Judged(model=model, scores=scores, bits=scores.bits_spread)

    title = _("{name} reads, token:").format(name=inert(model.name))
    return compute(("perplexity", text), score, title=title, cache=results_of(model))


def _show_numbers(judged: Sequence[Judged], text: str) -> None:
    """A row for each model."""
    names = {False: _("perplexity"), True: _("pseudo-perplexity")}
    st.dataframe(
        {
            _("model"): [one.model.name for one in judged],
            _("measure"): [names[one.is_masked] for one in judged],
            _("value"): [one.scores.perplexity for one in judged],
            _("bits per byte"): [None if one.bits is None else one.bits.value for one in judged],
            _("interval"): [None if one.bits is None else interval_text(one.bits) for one in judged],
            _("tokens predicted"): [int(one.scores.predicted.sum()) for one in judged],
            _("bytes"): [one.scores.bytes for one in judged],
        },
        hide_index=True,
        key="perplexities",
        column_config=decimals(_("value"), _("bits per byte")),
    )
    for one in judged:
        if one.scores.missing_bits:
            st.caption(f"{inert(one.model.name)}: {one.scores.missing_bits}")
    measured = [one for one in judged if one.bits is not None]
    if len(measured) > 1:
        _draw_bars(measured, text)


def _draw_bars(judged: Sequence[Judged], text: str) -> None:
    titles = [_("{name} (pseudo)").format(name=one.model.name) if one.is_masked else one.model.name for one in judged]
    bits = np.array([one.bits.value for one in judged if one.bits is not None])
    draw(
        None,
        perplexity_bars(titles, bits, [one.is_masked for one in judged]),
        key="perplexity_chart",
        label=_("Bits per byte of {count} models").format(count=len(judged)),
        details={"text": text[:2000]},
        height=90 + 40 * len(judged),
        revision=str(len(judged)),
    )


def _describe(judged: Sequence[Judged]) -> Finding:
    comparable = [one for one in judged if not one.is_masked]
    measured = [(one.bits.value, one.model.name) for one in comparable if one.bits is not None]
    if len(measured) > 1:
        bits, best = min(measured)
        template = N_(
            "Fewest bits per byte: {name} with {bits:.3f}. Perplexities are per token and do not compare across "
            "tokenizers; bits per byte do."
        )
        return Finding(template=template, values={"name": best, "bits": bits})
    return _describe_alone((comparable or judged)[0])


def _describe_alone(one: Judged) -> Finding:
    values = {"name": one.model.name, "value": one.scores.perplexity}
    if one.is_masked:
        template = N_(
            "{name} has the pseudo-perplexity {value:,.2f}: each token masked alone and predicted from both sides "
            "(Salazar et al. 2020). It does not compare with a decoder's perplexity."
        )
        return Finding(template=template, values=values)
    if one.bits is None:
        template = N_(
            "{name} has the perplexity {value:,.2f}: as uncertain as a choice among so many equally probable tokens."
        )
        return Finding(template=template, values=values)
    template = N_(
        "{name} has the perplexity {value:,.2f}: as uncertain as a choice among so many equally probable tokens. "
        "{bits:.3f} bits per byte."
    )
    return Finding(template=template, values={**values, "bits": one.bits.value})


def _choose_shown(judged: Sequence[Judged]) -> Judged:
    if len(judged) == 1:
        return judged[0]
    titles = {one.model.name: inert(one.model.name) for one in judged}
    name = choose_option(COLOURED_MODEL, _("Coloured by"), titles)
    return next(one for one in judged if one.model.name == name)


def _show_tokens(shown: Judged, text: str) -> None:
    token_view(
        surprisal_items(shown.scores, "surprisal")[:MOST_COLOURED],
        layout="text",
        label=_("The text, coloured by surprisal"),
        key="perplexity_tokens",
        provenance=origin(shown.model, details={"text": text[:2000]}),
    )
    st.caption(_("Point at a token for its numbers. Uncoloured tokens are not predicted."))
    if len(shown.scores.tokens) > MOST_COLOURED:
        sentence = _("Only the first {most:,} of {n:,} tokens are drawn; the file below has all.")
        st.caption(sentence.format(most=MOST_COLOURED, n=len(shown.scores.tokens)))


def _show_root(shown: Judged) -> None:
    """The N-th root of the product, written out for a short text."""
    scores = shown.scores
    n = int(scores.predicted.sum())
    if not 0 < n <= WRITTEN_TOKENS:
        st.caption(
            _("Of up to {most} tokens the product of their probabilities is written out here.").format(
                most=WRITTEN_TOKENS
            )
        )
        return
    try:
        root = written_root(scores.probability[scores.predicted].tolist())
    except UserError:
        return
    tokens = [token.text for token, is_one in zip(scores.tokens, scores.predicted, strict=True) if is_one]
    lines = [
        f"p({mark_spaces(token)}) = {probability:.6g}"
        for token, probability in zip(tokens, root.probabilities, strict=True)
    ]
    product = " · ".join(f"{probability:.4g}" for probability in root.probabilities)
    st.code(
        "\n".join(
            [
                *lines,
                "",
                f"product = {product} = {root.product:.6g}",
                f"perplexity = (1 / {root.product:.6g})^(1/{n}) = {root.perplexity:.4f}",
            ]
        ),
        language=None,
        wrap_lines=True,
    )


def _offer(shown: Judged, text: str, strides: str | None) -> None:
    """The tokens as a file, doors, and the program. strides: the call that scores every stride."""
    scores = shown.scores

    def rows() -> Iterator[list[object]]:
        for position, token in enumerate(scores.tokens):
            yield [position, token.text, float(scores.probability[position]), float(scores.surprisal[position])]

    offer_results(
        ["position", "token", "probability", "surprisal_nats"],
        rows,
        name="perplexity-tokens.csv",
        details={"model": shown.model.name, "text": text[:2000]},
    )
    if is_typed():  # other pages do not get a file or the sample
        model = {str(MODEL): shown.model.name}
        links = {
            _("Look at its surprisal"): (GENERATE, {**model, str(GENERATE_SECTION): "surprisal"}),
            _("Look at its attention"): (ATTENTION, model),
            _("Take it apart"): (ABLATE, model),
        }
        doors(links)
    imports, line = text_program(text)
    imports = [*imports, "playground.lens.generate.surprisal import text_surprisal"]
    lines = [line, "scores = text_surprisal(model, text)", "print(scores.perplexity, scores.bits_spread)"]
    if strides is not None:
        imports.append("playground.lens.generate.stride import stride_scores")
        lines.append(f"print({strides})")
    offer_snippet(shown.model, imports, lines)
