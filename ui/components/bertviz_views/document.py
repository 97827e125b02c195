"""BertViz's own views of attention maps, each as one HTML document for a browser without a network."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
from jaxtyping import Float

from playground.errors import UserError
from playground.lens.capture.site import SiteKind
from ui.components.bertviz_views.offline import offline_document

Maps = Mapping[SiteKind, Float[np.ndarray, "layer head query key"]]

DECIMALS = 4
"""BertViz draws a weight as an opacity, and would write every digit of a float."""
VECTOR_DECIMALS = 3


def bertviz_document(
    view: Literal["head", "model"],
    attention: Maps,
    *,
    query_tokens: Sequence[str],
    key_tokens: Sequence[str] | None = None,
    sentence_b_start: int | None = None,
    layers: Sequence[int] | None = None,
    heads: Sequence[int] | None = None,
    dark: bool = False,
) -> str:
    """Draw attention maps with BertViz's head or model view.

    attention: the maps of one kind, or of several kinds of an encoder-decoder; then, and for cross-attention,
    query_tokens are the decoder's and key_tokens the encoder's. layers and heads are the numbers of those that
    the maps hold (default: from 0). sentence_b_start: where the second sentence of a pair begins. The same
    arguments give the same text, so that a page which runs again does not draw again.
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

    It expects one of its own bundled models, but asks it only for these three per layer: what was captured
    answers in its place, so that any model can be shown, and its own numbers are.
    """
    from bertviz.neuron_view import show

    captured = zip(_rounded(attention, DECIMALS), *(_rounded(x, VECTOR_DECIMALS) for x in (queries, keys)), strict=True)
    answer = [{"attn": maps, "queries": query, "keys": key} for maps, query, key in captured]
    # As "gpt2" BertViz adds no special tokens of its own; whether later keys are greyed out is said below.
    model, names = _Captured(answer), _Tokens(list(tokens))
    page = show(model, "gpt2", names, "text", display_mode=_mode(dark), layer=0, head=0, html_action="return")
    changes = {"bidirectional": not causal, "include_layers": list(range(len(answer)) if layers is None else layers)}
    return offline_document(page.data, "neuron", changes, dark=dark)


class _Captured:
    """Stands where BertViz expects one of its models: answers with what was captured."""

    def __init__(self, answer: list[dict[str, Any]]) -> None:
        self._answer = answer

    def eval(self) -> None:
        """Nothing was left in training mode."""

    def __call__(self, _ids: Any) -> tuple[list[dict[str, Any]]]:
        return (self._answer,)


class _Tokens:
    """Stands where BertViz expects a tokenizer: knows one text's tokens."""

    def __init__(self, tokens: list[str]) -> None:
        self._tokens = tokens

    def tokenize(self, _text: str) -> list[str]:
        """The tokens as they are to be shown."""
        return self._tokens

    def convert_tokens_to_ids(self, tokens: list[str]) -> list[int]:
        """Any ids: nobody looks at them."""
        return list(range(len(tokens)))


def _arguments(attention: Maps, queries: list[str], keys: list[str]) -> dict[str, Any]:
    """What BertViz calls these maps and tokens: `attention` alone, or one argument per kind."""
    if len({maps.shape[0] for maps in attention.values()}) > 1:
        raise UserError("BertViz shows several kinds of attention only with as many layers each; choose one kind.")
    if len(attention) == 1 and "cross" not in attention:
        (maps,) = attention.values()
        return {"attention": _rounded(maps, DECIMALS), "tokens": queries}
    named: dict[str, Any] = {f"{kind}_attention": _rounded(maps, DECIMALS) for kind, maps in attention.items()}
    return {**named, "encoder_tokens": keys, "decoder_tokens": queries}


def _rounded(numbers: Float[np.ndarray, "layer head row column"], decimals: int) -> list[Any]:
    """A batch of one for each layer. Float64, which BertViz writes as short as it was rounded."""
    import torch

    return list(torch.from_numpy(np.round(numbers.astype(np.float64), decimals))[:, None])


def _mode(dark: bool) -> str:
    return "dark" if dark else "light"
