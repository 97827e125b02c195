"""What makes a score: the products of a query's and each key's numbers, by dimension (BertViz's neuron view)."""

import numpy as np

from playground.charts.apart import map_figure
from playground.lens.site import SiteKind
from playground.lens.steps import Steps
from ui.controls.apart.choose import Subject, choose_position
from ui.controls.apart.shown import numbered, show_figure, table_rows
from ui.controls.take_home import offer_snippet, traced
from ui.controls.words import choose_word
from ui.controls.work import ask
from ui.text import _

NATURAL = "natural"


def show_products(subject: Subject, kind: SiteKind, layer: int, head: int) -> None:
    """Choose a query; see every key's products, whose sum is the score before the mask."""
    trace = subject.reading.trace
    query = choose_position("look_query", _("Query"), trace.query_tokens(kind))
    order = choose_word("look_order", _("Dimensions"), {"largest": _("largest first"), NATURAL: _("as they are")})

    def compute() -> Steps:
        return trace.steps(layer, head, query, kind)

    steps = ask(subject.reading, ("steps", kind, layer, head, query), _("Multiplying …"), lambda _on_run: compute())
    if steps is None:
        return
    products = steps.query * steps.keys * steps.scaling
    shown = np.arange(products.shape[1])
    if order != NATURAL:
        shown = np.argsort(-np.abs(products).sum(0), kind="stable")
    keys, dimensions = numbered(trace.key_tokens(kind)), [str(dimension) for dimension in shown]
    values = products[:, shown]
    figure = map_figure(
        values, rows=keys, columns=dimensions, y=_("key"), x=_("dimension"), meaning=_("scaled product of q and k")
    )
    rows = table_rows("key", keys, dimensions, values)
    show_figure(
        subject,
        figure,
        rows,
        name=f"products-{kind}-{layer}-{head}-{query}",
        label=_("The products of the query and each key, by dimension"),
        facts={"attention": kind, "layer": layer, "head": head, "query": query},
    )
    line = f"steps = traced.steps({layer}, {head}, {query}, {kind!r})"
    product = "print(steps.query * steps.keys * steps.scaling)"
    offer_snippet(subject.model, [], [traced(subject.texts), line, product])
