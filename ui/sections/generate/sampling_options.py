"""Sampling options, kept in the address: temperature, top-k, top-p, min-p; and a token before and after them."""

from collections.abc import Sequence
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from playground.lens.capture.tokens import Token
from playground.lens.generate.findings import percent
from playground.lens.generate.predictions import FilterEffect, Sampling
from playground.models import LoadedModel
from playground.text import _
from ui.components.token_view import TokenItem
from ui.state.parameters import MIN_P, TEMPERATURE, TOP_K, TOP_P
from ui.text import inert

LARGEST_K = 100_000
RANGES: dict[str, dict[str, Any]] = {
    TEMPERATURE: {"min_value": 0.0, "max_value": 10.0, "value": 1.0, "step": 0.1},
    TOP_K: {"min_value": 0, "max_value": LARGEST_K, "value": 0},
    TOP_P: {"min_value": 0.01, "max_value": 1.0, "value": 1.0, "step": 0.05},
    MIN_P: {"min_value": 0.0, "max_value": 1.0, "value": 0.0, "step": 0.01},
}
"""What each field takes, and its default."""


def say_unfollowed(model: LoadedModel) -> None:
    """Which generation settings the model brings that this page does not follow."""
    settings = model.adapter.unfollowed_settings()
    if settings:
        spelled = ", ".join(inert(f"{name} = {value}") for name, value in settings.items())
        st.caption(
            _("The model's own generation settings that are not followed here: {settings}.").format(settings=spelled)
        )


def choose_sampling(columns: Sequence[DeltaGenerator]) -> Sampling:
    """The four options, each in its column; by default no filter is active."""
    fields = (
        (
            TEMPERATURE,
            _("Temperature"),
            _("Divides the logits: below 1 sharpens the distribution, above 1 flattens it; 0 is greedy."),
        ),
        (TOP_K, _("Top-k"), _("Keeps the k most probable tokens; 0 keeps all.")),
        (TOP_P, _("Top-p"), _("Keeps the most probable tokens that together reach p; 1 keeps all.")),
        (MIN_P, _("Min-p"), _("Keeps tokens at least p times as probable as the top one; 0 keeps all.")),
    )
    heat, kept, share, least = (
        column.number_input(title, **RANGES[key], key=key, bind="query-params", help=explanation)
        for column, (key, title, explanation) in zip(columns, fields, strict=True)
    )
    return Sampling(temperature=float(heat), top_k=int(kept), top_p=float(share), min_p=float(least))


def filter_summary(filters: tuple[FilterEffect, ...]) -> str:
    """What each filter removed, in one sentence."""
    if not filters:
        return _("No filter active.")
    part = _("{filter} removed {n_removed:,} tokens with {share:.2%}")
    parts = [
        part.format(filter=effect.name, n_removed=effect.n_removed, share=effect.probability) for effect in filters
    ]
    return _("{filters} of the probability at this temperature.").format(filters="; ".join(parts))


def bar_names() -> tuple[str, str]:
    """What the two bars of a token are."""
    return _("model"), _("after filters")


def paired_item(
    token: Token,
    probability: float,
    sampled: float,
    lines: tuple[str, ...],
    *,
    chosen: bool = False,
    clickable: bool = True,
) -> TokenItem:
    """A token with the model's probability and that after temperature and filters; crossed out where it is removed."""
    return TokenItem(
        text=token.text,
        special=token.special,
        value=probability,
        number=percent(probability),
        second=sampled,
        second_number=percent(sampled),
        removed=sampled == 0,
        lines=lines,
        chosen=chosen,
        clickable=clickable,
    )
