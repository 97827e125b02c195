"""Why scores are divided by the root of d_k: entropy and gradient of the softmax against the width."""

import streamlit as st

from playground.charts.inside import width_figure
from playground.lens.inspect.root_of_width import (
    QUERIES,
    SETS,
    Sharpness,
    describe_sharpness,
    head_width,
    model_sharpness,
    random_sharpness,
)
from playground.models import LoadedModel
from playground.text import _
from ui.cache import TracedText, results
from ui.jobs import require
from ui.sections.inside.sections import obtain_trace
from ui.sections.inside.selection import select_head
from ui.state.parameters import ROOT_KEYS, ROOT_OF
from ui.widgets.chart import draw
from ui.widgets.choice import choose_option
from ui.widgets.context_bar import ContextBar
from ui.widgets.download import offer_snippet, text_details, traced
from ui.widgets.findings import show_findings
from ui.widgets.text import Texts

RANDOM, OF_MODEL = "random", "model"
USUAL_WIDTH = 64
"""Of a head, in most models: of random numbers, which have no heads."""
HEIGHT = 340
IMPORT = "playground.lens.inspect.root_of_width import"


def show_root_of_width(bar: ContextBar) -> None:
    """The two charts, for random numbers or for a layer of the loaded model."""
    st.latex(r"\mathrm{Var}(q \cdot k) = d_k \quad\Rightarrow\quad \mathrm{Var}\left(q \cdot k / \sqrt{d_k}\right) = 1")
    titles = {RANDOM: _("Random queries and keys"), OF_MODEL: _("The loaded model's")}
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        source = choose_option(ROOT_OF, _("Queries and keys"), titles)
        if source == RANDOM:
            keys = int(choose_option(ROOT_KEYS, _("Keys"), {count: count for count in ROOT_KEYS.values}, default="24"))
    if source == RANDOM:
        _show_random(keys)
    else:
        _show_model(bar)


def _show_random(keys: int) -> None:
    sharpness = require(
        ("root of width", keys),
        lambda _on_progress: random_sharpness(keys),
        title=_("Drawing queries and keys …"),
        cache=results(),
    )
    show_findings(describe_sharpness(sharpness, USUAL_WIDTH))
    st.caption(
        _("Numbers of mean 0 and variance 1, as a new model has after its norms; {n} queries for each width.").format(
            n=SETS * QUERIES
        )
    )
    _draw(None, sharpness, {"keys": keys, "queries": "standard normal"})
    offer_snippet(None, [f"{IMPORT} random_sharpness"], [f"print(random_sharpness({keys}))"], seed=0)


def _show_model(bar: ContextBar) -> None:
    traced_text, texts = obtain_trace(bar)
    selected = select_head(traced_text, bar)
    site = traced_text.trace.site(selected.layer, selected.kind)
    sharpness = require(
        ("root of width", selected.kind, selected.layer),
        lambda _on_progress: model_sharpness(site),
        title=_("Comparing widths …"),
        cache=traced_text,
    )
    show_findings(describe_sharpness(sharpness, head_width(site)))
    st.caption(
        _(
            "Layer {layer}, whose heads have d_k = {width}: so many of all its heads' dimensions, drawn at random, are "
            "taken together as one head of each width. What a trained model needs may differ: its queries and keys "
            "have learned their own size."
        ).format(layer=selected.layer, width=head_width(site))
    )
    details = {**text_details(texts), "attention": selected.kind, "layer": selected.layer}
    _draw(traced_text.trace.model, sharpness, details, revision=f"{traced_text.name}.{selected}")
    _offer_model(traced_text, texts, f"traced.site({selected.layer}, {selected.kind!r})")


def _offer_model(traced_text: TracedText, texts: Texts, site: str) -> None:
    lines = [traced(texts), f"print(model_sharpness({site}))"]
    offer_snippet(traced_text.trace.model, [f"{IMPORT} model_sharpness"], lines, seed=0)


def _draw(model: LoadedModel | None, sharpness: Sharpness, details: dict[str, object], revision: str = "") -> None:
    """Entropy and gradient, side by side."""
    measures = {
        "root_entropy": (_("Entropy (share of the largest)"), sharpness.entropy, sharpness.entropy_unscaled, False),
        "root_gradient": (_("Norm of the softmax's gradient"), sharpness.gradient, sharpness.gradient_unscaled, True),
    }
    for column, (key, (label, scaled, unscaled, is_log)) in zip(st.columns(2), measures.items(), strict=True):
        with column:
            figure = width_figure(
                sharpness.widths,
                {_("divided by √d_k"): scaled, _("not divided"): unscaled},
                x=_("d_k"),
                y=label,
                log_y=is_log,
            )
            draw(model, figure, key=key, height=HEIGHT, label=label, details=details, revision=revision, seed=0)
