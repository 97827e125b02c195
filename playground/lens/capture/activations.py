"""Activations of one pass: each head's z, what every layer writes, the residual stream, the logits."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor

from playground import attention
from playground.attention import AttentionCall, handling
from playground.errors import UserError
from playground.lens.capture.anatomy import AttentionParts, Parts, StackKind, find_parts
from playground.lens.capture.forward import run_pass
from playground.lens.capture.hooks import Recording, record
from playground.lens.capture.site import SiteKind
from playground.lens.capture.tokens import EmptyTextError, Token

if TYPE_CHECKING:
    from playground.models import LoadedModel


@dataclass(frozen=True, kw_only=True, eq=False)
class EncodedText:
    """A text as tokens, and the arguments of a pass that reads it."""

    tokens: tuple[Token, ...]
    """The tokens of the stack that predicts."""
    source: tuple[Token, ...]
    """The encoder's tokens of an encoder-decoder; empty otherwise."""
    arguments: dict[str, Any]

    @property
    def ids(self) -> list[int]:
        """The token ids of the stack that predicts."""
        return [token.id for token in self.tokens]


def encode_text(
    model: "LoadedModel", text: str, target: str | None = None, pair: str | None = None, *, truncate: bool = False
) -> EncodedText:
    """Tokenize once for many passes; pair: a second sentence, for encoders.

    Raises UserError for a text without tokens, or, unless `truncate` cuts it there, for one that does not fit.
    """
    result = run_pass(model, text, target, pair=pair, truncate=truncate, on_layer=None)
    if not result.source:
        raise EmptyTextError()
    # Tensors created under inference_mode cannot take part in a pass that computes gradients.
    arguments = {
        name: value.clone() if isinstance(value, Tensor) else value
        for name, value in result.arguments.items()
        if name != "logits_to_keep"
    }
    return EncodedText(
        tokens=result.target or result.source, source=result.source if result.target else (), arguments=arguments
    )


Part = Literal["head", "attention", "mixer", "feed_forward", "layer", "residual"]


@dataclass(frozen=True, kw_only=True)
class Component:
    """A part of a model that can be measured and replaced."""

    part: Part
    """A head's z, what an attention or feed-forward layer adds, what a block without attention mixes tokens by
    (mixer), everything a block adds (layer), or the stream before a block (residual)."""
    layer: int
    """The number of the block in the model."""
    head: int | None = None
    kind: SiteKind = "decoder"
    """cross: a decoder's cross-attention."""

    def __post_init__(self) -> None:
        if (self.part == "head") != (self.head is not None):
            raise UserError(
                "A head is named by its number, and nothing else is; give a head exactly for the part head."
            )


SiteKey = tuple[SiteKind, int]
"""A kind of attention and the number of a block."""
ModuleCall = tuple[tuple[Any, ...], dict[str, Any]]
"""The arguments and keywords of a module's call."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Activations:
    """Everything that one pass computed, without the batch dimension."""

    encoded: EncodedText
    parts: Parts
    z: dict[SiteKey, Float[Tensor, "head token width"]]
    """Each head's weighted sum of values, before the output projection."""
    projected: dict[SiteKey, Float[Tensor, "head token width"]]
    """What the output projection receives of each head: z, or what a gate or a norm made of it."""
    patterns: dict[SiteKey, Float[Tensor, "head query key"]]
    """Attention weights; empty unless asked for."""
    values: dict[SiteKey, Float[Tensor, "head key width"]]
    """Value vectors, repeated for query heads that share them."""
    attention: dict[SiteKey, Float[Tensor, "token width"]]
    """What each attention layer writes; its block adds `BlockParts.factor` times as much to the residual stream."""
    mixer: dict[SiteKey, Float[Tensor, "token width"]]
    """The same of what stands in the place of attention in the other blocks of a mixed stack."""
    feed_forward: dict[SiteKey, Float[Tensor, "token width"]]
    """What each feed-forward layer writes; its block adds `BlockParts.factor` times as much to the residual stream."""
    residual: dict[SiteKey, Float[Tensor, "token width"]]
    """The residual stream before each block (resid_pre)."""
    after: dict[SiteKey, Float[Tensor, "token width"]]
    """The residual stream after each block (resid_post)."""
    logits: Float[Tensor, "token vocabulary"] | None
    """None without an output head."""
    block_calls: dict[int, ModuleCall]
    """How each block of the predicting stack was called, to run it again."""

    @property
    def final(self) -> Float[Tensor, "token width"]:
        """The residual stream after the last block."""
        return self.after[self.parts.kind, self.parts.stack[-1].layer]

    def middle(self, kind: StackKind, layer: int) -> Float[Tensor, "token width"]:
        """The residual stream between a block's attention and its feed-forward layer (resid_mid).

        Raises UserError where the block's stream is no sum.
        """
        if not self.parts.block(kind, layer).is_additive:
            raise UserError(
                "No sum of what the attention and feed-forward layers write gives the residual stream of this model."
            )
        factor = self.parts.block(kind, layer).factor
        crossed = self.attention.get(("cross", layer)) if kind == "decoder" else None
        mixed = self.attention if (kind, layer) in self.attention else self.mixer
        middle = self.residual[kind, layer] + factor * mixed[kind, layer]
        return middle if crossed is None else middle + factor * crossed

    def predicted(self) -> Float[Tensor, "token vocabulary"]:
        """The logits. Raises UserError for a model without an output head."""
        if self.logits is None:
            raise UserError("This model has no output head, so that there is no prediction to measure.")
        return self.logits

    def check_prediction(self, position: int, *tokens: int) -> None:
        """Raise UserError for a position that the text, or tokens that the vocabulary does not have."""
        length, vocabulary = self.predicted().shape
        if not -length <= position < length or not all(0 <= token < vocabulary for token in tokens):
            raise UserError(
                "Choose a position from {first} to {last} and tokens from 0 to {last_token}.",
                first=-length,
                last=length - 1,
                last_token=vocabulary - 1,
            )

    def heads(self, kind: SiteKind | None = None) -> list[Component]:
        """Every head of a kind of attention, by layer; by default of the stack that predicts."""
        kind = kind or self.parts.kind
        layers = sorted(layer for site_kind, layer in self.z if site_kind == kind)
        if not layers:
            raise UserError("This model has no {kind} attention.", kind=kind)
        return [
            Component(part="head", layer=layer, head=head, kind=kind)
            for layer in layers
            for head in range(self.z[kind, layer].shape[0])
        ]

    def of(self, component: Component) -> Float[Tensor, "token width"]:
        """A component's activation. Raises UserError for one that the model does not have."""
        key = (component.kind, component.layer)
        if component.part == "head":
            if key not in self.z or not 0 <= (component.head or 0) < len(self.z[key]):
                raise UserError(
                    "There is no {kind} head {layer}.{head} in this model.",
                    kind=component.kind,
                    layer=component.layer,
                    head=component.head,
                )
            return self.z[key][component.head]
        self.parts.block(component.kind, component.layer)
        if component.part == "layer":
            return self.after[key] - self.residual[key]
        if component.part == "residual":
            return self.residual[key]
        written = {"attention": self.attention, "mixer": self.mixer, "feed_forward": self.feed_forward}
        outputs = written[component.part]
        if key not in outputs:
            raise UserError("This model has no {part} layer there.", part=component.part.replace("_", "-"))
        return outputs[key]


def capture(model: "LoadedModel", encoded: EncodedText, *, patterns: bool = False) -> Activations:
    """Run the model once on a text and keep every activation; patterns: the attention weights too."""
    arguments = {name: value for name, value in encoded.arguments.items() if name != "logits_to_keep"}
    return capture_run(model, lambda: logits_of(model, model.module(**arguments)), encoded, patterns=patterns)


def capture_arguments(model: "LoadedModel", arguments: dict[str, Any], *, patterns: bool = False) -> Activations:
    """The same of a pass with these arguments."""
    return capture(model, EncodedText(tokens=(), source=(), arguments=arguments), patterns=patterns)


@torch.inference_mode()
def capture_run(
    model: "LoadedModel", run: Callable[[], Tensor | None], encoded: EncodedText, *, patterns: bool = False
) -> Activations:
    """Keep every activation of a pass that `run` makes through the model's blocks; it returns logits, or None.

    Raises UserError where the pass leaves out some of the blocks.
    """
    parts = find_parts(model)
    blocks = [block.module for block in parts.blocks]
    written = [*(writer for block in parts.blocks for writer in block.writers), *blocks]
    indirect = {key: layer.projection for key, layer in attention_layers(parts) if not layer.is_direct}
    seam = _SeamRecorder(parts, keeps_patterns=patterns)
    with (
        record(
            inputs=[*blocks, *indirect.values()],
            outputs=written,
            calls=[block.module for block in parts.stack],
            keep=_token_rows,
        ) as recording,
        handling(seam),
    ):
        logits = run()
    if len(recording.outputs) < len(set(written)):
        raise UserError("Only some of the blocks of {name} take part here, which cannot be shown.", name=model.name)
    return Activations(
        encoded=encoded,
        parts=parts,
        z=seam.z,
        projected=seam.z | {key: _by_head(recording.inputs[module], seam.z[key]) for key, module in indirect.items()},
        patterns=seam.patterns,
        values=seam.values,
        logits=None if logits is None else logits[0],
        block_calls={block.layer: recording.calls[block.module] for block in parts.stack},
        **_streams(parts, recording),
    )


def _token_rows(tensor: Tensor) -> Float[Tensor, "token width"]:
    return tensor.detach().reshape(-1, tensor.shape[-1])


def _by_head(received: Float[Tensor, "token _"], z: Float[Tensor, "head token width"]) -> Tensor:
    """[token, head · width] as [head, token, width]."""
    return received.reshape(z.shape[1], z.shape[0], z.shape[2]).transpose(0, 1)


def _streams(parts: Parts, recording: Recording) -> dict[str, dict[SiteKey, Tensor]]:
    """The recorded tensors by the names of the fields that hold them."""
    outputs = {item.module: item.output for item in recording.outputs}
    blocks = {(block.kind, block.layer): block for block in parts.blocks}
    return {
        "attention": {key: outputs[layer.writer] for key, layer in attention_layers(parts)},
        "mixer": {key: outputs[block.mixer] for key, block in blocks.items() if block.mixer is not None},
        "feed_forward": {
            key: outputs[block.feed_forward] for key, block in blocks.items() if block.feed_forward is not None
        },
        "residual": {key: recording.inputs[block.module] for key, block in blocks.items()},
        "after": {key: outputs[block.module] for key, block in blocks.items()},
    }


def logits_of(model: "LoadedModel", output: Any) -> Tensor | None:
    """The logits in what a model returned; None without an output head."""
    if not model.has_output_head:
        return None
    return model.adapter.logits(output)


def predicted_ids(model: "LoadedModel", encoded: EncodedText) -> tuple[Int[Tensor, "_"], slice]:
    """The ids that the logits should predict, and which rows predict them: a decoder's next, an encoder's own."""
    ids = torch.tensor(encoded.ids, device=model.device)
    if model.kind == "encoder":
        return ids, slice(None)
    return ids[1:], slice(None, -1)


def attention_layers(parts: Parts) -> Iterator[tuple[SiteKey, AttentionParts]]:
    """All attention layers with their keys, cross-attention after its block's own."""
    for block in parts.blocks:
        if block.attention is not None:
            yield (block.kind, block.layer), block.attention
        if block.cross is not None:
            yield ("cross", block.layer), block.cross


class _SeamRecorder:
    """An attention handler that computes each call as usual and keeps z, the values and, if asked, the pattern."""

    def __init__(self, parts: Parts, *, keeps_patterns: bool) -> None:
        self._keys = {id(layer.module): key for key, layer in attention_layers(parts)}
        self._keeps_patterns = keeps_patterns
        self.z: dict[SiteKey, Tensor] = {}
        self.values: dict[SiteKey, Tensor] = {}
        self.patterns: dict[SiteKey, Tensor] = {}

    def __call__(self, call: AttentionCall) -> Tensor:
        z = attention.z(call)
        key = self._keys[id(call.module)]
        self.z[key] = z[0]
        self.values[key] = call.value[0].repeat_interleave(call.queries_per_key_value_head, dim=0)
        if self._keeps_patterns:
            self.patterns[key] = attention.pattern(call)[0]
        return z
