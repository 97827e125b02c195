"""A model without a classifier, and what it answers if it is asked as one all the same."""

import streamlit as st

from playground.lens.generate.findings import percent
from playground.lens.generate.random_heads import SEEDS, RandomHeads, ask_random_heads
from playground.models import LoadedModel
from playground.progress import OnProgress
from playground.text import _
from ui.cache import results_of
from ui.jobs import AT_ONCE, compute
from ui.state.address import read_integers, write_integers
from ui.state.parameters import EXPLAINED
from ui.text import inert
from ui.widgets.download import offer_snippet
from ui.widgets.text import Texts


def show_random_heads(model: LoadedModel, texts: Texts) -> None:
    """Say that there is no trained head; ask random ones where a person wants to see it."""
    st.warning(
        _(
            "**{name} has no trained classifier.** transformers would load it as one all the same: it adds a head of "
            "random numbers, and only warns that it is “newly initialized”. What that head answers means nothing."
        ).format(name=inert(model.name)),
        icon=":material/casino:",
    )
    if not model.has_output_head:
        st.info(_("It has no output head either, so it predicts no tokens."), icon=":material/info:")
    is_asked = bool(read_integers(EXPLAINED))
    if not is_asked:
        st.button(
            _("Ask {count} random heads").format(count=len(SEEDS)),
            icon=":material/casino:",
            help=_("The text above, six times, with the head's weights drawn anew each time."),
            on_click=write_integers,
            args=(EXPLAINED, [0]),
        )
        return
    if not texts.text.strip():
        st.info(_("Type a text above."), icon=":material/keyboard:")
        return

    def make(on_progress: OnProgress) -> RandomHeads:
        return ask_random_heads(model, texts.text, on_progress=on_progress)

    title, key = _("Asking random heads:"), ("random heads", texts.text)
    found = compute(key, make, title=title, cache=results_of(model), patience=AT_ONCE)
    if found is not None:
        _show_lottery(found)
    lines = [f"found = ask_random_heads(model, {texts.text!r})", "print(found.untrained, found.scores)"]
    offer_snippet(model, ["playground.lens.generate.random_heads import ask_random_heads"], lines)


def _show_lottery(found: RandomHeads) -> None:
    largest = percent(float(found.scores.max()))
    if found.winners > 1:
        sentence = _(
            "The label changes with the seed of the random numbers; the surest of {count} heads gives {share}."
        )
    else:
        sentence = _(
            "All {count} heads happen to agree; the surest gives {share}. Their weights are random all the same."
        )
    st.text(sentence.format(count=len(found.seeds), share=largest))
    rows = [
        {_("Seed"): seed, **{label: percent(float(score)) for label, score in zip(found.labels, row, strict=True)}}
        for seed, row in zip(found.seeds, found.scores, strict=True)
    ]
    st.dataframe(rows, hide_index=True, width="content", key="random_head_rows")
    tensors = ", ".join(f"`{name}`" for name in found.untrained)
    st.caption(
        _("{architecture} · drawn at random: {tensors}").format(architecture=found.architecture, tensors=tensors)
    )
