"""What one pass left at every part: the heads' z, what each layer wrote, the residual stream, the logits."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from playground import attention
from playground.attention import AttentionCall, handling
from playground.errors import UserError
from playground.lens.capture.anatomy import AttentionParts, BlockParts, Parts, StackKind
from playground.lens.capture.discovery import find_parts
from playground.lens.capture.forward import run_pass
from playground.lens.capture.hooks import Edit, Note, editing, watching
from playground.lens.capture.site import SiteKind
from playground.lens.capture.tokens import Token

if TYPE_CHECKING:
    from playground.models import LoadedModel


@dataclass(frozen=True, kw_only=True, eq=False)
class Reading:
    """A text as a model reads it: its tokens, an encoder-decoder's target, and the arguments of a pass.

    tokens are those of the stack that predicts; source is set for an encoder-decoder.
    """

    tokens: tuple[Token, ...]
    source: tuple[Token, ...]
    arguments: dict[str, Any]

    @property
    def ids(self) -> list[int]:
        """The ids of the tokens that the predicting stack reads."""
        return [token.id for token in self.tokens]


def read(model: "LoadedModel", text: str, target: str | None = None, pair: str | None = None) -> Reading:
    """Make a text ready for many passes; pair: a second sentence, for encoders.

    Raises UserError for a text without tokens or one that does not fit.
    """
    result = run_pass(model, text, target, pair=pair, truncate=False, on_layer=None)
    if not result.source:
        raise UserError("The text has no tokens; type a few words.")
    # Ids made under inference_mode could not be read in a pass that computes gradients.
    arguments = {
        name: value.clone() if isinstance(value, Tensor) else value
        for name, value in result.arguments.items()
        if name != "logits_to_keep"
    }
    return Reading(
        tokens=result.target or result.source, source=result.source if result.target else (), arguments=arguments
    )


Place = tuple[SiteKind, int]
"""A kind of attention and a layer."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Activations:
    """Everything that one pass left, by place; batch left away.

    z: what each head mixed [head, token, width]; patterns likewise [head, query, key] where they were wanted;
    attention and feed_forward: what those layers wrote into the residual stream [token, width]; residual: the stream
    before each block, `final` after the last; logits [token, vocabulary], None without an output head. resumed: with
    what each block of the predicting stack was called.
    """

    reading: Reading
    parts: Parts
    z: dict[Place, Float[Tensor, "head token width"]]
    patterns: dict[Place, Float[Tensor, "head query key"]]
    values: dict[Place, Float[Tensor, "head key width"]]
    attention: dict[Place, Float[Tensor, "token width"]]
    feed_forward: dict[Place, Float[Tensor, "token width"]]
    residual: dict[Place, Float[Tensor, "token width"]]
    after: dict[Place, Float[Tensor, "token width"]]
    logits: Float[Tensor, "token vocabulary"] | None
    resumed: dict[int, tuple[tuple[Any, ...], dict[str, Any]]]

    @property
    def final(self) -> Float[Tensor, "token width"]:
        """The residual stream after the last block."""
        return self.after[self.parts.kind, len(self.parts.stack) - 1]

    def middle(self, kind: StackKind, layer: int) -> Float[Tensor, "token width"]:
        """The residual stream after a block's attention and before its feed-forward layer (resid_mid).

        Raises UserError where the block's stream is no sum.
        """
        if not self.parts.block(kind, layer).is_additive:
            raise UserError("This model norms its residual stream after each layer, so that it is no sum of parts.")
        crossed = self.attention.get(("cross", layer)) if kind == "decoder" else None
        middle = self.residual[kind, layer] + self.attention[kind, layer]
        return middle if crossed is None else middle + crossed

    def predicted(self) -> Float[Tensor, "token vocabulary"]:
        """The logits. Raises UserError for a model without an output head."""
        if self.logits is None:
            raise UserError("This model has no output head, so that there is no prediction to measure.")
        return self.logits


@dataclass(kw_only=True)
class _Kept:
    """What is noted during a pass."""

    z: dict[Place, Tensor] = field(default_factory=dict)
    patterns: dict[Place, Tensor] = field(default_factory=dict)
    values: dict[Place, Tensor] = field(default_factory=dict)
    attention: dict[Place, Tensor] = field(default_factory=dict)
    feed_forward: dict[Place, Tensor] = field(default_factory=dict)
    residual: dict[Place, Tensor] = field(default_factory=dict)
    after: dict[Place, Tensor] = field(default_factory=dict)
    resumed: dict[int, tuple[tuple[Any, ...], dict[str, Any]]] = field(default_factory=dict)


@torch.inference_mode()
def capture(model: "LoadedModel", reading: Reading, *, patterns: bool = False) -> Activations:
    """Run the model once and keep what every part made."""
    parts = find_parts(model)
    kept = _Kept()
    edits = _notes(parts, kept)
    handler = _keeping(parts, kept, patterns=patterns)
    calls = {block.module: _call_note(kept, block) for block in parts.stack}
    with watching(calls), editing(edits), handling(handler):
        output = model.module(**reading.arguments)
    logits = logits_of(model, output)
    return Activations(reading=reading, parts=parts, logits=None if logits is None else logits[0], **vars(kept))


def logits_of(model: "LoadedModel", output: Any) -> Tensor | None:
    """The logits in what a model returned; None without an output head."""
    if not model.has_output_head:
        return None
    return output if isinstance(output, Tensor) else getattr(output, "logits", None)


def ids_to_predict(model: "LoadedModel", reading: Reading) -> tuple[Int[Tensor, "_"], slice]:
    """The ids that the logits of some rows are held against, and which rows: a decoder's next, an encoder's own."""
    ids = torch.tensor(reading.ids, device=model.device)
    if model.kind == "encoder":
        return ids, slice(None)
    return ids[1:], slice(None, -1)


def attentions(parts: Parts) -> list[tuple[Place, AttentionParts]]:
    """All attention layers with their places, cross-attention after its block's own."""
    found: list[tuple[Place, AttentionParts]] = []
    for block in parts.blocks:
        found.append(((block.kind, block.layer), block.attention))
        if block.cross is not None:
            found.append((("cross", block.layer), block.cross))
    return found


def _keeping(parts: Parts, kept: _Kept, *, patterns: bool) -> attention.Handler:
    """A handler that computes each call as usual and keeps z, the values, and the pattern where it is wanted."""
    places = {id(layer.module): place for place, layer in attentions(parts)}

    def handler(call: AttentionCall) -> Tensor:
        z = attention.z(call)
        place = places[id(call.module)]
        kept.z[place] = z[0]
        kept.values[place] = call.value[0].repeat_interleave(call.groups, dim=0)
        if patterns:
            kept.patterns[place] = attention.pattern(call)[0]
        return z

    return handler


def _notes(parts: Parts, kept: _Kept) -> dict[Any, Edit]:
    """Edits that change nothing and keep what they see."""
    edits: dict[Any, Edit] = {}
    for place, layer in attentions(parts):
        edits[layer.writer, "output"] = _note(kept.attention, place)
    for block in parts.blocks:
        place = (block.kind, block.layer)
        edits[block.module, "input"] = _note(kept.residual, place)
        edits[block.module, "output"] = _note(kept.after, place)
        if block.feed_forward is not None:
            edits[block.feed_forward, "output"] = _note(kept.feed_forward, place)
    return edits


def _note(kept: dict[Place, Tensor], place: Place) -> Edit:
    def note(tensor: Tensor) -> None:
        kept[place] = tensor.detach().reshape(-1, tensor.shape[-1])

    return note


def _call_note(kept: _Kept, block: BlockParts) -> Note:
    def note(args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        kept.resumed[block.layer] = (args, kwargs)

    return note
