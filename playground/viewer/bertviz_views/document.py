"""BertViz's views of attention maps, each as one HTML document for a browser without a network."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
from jaxtyping import Float

from playground.errors import UserError
from playground.lens.capture.site import SiteKind
from playground.viewer.bertviz_views.offline import offline_document

MapsByKind = Mapping[SiteKind, Float[np.ndarray, "layer head query key"]]

DECIMALS = 4
"""Enough for a weight that BertViz draws as an opacity; it would write every digit of a float."""
VECTOR_DECIMALS = 3


def bertviz_document(
    view: Literal["head", "model"],
    attention: MapsByKind,
    *,
    query_tokens: Sequence[str],
    key_tokens: Sequence[str] | None = None,
    sentence_b_start: int | None = None,
    layers: Sequence[int] | None = None,
    heads: Sequence[int] | None = None,
    dark: bool = False,
) -> str:
    """Draw attention maps with BertViz's head or model view.

    The same arguments give the same text, so that a rerun of the page does not draw again.

    Args:
        view: which of BertViz's views.
        attention: maps of one kind, or of several kinds of an encoder-decoder.
        query_tokens: the decoder's tokens with several kinds and for cross-attention.
        key_tokens: the encoder's tokens, likewise; defaults to query_tokens.
        sentence_b_start: where the second sentence of a pair begins.
        layers: the numbers of the layers in the maps; default: from 0.
        heads: the numbers of the heads in the maps; default: from 0.
        dark: for a dark page.
    """
    from bertviz import head_view, model_view

    arguments = _arguments(attention, list(query_tokens), list(query_tokens if key_tokens is None else key_tokens))
    if sentence_b_start is not None and "attention" in arguments:
        arguments["sentence_b_start"] = sentence_b_start
    shape = next(iter(attention.values())).shape
    numbers: dict[str, Any] = {"include_layers": list(range(shape[0]) if layers is None else layers)}
    if view == "head":
        page = head_view(**arguments, prettify_tokens=False, html_action="return")
        return offline_document(page.data, view, numbers, dark=dark)
    numbers["include_heads"] = list(range(shape[1]) if heads is None else heads)
    page = model_view(**arguments, prettify_tokens=False, html_action="return", display_mode=_mode(dark))
    return offline_document(page.data, view, numbers, dark=dark)


def neuron_document(
    attention: Float[np.ndarray, "layer head token token"],
    queries: Float[np.ndarray, "layer head token width"],
    keys: Float[np.ndarray, "layer head token width"],
    *,
    tokens: Sequence[str],
    causal: bool,
    layers: Sequence[int] | None = None,
    dark: bool = False,
) -> str:
    """Draw queries, keys and attention maps with BertViz's neuron view.

    BertViz expects one of its bundled models, but calls it only for these three arrays per layer: a stand-in returns
    the captured ones, so that any model can be shown with its own numbers.
    """
    from bertviz.neuron_view import show

    captured = zip(_rounded(attention, DECIMALS), *(_rounded(x, VECTOR_DECIMALS) for x in (queries, keys)), strict=True)
    answer = [{"attn": maps, "queries": query, "keys": key} for maps, query, key in captured]
    # For "gpt2" BertViz adds no special tokens; `bidirectional` below decides whether later keys are greyed out.
    model, names = _Captured(answer), _Tokens(list(tokens))
    page = show(model, "gpt2", names, "text", display_mode=_mode(dark), layer=0, head=0, html_action="return")
    changes = {"bidirectional": not causal, "include_layers": list(range(len(answer)) if layers is None else layers)}
    return offline_document(page.data, "neuron", changes, dark=dark)


class _Captured:
    """Stand-in for one of BertViz's models: returns captured attention, queries and keys."""

    def __init__(self, answer: list[dict[str, Any]]) -> None:
        self._answer = answer

    def eval(self) -> None:
        """BertViz calls it; nothing to do."""

    def __call__(self, _ids: Any) -> tuple[list[dict[str, Any]]]:
        return (self._answer,)


class _Tokens:
    """Stand-in for a tokenizer: knows one text's tokens."""

    def __init__(self, tokens: list[str]) -> None:
        self._tokens = tokens

    def tokenize(self, _text: str) -> list[str]:
        """The tokens, whatever the text."""
        return self._tokens

    def convert_tokens_to_ids(self, tokens: list[str]) -> list[int]:
        """Arbitrary ids: the stand-in for the model ignores them."""
        return list(range(len(tokens)))


def _arguments(attention: MapsByKind, queries: list[str], keys: list[str]) -> dict[str, Any]:
    """BertViz's keyword arguments: `attention` alone, or one argument per kind."""
    if len({maps.shape[0] for maps in attention.values()}) > 1:
        raise UserError("BertViz shows several kinds of attention only with as many layers each; choose one kind.")
    if len(attention) == 1 and "cross" not in attention:
        (maps,) = attention.values()
        return {"attention": _rounded(maps, DECIMALS), "tokens": queries}
    named: dict[str, Any] = {f"{kind}_attention": _rounded(maps, DECIMALS) for kind, maps in attention.items()}
    return {**named, "encoder_tokens": keys, "decoder_tokens": queries}


def _rounded(numbers: Float[np.ndarray, "layer head row column"], decimals: int) -> list[Any]:
    """A batch of one for each layer, in float64, whose decimal text is as short as the rounding."""
    import torch

    return list(torch.from_numpy(np.round(numbers.astype(np.float64), decimals))[:, None])


def _mode(dark: bool) -> str:
    return "dark" if dark else "light"
