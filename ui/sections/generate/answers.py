"""Answers to a question, drawn on the passage that holds them."""

import streamlit as st

from playground.lens.finding import Finding
from playground.lens.generate.answer_spans import AnswerSpans, find_answers
from playground.lens.generate.findings import percent
from playground.models import LoadedModel
from playground.progress import OnProgress
from playground.snippets import origin
from playground.text import N_, _, fill
from ui.cache import results_of
from ui.components.token_view import TokenItem, token_view
from ui.jobs import require
from ui.sections.generate.label_attribution import show_label_attribution
from ui.sections.generate.labels import read_explained, show_cut
from ui.state.address import read_number, replace_text, write_number
from ui.state.parameters import EXPLAINED, PAIR, SPAN, TEXT
from ui.widgets.choice import choose_segment
from ui.widgets.download import offer_snippet, text_details
from ui.widgets.findings import show_findings
from ui.widgets.mirror import mirrored
from ui.widgets.text import Texts, choose_pair

LISTED_ANSWERS = 5
START_HUE = 2
SPAN_SIDES = ("start", "end")
START = 0
QUESTION = "Where did Anna go?"
PASSAGE = "Anna left the house in the morning. She went to Paris by train, and Ben stayed at home."


def show_answers(model: LoadedModel, texts: Texts) -> int | None:
    """The passage with the answer outlined, the most probable answers, and their attribution.

    Returns the side that is taken apart first.
    """
    passage = texts.pair if model.kind == "encoder" else choose_pair(model)
    if passage is None:
        st.info(
            _("The text above is the question. Write the passage that holds its answer into the second field."),
            icon=":material/info:",
        )
        st.button(_("Take an example"), icon=":material/lists:", on_click=_take_example)
        return None
    texts = Texts(text=texts.text, pair=passage)
    found = _find(model, texts, passage)
    show_cut(found.is_cut, model.context)
    show_findings(_say_answer(found))
    chosen = read_number(SPAN, 0, max(0, len(found.answers) - 1))
    notes = origin(model, details={**text_details(texts), "answer": chosen})
    label = _("Question and passage, the answer outlined")
    st.caption(_("Colour: the probability that the answer starts there, or ends there, whichever is higher."))
    token_view(span_items(found, chosen), layout="text", label=label, key="passage", provenance=notes)
    _list_answers(found, chosen, notes)
    side = _choose_side(found)
    lines = [f"spans = find_answers(model, {texts.text!r}, {passage!r}, k={LISTED_ANSWERS}, truncate=True)"]
    lines += ["print([(answer.text, answer.score) for answer in spans.answers], spans.no_answer)"]
    imports = ["playground.lens.generate.answer_spans import find_answers"]
    if side is None:
        offer_snippet(model, imports, lines)
        return START
    answer = found.answers[chosen]
    position = (answer.first, answer.last)[side]
    show_label_attribution(model, texts, label=side, position=position, after=(imports, lines))
    return START


def _take_example() -> None:
    replace_text(TEXT, QUESTION)
    replace_text(PAIR, PASSAGE)


def _find(model: LoadedModel, texts: Texts, passage: str) -> AnswerSpans:
    def make(_on_progress: OnProgress) -> AnswerSpans:
        return find_answers(model, texts.text, passage, k=LISTED_ANSWERS, truncate=True)

    return require(("answers", texts.text, passage), make, title=_("Looking for answers …"), cache=results_of(model))


def _say_answer(found: AnswerSpans) -> Finding | None:
    if not found.answers:
        return None
    best = found.answers[0]
    values: dict[str, object] = {"answer": best.text, "share": percent(best.score), "none": percent(found.no_answer)}
    if found.no_answer > best.score:
        template = N_("No answer in the passage is more probable ({none}) than the best one, “{answer}” ({share}).")
    elif not found.no_answer:
        template = N_("Most probable answer: “{answer}” with {share}.")
    else:
        template = N_("Most probable answer: “{answer}” with {share}; that there is none has {none}.")
    return Finding(template=template, values=values)


def span_items(found: AnswerSpans, chosen: int) -> list[TokenItem]:
    """The tokens; those of the passage coloured, those of the chosen answer outlined."""
    answer = found.answers[chosen] if found.answers else None
    return [
        TokenItem(
            text=token.text,
            special=token.special,
            value=float(max(found.start[position], found.end[position])) if found.in_passage[position] else None,
            hue=START_HUE,
            lines=_span_lines(found, position),
            chosen=answer is not None and answer.first <= position <= answer.last,
        )
        for position, token in enumerate(found.tokens)
    ]


def _span_lines(found: AnswerSpans, position: int) -> tuple[str, ...]:
    if not found.in_passage[position]:
        return ()
    return (
        _("start {share}").format(share=percent(float(found.start[position]))),
        _("end {share}").format(share=percent(float(found.end[position]))),
    )


def _list_answers(found: AnswerSpans, chosen: int, notes: list[str]) -> None:
    items = [
        TokenItem(
            text=answer.text or "–",
            value=answer.score,
            number=percent(answer.score),
            lines=(fill(_("score {value:.6g}"), value=answer.score),),
            chosen=rank == chosen,
            clickable=True,
            plain=True,
        )
        for rank, answer in enumerate(found.answers)
    ]
    picked = token_view(items, layout="sentences", label=_("The answers"), key="answers", provenance=notes)
    if picked is not None:
        write_number(SPAN, picked)
        st.rerun()


def _choose_side(found: AnswerSpans) -> int | None:
    """Whether the start (0) or the end (1) of the answer is attributed; None for neither."""
    if not found.answers:
        return None
    titles = {"none": _("None"), "0": _("Start"), "1": _("End")}
    label = read_explained(len(SPAN_SIDES))
    shown = "none" if label is None else str(label)
    option: str = choose_segment(
        _("Attribute the answer's"),
        list(titles),
        shown,
        **mirrored(EXPLAINED, shown, "none"),
        format_func=titles.__getitem__,
    )
    return None if option == "none" else int(option)
