"""Every number of attention by hand, drawn."""

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from playground.charts.inside import map_figure, rows_figure
from playground.charts.inside import number_word as word
from playground.charts.palette import DECODER, KEY, VALUE
from playground.lens.inspect.free_attention import FreeAttention, Rules, Words
from playground.text import _
from ui.sections.inside.origins import literal, pairwise, per_key, values_of
from ui.sections.inside.step_layout import FRAME_PIXELS, ROW_PIXELS
from ui.widgets.chart import draw


def show_weighing(words: Words, found: FreeAttention, query: int, rules: Rules) -> None:
    """One query's scores, scaled, masked, exponentials and weights, by key."""
    names = words.words
    largest = float((found.masked[query] / rules.temperature).max())
    total = float(found.exponentials[query].sum())
    steps = {
        _("score q · k"): (found.scores[query], [_sum_of(found.products[query, key]) for key in range(len(names))]),
        _("scaled"): (found.scaled[query], [f"{word(s)} · {word(found.scaling)}" for s in found.scores[query]]),
        _("masked"): (found.masked[query], [_masking(m) for m in found.masked[query]]),
        _("exponential"): (
            found.exponentials[query],
            [f"exp({word(m)} / {word(rules.temperature)} − {word(largest)})" for m in found.masked[query]],
        ),
        _("weight"): (found.weights[query], [f"{word(e)} / {word(total)}" for e in found.exponentials[query]]),
    }
    values = [numbers for numbers, _origins in steps.values()]
    hover = [per_key(names, numbers, origins) for numbers, origins in steps.values()]
    colours = [KEY, KEY, KEY, DECODER, DECODER]
    figure = rows_figure(
        values, list(steps), hover, colours, x=_("key"), columns=names, scaled_by_row=True, shows_numbers=True
    )
    _draw(figure, "hand_weights", len(values), _("From scores to weights"), hand_facts(words, rules, query))


def _sum_of(products: np.ndarray) -> str:
    return " + ".join(word(float(product)) for product in products)


def _masking(masked: float) -> str:
    return _("hidden: a later word") if np.isinf(masked) else _("may be seen")


def show_mixture(words: Words, found: FreeAttention, query: int, rules: Rules) -> None:
    """The values by their weights, and the output below them."""
    weights = np.broadcast_to(found.weights[query][:, None], words.values.shape)
    hover = pairwise(weights, words.values, words.words, "a · v[{place}]")
    hover.append(values_of(_("output"), found.output[query], _("the sum of the column")))
    values = [*found.shares[query], found.output[query]]
    rows = [*words.words, _("output")]
    figure = rows_figure(values, rows, hover, [VALUE] * len(values), x=_("dimension"), shows_numbers=True)
    label = _("Weighted values and the output of the query")
    _draw(figure, "hand_output", len(values), label, hand_facts(words, rules, query))


def show_everybody(words: Words, found: FreeAttention, rules: Rules) -> None:
    """The map of all queries, with their outputs beside it."""
    facts = hand_facts(words, rules)
    left, right = st.columns(2)
    with left:
        st.caption(_("The weights of all words"))
        figure = map_figure(found.weights, words.words, words.words, DECODER)
        _draw(figure, "hand_map", len(words.words) + 2, _("The weights of all words"), facts)
    with right:
        st.caption(_("The output of all words"))
        hover = [values_of(literal(name), row) for name, row in zip(words.words, found.output, strict=True)]
        rows = list(found.output)
        figure = rows_figure(rows, words.words, hover, [VALUE] * len(rows), x=_("dimension"), shows_numbers=True)
        _draw(figure, "hand_outputs", len(words.words) + 2, _("The output of all words"), facts)


def hand_facts(words: Words, rules: Rules, query: int | None = None) -> dict[str, object]:
    """The words with their vectors, the rules and the query, for a picture's files."""
    tables = {name: getattr(words, name).tolist() for name in ("queries", "keys", "values")}
    facts = {"words": " ".join(words.words), **tables, **vars(rules)}
    return facts if query is None else {**facts, "query": query}


def _draw(figure: go.Figure, key: str, rows: int, label: str, facts: dict[str, object]) -> None:
    draw(None, figure, key=key, height=FRAME_PIXELS + ROW_PIXELS * rows, label=label, facts=facts)
