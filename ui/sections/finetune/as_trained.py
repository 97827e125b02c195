"""What the effects read: a run's held-out texts, and pairs of prompts and answers in the frame of their training."""

import streamlit as st

from playground.errors import UserError
from playground.finetuning.general_texts import GENERAL_TEXTS
from playground.lens.generate.chat_template import chat_template_of
from playground.tasks.finetune.prompts import asked_text, pair_texts
from playground.tasks.finetune.rows import Rows, read_split
from playground.text import _
from ui.sections.finetune.subject import FinetuneSubject

FIRST_TEXTS = 12
LONGEST_LINE = 400


def held_out_rows(subject: FinetuneSubject) -> Rows | None:
    """The held-out rows of the run; None for two models that were named, and for a run that does not keep them."""
    if subject.run is None:
        return None
    try:
        return read_split(subject.run).held_out
    except UserError:
        return None


def is_prompted(subject: FinetuneSubject) -> bool:
    """Whether the run learned answers to prompts."""
    return subject.config is not None and subject.config.task_name == "prompts"


def default_lines(subject: FinetuneSubject) -> list[str]:
    """The first held-out texts of the run where it keeps them, or prompts alone, else general texts; a line each."""
    rows = held_out_rows(subject)
    texts = (dict.fromkeys(rows.texts) if rows else None) or GENERAL_TEXTS
    return [_as_line(text) for text in list(texts)[:FIRST_TEXTS]]


def _as_line(text: str) -> str:
    return " ".join(text.split())[:LONGEST_LINE].strip()


def prompts_as_trained(subject: FinetuneSubject, prompts: list[str]) -> list[str]:
    """Prompts up to where an answer begins, with a sentence on it; as they are where the run learned no answers."""
    if not is_prompted(subject):
        return prompts
    model = subject.pair.after
    if chat_template_of(model) is None:
        st.caption(_("Each prompt is followed by a blank line, as in training."))
    else:
        st.caption(_("Each prompt stands in the tokenizer's chat template, as in training."))
    key = subject.key("asked", tuple(prompts))
    return subject.cache.remember(key, lambda: [asked_text(model, prompt) for prompt in prompts])


def lines_as_trained(subject: FinetuneSubject, lines: list[str]) -> list[str]:
    """Listed texts as training read them, with a sentence on it: a held-out prompt with its answer."""
    rows = held_out_rows(subject)
    if not is_prompted(subject) or rows is None:
        return lines
    if chat_template_of(subject.pair.after) is None:
        st.caption(_("Each prompt is read as in training: a blank line behind it, then the answer of a held-out one."))
    else:
        st.caption(
            _("Each prompt is read as in training: in the tokenizer's chat template, a held-out one with its answer.")
        )
    key = subject.key("read as trained", tuple(lines), tuple(rows.labels))
    return subject.cache.remember(key, lambda: _in_frame(subject, rows, lines))


def _in_frame(subject: FinetuneSubject, rows: Rows, lines: list[str]) -> list[str]:
    model = subject.pair.after
    places = {_as_line(text): row for row, text in reversed(list(enumerate(rows.texts)))}
    known = list(dict.fromkeys(line for line in lines if line in places))
    pairs = dict(zip(known, pair_texts(model, rows.only([places[line] for line in known])), strict=True))
    return [pairs[line] if line in pairs else asked_text(model, line) for line in lines]


def first_as_trained(subject: FinetuneSubject) -> str:
    """The first held-out text as training read it, of a prompt with its answer; else a general one."""
    rows = held_out_rows(subject)
    if rows and is_prompted(subject):
        key = subject.key("first as trained", rows.texts[0], rows.labels[0])
        first: str = subject.cache.remember(key, lambda: pair_texts(subject.pair.after, rows.only([0]))[0])
        return first
    return default_lines(subject)[0]
