"""Prompts of activation patching: two texts and two answers, by default the first example that the model solves."""

from dataclasses import dataclass, replace

import streamlit as st

from playground.errors import UserError
from playground.lens.intervene.patching import first_token_id
from playground.lens.intervene.patching_examples import PatchingExample, examples_of, first_solved, try_examples
from playground.models import LoadedModel
from playground.text import _, fill
from ui.cache import results_of
from ui.jobs import compute
from ui.sections.ablate.options import Subject, examine, show_no_output_head
from ui.state.address import read_value, replace_text, write_text
from ui.state.parameters import (
    CLEAN,
    CORRECT_ANSWER,
    CORRUPTED,
    COUNTERFACTUAL_ANSWER,
    PAIR,
    PATCH_PAIR,
    PATCH_TARGET,
    TARGET,
    Text,
)
from ui.text import error_sentence, inert
from ui.widgets.context_bar import ContextBar
from ui.widgets.text import Texts, address_text

Differences = tuple[tuple[float, float] | None, ...]


@dataclass(frozen=True, kw_only=True)
class Prompts:
    """Both prompts, run once, and the answers' token ids."""

    clean: Subject
    corrupted: Subject
    answer: int
    counterfactual: int


def choose_prompts(bar: ContextBar, model: LoadedModel) -> Prompts | None:
    """Fields for the prompts and answers; None, with a message, where there is nothing to patch."""
    examples = examples_of(model)
    differences = compute(
        "patching examples",
        lambda on_progress: try_examples(model, on_progress),
        title=_("Trying the examples:"),
        cache=results_of(model),
    )
    if differences is None:
        return None
    with bar.examples:
        _offer_examples(examples, differences)
    solved = first_solved(differences)
    if solved is None:
        st.caption(_("{name} solves none of the examples; choose prompts of your own.").format(name=inert(model.name)))
    first = examples[solved or 0]
    cells = st.columns([3, 2, 3, 2], gap="small")
    with cells[0]:
        clean = address_text(CLEAN, first.clean, label=_("Clean prompt"), rows=1)
    with cells[1]:
        answer = address_text(CORRECT_ANSWER, first.answer, label=_("Correct answer"), rows=1)
    with cells[2]:
        corrupted = address_text(CORRUPTED, first.corrupted, label=_("Corrupted prompt"), rows=1)
    with cells[3]:
        label = _("Counterfactual answer")
        counterfactual = address_text(COUNTERFACTUAL_ANSWER, first.counterfactual, label=label, rows=1)
    texts = _second_text(model, clean, first.target)
    subject = examine(model, texts, key="clean")
    corrupted_subject = examine(model, replace(texts, text=corrupted), key="corrupted") if subject else None
    if subject is None or corrupted_subject is None:
        return None
    return _prompts(subject, corrupted_subject, answer, counterfactual)


def _second_text(model: LoadedModel, clean: str, target: str) -> Texts:
    """The prompts' own target or second sentence: those of the other sections stay as they are."""
    texts = Texts(text=clean)
    if model.kind == "encoder-decoder":
        label = _("Target text (leave empty: model's own translation)")
        text = address_text(PATCH_TARGET, target, label=label, rows=1, placeholder=label, hidden=True)
        texts = Texts(text=clean, target=text if text.strip() else None)
        _spell_out(PATCH_TARGET, text)
    elif model.kind == "encoder":
        label = _("Second sentence (optional)")
        text = address_text(PATCH_PAIR, "", label=label, rows=1, placeholder=label, hidden=True)
        texts = Texts(text=clean, pair=text if text.strip() else None)
    for shared, own in ((TARGET, PATCH_TARGET), (PAIR, PATCH_PAIR)):
        if read_value(shared) is not None and read_value(own) is None:
            _spell_out(own, "")
    return texts


def _spell_out(name: Text, text: str) -> None:
    """Put even the default into an address with prompts: one without is from when the sections shared these texts."""
    if read_value(CLEAN) is not None:
        write_text(name, text)


def _prompts(clean: Subject, corrupted: Subject, answer: str, counterfactual: str) -> Prompts | None:
    if not clean.clean.predictions:
        show_no_output_head(clean.model)
        return None
    try:
        first, second = (first_token_id(clean.model, word) for word in (answer, counterfactual))
    except UserError as error:
        st.error(error_sentence(error), icon=":material/error:")
        return None
    return Prompts(clean=clean, corrupted=corrupted, answer=first, counterfactual=second)


def _offer_examples(examples: tuple[PatchingExample, ...], differences: Differences) -> None:
    """The examples in a menu, each with the model's two logit differences."""
    known = {_title(example, both): example for example, both in zip(examples, differences, strict=True)}
    chosen = st.menu_button(_("Examples"), list(known), icon=":material/lists:", type="tertiary", key="patch_examples")
    if chosen in known:
        _fill(known[chosen])


def _title(example: PatchingExample, differences: tuple[float, float] | None) -> str:
    if differences is None:
        return _(example.name)
    title = _("{example} ({clean:+.1f} clean, {corrupted:+.1f} corrupted)")
    return fill(title, example=_(example.name), clean=differences[0], corrupted=differences[1])


def _fill(example: PatchingExample) -> None:
    texts: tuple[tuple[Text, str], ...] = (
        (CLEAN, example.clean),
        (CORRUPTED, example.corrupted),
        (CORRECT_ANSWER, example.answer),
        (COUNTERFACTUAL_ANSWER, example.counterfactual),
        (PATCH_TARGET, example.target),
    )
    for name, text in texts:
        if text:
            replace_text(name, text)
