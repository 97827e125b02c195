"""What fine-tuning did, one effect at a time: only the one that is shown is computed."""

import streamlit as st

from playground.errors import UserError
from playground.text import _
from ui.sections.finetune.forgetting import show_forgetting
from ui.sections.finetune.heads import show_head_drift
from ui.sections.finetune.held_out import show_held_out
from ui.sections.finetune.held_out_text import show_held_out_text
from ui.sections.finetune.labels import describe_config, effect_titles
from ui.sections.finetune.samples import show_sample_pairs
from ui.sections.finetune.states import show_stream_drift
from ui.sections.finetune.subject import FinetuneSubject, obtain_finetuned
from ui.sections.finetune.weights import show_weight_drift
from ui.state.parameters import EFFECT
from ui.text import error_sentence, inert
from ui.widgets.choice import choose_option
from ui.widgets.context_bar import open_bar


def show_held_out_measures(subject: FinetuneSubject) -> None:
    """Those of a classifier, or of a model that writes."""
    show = show_held_out if subject.config is not None and subject.config.task_name == "labels" else show_held_out_text
    show(subject)


SHOW = {
    "scores": show_held_out_measures,
    "weights": show_weight_drift,
    "heads": show_head_drift,
    "states": show_stream_drift,
    "forgetting": show_forgetting,
    "samples": show_sample_pairs,
}


def show_effects() -> None:
    """The two models, and the chosen effect."""
    bar = open_bar()
    subject = obtain_finetuned(bar)
    st.caption(_describe(subject))
    effect = choose_option(EFFECT, _("Effect"), _titles_of(subject), hidden=True)
    try:
        SHOW[effect](subject)
    except UserError as error:
        st.info(error_sentence(error), icon=":material/info:")


def _describe(subject: FinetuneSubject) -> str:
    title = inert(subject.title)
    return title if subject.config is None else f"{title} · {describe_config(subject.config)}"


def _titles_of(subject: FinetuneSubject) -> dict[str, str]:
    """Measures only of a run whose texts are known, samples only of models that write."""
    titles = effect_titles()
    writes = (
        subject.pair.before.kind != "encoder" and not subject.pair.after.classes and subject.pair.after.head is None
    )
    if subject.config is None:
        del titles["scores"]
    if not writes:
        del titles["samples"]
    return titles
