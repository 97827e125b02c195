"""The forward pass of each kind of model, from text to captured sites."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from playground.attention import handling
from playground.errors import UserError
from playground.lens.capture import own_inputs as own
from playground.lens.capture.recorder import OnLayer, Recorder, recorder_for
from playground.lens.capture.site import Site, SiteKind
from playground.lens.capture.tokens import TOKEN_LIMIT, Token, TooLongError, encode, encode_target, label

if TYPE_CHECKING:
    from playground.models import LoadedModel

__all__ = ["OnLayer", "Pass", "run_pass"]

TARGET_LIMIT = 64


@dataclass(frozen=True, kw_only=True, eq=False)
class Pass:
    """What one forward pass left: tokens, sites, and the last position's logits where there is a head."""

    source: tuple[Token, ...]
    target: tuple[Token, ...]
    sites: tuple[Site, ...]
    last_logits: Tensor | None
    arguments: dict[str, Any] = field(default_factory=dict)


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
    """Tokenize, run the model once with a recorder at the seam, and return what it saw."""
    _refuse_mismatch(model, target, pair)
    source = _fit(model, encode(model.tokenizer, text, pair), truncate)
    if not source:
        return Pass(source=(), target=(), sites=(), last_logits=None)
    ids = _ids(model, source)
    decoder_ids = _decoder_ids(model, ids, target, truncate) if model.kind == "encoder-decoder" else None
    whole: SiteKind | None = None if model.kind == "encoder-decoder" else model.kind
    recorder = recorder_for(model.module, whole, on_layer)
    arguments = _arguments(model, ids, source, decoder_ids)
    if model.attention == "eager":
        sites, logits = _run_eager(model, arguments)
    else:
        sites, logits = _run_recorded(model, arguments, recorder)
    return Pass(
        source=tuple(source),
        target=() if decoder_ids is None else tuple(label(model.tokenizer, decoder_ids[0].tolist())),
        sites=sites,
        last_logits=logits,
        arguments=arguments,
    )


@torch.inference_mode()
def logits_at(model: "LoadedModel", arguments: dict[str, Any], position: int) -> Tensor:
    """The logits at one position, by running the model again: all positions' would not fit beside a trace."""
    whole = {name: value for name, value in arguments.items() if name != "logits_to_keep"}
    output = model.module(**whole)
    logits = output if isinstance(output, Tensor) else output.logits
    return logits[0, position].float().cpu()


def _refuse_mismatch(model: "LoadedModel", target: str | None, pair: str | None) -> None:
    if target is not None and model.kind != "encoder-decoder":
        raise UserError("{name} is a {kind}: it reads one text, without a target.", name=model.name, kind=model.kind)
    if pair is not None and model.kind != "encoder":
        raise UserError(
            "{name} is a {kind}; sentence pairs are for encoders such as BERT.", name=model.name, kind=model.kind
        )


def _fit(model: "LoadedModel", tokens: list[Token], truncate: bool) -> list[Token]:
    limit = min(model.context, TOKEN_LIMIT)
    if len(tokens) > limit and not truncate:
        raise TooLongError(len(tokens), limit)
    return tokens[:limit]


def _ids(model: "LoadedModel", tokens: list[Token]) -> Tensor:
    return torch.tensor([[token.id for token in tokens]], device=model.device)


def _arguments(model: "LoadedModel", ids: Tensor, source: list[Token], decoder_ids: Tensor | None) -> dict[str, Any]:
    """The keyword arguments of one forward pass."""
    if model.family == "playground":
        return own.arguments(model, ids, source, decoder_ids)
    arguments: dict[str, Any] = {"input_ids": ids, "use_cache": False}
    parameters = forward_parameters(model.module)
    if "token_type_ids" in parameters and any(token.segment for token in source):
        segments = [[token.segment for token in source]]
        limit = getattr(model.module.config, "type_vocab_size", 2) - 1
        arguments["token_type_ids"] = torch.tensor(segments, device=model.device).clamp(max=max(0, limit))
    if decoder_ids is not None:
        arguments["decoder_input_ids"] = decoder_ids
    if "logits_to_keep" in parameters:
        arguments["logits_to_keep"] = 1
    if "use_cache" not in parameters:
        del arguments["use_cache"]
    return arguments


def forward_parameters(module: torch.nn.Module) -> set[str]:
    """The names of a model's forward arguments."""
    import inspect

    return set(inspect.signature(type(module).forward).parameters)


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
    """Take the maps that the model reports itself, for families outside the interface."""
    output = model.module(**arguments, output_attentions=True)
    reported: dict[SiteKind, Any] = {
        "encoder": getattr(output, "encoder_attentions", None),
        "decoder": getattr(output, "decoder_attentions", None),
        "cross": getattr(output, "cross_attentions", None),
    }
    if model.kind != "encoder-decoder":
        reported = {model.kind: getattr(output, "attentions", None)}
    sites = [
        Site(
            kind=kind,
            layer=layer,
            n_heads=maps.shape[1],
            queries=maps.shape[2],
            keys=maps.shape[3],
            maps=maps[0],
        )
        for kind, layers in reported.items()
        for layer, maps in enumerate(layers or ())
        if maps is not None
    ]
    if not sites:
        raise UserError(
            "The family {family} reports no attention patterns, so there is nothing to show.", family=model.family
        )
    _refuse_other_shapes(model, sites, arguments)
    return tuple(sites), _last_logits(model, output)


def _refuse_other_shapes(model: "LoadedModel", sites: list[Site], arguments: dict[str, Any]) -> None:
    """Some families attend in blocks or to other positions than the tokens; such maps would be shown wrong."""
    source = arguments["input_ids"].shape[1]
    target = arguments["decoder_input_ids"].shape[1] if "decoder_input_ids" in arguments else source
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
    logits = output if isinstance(output, Tensor) else getattr(output, "logits", None)
    return None if logits is None else logits[0, -1].float().cpu()


def _decoder_ids(model: "LoadedModel", ids: Tensor, target: str | None, truncate: bool) -> Tensor:
    """What the decoder reads: its start token and the labels but for the last (teacher forcing), or its own output."""
    if target is None:
        most = min(TARGET_LIMIT, model.context)
        return own.write(model, ids, most) if model.family == "playground" else _generate(model, ids, most)
    read = own.target_ids(model, target) if model.family == "playground" else _target_ids(model, target)
    tokens = [Token(id=id, text="") for id in read]
    return _ids(model, _fit(model, tokens, truncate))


def _target_ids(model: "LoadedModel", target: str) -> list[int]:
    """The decoder's start token and the target's labels but for the last, if that is an end token."""
    labels = encode_target(model.tokenizer, target)
    if labels and labels[-1] in _end_ids(model.module.config):
        labels = labels[:-1]
    return [_decoder_start(model.module.config), *labels]


def _decoder_start(config: Any) -> int:
    """The token a decoder begins with, by the first name of it that the configuration knows."""
    names = ("decoder_start_token_id", "bos_token_id", "pad_token_id")
    found = (getattr(config, name, None) for name in names)
    return next((int(token) for token in found if token is not None), 0)


def _end_ids(config: Any) -> set[int | None]:
    """The tokens that end a text."""
    end = getattr(config, "eos_token_id", None)
    return set(end) if isinstance(end, list) else {end}


def _generate(model: "LoadedModel", ids: Tensor, most: int) -> Tensor:
    """Greedy decoding, at most `most` tokens; the end token is not read again."""
    module: Any = model.module
    start = _decoder_start(module.config)
    ends = _end_ids(module.config)
    encoded = module.get_encoder()(input_ids=ids)
    decoder_ids = torch.tensor([[start]], device=ids.device)
    for _ in range(most - 1):
        output = module(encoder_outputs=encoded, decoder_input_ids=decoder_ids, use_cache=False)
        if getattr(output, "logits", None) is None or int(output.logits[0, -1].argmax()) in ends:
            break
        decoder_ids = torch.cat([decoder_ids, output.logits[:, -1:].argmax(-1)], dim=1)
    return decoder_ids
