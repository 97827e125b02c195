"""ROUGE as it is counted: overlapping n-grams, and the longest common subsequence drawn."""

from collections.abc import Iterator, Sequence

import numpy as np
import streamlit as st

from playground.evaluation.confusion import SCORE_NAMES, ScoreName
from playground.evaluation.lcs import lcs_links
from playground.evaluation.ngrams import mark_ngrams
from playground.evaluation.resampling import Spread
from playground.evaluation.rouge import (
    ROUGE_KINDS,
    MarkedLine,
    RougeConfig,
    RougeKind,
    RougeScore,
    UnionOfLines,
    rouge,
    rouge_spreads,
    rouge_table,
    rouge_tokens,
    union_of_lines,
)
from playground.lens.finding import Finding
from playground.progress import OnProgress
from playground.text import N_, _
from ui.cache import results
from ui.components.compared_lines import Chip, ChipRow, compared_lines
from ui.jobs import require
from ui.sections.evaluate.line_source import LineSet, choose_line, choose_lines, line_doors, warn_of_empty
from ui.sections.evaluate.numbers import interval_text, offer_results, say_intervals, show_spreads
from ui.state.parameters import BY_SENTENCE, ROUGE_KIND, STEMMED
from ui.widgets.choice import choose_option, choose_switch
from ui.widgets.download import offer_snippet
from ui.widgets.findings import show_findings
from ui.widgets.number_columns import decimals

TITLES: dict[RougeKind, str] = {
    "rouge1": "ROUGE-1",
    "rouge2": "ROUGE-2",
    "rougeL": "ROUGE-L",
    "rougeLsum": "ROUGE-Lsum",
}
RougeTable = dict[RougeKind, np.ndarray]


def show_rouge() -> None:
    """The lines, one of them as it is counted, and the scores."""
    form, counted = st.columns([2, 3], gap="medium")
    with form:
        chosen = choose_lines()
        config = _choose_config()
        warn_of_empty(chosen.lines)
    lines = chosen.lines

    def count(on_progress: OnProgress) -> tuple[RougeTable, dict[RougeKind, dict[ScoreName, Spread]]]:
        table = rouge_table(lines, config, on_progress)
        return table, rouge_spreads(table)

    table, spreads = require(("rouge", hash(lines), config), count, title=_("Counting, line:"), cache=results())
    with counted:
        shown = _show_line(chosen, table, config)
    show_spreads({f"{TITLES[kind]} F1": found["f1"] for kind, found in spreads.items()})
    _show_means(spreads)
    say_intervals()
    st.caption(
        _(
            "A corpus' ROUGE is the mean over lines; of several references the best one counts. Equal to rouge-score "
            "on ASCII; every other script counts here too, Chinese and Japanese by characters."
        )
    )
    _offer_lines(chosen, table, config, shown)


def _choose_config() -> RougeConfig:
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        stemmed = choose_switch(
            STEMMED,
            _("Stemmer"),
            _("Compares the stems of English words: cats and cat are one (Porter's algorithm, as rouge-score's)."),
        )
        by_sentence = choose_switch(
            BY_SENTENCE,
            _("Lsum by sentence"),
            _("ROUGE-Lsum compares lines; here each sentence is one: what ends with . ! ? or …, or with 。！？."),
        )
    return RougeConfig(stemmed=stemmed, by_sentence=by_sentence)


def _show_means(spreads: dict[RougeKind, dict[ScoreName, Spread]]) -> None:
    """Precision, recall and F1 of each kind, with their intervals."""
    titles = {"precision": _("precision"), "recall": _("recall"), "f1": "F1"}
    columns: dict[str, list[object]] = {_("kind"): [TITLES[kind] for kind in spreads]}
    for part in SCORE_NAMES:
        columns[titles[part]] = [found[part].value for found in spreads.values()]
        name = _("{score}, interval").format(score=titles[part])
        columns[name] = [interval_text(found[part]) for found in spreads.values()]
    st.dataframe(columns, hide_index=True, key="rouge_means", column_config=decimals(*titles.values()))


def _show_line(chosen: LineSet, table: RougeTable, config: RougeConfig) -> str:
    """One line as it is counted; the call that counts it."""
    lines = chosen.lines
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        index = choose_line(lines, (100 * table["rougeL"][:, 2]).tolist(), title="ROUGE-L")
        kind: RougeKind = choose_option(ROUGE_KIND, _("Count"), {name: TITLES[name] for name in ROUGE_KIND.values})  # type: ignore[assignment, arg-type, index]
    hypothesis, references = lines.hypotheses[index], lines.references[index]
    best = max(references, key=lambda reference: rouge(hypothesis, reference, config)[kind].f1)
    own, wanted = rouge_tokens(hypothesis, config), rouge_tokens(best, config)
    score = rouge(hypothesis, best, config)[kind]
    show_findings(_describe(TITLES[kind], score))
    if kind == "rougeL":
        _draw_subsequence(own, wanted, index)
    elif kind == "rougeLsum":
        _draw_union(union_of_lines(hypothesis, best, config), index)
    else:
        _draw_overlap(own, wanted, 1 if kind == "rouge1" else 2, index)
    st.code(
        f"precision = {score.hits} / {score.hypothesis_total} = {score.precision:.4f}\n"
        f"recall    = {score.hits} / {score.reference_total} = {score.recall:.4f}\n"
        f"F1        = 2 · {score.precision:.4f} · {score.recall:.4f} / ({score.precision:.4f} + {score.recall:.4f})"
        f" = {score.f1:.4f}",
        language=None,
    )
    if len(references) > 1:
        st.caption(_("Of {n} references the one with the highest F1 is shown.").format(n=len(references)))
    line_doors(chosen, index)
    reference = f"lines.references[{index}][{references.index(best)}]"
    return f"rouge(lines.hypotheses[{index}], {reference}, {config!r})[{kind!r}]"


def _describe(title: str, score: RougeScore) -> Finding:
    template = N_(
        "{title}: {hits} in common, of {own} in the hypothesis (precision {precision:.3f}) and {wanted} in the "
        "reference (recall {recall:.3f})."
    )
    values = {
        "title": title,
        "hits": score.hits,
        "own": score.hypothesis_total,
        "wanted": score.reference_total,
        "precision": score.precision,
        "recall": score.recall,
    }
    return Finding(template=template, values=values)


def _states() -> dict[str, str]:
    return {"matched": _("in common"), "absent": _("only here")}


def _draw_subsequence(own: Sequence[str], wanted: Sequence[str], index: int) -> None:
    """The reference above, the hypothesis below, and the subsequence as lines between them."""
    links = lcs_links(wanted, own)
    above, below = {i for i, _j in links}, {j for _i, j in links}
    compared_lines(
        [
            ChipRow(name=_("Reference"), chips=_chips(wanted, above)),
            ChipRow(name=_("Hypothesis"), chips=_chips(own, below)),
        ],
        links=[(0, i, j) for i, j in links],
        states=_states(),
        label=_("Longest common subsequence, line {line}").format(line=index + 1),
        key="rouge_lines",
        provenance=[f"line: {index + 1}", f"longest common subsequence: {len(links)}"],
    )


def _chips(tokens: Sequence[str], common: set[int]) -> tuple[Chip, ...]:
    return tuple(
        Chip(text=token, state="matched" if place in common else "absent") for place, token in enumerate(tokens)
    )


def _draw_union(union: UnionOfLines, index: int) -> None:
    """Each line of the reference with what any line of the hypothesis has of it, in its order; then these lines."""
    st.caption(
        _(
            "A token of the reference counts if it is in the longest common subsequence of its line with any line of "
            "the hypothesis, and as often as both texts have it."
        )
    )
    compared_lines(
        [
            *_union_rows(_("Reference"), union.reference),
            *_union_rows(_("Hypothesis"), union.hypothesis),
        ],
        states={
            "matched": _("in a common subsequence"),
            "clipped": _("more often than on the other side"),
            "absent": _("only here"),
        },
        label=_("Union of common subsequences, line {line}").format(line=index + 1),
        key="rouge_lines",
        provenance=[f"line: {index + 1}", f"union of longest common subsequences: {union.hits}"],
    )


def _union_rows(title: str, lines: Sequence[MarkedLine]) -> list[ChipRow]:
    names = [title] if len(lines) == 1 else [f"{title} · {number + 1}" for number in range(len(lines))]
    return [
        ChipRow(
            name=name,
            chips=tuple(Chip(text=text, state=state) for text, state in zip(line.tokens, line.states, strict=True)),
        )
        for name, line in zip(names, lines, strict=True)
    ]


def _draw_overlap(own: Sequence[str], wanted: Sequence[str], order: int, index: int) -> None:
    marked = mark_ngrams(own, [wanted], order)
    rows = [(_("Reference"), marked.references[0]), (_("Hypothesis"), marked.hypothesis)]
    compared_lines(
        [
            ChipRow(name=name, chips=tuple(Chip(text=" ".join(mark.ngram), state=mark.state) for mark in marks))
            for name, marks in rows
        ],
        states={**_states(), "clipped": _("more often than on the other side")},
        label=_("n-grams of order {order}, line {line}").format(order=order, line=index + 1),
        key="rouge_lines",
        provenance=[f"line: {index + 1}", f"order: {order}"],
    )


def _offer_lines(chosen: LineSet, table: RougeTable, config: RougeConfig, shown: str) -> None:
    lines = chosen.lines
    header = ["line", "hypothesis", *(f"reference_{n + 1}" for n in range(lines.n_references))]
    header += [f"{kind}_{name}" for kind in ROUGE_KINDS for name in ("precision", "recall", "f1")]

    def rows() -> Iterator[list[object]]:
        texts = zip(lines.hypotheses, lines.references, strict=True)
        for number, (own, references) in enumerate(texts):
            values = [float(value) for kind in ROUGE_KINDS for value in table[kind][number]]
            yield [number + 1, own, *references, *values]

    offer_results(header, rows, name="rouge-lines.csv", details={**chosen.details, "config": repr(config)})
    imports = [*chosen.imports, "playground.evaluation.rouge import RougeConfig, rouge, rouge_report"]
    calls = [f"print(rouge_report(lines, {config!r}))", f"print({shown})"]
    offer_snippet(None, imports, [*chosen.code, *calls])
