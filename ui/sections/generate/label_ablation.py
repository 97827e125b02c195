"""Which components a label needs: its logit without each head and each larger part."""

from typing import cast

import streamlit as st

from playground.charts.ablate import effects_figure
from playground.lens.capture.site import SiteKind
from playground.lens.finding import Finding
from playground.lens.generate.encoded_rows import encode_row
from playground.lens.intervene.ablation import AblationMethod
from playground.lens.intervene.findings import deciding_heads
from playground.lens.intervene.label_ablation import LabelEffects, ablate_label
from playground.models import LoadedModel
from playground.progress import OnProgress
from playground.text import _
from ui.cache import results_of
from ui.jobs import AT_ONCE, compute, refuse_length
from ui.sections.ablate.ablation import describe_costliest
from ui.sections.ablate.heads import show_head_looks
from ui.sections.ablate.options import MOST_TOKENS, kind_titles, short_part_titles
from ui.sections.ablate.setting import method_titles
from ui.state.attention import read_head, write_head
from ui.state.parameters import ABLATION, HEAD, KIND
from ui.state.session import run_again
from ui.text import inert
from ui.widgets.chart import draw
from ui.widgets.choice import choose_option
from ui.widgets.download import text_details
from ui.widgets.findings import show_findings
from ui.widgets.text import Texts

KINDS: tuple[SiteKind, ...] = ("decoder", "cross", "encoder")


def show_label_ablation(
    model: LoadedModel, texts: Texts, *, label: int, name: str, position: int | None
) -> tuple[list[str], list[str]]:
    """The map of effects on a label's logit, and doors from the chosen head; returns imports and lines of Python."""
    st.markdown(_("##### Ablation for {label}").format(label=inert(name)))
    length = len(encode_row(model, texts.text, texts.pair, truncate=True).ids)
    if length > MOST_TOKENS:
        refuse_length(length, MOST_TOKENS)
        return [], []
    methods = {method: title for method, title in method_titles().items() if method != "resampled"}
    method = choose_option(ABLATION, _("Ablation"), methods)
    kind = _choose_label_kind(model)

    def make(on_progress: OnProgress) -> LabelEffects:
        return ablate_label(
            model,
            texts.text,
            texts.pair,
            label=label,
            position=position,
            kind=kind,
            method=cast(AblationMethod, method),
            truncate=True,
            on_progress=on_progress,
        )

    key = ("label ablation", texts.text, texts.pair, label, position, kind, method)
    title = _("Ablating single components:")
    found = compute(key, make, title=title, cache=results_of(model), patience=AT_ONCE)
    if found is not None:
        details = {**text_details(texts), "label": name, "ablation": method, "attention": found.kind}
        _show_effects(model, found, name, details if position is None else {**details, "position": position})
    second = "" if texts.pair is None else f", {texts.pair!r}"
    place = "" if position is None else f", position={position}"
    stack = "" if kind is None else f", kind={kind!r}"
    call = f"ablate_label(model, {texts.text!r}{second}, label={label}{place}{stack}, method={method!r}, truncate=True)"
    lines = [f"effects = {call}", "print(effects.heads, effects.parts, effects.larger)"]
    return ["playground.lens.intervene.label_ablation import ablate_label"], lines


def _choose_label_kind(model: LoadedModel) -> SiteKind | None:
    """Which attention of an encoder-decoder; other models have one kind."""
    if model.kind != "encoder-decoder":
        return None
    titles = kind_titles()
    return cast(SiteKind, choose_option(KIND, _("Attention"), {kind: titles[kind] for kind in KINDS}))


def _show_effects(model: LoadedModel, found: LabelEffects, name: str, details: dict[str, object]) -> None:
    meaning = _("Δ logit of {label}").format(label=name)
    show_findings(*_say_label_effects(model, found, meaning))
    names = short_part_titles()
    figure = effects_figure(
        found.heads,
        found.larger,
        part_names=[names[part] for part in found.parts],
        meaning=meaning,
        signed=True,
        layers=found.layers,
    )
    chosen = read_head(None, list(found.layers), found.heads.shape[1])
    cell = draw(
        model,
        figure,
        key="label_ablation",
        label=_("Effect of ablating each component alone on the label"),
        details=details,
        height=int(figure.layout.height),
        revision=str(details),
        picks=True,
        picked=None if chosen is None else (0, found.layers.index(chosen[0]), chosen[1]),
    )
    st.caption(
        _(
            "The label's logit without each head alone, then without each larger part: orange, it falls, so that the "
            "label needs the component; blue, it rises. Click a head to look at it."
        )
    )
    if cell is not None and cell[2] < found.heads.shape[1]:
        write_head(found.layers[cell[1]], cell[2])
        run_again()
    if chosen is not None:
        _show_label_head_doors(model, found.kind, chosen)


def _say_label_effects(model: LoadedModel, found: LabelEffects, meaning: str) -> list[Finding | None]:
    assert model.head is not None
    costliest = describe_costliest(
        found.layers, found.heads, found.layers, found.parts, found.larger, metric="logit", title=meaning
    )
    if model.head.task != "text" or model.head.scale != "softmax":
        return [costliest]
    return [costliest, deciding_heads([f"{layer}.{number}" for layer, number in found.deciding_heads])]


def _show_label_head_doors(model: LoadedModel, kind: SiteKind, head: tuple[int, int]) -> None:
    name = f"{head[0]}.{head[1]}"
    context = {str(HEAD): name, **({str(KIND): kind} if model.kind == "encoder-decoder" else {})}
    with st.container(horizontal=True, gap="small", vertical_alignment="center", key="label_head_doors"):
        show_head_looks(name, context)
