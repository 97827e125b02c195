"""Pictures for notebooks: the last value of a cell shows itself, and `save` writes it as an HTML file.

show.heads(traced)                    # every head, one in full; `traced` alone does the same
show.neurons(traced, layer=3)         # the neurons that add most at a token, and what they promote
show.surprisal(traced)                # the text coloured by what surprises the model
show.compare(traced, other)           # left minus right, and both
show.film("runs/mine")                # the probe's heads over a training
"""

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

from playground.errors import UserError
from playground.lens.capture.site import SiteKind
from playground.lens.inspect.attention_view import ViewOptions
from playground.provenance import provenance
from playground.text import _
from playground.viewer.attention_view.heads_page import DIFFERENCE_HEIGHT, HEADS_HEIGHT, difference_part, heads_part
from playground.viewer.attention_view.picture import head_shown_first
from playground.viewer.attention_view.view_state import Combine, Drawing, Selected, Units, ViewSettings
from playground.viewer.notebook import NotebookView
from playground.viewer.shared.page import Theme, html_page
from playground.viewer.token_view.placed import TOKENS_HEIGHT, placed_tokens

if TYPE_CHECKING:
    from playground.lens.trace import Trace
    from playground.training.run.runs import Run

FILM_HEIGHT = 760


def heads(
    traced: "Trace",
    *,
    kind: SiteKind | None = None,
    layer: int | None = None,
    head: int | None = None,
    combine: Combine = "head",
    drawing: Drawing = "heatmap",
    units: Units = "tokens",
    exclude_first: bool = False,
    hide_special: bool = False,
    theme: Theme = "auto",
    height: int = HEADS_HEIGHT,
) -> NotebookView:
    """Every head as a thumbnail, one in full, and all scores; of an encoder-decoder each kind of attention on a tab.

    layer, head: which is open; by default the most striking one. Raises UserError for one that is not there, or a
    text without tokens.
    """
    kinds = [kind] if kind is not None else [*reversed(traced.kinds)]
    if not traced.sites:
        raise UserError("There is no attention to show: the text has no tokens.")
    settings = ViewSettings(view=drawing, units=units)
    parts = []
    for one in kinds:
        options = ViewOptions(kind=one, hide_special=hide_special, exclude_first=exclude_first)
        selected = _selected(traced, one, layer, head, combine)
        parts.append(
            heads_part(traced, options, selected, settings, title=traced.model.name, origin=provenance(traced.model))
        )
    parts = parts if len(parts) > 1 else [dataclasses.replace(parts[0], title="")]
    page = html_page(
        parts, title=traced.model.name, provenance=_origin(traced), theme=theme, heading=False, tabs=len(parts) > 1
    )
    return NotebookView(
        html=page, title=_("Attention of {name}").format(name=traced.model.name), height=height, theme=theme
    )


def _selected(traced: "Trace", kind: SiteKind, layer: int | None, head: int | None, combine: Combine) -> Selected:
    """The head to open, checked; the most striking one of the model where neither is given."""
    if layer is None and head is None:
        return dataclasses.replace(head_shown_first(traced, kind), combine=combine)
    chosen = Selected(layer=layer or 0, head=head or 0, combine=combine)
    site = traced.site(chosen.layer, kind)
    if not 0 <= chosen.head < site.n_heads:
        raise UserError(
            "Layer {layer} has no head {head}; choose 0 to {last}.",
            layer=chosen.layer,
            head=chosen.head,
            last=site.n_heads - 1,
        )
    return chosen


def _origin(traced: "Trace") -> list[str]:
    return [f"{name}: {value}" for name, value in provenance(traced.model).items()]


def neurons(
    traced: "Trace", *, layer: int = 0, position: int = -1, count: int = 20, theme: Theme = "auto", height: int = 0
) -> NotebookView:
    """The neurons of a feed-forward layer that add most at a token, with the tokens that they promote.

    Raises UserError for a layer or token that is not there, or a family that cannot be told.
    """
    from playground.viewer.token_view.neuron_items import MOST_COUNT, neuron_items

    if not 1 <= count <= MOST_COUNT:
        raise UserError("{count} neurons cannot be listed; choose 1 to {most}.", count=count, most=MOST_COUNT)
    items = neuron_items(traced, layer, position, count)
    token = traced.query_tokens()[position].text
    label = _("Layer {layer}: the neurons that add most at “{token}”").format(layer=layer, token=token)
    part = placed_tokens(items, layout="sentences", label=label, provenance=_origin(traced), title=label)
    page = html_page([part], title=label, provenance=_origin(traced), theme=theme, heading=False)
    return NotebookView(html=page, title=label, height=height or min(720, 150 + 36 * len(items)), theme=theme)


def surprisal(
    traced: "Trace",
    *,
    colour_by: str = "surprisal",
    bits: bool = False,
    theme: Theme = "auto",
    height: int = TOKENS_HEIGHT,
) -> NotebookView:
    """The text coloured by surprisal, probability or entropy; of an encoder-decoder its target. Runs the model again.

    Point at a token for its numbers. Raises UserError for a model without an output head.
    """
    from playground.lens.generate.surprisal import text_surprisal
    from playground.viewer.token_view.surprisal_items import surprisal_items

    titles = {"surprisal": _("Surprisal"), "probability": _("Probability"), "entropy": _("Entropy")}
    if colour_by not in titles:
        raise UserError("Colour by one of {names}.", names=", ".join(titles))
    scores = text_surprisal(traced.model, traced.text, target=traced.target_text)
    label = _("The text, coloured by {measure}").format(measure=titles[colour_by])
    template = _("perplexity {perplexity:,.3f}, {bits:,.3f} bits per byte")
    if scores.bits_per_byte is None:
        template = _("perplexity {perplexity:,.3f}")
    summary = template.format(perplexity=scores.perplexity, bits=scores.bits_per_byte)
    items = surprisal_items(scores, colour_by, in_bits=bits)
    part = placed_tokens(items, layout="text", label=label, provenance=_origin(traced), title=f"{label}: {summary}")
    page = html_page([part], title=label, provenance=_origin(traced), theme=theme, heading=False)
    return NotebookView(html=page, title=label, height=height, theme=theme)


def compare(
    left: "Trace",
    right: "Trace",
    *,
    kind: SiteKind | None = None,
    layer: int | None = None,
    head: int | None = None,
    exclude_first: bool = False,
    theme: Theme = "auto",
    height: int = DIFFERENCE_HEIGHT,
) -> NotebookView:
    """Left minus right of one head, by tokens or words, and below it both sides with all their heads.

    Raises UserError for a head that a side does not have, or a text without tokens.
    """
    if not (left.sites and right.sites):
        raise UserError("There is no attention to show: the text has no tokens.")
    options = ViewOptions(kind=kind or left.kinds[-1], exclude_first=exclude_first)
    chosen = _selected(left, options.kind, layer, head, "head")
    parts = difference_part(left, right, options, chosen)
    title = _("{left} − {right}").format(left=left.model.name, right=right.model.name)
    page = html_page(parts, title=title, provenance=_origin(left), theme=theme, heading=False)
    return NotebookView(html=page, title=title, height=height, theme=theme)


def film(run: "Run | str | Path", *, theme: Theme = "auto", height: int = FILM_HEIGHT) -> NotebookView:
    """The heads on the run's probe over its training, with the curves of their scores. run: a run, or its folder.

    Raises UserError for a folder that holds no run, or a run without a frame.
    """
    from playground.viewer.film_view.placed import placed_film

    part, title, origin = placed_film(run)
    page = html_page([part], title=title, provenance=origin, theme=theme, heading=False)
    return NotebookView(html=page, title=title, height=height, theme=theme)
