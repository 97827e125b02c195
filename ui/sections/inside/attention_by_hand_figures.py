"""Every number of the toy example, drawn."""

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from playground.charts.heatmap import tinted_map_figure
from playground.charts.inside import HoverText, rows_figure, short_number
from playground.charts.layout import token_label
from playground.charts.palette import DECODER, KEY, VALUE
from playground.lens.inspect.free_attention import FreeAttention, Rules, Words
from playground.text import _, subtracted
from ui.sections.inside.step_layout import FRAME_PIXELS, ROW_PIXELS
from ui.widgets.chart import draw


def numbered_words(words: Words) -> list[str]:
    """The words behind their positions, as tokens are named on every page."""
    return [f"{index} {word}" for index, word in enumerate(words.words)]


def show_weights(words: Words, numbers: FreeAttention, query: int, rules: Rules) -> None:
    """One query's scores, scaled, masked, exponentials and weights, by key."""
    largest = float((numbers.masked[query] / rules.temperature).max())
    total = float(numbers.exponentials[query].sum())
    sums = [" + ".join(map(short_number, products)) for products in numbers.products[query]]
    scaled = [f"{short_number(score)} · {short_number(numbers.scaling)}" for score in numbers.scores[query]]
    masked = [_("masked: a later word") if np.isinf(m) else _("visible") for m in numbers.masked[query]]
    exponents = [
        f"exp({short_number(m)} / {short_number(rules.temperature)} {subtracted(largest, 3)})"
        for m in numbers.masked[query]
    ]
    quotients = [f"{short_number(e)} / {short_number(total)}" for e in numbers.exponentials[query]]
    steps = {
        _("score q · k"): (numbers.scores[query], sums),
        _("scaled"): (numbers.scaled[query], scaled),
        _("masked"): (numbers.masked[query], masked),
        _("exponential"): (numbers.exponentials[query], exponents),
        _("weight"): (numbers.weights[query], quotients),
    }
    values = [row for row, _origins in steps.values()]
    hover = [by_key(words, row, origins) for row, origins in steps.values()]
    colours = [KEY, KEY, KEY, DECODER, DECODER]
    figure = rows_figure(
        values,
        list(steps),
        hover,
        colours,
        x=_("key"),
        columns=numbered_words(words),
        scaled_by_row=True,
        shows_numbers=True,
    )
    _draw_toy(figure, "hand_weights", len(values), _("From scores to weights"), toy_details(words, rules, query))


def by_key(words: Words, values: np.ndarray, origins: list[str]) -> list[str]:
    """The hover text of one number for each key: the number, and where it came from."""
    return [
        f"{token_label(name)}: {short_number(value)}<br>= {origin}"
        for name, value, origin in zip(numbered_words(words), values, origins, strict=True)
    ]


def show_output(words: Words, numbers: FreeAttention, query: int, rules: Rules) -> None:
    """The values times their weights, and their sum below them."""
    hover = [
        HoverText(
            template="a · v[{column}] = {0} · {1} = {value}",
            numbers=np.stack([np.full_like(value, weight), value], axis=1),
            token=word,
        )
        for word, weight, value in zip(numbered_words(words), numbers.weights[query], words.values, strict=True)
    ]
    output = numbers.output[query]
    hover.append(_values_text(_("output"), output, _("the sum of the column")))
    values, labels = [*numbers.shares[query], output], [*numbered_words(words), _("output")]
    figure = rows_figure(values, labels, hover, [VALUE] * len(values), x=_("dimension"), shows_numbers=True)
    label = _("Weighted values and output of the query")
    _draw_toy(figure, "hand_output", len(values), label, toy_details(words, rules, query))


def show_all_queries(words: Words, numbers: FreeAttention, rules: Rules) -> None:
    """The map of all queries, with their outputs beside it."""
    details, names = toy_details(words, rules), numbered_words(words)
    left, right = st.columns(2)
    with left:
        label = _("Attention weights of all words")
        st.caption(label)
        figure = tinted_map_figure(
            numbers.weights,
            DECODER,
            x=_("key"),
            y=_("query"),
            rows=numbered_words(words),
            columns=numbered_words(words),
        )
        _draw_toy(figure, "hand_map", len(words.words) + 2, label, details)
    with right:
        label = _("Output of all words")
        st.caption(label)
        outputs = list(numbers.output)
        hover = [_values_text(word, output) for word, output in zip(names, outputs, strict=True)]
        colours = [VALUE] * len(outputs)
        figure = rows_figure(outputs, names, hover, colours, x=_("dimension"), shows_numbers=True)
        _draw_toy(figure, "hand_outputs", len(words.words) + 2, label, details)


def _values_text(token: str, values: np.ndarray, note: str = "") -> HoverText:
    template = "[{column}] = {value}" + (f"<br>{note}" if note else "")
    return HoverText(template=template, numbers=np.zeros((len(values), 0)), token=token)


def toy_details(words: Words, rules: Rules, query: int | None = None) -> dict[str, object]:
    """The words with their vectors, the rules and the query, for an exported picture."""
    tables = {name: getattr(words, name).tolist() for name in ("queries", "keys", "values")}
    details = {"words": " ".join(words.words), **tables, **vars(rules)}
    return details if query is None else {**details, "query": query}


def _draw_toy(figure: go.Figure, key: str, height: int, label: str, details: dict[str, object]) -> None:
    draw(None, figure, key=key, height=FRAME_PIXELS + ROW_PIXELS * height, label=label, details=details)
