"""Ablation: the effect of removing single heads and sets of components, and the minimal sufficient set of heads."""

from dataclasses import dataclass
from typing import cast

import streamlit as st

from playground.charts.heatmap import heatmap_figure
from playground.lens.capture.site import SiteKind
from playground.lens.intervene.ablation import (
    AblationMethod,
    Circuit,
    Effect,
    EffectMetric,
    Experiment,
    HeadEffects,
    TargetToken,
    ablate,
    ablate_heads,
    minimal_circuit,
    prepare,
)
from playground.progress import OnProgress
from playground.text import _
from ui.jobs import AT_ONCE, compute
from ui.sections.ablate.figure import show_figure, table_rows
from ui.sections.ablate.options import (
    Subject,
    choose_components,
    choose_target_token,
    component_title,
    kind_titles,
    target_details,
)
from ui.sections.attention.examples import other_text
from ui.state.address import read_choice, write_choice
from ui.state.parameters import ABLATION, FIND_MINIMAL, KIND, METRIC, OTHER_TEXT, TOLERANCE
from ui.widgets.choice import choose_option
from ui.widgets.download import offer_snippet
from ui.widgets.text import address_text

TOLERANCES, DEFAULT_TOLERANCE = ("0.01", "0.03", "0.1", "0.3", "1", "3"), "0.1"
NO, YES = "no", "yes"


@dataclass(frozen=True, kw_only=True)
class Setting:
    """How components are ablated and effects are measured."""

    subject: Subject
    method: AblationMethod
    reference: str | None
    """The text that activations are resampled from."""
    target_token: TargetToken
    metric: EffectMetric

    @property
    def key(self) -> tuple[object, ...]:
        """What the effects depend on, besides model and text."""
        return self.method, self.reference, self.target_token

    @property
    def details(self) -> dict[str, object]:
        """The setting for a figure's files."""
        details: dict[str, object] = {"ablation": self.method, "metric": self.metric}
        details |= {} if self.reference is None else {"reference text": self.reference}
        return details | target_details(self.target_token)

    def lines(self) -> list[str]:
        """Python that prepares the experiment."""
        texts = self.subject.texts
        options = f"target={texts.target!r}, pair={texts.pair!r}, method={self.method!r}, reference={self.reference!r}"
        options += ", truncate=True" if self.subject.truncate else ""
        call = f"experiment = prepare(model, {texts.text!r}, {options}, target_token=target_token)"
        return [f"target_token = {self.target_token!r}", call]

    def experiment(self) -> Experiment:
        """The clean pass and what replaces ablated components."""
        texts = self.subject.texts
        return prepare(
            self.subject.model,
            texts.text,
            target=texts.target,
            pair=texts.pair,
            method=self.method,
            reference=self.reference,
            target_token=self.target_token,
            truncate=self.subject.truncate,
        )


def choose_setting(subject: Subject) -> Setting | None:
    """The target token, the ablation method and the metric; None for a model without predictions."""
    target_token = choose_target_token(subject)
    if target_token is None:
        return None
    # Side by side they would not wrap, and on a narrow screen their last options could not be reached.
    method = choose_option(
        ABLATION, _("Ablation"), {"zero": _("zero"), "mean": _("mean"), "resampled": _("resample (from another text)")}
    )
    metric = choose_option(METRIC, _("Metric"), metric_titles())
    reference = None
    if method == "resampled":
        reference = address_text(
            OTHER_TEXT, other_text(subject.model), label=_("Other text, of as many tokens"), rows=2
        )
    return Setting(
        subject=subject,
        method=cast(AblationMethod, method),
        reference=reference,
        target_token=target_token,
        metric=cast(EffectMetric, metric),
    )


def metric_titles() -> dict[str, str]:
    """The metrics with their units."""
    return {
        "divergence": _("KL divergence (nats)"),
        "loss": _("Δ loss (nats)"),
        "logit": _("Δ logit of target token"),
    }


def show_ablation(subject: Subject) -> None:
    """Every head alone, a chosen set, and the minimal sufficient set."""
    setting = choose_setting(subject)
    if setting is None:
        return
    if setting.metric == "loss" and len(subject.clean.tokens) < 2 and subject.model.kind != "encoder":
        st.info(_("A text of one token has no next token to compute a loss of; choose another metric."))
        return
    kind = _choose_ablated_kind(subject)
    _show_heads(setting, kind)
    lines = [
        f"effects = ablate_heads(experiment, {kind!r})",
        "print(effects.divergence, effects.loss, effects.logit)",
        *_show_joint(setting),
        *_show_minimal(setting),
    ]
    imports = [
        "playground.lens.capture.activations import Component",
        "playground.lens.intervene.ablation import TargetToken, ablate, ablate_heads, minimal_circuit, prepare",
    ]
    offer_snippet(subject.model, imports, [*setting.lines(), *lines])


def _choose_ablated_kind(subject: Subject) -> SiteKind:
    kinds, titles = subject.clean.kinds, kind_titles()
    if len(kinds) == 1:
        return kinds[0]
    return cast(SiteKind, choose_option(KIND, _("Attention"), {kind: titles[kind] for kind in kinds}))


def _show_heads(setting: Setting, kind: SiteKind) -> None:
    st.subheader(_("Single-head ablation"), anchor=False)

    def make(on_progress: OnProgress) -> HeadEffects:
        return ablate_heads(setting.experiment(), kind, on_progress)

    title = _("Ablating single heads:")
    effects = compute(("ablate", kind, *setting.key), make, title=title, cache=setting.subject.traced, patience=AT_ONCE)
    if effects is None:
        return
    values = getattr(effects, setting.metric)
    layers, heads = (list(map(str, range(count))) for count in values.shape)
    show_figure(
        setting.subject,
        heatmap_figure(
            values,
            rows=layers,
            columns=heads,
            y=_("layer"),
            x=_("head"),
            meaning=metric_titles()[setting.metric],
            signed=setting.metric != "divergence",
        ),
        table_rows("layer", layers, heads, values),
        name=f"ablated-{kind}-{setting.metric}",
        label=_("Effect of ablating each head alone"),
        details={"attention": kind, **setting.details},
    )


def _show_joint(setting: Setting) -> list[str]:
    """The effect of a chosen set, and the Python for it."""
    st.subheader(_("Joint ablation"), anchor=False)
    components = choose_components(setting.subject.clean, _("Components to ablate"))
    if not components:
        return []
    key = ("set", tuple(components), *setting.key)
    title = _("Ablating the chosen components …")
    effect = compute(
        key, lambda _on_progress: ablate(setting.experiment(), components), title=title, cache=setting.subject.traced
    )
    if effect is not None:
        show_effect(effect)
    return [f"print(ablate(experiment, {components!r}))"]


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
    lines = [f"circuit = minimal_circuit(experiment, {tolerance}, metric={setting.metric!r})", "print(circuit.kept)"]
    if circuit is None:
        return lines
    sentence = _("{kept} of {all} heads are sufficient. Effect of ablating all the others jointly:")
    st.write(sentence.format(kept=len(circuit.kept), all=len(circuit.kept) + len(circuit.removed)))
    show_effect(circuit.effect)
    if circuit.kept:
        st.caption(" · ".join(component_title(head, with_kind=False) for head in circuit.kept))
    return lines
