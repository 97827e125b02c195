"""LoRA's own numbers beside one matrix: W, B, A, alpha / r, and one entry of W + (alpha / r) B A as a sum."""

import streamlit as st

from playground.charts.finetune import lora_map_figure
from playground.errors import UserError
from playground.finetuning.low_rank_change import LowRankChange, read_low_rank
from playground.finetuning.weight_drift import WeightDrift
from playground.models.adapters.low_rank import is_transposed
from playground.text import _
from ui.sections.finetune.subject import FinetuneSubject
from ui.text import error_sentence
from ui.widgets.chart import draw

SHOWN_TERMS = 8
SIDE = 96
"""Rows and columns that are drawn of a large matrix."""


def show_low_rank(subject: FinetuneSubject, weight: WeightDrift) -> None:
    """Nothing where this matrix was not changed by LoRA."""
    path = weight.name.partition(" · ")[0].removesuffix(".weight")
    change = read_low_rank(subject.pair.after.folder).get(path)
    if change is None:
        return
    st.subheader(_("LoRA's numbers"), anchor=False)
    st.latex(r"W' = W + \frac{\alpha}{r}\, B\, A")
    sentence = _(
        "{path}: B is {outputs} × {rank}, A is {rank} × {inputs}, α / r = {scale:g}; {numbers:,} trained numbers."
    )
    st.text(
        sentence.format(
            path=path,
            outputs=len(change.b),
            rank=change.rank,
            inputs=change.a.shape[1],
            scale=change.scale,
            numbers=change.a.size + change.b.size,
        )
    )
    _show_entry(subject, change)
    left, right = st.columns(2, gap="large")
    with left:
        _draw(subject, change, "B")
    with right:
        _draw(subject, change, "A")
    if max(len(change.b), change.a.shape[1]) > SIDE:
        st.caption(_("Drawn: the first {side} rows of B, and the first {side} columns of A.").format(side=SIDE))


def _show_entry(subject: FinetuneSubject, change: LowRankChange) -> None:
    """One entry, term by term; at first the one that moved furthest."""
    row, column = change.largest
    with st.container(horizontal=True, gap="small"):
        row = int(st.number_input(_("Row"), 0, len(change.b) - 1, row, key=f"lora_row_{change.path}", width=140))
        most = change.a.shape[1] - 1
        column = int(st.number_input(_("Column"), 0, most, column, key=f"lora_column_{change.path}", width=140))
    try:
        terms = change.terms(row, column)
    except UserError as error:
        st.info(error_sentence(error))
        return
    before, after = (_entry(side, change, row, column) for side in (subject.pair.before, subject.pair.after))
    pairs = zip(change.b[row], change.a[:, column], strict=True)
    products = [f"{b:+.5f} · {a:+.5f}" for b, a in pairs][:SHOWN_TERMS]
    rest = f" + … ({change.rank} terms)" if change.rank > SHOWN_TERMS else ""
    added = change.scale * float(terms.sum())
    lines = [
        f"(B A)[{row},{column}] = " + " + ".join(products) + rest,
        f"          = {float(terms.sum()):+.6f}",
        f"α/r · (B A)[{row},{column}] = {change.scale:g} · {float(terms.sum()):+.6f} = {added:+.6f}",
        f"W[{row},{column}]  = {before:+.6f}",
        f"W'[{row},{column}] = {before:+.6f} {added:+.6f} = {after:+.6f}",
    ]
    st.code("\n".join(lines), language=None, wrap_lines=True)


def _entry(model: object, change: LowRankChange, row: int, column: int) -> float:
    """One number of a model's matrix, as outputs x inputs."""
    layers = dict(model.module.named_modules())  # type: ignore[attr-defined]
    layer = layers[change.path] if change.path in layers else layers[change.path.partition(".")[2]]
    return float(layer.weight[column, row] if is_transposed(layer) else layer.weight[row, column])


def _draw(subject: FinetuneSubject, change: LowRankChange, name: str) -> None:
    values = (change.b if name == "B" else change.a)[:SIDE, :SIDE]
    figure = lora_map_figure(values, meaning=name)
    draw(
        subject.pair.after,
        figure,
        key=f"lora_{name}",
        label=f"LoRA {name}",
        details={**subject.details, "layer": change.path},
        height=360,
        revision=change.path,
    )
