"""How a token is chosen: temperature, top-k, top-p and min-p, in the address."""

import streamlit as st

from playground.lens.generate.predictions import Cut, Sampling
from playground.text import _
from ui import state

LARGEST_K = 100_000


def choose_sampling() -> Sampling:
    """The four options side by side; as they stand nothing is cut away."""
    temperature, top_k, top_p, min_p = st.columns(4)
    with temperature:
        heat = st.number_input(
            _("Temperature"),
            min_value=0.0,
            max_value=10.0,
            value=1.0,
            step=0.1,
            key=state.TEMPERATURE,
            bind="query-params",
            help=_("Below 1 the likely become likelier, above 1 rarer tokens get a chance; 0 takes the first."),
        )
    with top_k:
        kept = st.number_input(
            _("Top-k"),
            min_value=0,
            max_value=LARGEST_K,
            value=0,
            key=state.TOP_K,
            bind="query-params",
            help=_("Keeps the k most probable tokens; 0 keeps all."),
        )
    with top_p:
        share = st.number_input(
            _("Top-p"),
            min_value=0.01,
            max_value=1.0,
            value=1.0,
            step=0.05,
            key=state.TOP_P,
            bind="query-params",
            help=_("Keeps the most probable tokens that together reach p; 1 keeps all."),
        )
    with min_p:
        least = st.number_input(
            _("Min-p"),
            min_value=0.0,
            max_value=1.0,
            value=0.0,
            step=0.01,
            key=state.MIN_P,
            bind="query-params",
            help=_("Keeps tokens at least p times as probable as the first; 0 keeps all."),
        )
    return Sampling(temperature=float(heat), top_k=int(kept), top_p=float(share), min_p=float(least))


def cut_words(cuts: tuple[Cut, ...]) -> str:
    """What each option cut away, in one sentence."""
    if not cuts:
        return _("Nothing is cut away.")
    part = _("{option} cut away {tokens:,} tokens with {share:.2%}")
    said = [part.format(option=cut.name, tokens=cut.tokens, share=cut.probability) for cut in cuts]
    return "; ".join(said) + " " + _("of the probability at this temperature.")
