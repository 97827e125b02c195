"""Sampling options, kept in the address: temperature, top-k, top-p, min-p; and a token before and after them."""

import streamlit as st

from playground.lens.capture.tokens import Token
from playground.lens.generate.findings import percent
from playground.lens.generate.predictions import FilterEffect, Sampling
from playground.models import LoadedModel
from playground.text import _
from ui.components.token_view import TokenItem
from ui.state.parameters import MIN_P, TEMPERATURE, TOP_K, TOP_P
from ui.text import inert

LARGEST_K = 100_000


def say_unfollowed(model: LoadedModel) -> None:
    """Which generation settings the model brings that this page does not follow."""
    settings = model.adapter.unfollowed_settings()
    if settings:
        spelled = ", ".join(inert(f"{name} = {value}") for name, value in settings.items())
        st.caption(
            _("The model's own generation settings that are not followed here: {settings}.").format(settings=spelled)
        )


def choose_sampling() -> Sampling:
    """The four options side by side; by default no filter is active."""
    columns = st.columns(4)
    with columns[0]:
        heat = _choose_temperature()
    with columns[1]:
        kept = _choose_top_k()
    with columns[2]:
        share = _choose_top_p()
    with columns[3]:
        least = _choose_min_p()
    return Sampling(temperature=float(heat), top_k=int(kept), top_p=float(share), min_p=float(least))


def _choose_temperature() -> float:
    return st.number_input(
        _("Temperature"),
        min_value=0.0,
        max_value=10.0,
        value=1.0,
        step=0.1,
        key=TEMPERATURE,
        bind="query-params",
        help=_("Divides the logits: below 1 sharpens the distribution, above 1 flattens it; 0 is greedy."),
    )


def _choose_top_k() -> int:
    return st.number_input(
        _("Top-k"),
        min_value=0,
        max_value=LARGEST_K,
        value=0,
        key=TOP_K,
        bind="query-params",
        help=_("Keeps the k most probable tokens; 0 keeps all."),
    )


def _choose_top_p() -> float:
    return st.number_input(
        _("Top-p"),
        min_value=0.01,
        max_value=1.0,
        value=1.0,
        step=0.05,
        key=TOP_P,
        bind="query-params",
        help=_("Keeps the most probable tokens that together reach p; 1 keeps all."),
    )


def _choose_min_p() -> float:
    return st.number_input(
        _("Min-p"),
        min_value=0.0,
        max_value=1.0,
        value=0.0,
        step=0.01,
        key=MIN_P,
        bind="query-params",
        help=_("Keeps tokens at least p times as probable as the top one; 0 keeps all."),
    )


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
