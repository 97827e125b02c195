"""How components are ablated and effects measured: the target token, the method, the metric."""

from dataclasses import dataclass
from typing import cast

import streamlit as st

from playground.lens.intervene.ablation import AblationMethod, EffectMetric, Experiment, TargetToken, prepare
from playground.text import _
from ui.sections.ablate.options import Subject, choose_target_token, target_details
from ui.sections.attention.examples import other_text
from ui.state.parameters import ABLATION, METRIC, OTHER_TEXT
from ui.widgets.choice import choose_option
from ui.widgets.text import address_text


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
    left, middle, right = st.columns([3.4, 5.1, 6.5])
    with left:
        target_token = choose_target_token(subject)
    if target_token is None:
        return None
    with middle:
        method = choose_option(ABLATION, _("Ablation"), method_titles(), help_text=_why_mean())
    with right:
        metric = choose_option(METRIC, _("Metric"), metric_titles())
    if method == "mean" and len(subject.clean.tokens) < 2:
        st.info(_("A text of one token is its own mean: nothing changes. Choose zero."), icon=":material/info:")
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


def method_titles() -> dict[str, str]:
    """What replaces an ablated component, the default first."""
    return {"mean": _("Mean"), "zero": _("Zero"), "resampled": _("Resample (from another text)")}


def _why_mean() -> str:
    return _(
        "Mean: a component's average over the text's tokens takes its place, so that only what it says about single "
        "tokens is lost. Zero puts the layers above out of what they were trained on, and counts what every token "
        "has in common as the component's work (Wang et al. 2022, section 2; Chan et al. 2022; Li and Janson 2024)."
    )


def metric_titles() -> dict[str, str]:
    """The metrics with their units."""
    return {
        "divergence": _("KL divergence (nats)"),
        "loss": _("Δ loss (nats)"),
        "logit": _("Δ logit of target token"),
    }
