"""Trace: run a text through a model once, then ask for attention, next tokens, head scores and their steps."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from playground.errors import UserError
from playground.lens.capture.forward import OnLayer, Pass, logits_at, run_pass
from playground.lens.capture.overview import overview
from playground.lens.capture.site import Site, SiteKind
from playground.lens.capture.tokens import Token, check_position, label
from playground.lens.capture.verification import Check, CheckedStep, check_sites
from playground.lens.generate.predictions import no_predictions
from playground.lens.inspect.head_scores import HeadScores, score_heads
from playground.lens.inspect.steps.head import AttentionRow, attention_row
from playground.progress import OnProgress, no_progress

if TYPE_CHECKING:
    from playground.lens.attribute.logit_lens import LogitLens
    from playground.lens.capture.residual_stream import StreamParts
    from playground.lens.inspect.steps.layer import LayerInside
    from playground.lens.inspect.steps.whole_token import WholeToken
    from playground.models import LoadedModel

CHECKED_QUERIES = 64
"""Largest error of recomputed outputs, relative to the largest output."""


class Trace:
    """Every attention call of one pass. Maps are computed when they are asked for."""

    def __init__(self, model: "LoadedModel", result: Pass, *, text: str = "", target: str | None = None) -> None:
        self.model = model
        self.text = text
        """The source text, before it was cut into tokens."""
        self._given_target = target
        self.source: tuple[Token, ...] = result.source
        self.target: tuple[Token, ...] = result.target
        """An encoder-decoder's decoder input; empty otherwise."""
        self.sites: tuple[Site, ...] = result.sites
        """Every attention layer."""
        self.other_blocks = result.other_blocks
        """Blocks without attention in a stack in which others attend (LFM2, Jamba)."""
        self.is_source_cut = result.is_source_cut
        """Whether the source had more tokens than fit, and was cut there."""
        self.is_target_cut = result.is_target_cut
        self.last_logits = result.last_logits
        self._arguments = result.arguments
        self._by_key = {(site.kind, site.layer): site for site in self.sites}

    @property
    def tokens(self) -> list[str]:
        """The source tokens as readable labels."""
        return [token.text for token in self.source]

    @property
    def ids(self) -> list[int]:
        """The source token ids."""
        return [token.id for token in self.source]

    @property
    def target_tokens(self) -> list[str]:
        """The decoder's input tokens of an encoder-decoder model."""
        return [token.text for token in self.target]

    @property
    def target_ids(self) -> list[int]:
        """The decoder's input ids of an encoder-decoder model."""
        return [token.id for token in self.target]

    @property
    def target_text(self) -> str | None:
        """An encoder-decoder's target: the one that was given, or the model's own answer. None for other models."""
        if self._given_target is None and self.target:
            return str(self.model.tokenizer.decode(self.target_ids, skip_special_tokens=True))
        return self._given_target

    @property
    def kinds(self) -> tuple[SiteKind, ...]:
        """The kinds of attention, in the order in which they run."""
        return tuple(dict.fromkeys(site.kind for site in self.sites))

    @property
    def bytes(self) -> int:
        """The memory that this trace holds."""
        logits = 0 if self.last_logits is None else self.last_logits.nbytes
        return sum(site.bytes for site in self.sites) + logits

    def layers(self, kind: SiteKind | None = None) -> list[Site]:
        """The attention layers of one kind. Raises UserError for a kind that the model does not have."""
        kind = self._kind(kind)
        return [site for site in self.sites if site.kind == kind]

    def block_numbers(self, kind: SiteKind | None = None) -> list[int]:
        """What the layers are called, by their blocks in the model: [2, 5] where only blocks 2 and 5 attend."""
        return [site.layer for site in self.layers(kind)]

    def site(self, layer: int, kind: SiteKind | None = None) -> Site:
        """The attention layer of a block, by its number in the model. Raises UserError where there is none."""
        kind = self._kind(kind)
        site = self._by_key.get((kind, layer))
        if site is not None:
            return site
        if any(other.number == layer for other in self.other_blocks):
            numbers = ", ".join(map(str, self.block_numbers(kind)))
            raise UserError("Block {block} does not attend; choose {blocks}.", block=layer, blocks=numbers)
        raise UserError(
            "There is no {kind} layer {layer}; choose 0 to {last}.",
            kind=kind,
            layer=layer,
            last=self.block_numbers(kind)[-1],
        )

    def query_tokens(self, kind: SiteKind | None = None) -> tuple[Token, ...]:
        """The tokens along the rows of a kind's maps."""
        return self.target if self.target and self._kind(kind) != "encoder" else self.source

    def key_tokens(self, kind: SiteKind | None = None) -> tuple[Token, ...]:
        """The tokens along the columns of a kind's maps."""
        return self.target if self.target and self._kind(kind) == "decoder" else self.source

    def attention(self, layer: int, head: int, kind: SiteKind | None = None) -> Float[np.ndarray, "query key"]:
        """One head's exact attention weights, float32. layer: the number of its block in the model.

        Raises UserError where there is no such head.
        """
        site = self.site(layer, kind)
        if not 0 <= head < site.n_heads:
            raise UserError(
                "Layer {layer} has no head {head}; choose 0 to {last}.",
                layer=layer,
                head=head,
                last=site.n_heads - 1,
            )
        with torch.inference_mode():
            return site.pattern(slice(head, head + 1), slice(None))[0].numpy()

    def overview(self, cells: int = 48, kind: SiteKind | None = None) -> UInt8[np.ndarray, "layer head row column"]:
        """All heads max-pooled to at most cells x cells, 255 standing for a weight of 1."""
        with torch.inference_mode():
            pooled = overview(self.layers(kind), cells)
        return (pooled.clamp(0, 1) * 255).round().to(torch.uint8).numpy()

    def head_scores(self, kind: SiteKind | None = None) -> HeadScores:
        """Each head's scores: previous-token, first-token, duplicate, induction, local, entropy, distance."""
        kind = self._kind(kind)
        ids = [token.id for token in self.query_tokens(kind)]
        with torch.inference_mode():
            return score_heads(self.layers(kind), ids if kind != "cross" else None)

    def steps(self, layer: int, head: int, query: int, kind: SiteKind | None = None) -> AttentionRow:
        """Every number from one query and its keys to the weighted sum of values."""
        with torch.inference_mode():
            return attention_row(self.site(layer, kind), head, query)

    def inside(self, layer: int, kind: SiteKind | None = None) -> "LayerInside":
        """One layer with every number from the embedding to the residual stream; runs the model again.

        Raises UserError for a layer that is not there or a family that reports only its finished maps.
        """
        from playground.lens.inspect.steps.layer import look_inside

        kind = self._kind(kind)
        return look_inside(self.model, self._arguments, self.site(layer, kind).layer, kind)

    def whole_token(
        self, *positions: int, kind: SiteKind | None = None, on_progress: OnProgress = no_progress
    ) -> "WholeToken":
        """Tokens of the kind's stack followed from the first block to the logits; runs the model again.

        Without positions every token. Raises UserError for a family that cannot be told, with the reason.
        """
        from playground.lens.inspect.steps.whole_token import follow_token

        kind = self._kind(kind)
        length = len(self.query_tokens(kind))
        for position in positions:
            check_position(position, length)
        chosen = [position % length for position in positions] or list(range(length))
        kinds = [site.kind for site in self.sites]
        return follow_token(
            self.model, self._arguments, kinds, chosen, "encoder" if kind == "encoder" else "decoder", on_progress
        )

    def layer_and_token(
        self, layer: int, position: int, kind: SiteKind | None = None, *, on_progress: OnProgress = no_progress
    ) -> "tuple[LayerInside | UserError, WholeToken | UserError]":
        """`inside` and `whole_token` from one pass; in place of either the error that says why it cannot be told."""
        from playground.lens.inspect.steps.one_pass import layer_and_token

        kind, kinds = self._kind(kind), [site.kind for site in self.sites]
        position %= len(self.query_tokens(kind))
        return layer_and_token(self.model, self._arguments, layer, kind, position, kinds, on_progress)

    def feed_forward_inputs(
        self, token: "WholeToken", layer: int, on_progress: OnProgress = no_progress
    ) -> Float[Tensor, "token width"]:
        """What a layer's feed-forward layer receives at every token of the stack; runs the model up to there."""
        from playground.lens.inspect.steps.neuron_text import layer_inputs

        return layer_inputs(self.model, self._arguments, token, layer, on_progress)

    def stream_parts(self, layer: int, token: int, kind: SiteKind | None = None) -> "StreamParts | None":
        """What the residual stream before a layer's attention is the sum of; runs the model again."""
        from playground.lens.capture.residual_stream import stream_parts

        kind = self._kind(kind)
        return stream_parts(self.model, self._arguments, kind, self.site(layer, kind).layer, token)

    def logits(self, position: int = -1) -> Float[Tensor, "vocabulary"]:
        """The logits at a position; those of the last one are kept, for another the model runs again.

        Raises UserError for a model without an output head or a position that is not there.
        """
        if self.last_logits is None:
            raise no_predictions(self.model)
        length = len(self.target or self.source)
        check_position(position, length)
        is_last = position % length == length - 1
        return self.last_logits if is_last else logits_at(self.model, self._arguments, position)

    def next_tokens(self, position: int = -1, k: int = 20) -> list[tuple[str, float]]:
        """The k most probable tokens at a position (a decoder's: the next one), over the whole vocabulary.

        Raises UserError for a model without an output head or a position that is not there.
        """
        logits = self.logits(position)
        probabilities, ids = logits.softmax(-1).topk(min(k, len(logits)))
        labels = label(self.model.tokenizer, ids.tolist())
        return [(token.text, p) for token, p in zip(labels, probabilities.tolist(), strict=True)]

    def logit_lens(self, k: int = 5, answers: Sequence[int] | None = None) -> "LogitLens":
        """What the model would predict if it stopped after each layer, at every position.

        answers: token ids to track, one or one for each position; by default the final top-1 predictions. Raises
        UserError for a model without an output head or a text without tokens.
        """
        from playground.lens.attribute.logit_lens import logit_lens

        self._kind(None)
        return logit_lens(self.model, self._arguments, k=k, answers=answers)

    def check(self, rows: int = CHECKED_QUERIES, *, sums: bool = False) -> Check:
        """Compute what is shown again, at up to `rows` queries of every head, and compare with the model's.

        Each head's z from the maps, the sums of their rows, the thumbnails. sums: the residual stream and a logit as
        the sums that they are shown as, too; runs the model again.
        """
        self._kind(None)
        check = check_sites(self.sites, self.model.dtype, rows)
        return replace(check, steps=(*check.steps, *self.check_sums())) if sums else check

    def check_sums(self) -> tuple[CheckedStep, ...]:
        """Compute the residual stream and a logit again, as the sums that they are shown as; runs the model again."""
        from playground.lens.attribute.stream_check import check_sums

        return check_sums(self.model, self._arguments)

    def _repr_html_(self) -> str | None:
        """Every head, as the output of a notebook's cell; None for a text without tokens."""
        from playground import show

        return show.heads(self)._repr_html_() if self.sites else None

    def _kind(self, kind: SiteKind | None) -> SiteKind:
        if not self.sites:
            raise UserError("There is no attention to show: the text has no tokens.")
        if kind is None:
            return "decoder" if "decoder" in self.kinds else self.kinds[0]
        if kind not in self.kinds:
            raise UserError(
                "{name} has no {kind} attention; it has {kinds}.",
                name=self.model.name,
                kind=kind,
                kinds=", ".join(self.kinds),
            )
        return kind


def trace(
    model: "LoadedModel",
    text: str,
    target: str | None = None,
    *,
    pair: str | None = None,
    truncate: bool = False,
    on_layer: OnLayer | None = None,
) -> Trace:
    """Run a text through a model and keep every attention call.

    target: an encoder-decoder's decoder input; by default the model's own greedy answer. pair: an encoder's second
    sentence. Raises TooLongError beyond the model's context or 2,048 tokens, unless `truncate` cuts the text there.
    """
    result = run_pass(model, text, target, pair=pair, truncate=truncate, on_layer=on_layer)
    return Trace(model, result, text=text, target=target)
