"""BLEU as it is counted: matching n-grams, precisions, brevity penalty, product; chrF and TER beside it."""

import math
import re
from collections.abc import Iterator

import streamlit as st

from playground.evaluation.bleu import BleuConfig, BleuParts, bleu_parts, bleu_tokens
from playground.evaluation.line_scores import LineMeasure, LineScores, line_scores, sentence_config
from playground.evaluation.lines import ComparedLines
from playground.evaluation.ngrams import MarkedNgrams, mark_ngrams
from playground.lens.finding import Finding
from playground.text import N_, _
from ui.cache import results
from ui.components.compared_lines import Chip, ChipRow, compared_lines
from ui.jobs import compute
from ui.sections.evaluate.line_source import LineSet, choose_line, choose_lines, line_doors, warn_of_empty
from ui.sections.evaluate.numbers import offer_results, say_intervals, show_spread, show_spreads
from ui.sections.evaluate.systems import TITLES, show_systems
from ui.sections.evaluate.ter import show_ter
from ui.state.parameters import BLEU_TOKENIZER, EFFECTIVE_ORDER, LOWERCASE, NGRAM_ORDER
from ui.widgets.choice import choose_option, choose_switch
from ui.widgets.download import offer_snippet
from ui.widgets.findings import show_findings

FIRST: tuple[LineMeasure, ...] = ("bleu", "chrf")
"""Counted before TER, whose search for shifts takes longer than both."""
CHARACTERS = re.compile("[\u3040-\u30ff\u4e00-\u9fff]{2}")


def show_bleu() -> None:
    """The lines, how they are counted, and the scores."""
    form, counted = st.columns([2, 3], gap="medium")
    with form:
        chosen = choose_lines(takes_second=True)
        config = _choose_config()
        warn_of_empty(chosen.lines)
        _warn_of_characters(chosen, config)
    scores = _scored_lines(chosen.lines, config, FIRST)
    with counted:
        index = _show_count(chosen, scores)
    row = show_spreads({"BLEU": scores.spreads["bleu"], "chrF": scores.spreads["chrf"]}, digits=2)
    place = row.container(width="content")
    _show_products(chosen, scores, index)
    with place:
        scores = _with_ter(chosen.lines, scores)
    if chosen.second is not None:
        show_systems(scores, _scored_lines(chosen.second, config, tuple(scores.statistics)))
    say_intervals()
    with st.expander(_("Signatures"), icon=":material/fingerprint:", expanded=True):
        st.code("\n".join(scores.signatures.values()), language=None)
        st.caption(_("sacrebleu's: who sets the same gets the same numbers."))
    _offer_lines(chosen, scores, index)


def _with_ter(lines: ComparedLines, scores: LineScores) -> LineScores:
    """TER, drawn and beside the scores that are there already; these alone where it was cancelled."""
    counted = _count_lines(lines, scores.config, ("ter",))
    if counted is None:
        return scores
    about = _("Edits and shifts in per cent of the reference length: lower is better.")
    show_spread("TER", counted.spreads["ter"], digits=2, about=about)
    return scores.with_measures(counted)


def _choose_config() -> BleuConfig:
    titles = {name: name for name in BLEU_TOKENIZER.values}
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        tokenizer = choose_option(
            BLEU_TOKENIZER,
            _("Tokenizer"),
            titles,
            help_text=_(
                "13a: words and punctuation, the standard; zh: each Chinese character; char: each character; intl: "
                "international punctuation; none: at spaces."
            ),
        )
        effective = choose_switch(
            EFFECTIVE_ORDER, _("Effective order"), _("Leaves out orders that a text is too short for.")
        )
        lowercase = choose_switch(LOWERCASE, _("Lower case"), None)
    return BleuConfig(tokenizer=tokenizer, effective_order=effective, lowercase=lowercase)  # type: ignore[arg-type]


def _warn_of_characters(chosen: LineSet, config: BleuConfig) -> None:
    """Chinese and Japanese sentences cut at spaces are one word each."""
    if config.tokenizer in ("13a", "intl", "none") and any(CHARACTERS.search(text) for text in chosen.lines.hypotheses):
        st.warning(
            _("Chinese and Japanese have no spaces: a sentence is one word here. Choose zh or char."),
            icon=":material/translate:",
        )


def _scored_lines(lines: ComparedLines, config: BleuConfig, measures: tuple[LineMeasure, ...]) -> LineScores:
    """The lines under these measures; the page's run ends where that is cancelled."""
    counted = _count_lines(lines, config, measures)
    if counted is None:
        st.stop()
    return counted


def _count_lines(lines: ComparedLines, config: BleuConfig, measures: tuple[LineMeasure, ...]) -> LineScores | None:
    return compute(
        ("line scores", hash(lines), config, measures),
        lambda on_progress: line_scores(lines, config, measures=measures, on_progress=on_progress),
        title=_("Counting {measures}, line:").format(measures=", ".join(TITLES[name] for name in measures)),
        cache=results(),
    )


def _show_count(chosen: LineSet, scores: LineScores) -> int:
    """One line's n-grams in colour; the index of the line."""
    lines, config = chosen.lines, scores.config
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        index = choose_line(lines, scores.line_values("bleu").tolist(), title="BLEU")
        order = int(choose_option(NGRAM_ORDER, _("n-grams"), {str(n): str(n) for n in range(1, 5)}))
    own = bleu_tokens(lines.hypotheses[index], config)
    marked = mark_ngrams(own, [bleu_tokens(text, config) for text in lines.references[index]], order)
    show_findings(_describe_match(marked, order))
    _draw(marked, order, scores, index)
    line_doors(chosen, index)
    return index


def _show_products(chosen: LineSet, scores: LineScores, index: int) -> None:
    """The product of the line and of the corpus, and the line's TER."""
    lines, config = chosen.lines, scores.config
    left, right = st.columns(2, gap="large") if len(lines) > 1 else (st.container(), None)
    statistics = scores.statistics["bleu"]
    with left:
        st.subheader(_("This line") if len(lines) > 1 else _("The product"), anchor=False)
        # A single line of many is scored with the effective order, as sacrebleu advises.
        _show_product(bleu_parts(statistics[index], sentence_config(config) if len(lines) > 1 else config))
    if right is not None:
        with right:
            st.subheader(_("The corpus"), anchor=False)
            _show_product(bleu_parts(statistics.sum(0), config))
        mean = float(scores.line_values("bleu").mean())
        sentence = _(
            "The mean of the {n:,} lines' BLEU is {mean:.2f}; the corpus' BLEU, of the summed counts, is {corpus:.2f}."
        )
        st.write(sentence.format(n=len(lines), mean=mean, corpus=scores.spreads["bleu"].value))
    show_ter(lines, index)


def _describe_match(marked: MarkedNgrams, order: int) -> Finding:
    clipped = sum(mark.state == "clipped" for mark in marked.hypothesis)
    template = N_(
        "{matches} of {total} n-grams of order {order} count; {clipped} more stand in a reference, less often."
    )
    values = {"matches": marked.matches, "total": marked.total, "order": order, "clipped": clipped}
    return Finding(template=template, values=values)


def _draw(marked: MarkedNgrams, order: int, scores: LineScores, index: int) -> None:
    rows = [("hypothesis", marked.hypothesis), *(("reference", marks) for marks in marked.references)]
    titles = {"hypothesis": _("Hypothesis"), "reference": _("Reference")}
    compared_lines(
        [
            ChipRow(
                name=titles[name],
                chips=tuple(Chip(text=" ".join(mark.ngram), state=mark.state) for mark in marks),
            )
            for name, marks in rows
        ],
        states={
            "matched": _("counted"),
            "clipped": _("clipped: more often than on the other side"),
            "absent": _("not on the other side"),
        },
        label=_("n-grams of order {order}, line {line}").format(order=order, line=index + 1),
        key="bleu_lines",
        provenance=[f"signature: {scores.signatures['bleu']}", f"line: {index + 1}", f"order: {order}"],
    )


def _show_product(parts: BleuParts) -> None:
    """The four precisions, the brevity penalty and what they multiply to."""
    smoothed = _("smoothed")
    st.table(
        {
            _("order"): [str(n) for n in range(1, 5)],
            _("counted"): [f"{m:,} / {t:,}" for m, t in zip(parts.matches, parts.totals, strict=True)],
            _("precision"): [
                f"{p:.4f}" + (f" ({smoothed})" if p and not m else "")
                for p, m in zip(parts.precisions, parts.matches, strict=True)
            ],
        }
    )
    ratio = _("hypothesis length {c:,}, reference length {r:,}").format(
        c=parts.hypothesis_length, r=parts.reference_length
    )
    st.caption(_("Brevity penalty {bp:.4f}: {ratio}.").format(bp=parts.brevity_penalty, ratio=ratio))
    used = [precision for precision in parts.precisions[: parts.order] if precision]
    if len(used) < parts.order or not parts.order:
        st.code(f"BLEU = {parts.score:.4f}", language=None)
        st.caption(_("An order without any n-gram, or nothing that matches, makes the product 0."))
        return
    mean = math.exp(sum(map(math.log, used)) / parts.order)
    product = " · ".join(f"{precision:.4f}" for precision in used)
    bp = parts.brevity_penalty
    st.code(
        f"BLEU = 100 · BP · (p₁ … p{'₁₂₃₄'[parts.order - 1]})^(1/{parts.order})\n"
        f"     = 100 · {bp:.4f} · ({product})^(1/{parts.order})\n"
        f"     = 100 · {bp:.4f} · {mean:.4f} = {parts.score:.4f}",
        language=None,
        wrap_lines=True,
    )


def _offer_lines(chosen: LineSet, scores: LineScores, index: int) -> None:
    lines = chosen.lines
    header = ["line", "hypothesis", *(f"reference_{n + 1}" for n in range(lines.n_references)), *scores.statistics]

    def rows() -> Iterator[list[object]]:
        columns = [scores.line_values(name).tolist() for name in scores.statistics]
        texts = zip(lines.hypotheses, lines.references, strict=True)
        for number, (own, references) in enumerate(texts):
            yield [number + 1, own, *references, *(column[number] for column in columns)]

    details = {**chosen.details, "signatures": list(scores.signatures.values())}
    offer_results(header, rows, name="bleu-lines.csv", details=details)
    _offer_program(chosen, scores, index)


def _offer_program(chosen: LineSet, scores: LineScores, index: int) -> None:
    """The corpus, the line that is shown, and the other system."""
    config = scores.config
    of_line = sentence_config(config) if len(chosen.lines) > 1 else config
    names = "line_scores" if chosen.second is None else "compare_systems, line_scores"
    code = [*chosen.code, f"scores = line_scores(lines, {config!r})", "print(scores.report())"]
    code.append(f'print(bleu_parts(scores.statistics["bleu"][{index}], {of_line!r}))')
    if chosen.second is not None:
        code += [*chosen.second_code, f"others = line_scores(second, {config!r})"]
        code.append("print({name: paired.report() for name, paired in compare_systems(scores, others).items()})")
    imports = ["playground.evaluation.bleu import BleuConfig, bleu_parts"]
    imports.append(f"playground.evaluation.line_scores import {names}")
    offer_snippet(None, [*chosen.imports, *imports], code)
