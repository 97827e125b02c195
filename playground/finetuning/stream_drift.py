"""The state of a text after each layer, before and after fine-tuning.

Both models read the same tokens; state 0 is the residual stream before the first block, state k the one after block k.
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from playground.errors import UserError
from playground.finetuning.model_pair import ModelPair
from playground.lens.capture.activations import Activations, capture, encode_text
from playground.lens.capture.anatomy import StackKind
from playground.lens.capture.tokens import Token


@dataclass(frozen=True, kw_only=True, eq=False)
class StreamDrift:
    """How far each token's state has moved after each layer."""

    kind: StackKind
    tokens: tuple[Token, ...]
    before: Float[np.ndarray, "state token width"]
    after: Float[np.ndarray, "state token width"]

    @property
    def distance(self) -> Float[np.ndarray, "state token"]:
        """Norm of the difference over the norm before: 0 is the same state, 1 as far as the state is long."""
        change = np.linalg.norm(self.after - self.before, axis=-1)
        return np.asarray(change / np.maximum(np.linalg.norm(self.before, axis=-1), np.finfo(float).tiny))

    @property
    def cosine(self) -> Float[np.ndarray, "state token"]:
        """1 where both states point the same way."""
        lengths = np.linalg.norm(self.before, axis=-1) * np.linalg.norm(self.after, axis=-1)
        return np.asarray((self.before * self.after).sum(-1) / np.maximum(lengths, np.finfo(float).tiny))


def stream_drift(
    pair: ModelPair, text: str, *, target: str | None = None, kind: StackKind | None = None
) -> StreamDrift:
    """Run both models on the same ids and keep the residual stream after each block.

    target: what an encoder-decoder's decoder reads; by default what the model before answers. kind: the stack of an
    encoder-decoder; by default the one that predicts. Raises UserError for a text without tokens, and for a family
    whose blocks cannot be told apart.
    """
    encoded = encode_text(pair.before, text, target, truncate=True)
    first, second = capture(pair.before, encoded), capture(pair.after, encoded)
    kind = kind or first.parts.kind
    tokens = encoded.source if encoded.source and kind == "encoder" else encoded.tokens
    return StreamDrift(kind=kind, tokens=tokens, before=_states(first, kind), after=_states(second, kind))


@torch.inference_mode()
def _states(found: Activations, kind: StackKind) -> Float[np.ndarray, "state token width"]:
    layers = sorted(layer for stack, layer in found.after if stack == kind)
    if not layers:
        raise UserError("This model has no {kind}.", kind=kind)
    states: list[Tensor] = [found.residual[kind, layers[0]], *(found.after[kind, layer] for layer in layers)]
    return np.asarray(torch.stack(states).double().cpu().numpy())
