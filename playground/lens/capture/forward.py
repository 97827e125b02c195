"""Run a model on a text and capture its attention sites."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from playground.attention import handling
from playground.errors import UserError
from playground.lens.capture.blocks import OtherBlock, find_other_blocks, number_blocks
from playground.lens.capture.recorder import OnLayer, Recorder, recorder_for
from playground.lens.capture.site import Site, SiteKind
from playground.lens.capture.tokens import TOKEN_LIMIT, Token, TooLongError, input_tokens, label
from playground.models.adapters.adapter import greedy_target

if TYPE_CHECKING:
    from playground.models import LoadedModel

__all__ = ["OnLayer", "Pass", "run_pass"]

TARGET_LIMIT = 64


@dataclass(frozen=True, kw_only=True, eq=False)
class Pass:
    """Tokens, sites and logits of one forward pass."""

    source: tuple[Token, ...]
    target: tuple[Token, ...]
    """What the decoder of an encoder-decoder read; empty for other kinds."""
    sites: tuple[Site, ...]
    last_logits: Tensor | None
    """Of the last position, [vocabulary]; None without an output head."""
    arguments: dict[str, Any] = field(default_factory=dict)
    """The module's keyword arguments."""
    other_blocks: tuple[OtherBlock, ...] = ()
    """Blocks without attention, where others of their stack attend."""
    is_source_cut: bool = False
    """Whether the source had more tokens than fit."""
    is_target_cut: bool = False


@torch.inference_mode()
def run_pass(
    model: "LoadedModel",
    text: str,
    target: str | None,
    *,
    pair: str | None,
    truncate: bool,
    on_layer: OnLayer | None,
) -> Pass:
    """Tokenize the text and run the model once, with a recorder at the seam.

    An encoder-decoder without a target writes its own, greedily. Raises UserError for a target or a pair that the kind
    of model does not read, and TooLongError for a text that does not fit unless `truncate`.
    """
    _refuse_mismatch(model, target, pair)
    tokens = input_tokens(model, text, pair)
    source = _fit_context(model, tokens, truncate)
    if not source:
        return Pass(source=(), target=(), sites=(), last_logits=None)
    ids = _ids(model, source)
    decoder_ids = _decoder_ids(model, ids, target, truncate) if model.kind == "encoder-decoder" else None
    kind: SiteKind | None = None if model.kind == "encoder-decoder" else model.kind
    recorder = recorder_for(model.module, kind, on_layer)
    arguments = model.adapter.arguments(
        ids, segments=[token.segment for token in source], target_ids=decoder_ids, last_only=True
    )
    if model.attention == "eager":
        sites, logits = _run_eager(model, arguments)
    else:
        sites, logits = _run_recorded(model, arguments, recorder)
        sites = number_blocks(sites, recorder.paths)
    return Pass(
        source=tuple(source),
        target=() if decoder_ids is None else tuple(label(model.tokenizer, decoder_ids[0].tolist())),
        sites=sites,
        last_logits=logits,
        arguments=arguments,
        other_blocks=find_other_blocks(model.module, recorder.paths),
        is_source_cut=len(source) < len(tokens),
        is_target_cut=_is_target_cut(model, decoder_ids, target),
    )


@torch.inference_mode()
def logits_at(model: "LoadedModel", arguments: dict[str, Any], position: int) -> Tensor:
    """The logits at one position, [vocabulary]. Runs the model again: a trace does not keep those of all positions."""
    all_positions = {name: value for name, value in arguments.items() if name != "logits_to_keep"}
    logits = model.adapter.logits(model.module(**all_positions))
    assert logits is not None
    return logits[0, position].float().cpu()


def _refuse_mismatch(model: "LoadedModel", target: str | None, pair: str | None) -> None:
    if target is not None and model.kind != "encoder-decoder":
        raise UserError("{name} is a {kind}: it reads one text, without a target.", name=model.name, kind=model.kind)
    if pair is not None and model.kind != "encoder":
        raise UserError(
            "{name} is a {kind}; sentence pairs are for encoders such as BERT.", name=model.name, kind=model.kind
        )


def _fit_context(model: "LoadedModel", tokens: list[Token], truncate: bool) -> list[Token]:
    limit = min(model.context, TOKEN_LIMIT)
    if len(tokens) > limit and not truncate:
        raise TooLongError(len(tokens), limit)
    return tokens[:limit]


def _is_target_cut(model: "LoadedModel", decoder_ids: Tensor | None, target: str | None) -> bool:
    return (
        decoder_ids is not None and target is not None and decoder_ids.shape[1] < len(model.adapter.target_ids(target))
    )


def _ids(model: "LoadedModel", tokens: list[Token]) -> Tensor:
    return torch.tensor([[token.id for token in tokens]], device=model.device)


def _run_recorded(
    model: "LoadedModel", arguments: dict[str, Any], recorder: Recorder
) -> tuple[tuple[Site, ...], Tensor | None]:
    with handling(recorder):
        output = model.module(**arguments)
    if not recorder.sites:
        raise UserError(
            "The family {family} does not compute its attention through transformers' attention interface, "
            "so its patterns cannot be shown.",
            family=model.family,
        )
    return tuple(recorder.sites), _last_logits(model, output)


def _run_eager(model: "LoadedModel", arguments: dict[str, Any]) -> tuple[tuple[Site, ...], Tensor | None]:
    """Take the maps that the model itself reports, for families outside the interface."""
    output = model.module(**arguments, output_attentions=True)
    sites = [
        Site(
            kind=kind,
            layer=layer,
            n_heads=maps.shape[1],
            queries=maps.shape[2],
            keys=maps.shape[3],
            maps=maps[0],
        )
        for kind, layers in model.adapter.reported_patterns(output).items()
        for layer, maps in enumerate(layers)
        if maps is not None
    ]
    if not sites:
        raise UserError(
            "The family {family} reports no attention patterns, so there is nothing to show.", family=model.family
        )
    _refuse_other_shapes(model, sites, arguments)
    return tuple(sites), _last_logits(model, output)


def _refuse_other_shapes(model: "LoadedModel", sites: list[Site], arguments: dict[str, Any]) -> None:
    """Raise UserError for families that attend in blocks or to positions other than the tokens."""
    ids_name, target_name = model.adapter.ids_name, model.adapter.target_name
    source = arguments[ids_name].shape[1]
    target = arguments[target_name].shape[1] if target_name in arguments else source
    sizes = {"encoder": (source, source), "decoder": (target, target), "cross": (target, source)}
    for site in sites:
        if (site.queries, site.keys) != sizes[site.kind]:
            raise UserError(
                "The family {family} does not report one weight for each pair of tokens ({queries} by {keys} for "
                "{source} tokens), so its patterns cannot be shown.",
                family=model.family,
                queries=site.queries,
                keys=site.keys,
                source=source,
            )


def _last_logits(model: "LoadedModel", output: Any) -> Tensor | None:
    if not model.has_output_head:
        return None
    logits = model.adapter.logits(output)
    # A copy: a view would keep the logits of every position with it.
    return None if logits is None else logits[0, -1].to("cpu", torch.float32, copy=True)


def _decoder_ids(model: "LoadedModel", ids: Tensor, target: str | None, truncate: bool) -> Tensor:
    """The decoder's input: its start token and the labels without the end (teacher forcing), or its own output.

    Without an output head it writes nothing: a classifier's decoder reads the source, one place later (Lewis et al.
    2020, section 3.1).
    """
    if target is None and not model.has_output_head:
        return torch.cat([torch.full_like(ids[:, :1], model.adapter.start_id()), ids[:, :-1]], dim=1)
    if target is None:
        return greedy_target(model.adapter, ids, longest=min(TARGET_LIMIT, model.context))
    tokens = [Token(id=id, text="") for id in model.adapter.target_ids(target)]
    return _ids(model, _fit_context(model, tokens, truncate))
