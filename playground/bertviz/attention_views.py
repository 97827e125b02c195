"""`head_view` and `model_view` of attention tensors, with BertViz's arguments, drawn by our viewer.

Both show every head and one in full: the head view begins with arcs, the model view with a heatmap.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, Literal

from playground.bertviz.given_maps import GivenMaps, given_maps
from playground.errors import UserError
from playground.lens.inspect.attention_view import ViewOptions
from playground.text import _
from playground.viewer.attention_view.heads_page import HEADS_HEIGHT, heads_part
from playground.viewer.attention_view.picture import head_shown_first
from playground.viewer.attention_view.view_state import Drawing, Selected, ViewSettings
from playground.viewer.notebook import NotebookView
from playground.viewer.shared.page import Theme, html_page

HtmlAction = Literal["view", "return"]


def head_view(
    attention: Sequence[Any] | None = None,
    tokens: Sequence[str] | None = None,
    sentence_b_start: int | None = None,
    prettify_tokens: bool = True,
    layer: int | None = None,
    heads: Sequence[int] | None = None,
    encoder_attention: Sequence[Any] | None = None,
    decoder_attention: Sequence[Any] | None = None,
    cross_attention: Sequence[Any] | None = None,
    encoder_tokens: Sequence[str] | None = None,
    decoder_tokens: Sequence[str] | None = None,
    include_layers: Sequence[int] | None = None,
    html_action: HtmlAction = "view",
) -> Any:
    """One head as arcs between its tokens, beside all others.

    layer, heads: opened first; without heads the mean of the layer, of several the first, with the others marked.
    html_action: "view" displays the picture, "return" returns it as IPython's HTML. Raises UserError for arguments
    that do not fit each other.
    """
    subjects = list(
        _subjects(
            attention,
            tokens,
            encoder_attention,
            decoder_attention,
            cross_attention,
            encoder_tokens,
            decoder_tokens,
            include_layers,
            None,
            sentence_b_start,
            prettify_tokens,
        )
    )
    opened = _opened_layer(subjects[0], layer)
    if heads:
        _refuse_missing(subjects, heads)
    first = Selected(layer=opened, head=heads[0]) if heads else Selected(layer=opened, combine="layer mean")
    several = " or ".join(f"head = {head}" for head in heads) if heads and len(heads) > 1 else ""
    marked = f"layer = {opened} and ({several})" if several else ""
    return _shown(subjects, first, "arcs", marked, "auto", html_action, _("Head view"))


def model_view(
    attention: Sequence[Any] | None = None,
    tokens: Sequence[str] | None = None,
    sentence_b_start: int | None = None,
    prettify_tokens: bool = True,
    display_mode: Theme = "dark",
    encoder_attention: Sequence[Any] | None = None,
    decoder_attention: Sequence[Any] | None = None,
    cross_attention: Sequence[Any] | None = None,
    encoder_tokens: Sequence[str] | None = None,
    decoder_tokens: Sequence[str] | None = None,
    include_layers: Sequence[int] | None = None,
    include_heads: Sequence[int] | None = None,
    html_action: HtmlAction = "view",
) -> Any:
    """All heads of all layers, and the most striking one as a heatmap.

    display_mode: "dark" or "light" as in BertViz; "auto" follows the notebook. html_action: "view" displays the
    picture, "return" returns it as IPython's HTML. Raises UserError for arguments that do not fit each other.
    """
    if display_mode not in ("dark", "light", "auto"):
        raise UserError("There is no display mode {mode}; choose dark, light or auto.", mode=display_mode)
    subjects = list(
        _subjects(
            attention,
            tokens,
            encoder_attention,
            decoder_attention,
            cross_attention,
            encoder_tokens,
            decoder_tokens,
            include_layers,
            include_heads,
            sentence_b_start,
            prettify_tokens,
        )
    )
    return _shown(subjects, None, "heatmap", "", display_mode, html_action, _("Model view"))


def _subjects(
    attention: Sequence[Any] | None,
    tokens: Sequence[str] | None,
    encoder: Sequence[Any] | None,
    decoder: Sequence[Any] | None,
    cross: Sequence[Any] | None,
    encoder_tokens: Sequence[str] | None,
    decoder_tokens: Sequence[str] | None,
    layers: Sequence[int] | None,
    heads: Sequence[int] | None,
    pair_start: int | None,
    prettify: bool,
) -> Iterator[GivenMaps]:
    """The maps of each kind that is given, checked."""
    parts = (encoder, decoder, cross, encoder_tokens, decoder_tokens)
    shared: dict[str, Any] = {"layers": layers, "heads": heads, "prettify": prettify}
    if attention is not None:
        if any(part is not None for part in parts):
            raise UserError("Give attention and tokens of a self-attention model, or the parts of an encoder-decoder.")
        texts = _required(tokens, "tokens")
        if pair_start is not None and not 0 < pair_start < len(texts):
            raise UserError(
                "The second sentence begins between two of the tokens: at 1 to {last}.", last=len(texts) - 1
            )
        yield given_maps(attention, texts, texts, pair_start=pair_start, **shared)
        return
    if encoder is decoder is cross is None:
        raise UserError("Give at least one attention.")
    if encoder is not None:
        texts = _required(encoder_tokens, "encoder_tokens")
        yield given_maps(encoder, texts, texts, kind="encoder", **shared)
    if decoder is not None:
        texts = _required(decoder_tokens, "decoder_tokens")
        yield given_maps(decoder, texts, texts, kind="decoder", **shared)
    if cross is not None:
        queries = _required(decoder_tokens, "decoder_tokens")
        yield given_maps(cross, queries, _required(encoder_tokens, "encoder_tokens"), kind="cross", **shared)


def _required(tokens: Sequence[str] | None, name: str) -> Sequence[str]:
    if tokens is None:
        raise UserError("{name} is required: the labels of the rows and columns.", name=name)
    return tokens


def _opened_layer(subject: GivenMaps, layer: int | None) -> int:
    included = subject.block_numbers()
    if layer is not None and layer not in included:
        raise UserError("Layer {layer} is not among the included layers.", layer=layer)
    return included[0] if layer is None else layer


def _refuse_missing(subjects: Sequence[GivenMaps], heads: Sequence[int]) -> None:
    last = len(subjects[0].heads) - 1
    for head in heads:
        if not 0 <= head <= last:
            raise UserError("There is no head {head}; choose 0 to {last}.", head=head, last=last)


def _shown(
    subjects: Sequence[GivenMaps],
    first: Selected | None,
    drawing: Drawing,
    marked: str,
    theme: Theme,
    html_action: HtmlAction,
    title: str,
) -> Any:
    if html_action not in ("view", "return"):
        raise UserError("There is no html_action {action}; choose view or return.", action=html_action)
    settings = ViewSettings(view=drawing, filter=marked)
    parts = [
        heads_part(
            subject,
            ViewOptions(kind=subject.kind),
            first or head_shown_first(subject, subject.kind),
            settings,
            title=title,
            origin={},
            head_numbers=subject.heads,
        )
        for subject in subjects
    ]
    parts = parts if len(parts) > 1 else [replace(parts[0], title="")]
    page = html_page(parts, title=title, theme=theme, heading=False, tabs=len(parts) > 1)
    return delivered(NotebookView(html=page, title=title, height=HEADS_HEIGHT, theme=theme), html_action)


def delivered(view: NotebookView, html_action: HtmlAction) -> Any:
    """Display a view in the notebook, or return it as IPython's HTML, whose `data` can be written into a file."""
    from IPython.display import HTML, display

    page = HTML(view._repr_html_())  # type: ignore[no-untyped-call]
    if html_action == "return":
        return page
    display(page)  # type: ignore[no-untyped-call]
    return None
