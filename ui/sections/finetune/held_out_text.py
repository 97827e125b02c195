"""Held-out measures of a model that learned to write: bits per byte and perplexity, or BLEU, before and after."""

from collections.abc import Iterator

import streamlit as st

from playground.evaluation.resampling import RESAMPLES, PairedSpread
from playground.finetuning.findings import describe_held_out_answers, describe_held_out_text
from playground.finetuning.held_out_text import HeldOutAnswers, HeldOutText, compare_held_out
from playground.tasks.finetune.rows import ROWS, read_split
from playground.tasks.sources import stamp_of
from playground.text import _
from ui.jobs import require
from ui.sections.evaluate.numbers import interval_text, offer_results
from ui.sections.finetune.spread_charts import draw_spreads
from ui.sections.finetune.subject import FinetuneSubject, run_in_python
from ui.widgets.download import offer_snippet
from ui.widgets.findings import show_findings
from ui.widgets.number_columns import decimals


def show_held_out_text(subject: FinetuneSubject) -> None:
    """Both models on the rows that neither was trained on."""
    run, config = subject.run, subject.config
    assert run is not None
    assert config is not None
    rows = read_split(run)
    found = require(
        subject.key("held-out text", str(run / ROWS), stamp_of(str(run / ROWS))),
        lambda on_progress: compare_held_out(subject.pair, rows, config, on_progress),
        title=_("Reading held-out rows with both models:"),
        cache=subject.cache,
    )
    if isinstance(found, HeldOutText):
        show_findings(describe_held_out_text(found))
        _draw_both(subject, found.bits, _("bits per byte"), _("after less before (bits per byte)"))
        _list_text(found)
    else:
        show_findings(describe_held_out_answers(found))
        _draw_both(subject, found.bleu, _("BLEU"), _("after less before (BLEU)"))
        _list_answers(found)
    _say_how(found)
    _offer(subject, found)


def _draw_both(subject: FinetuneSubject, paired: PairedSpread, meaning: str, difference: str) -> None:
    labels = (_("Held-out rows before and after"), _("Difference over the held-out rows"))
    draw_spreads(subject, paired, key="both", meanings=(meaning, difference), labels=labels)


def _list_text(found: HeldOutText) -> None:
    bits = (found.bits.first, found.bits.second)
    st.dataframe(
        {
            _("model"): [_("before"), _("after")],
            _("bits per byte"): [spread.value for spread in bits],
            _("interval of the bits"): [interval_text(spread) for spread in bits],
            _("perplexity"): [spread.value for spread in found.perplexities],
            _("interval of the perplexity"): [interval_text(spread) for spread in found.perplexities],
        },
        hide_index=True,
        key="both_models",
        column_config=decimals(_("bits per byte"), _("perplexity")),
    )


def _list_answers(found: HeldOutAnswers) -> None:
    st.dataframe(
        {
            _("source"): found.sources,
            _("reference"): found.references,
            _("before"): found.before,
            _("after"): found.after,
        },
        hide_index=True,
        key="answers",
    )


def _say_how(found: HeldOutText | HeldOutAnswers) -> None:
    n = len(found.texts) if isinstance(found, HeldOutText) else len(found.sources)
    sentence = _(
        "Both models read the same rows, as in training. Intervals: {count:,} paired bootstrap resamples of them."
    )
    if n < found.n_rows:
        sentence = _(
            "Both models read the same {n:,} of {all:,} rows, as in training. Intervals: {count:,} paired bootstrap "
            "resamples of them."
        )
    st.caption(sentence.format(n=n, all=found.n_rows, count=RESAMPLES))


def _offer(subject: FinetuneSubject, found: HeldOutText | HeldOutAnswers) -> None:
    header = ["text", "nats_before", "nats_after", "tokens", "bytes"]
    if isinstance(found, HeldOutAnswers):
        header = ["source", "reference", "before", "after"]

    def lines() -> Iterator[list[object]]:
        columns: tuple[object, ...] = (
            (found.texts, *found.nats.tolist(), found.tokens.tolist(), found.bytes.tolist())
            if isinstance(found, HeldOutText)
            else (found.sources, found.references, found.before, found.after)
        )
        yield from map(list, zip(*columns, strict=True))  # type: ignore[call-overload]

    offer_results(header, lines, name="held-out.csv", details=subject.details)
    _offer_program(subject)


def _offer_program(subject: FinetuneSubject) -> None:
    assert subject.run is not None
    imports, lines = subject.snippet
    places, folder = run_in_python(subject.run)
    imports = [
        *imports,
        "playground.finetuning.held_out_text import compare_held_out",
        "playground.tasks.finetune.rows import read_split",
        "playground.training.run.folder import read_run_config",
        *places,
    ]
    calls = [
        f"run = {folder}",
        'found = compare_held_out(pair, read_split(run), read_run_config(run / "config.json"))',
        "print(found)",
    ]
    offer_snippet(None, imports, [*lines, *calls])
