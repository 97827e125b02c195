"""Bits per byte on general text, before and after, with the interval of the difference."""

from collections.abc import Iterator

import streamlit as st

from playground.errors import UserError
from playground.finetuning.findings import describe_forgetting
from playground.finetuning.forgetting import Forgetting, Passage, forgetting
from playground.finetuning.general_texts import GENERAL_TEXTS
from playground.text import _
from ui.jobs import require
from ui.sections.evaluate.numbers import offer_results
from ui.sections.finetune.spread_charts import draw_spreads
from ui.sections.finetune.subject import FinetuneSubject
from ui.state.parameters import GENERAL
from ui.widgets.download import offer_snippet
from ui.widgets.findings import show_findings
from ui.widgets.text import address_text

MASKED_TEXTS = 8
"""An encoder reads a passage once for each of its tokens."""


def show_forgetting(subject: FinetuneSubject) -> None:
    """The passages, both numbers, and every resample of their difference."""
    if not subject.pair.after.has_output_head or not subject.pair.before.has_output_head:
        raise UserError("One of the two models predicts no tokens, so that forgetting cannot be measured in bits.")
    passages = _choose_passages(subject)
    found = require(
        subject.key("forgetting", tuple(passages)),
        lambda on_progress: forgetting(subject.pair, passages, on_progress),
        title=_("Scoring passages with both models:"),
        cache=subject.cache,
    )
    show_findings(describe_forgetting(found))
    if found.is_masked:
        st.caption(_("Each token masked alone and predicted from both sides (Salazar et al. 2020)."))
    meanings = (_("bits per byte"), _("after less before (bits per byte)"))
    labels = (_("Bits per byte"), _("Difference in bits per byte"))
    draw_spreads(subject, found.bits, key="bits", meanings=meanings, labels=labels)
    _offer(subject, found)


def _choose_passages(subject: FinetuneSubject) -> list[Passage]:
    is_translator = subject.pair.before.kind == "encoder-decoder"
    count = MASKED_TEXTS if subject.pair.before.kind == "encoder" else len(GENERAL_TEXTS)
    default = "" if is_translator else "\n".join(GENERAL_TEXTS[:count])
    label = _("General text: one passage on each line")
    if is_translator:
        label = _("One source and its target on each line, with a tab between them")
    lines = [line for line in address_text(GENERAL, default, label=label, rows=4).splitlines() if line.strip()]
    if is_translator:
        pairs = [line.partition("\t") for line in lines]
        return [Passage(text=source.strip(), target=target.strip() or None) for source, _tab, target in pairs]
    return [Passage(text=line.strip()) for line in lines]


def _offer(subject: FinetuneSubject, found: Forgetting) -> None:
    def rows() -> Iterator[list[object]]:
        before, after = found.of_passages()
        for passage, first, second, size in zip(found.passages, before, after, found.bytes, strict=True):
            yield [passage.text, float(first), float(second), float(size)]

    header = ["text", "bits_per_byte_before", "bits_per_byte_after", "bytes"]
    offer_results(header, rows, name="forgetting.csv", details=subject.details)
    imports, lines = subject.snippet
    imports = [*imports, "playground.finetuning.forgetting import Passage, forgetting"]
    texts = [passage.text for passage in found.passages]
    if found.passages[0].target is None:
        call = f"found = forgetting(pair, [Passage(text=text) for text in {texts!r}])"
        offer_snippet(None, imports, [*lines, call, "print(found.bits.difference)"])
