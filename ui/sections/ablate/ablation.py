"""Ablation: the effect of removing single components and sets of them, and the minimal sufficient set of heads."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
import streamlit as st

from playground.charts.ablate import effects_figure
from playground.lens.capture.activations import Component, Part
from playground.lens.capture.site import SiteKind
from playground.lens.finding import Finding
from playground.lens.intervene.ablation import (
    Effect,
    EffectMetric,
    HeadEffects,
    LayerEffects,
    ablate,
    ablate_heads,
    ablate_layers,
    probabilities_without,
)
from playground.lens.intervene.circuit import Circuit, minimal_circuit
from playground.lens.intervene.findings import costliest_ablation
from playground.progress import OnProgress
from playground.text import _
from ui.components.live_chart import Cell
from ui.jobs import AT_ONCE, compute
from ui.sections.ablate.figure import show_figure, table_rows
from ui.sections.ablate.heads import adopt_head, chosen_head, offer_head_doors
from ui.sections.ablate.options import (
    Subject,
    choose_components,
    chosen_components,
    component_title,
    component_word,
    kind_titles,
    part_titles,
    short_part_titles,
    token_title,
    write_components,
)
from ui.sections.ablate.setting import Setting, choose_setting, metric_titles
from ui.state.address import read_choice, write_choice
from ui.state.parameters import FIND_MINIMAL, KIND, TOLERANCE
from ui.state.session import run_again
from ui.widgets.choice import choose_option
from ui.widgets.download import offer_snippet
from ui.widgets.findings import show_findings

TOLERANCES, DEFAULT_TOLERANCE = ("0.01", "0.03", "0.1", "0.3", "1", "3"), "0.1"
NO, YES = "no", "yes"
LIKELIEST = 3
"""How many predictions are named before and after."""


@dataclass(frozen=True, kw_only=True, eq=False)
class SingleEffects:
    """Every head alone, and every larger part alone."""

    heads: HeadEffects
    layers: LayerEffects

    def of_heads(self, metric: EffectMetric) -> np.ndarray:
        """The heads' effects with a row for every block; NaN in one that does not attend."""
        values: np.ndarray = getattr(self.heads, metric)
        table = np.full((len(self.layers.layers), values.shape[1]), np.nan, dtype=np.float32)
        table[[self.layers.layers.index(layer) for layer in self.heads.layers]] = values
        return table

    def component(self, row: int, column: int) -> Component | None:
        """The component of a cell of the map; None where the layer has no such part."""
        n_heads, kind, layer = self.heads.divergence.shape[1], self.heads.kind, self.layers.layers[row]
        if column < n_heads:
            attends = layer in self.heads.layers
            return Component(part="head", layer=layer, head=column, kind=kind) if attends else None
        part = self.layers.parts[column - n_heads]
        is_there = bool(np.isfinite(self.layers.divergence[row, column - n_heads]))
        return Component(part=part, layer=layer, kind=kind) if is_there else None


def show_ablation(subject: Subject) -> None:
    """Every component alone, a chosen set, and the minimal sufficient set."""
    setting = choose_setting(subject)
    if setting is None:
        return
    if setting.metric == "loss" and len(subject.clean.tokens) < 2 and subject.model.kind != "encoder":
        st.info(_("A text of one token has no next token to compute a loss of; choose another metric."))
        return
    kind = _choose_ablated_kind(subject)
    _show_singles(setting, kind)
    lines = [
        f"effects = ablate_heads(experiment, {kind!r})",
        "print(effects.divergence, effects.loss, effects.logit)",
        f"layers = ablate_layers(experiment, {kind!r})",
        "print(layers.parts, layers.divergence, layers.loss, layers.logit)",
        *_show_joint(setting),
        *_show_minimal(setting),
    ]
    imports = [
        "playground.lens.capture.activations import Component",
        "playground.lens.intervene.ablation import TargetToken, ablate, ablate_heads, ablate_layers, prepare",
        "playground.lens.intervene.circuit import minimal_circuit",
    ]
    offer_snippet(subject.model, imports, [*setting.lines(), *lines])


def _choose_ablated_kind(subject: Subject) -> SiteKind:
    kinds, titles = subject.clean.kinds, kind_titles()
    if len(kinds) == 1:
        return kinds[0]
    return cast(SiteKind, choose_option(KIND, _("Attention"), {kind: titles[kind] for kind in kinds}))


def _show_singles(setting: Setting, kind: SiteKind) -> None:
    def make(on_progress: OnProgress) -> SingleEffects:
        experiment = setting.experiment()
        heads = ablate_heads(experiment, kind, on_progress)
        return SingleEffects(heads=heads, layers=ablate_layers(experiment, kind, on_progress))

    title = _("Ablating single components:")
    effects = compute(("ablate", kind, *setting.key), make, title=title, cache=setting.subject.traced, patience=AT_ONCE)
    if effects is None:
        return
    _say_costliest(setting, effects)
    cell = _draw_singles(setting, effects)
    st.caption(
        _(
            "Single-head ablation: a column for each head, then the larger parts of the layer and the whole layer. "
            "Heads and larger parts are each coloured up to their own largest effect. Click a cell to put it into the "
            "joint set below."
        )
    )
    if cell is not None:
        _adopt_cell(setting.subject, effects, cell)
    offer_head_doors(setting.subject, kind, chosen_head(setting.subject, kind) or _costliest_head(setting, effects))


def _costliest_head(setting: Setting, effects: SingleEffects) -> tuple[int, int]:
    values: np.ndarray = getattr(effects.heads, setting.metric)
    costs = -values if setting.metric == "logit" else values
    row, head = np.unravel_index(int(np.nanargmax(costs)), costs.shape)
    return effects.heads.layers[int(row)], int(head)


def _say_costliest(setting: Setting, effects: SingleEffects) -> None:
    heads, layers = effects.heads, effects.layers
    values, larger = (getattr(table, setting.metric) for table in (heads, layers))
    title = metric_titles()[setting.metric]
    tables = heads.layers, values, layers.layers, layers.parts, larger
    show_findings(describe_costliest(*tables, metric=setting.metric, title=title))


def describe_costliest(
    head_layers: Sequence[int],
    heads: np.ndarray,
    layers: Sequence[int],
    parts: Sequence[Part],
    larger: np.ndarray,
    *,
    metric: EffectMetric,
    title: str,
) -> Finding | None:
    """Which head, and which larger part, costs most when it alone is ablated: two tables of effects, by layer."""
    head, titles = _("head {layer}.{head}"), part_titles()
    return costliest_ablation(
        [head.format(layer=head_layers[row], head=number) for row, number in np.ndindex(heads.shape)],
        heads.ravel(),
        [titles[parts[part]].format(layer=layers[row]) for row, part in np.ndindex(larger.shape)],
        larger.ravel(),
        metric=metric,
        title=title,
    )


def _draw_singles(setting: Setting, effects: SingleEffects) -> Cell | None:
    heads, layers = effects.of_heads(setting.metric), getattr(effects.layers, setting.metric)
    numbers = effects.layers.layers
    names = short_part_titles()
    parts = [names[part] for part in effects.layers.parts]
    head, kind = chosen_head(setting.subject, effects.heads.kind), effects.heads.kind
    columns = [*map(str, range(heads.shape[1])), *effects.layers.parts]
    return show_figure(
        setting.subject,
        effects_figure(
            heads,
            layers,
            part_names=parts,
            meaning=metric_titles()[setting.metric],
            signed=setting.metric != "divergence",
            layers=numbers,
        ),
        table_rows("layer", list(map(str, numbers)), columns, np.hstack([heads, layers])),
        name=f"ablated-{kind}-{setting.metric}",
        label=_("Effect of ablating each component alone"),
        details={"attention": kind, **setting.details},
        picks=True,
        picked=None if head is None else (0, numbers.index(head[0]), head[1]),
    )


def _adopt_cell(subject: Subject, effects: SingleEffects, cell: Cell) -> None:
    """A clicked part joins the set, or leaves it; a head is selected for the whole app."""
    component = effects.component(*cell[1:])
    if component is None:
        return
    word, chosen = component_word(component), chosen_components(subject.clean)
    write_components([*chosen, word] if word not in chosen else [other for other in chosen if other != word])
    if component.head is not None:
        adopt_head(subject, component.kind, component.layer, component.head)
    run_again()


def _show_joint(setting: Setting) -> list[str]:
    """The effect of a chosen set, and the Python for it."""
    st.subheader(_("Joint ablation"), anchor=False)
    components = choose_components(setting.subject.clean, _("Components to ablate"))
    if not components:
        return []
    key = ("set", tuple(components), *setting.key)
    title = _("Ablating the chosen components …")

    def make(_on_progress: OnProgress) -> tuple[Effect, np.ndarray, np.ndarray]:
        experiment = setting.experiment()
        return ablate(experiment, components), *probabilities_without(experiment, components)

    result = compute(key, make, title=title, cache=setting.subject.traced)
    if result is not None:
        effect, clean, without = result
        _say_predictions(setting, clean, without)
        show_effect(effect)
    return [f"print(ablate(experiment, {components!r}))"]


def _say_predictions(setting: Setting, clean: np.ndarray, without: np.ndarray) -> None:
    """The likeliest tokens with and without the components."""
    sentence = _("As it is: {clean}. Without them: {without}.")
    st.text(sentence.format(clean=_likeliest(setting, clean), without=_likeliest(setting, without)))


def _likeliest(setting: Setting, probabilities: np.ndarray) -> str:
    tokens = np.argsort(-probabilities, kind="stable")[:LIKELIEST]
    return ", ".join(
        f"{token_title(setting.subject.model, int(token))} {100 * probabilities[token]:.1f}%" for token in tokens
    )


def show_effect(effect: Effect) -> None:
    """An effect in all metrics."""
    values = {"divergence": effect.divergence, "loss": effect.loss, "logit": effect.logit}
    for column, (metric, value) in zip(st.columns(3), values.items(), strict=True):
        column.metric(metric_titles()[metric], "–" if value != value else f"{value:+.4f}")


def _show_minimal(setting: Setting) -> list[str]:
    """The minimal sufficient set of heads, once it is asked for, and the Python for it."""
    st.subheader(_("Minimal sufficient set of heads"), anchor=False)
    st.caption(_("Greedy search: ablate as many heads as possible while the effect stays within the tolerance."))
    titles = {tolerance: tolerance for tolerance in TOLERANCES}
    tolerance = choose_option(TOLERANCE, _("Tolerance"), titles, default=DEFAULT_TOLERANCE)
    if read_choice(FIND_MINIMAL, [NO, YES]) == NO:
        st.button(
            _("Find minimal set"),
            key="find_minimal",
            icon=":material/search:",
            on_click=write_choice,
            args=(FIND_MINIMAL, YES, NO),
        )
        return []

    def make(on_progress: OnProgress) -> Circuit:
        return minimal_circuit(setting.experiment(), float(tolerance), metric=setting.metric, on_progress=on_progress)

    title = _("Ablating as many heads as possible:")
    key = ("smallest", tolerance, setting.metric, *setting.key)
    circuit = compute(key, make, title=title, cache=setting.subject.traced, patience=AT_ONCE)
    if circuit is not None:
        _show_circuit(circuit)
    return [f"circuit = minimal_circuit(experiment, {tolerance}, metric={setting.metric!r})", "print(circuit.kept)"]


def _show_circuit(circuit: Circuit) -> None:
    sentence = _("{kept} of {all} heads are sufficient. Effect of ablating all the others jointly:")
    st.write(sentence.format(kept=len(circuit.kept), all=len(circuit.kept) + len(circuit.removed)))
    show_effect(circuit.effect)
    if circuit.kept:
        st.caption(_titles(circuit.kept))


def _titles(components: Sequence[Component]) -> str:
    return " · ".join(component_title(head, with_kind=False) for head in components)
