"""The labels of a text with their probabilities; a click attributes one to the tokens."""

import streamlit as st

from playground.lens.generate.classification import Classification, classify
from playground.lens.generate.findings import describe_labels, percent
from playground.models import LoadedModel
from playground.models.heads import Scale
from playground.progress import OnProgress
from playground.snippets import origin
from playground.text import _, fill
from ui.cache import results_of
from ui.components.token_view import TokenItem, token_view
from ui.jobs import require
from ui.sections.generate.label_attribution import label_title, show_label_attribution
from ui.state.address import read_integers, write_integers
from ui.state.parameters import EXPLAINED
from ui.widgets.download import offer_snippet, text_details
from ui.widgets.findings import show_findings
from ui.widgets.text import Texts

LISTED = 20


def show_labels(model: LoadedModel, texts: Texts) -> int | None:
    """The most probable labels; the clicked one is taken apart below. Returns the most probable one."""
    assert model.head is not None
    if model.head.needs_pair and texts.pair is None:
        st.info(
            _("This head was trained on two texts. Write the second one above, into the second field."),
            icon=":material/info:",
        )
        return None
    found = _answer(model, texts)
    show_cut(found.is_cut, model.context)
    show_findings(describe_labels([label_title(label) for label in found.labels], found.scores, found.scale))
    chosen = read_explained(len(found.labels))
    picked = _show_label_bars(model, texts, found, chosen)
    if picked is not None:
        write_integers(EXPLAINED, [] if picked == chosen else [picked])
        st.rerun()
    pairs = "" if texts.pair is None else f", [{texts.pair!r}]"
    lines = [f"(answer,) = classify(model, [{texts.text!r}]{pairs}, truncate=True)"]
    lines += ["print(dict(zip(answer.labels, answer.scores)))"]
    imports = ["playground.lens.generate.classification import classify"]
    if chosen is None:
        offer_snippet(model, imports, lines)
    else:
        show_label_attribution(model, texts, label=chosen, after=(imports, lines))
    return found.best


def _answer(model: LoadedModel, texts: Texts) -> Classification:
    def make(_on_progress: OnProgress) -> Classification:
        return classify(model, [texts.text], [texts.pair], truncate=True)[0]

    return require(("labels", texts.text, texts.pair), make, title=_("Classifying …"), cache=results_of(model))


def show_cut(is_cut: bool, context: int) -> None:
    """Say that the head has read less than the text."""
    if is_cut:
        sentence = _("The text is longer than the {context:,} tokens that the model reads: only its beginning counts.")
        st.warning(sentence.format(context=context), icon=":material/content_cut:")


def read_explained(n_labels: int) -> int | None:
    """The label of the address that is attributed; None where there is none."""
    numbers = read_integers(EXPLAINED)
    return numbers[0] if len(numbers) == 1 and numbers[0] < n_labels else None


def _show_label_bars(model: LoadedModel, texts: Texts, found: Classification, chosen: int | None) -> int | None:
    """The bars; returns the label that was clicked just now."""
    order = found.ranked(LISTED)
    rows = [(found.labels[index], float(found.scores[index]), index == chosen) for index in order]
    items = [label_item(label, score, found.scale, chosen=is_chosen) for label, score, is_chosen in rows]
    if len(found.labels) > LISTED:
        caption = _("The {shown} highest of {count:,} labels. Click one to see what its logit comes from.")
    else:
        caption = _("Click a label to see what its logit comes from.")
    st.caption(caption.format(shown=LISTED, count=len(found.labels)))
    notes = origin(model, details=text_details(texts))
    picked = token_view(items, layout="bars", label=_("Labels of the text"), key="label_bars", provenance=notes)
    return None if picked is None else order[picked]


def label_item(label: str, score: float, scale: Scale, *, chosen: bool) -> TokenItem:
    """A label with its bar; a regression's value has none."""
    is_share = scale != "none"
    number = percent(score) if is_share else f"{score:.4g}"
    line = _("probability {value:.6g}") if is_share else _("value {value:.6g}")
    return TokenItem(
        text=label or "–",
        value=score if is_share else None,
        number=number,
        lines=(fill(line, value=score),),
        chosen=chosen,
        clickable=True,
        plain=True,
    )
