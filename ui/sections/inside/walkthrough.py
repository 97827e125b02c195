"""Step by step: one head and one query token of a loaded model, from the embedding to the residual stream."""

import math

import numpy as np
import streamlit as st

from playground.errors import UserError
from playground.lens.inspect.steps.layer import HeadInside
from playground.lens.trace import TOLERANCES
from playground.text import _
from ui import state
from ui.cache import Reading
from ui.jobs import ask
from ui.sections.inside.scene import Scene
from ui.sections.inside.selection import choose_place, layer_inside
from ui.sections.inside.step_layout import Around, show_stage
from ui.sections.inside.step_parts import Stage
from ui.sections.inside.steps import contribution, into_the_stream, mixture, stages_of
from ui.sections.inside.telling import teller
from ui.sections.inside.weighing import weighing
from ui.widgets.download import offer_snippet, text_facts, traced
from ui.widgets.text import Texts

MOST_KEYS = 20


def show_story(reading: Reading, texts: Texts) -> None:
    """Choose a place and go through every step of it."""
    place = choose_place(reading)
    inside = layer_inside(reading, place)
    try:
        found = inside.head(place.head, place.query)
    except UserError as error:
        st.error(str(error), icon=":material/error:")
        st.stop()
    trace = reading.trace
    scene = Scene(
        inside=found,
        shown=most_watched(found),
        keys=[token.text for token in trace.key_tokens(place.kind)],
        queries=[token.text for token in trace.query_tokens(place.kind)],
        heads=inside.site.n_heads,
        followed=_choose_followed(len(found.steps.query)),
        is_dark=st.context.theme.type == "dark",
    )
    _show_badge(found, trace.model.dtype)
    _say_what_is_shown(scene)
    revision = f"{reading.name}.{place}.{scene.followed}"
    facts = {**text_facts(texts), **vars(place)}
    question = ("stages", revision, scene.is_dark)
    stages = ask(state.findings(), question, _("Drawing every number …"), lambda _on_run: all_stages(scene))
    if stages is None:
        st.stop()
    around = Around(
        model=trace.model,
        revision=revision,
        facts=facts,
        tell=teller(reading, found),
        is_cross=place.kind == "cross",
        norms_after=not found.is_additive,
    )
    for number, stage in enumerate(stages, start=1):
        show_stage(around, number, stage)
    look = f"found = traced.inside({place.layer}, {place.kind!r}).head({place.head}, {place.query})"
    offer_snippet(
        trace.model, [], [traced(texts), look, "print(found.steps.weights, found.steps.z, found.differences)"]
    )


def _choose_followed(width: int) -> int:
    """A dimension whose row of each matrix is drawn."""
    start = state.read_number(state.DIMENSION, 0, width - 1)
    label = _("Dimension followed through the matrices")
    chosen = int(st.number_input(label, 0, width - 1, start, key=f"inside_dimension_{width}", width=300))
    state.write_number(state.DIMENSION, chosen, 0)
    return chosen


def all_stages(scene: Scene) -> list[Stage]:
    """Every step, from the embedding to the stream after the layer."""
    return [*stages_of(scene), *weighing(scene), mixture(scene), contribution(scene), into_the_stream(scene)]


def most_watched(found: HeadInside) -> list[int]:
    """The keys to show: all of a short text, else those of the largest weights, in their order."""
    weights = found.steps.weights
    if len(weights) <= MOST_KEYS:
        return list(range(len(weights)))
    return sorted(np.argsort(-weights, kind="stable")[:MOST_KEYS].tolist())


def _say_what_is_shown(scene: Scene) -> None:
    if len(scene.shown) < len(scene.keys):
        share = float(scene.inside.steps.weights[scene.shown].sum())
        st.caption(
            _(
                "Of {keys:,} keys the {shown} with the largest weights are shown, with {share:.1%} of the attention."
            ).format(keys=len(scene.keys), shown=len(scene.shown), share=share)
        )
    if scene.inside.kind == "cross":
        st.caption(_("Cross-attention: the query is the decoder's, keys and values come from the encoder."))


def _show_badge(found: HeadInside, dtype: str) -> None:
    """The largest difference between these numbers and the model's own, and by which step."""
    difference = found.difference
    if math.isnan(difference):
        st.badge(_("The model's numbers are not finite"), icon=":material/error:", color="red")
        return
    largest = max(1.0, float(np.abs(found.after).max()), float(np.abs(found.written).max()))
    passed = difference <= TOLERANCES.get(dtype, 1e-5) * largest
    words = _("Exact to {difference:.0e}") if passed else _("Differs by {difference:.0e}")
    meaning = _("The largest difference between this recomputation and what the model itself produced, step by step: ")
    by_step = ", ".join(f"{name} {value:.0e}" for name, value in found.differences.items())
    st.badge(
        words.format(difference=difference),
        icon=":material/verified:" if passed else ":material/warning:",
        color="green" if passed else "orange",
        help=meaning + by_step,
    )
