"""One neuron at every token of a text: its input's products, its activation, and its expert's share there."""

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from playground import attention
from playground.attention import AttentionCall, handling
from playground.lens.capture.hooks import Edit, Edits, editing
from playground.lens.inspect.steps.derivation import Derivation
from playground.lens.inspect.steps.feed_forward import Body, Hidden, Neurons
from playground.lens.inspect.steps.feed_forward_rows import activation_vector
from playground.lens.inspect.steps.mixture import Mixture
from playground.lens.inspect.steps.neurons import NeuronName, check_neuron, feed_forward_of
from playground.lens.inspect.steps.norm_map import LinearMap
from playground.lens.inspect.steps.vectors import NamedTerm, Products, SumOfProducts, Vector
from playground.lens.inspect.steps.whole_token import WholeToken
from playground.progress import OnProgress, no_progress

if TYPE_CHECKING:
    from playground.models import LoadedModel


class _Reached(Exception):  # noqa: N818 - no error: it ends a pass whose rest nobody reads
    """The module whose input is wanted has been called."""


@torch.inference_mode()
def layer_inputs(
    model: "LoadedModel",
    arguments: dict[str, Any],
    token: WholeToken,
    layer: int,
    on_progress: OnProgress = no_progress,
) -> Float[Tensor, "token width"]:
    """What a feed-forward layer receives at every token; runs the model again, up to this layer.

    on_progress: called after each attention layer. Raises UserError where there is no feed-forward layer.
    """
    feed_forward, place = feed_forward_of(token, layer), token.index_of(layer)
    earlier = [one for block in token.blocks[:place] for one in block.sublayers if one.feed_forward is not None]
    # ALBERT's one block is called once for each layer.
    calls = sum(one.feed_forward.reader is feed_forward.reader for one in earlier if one.feed_forward is not None)
    received: list[Tensor] = []
    edits: Edits = {(feed_forward.reader, "input"): _ending_edit(calls, received)}
    with editing(edits), handling(_counting(_attention_calls(token, place), on_progress)), suppress(_Reached):
        model.module(**arguments)
    return received[0]


def _ending_edit(calls: int, received: list[Tensor]) -> Edit:
    """Keeps what a module receives after so many calls of it, and ends the pass."""
    remaining = iter(range(calls))

    def observe(tensor: Tensor) -> None:
        if next(remaining, None) is None:
            received.append(tensor.detach().reshape(-1, tensor.shape[-1]).float().cpu())
            raise _Reached

    return observe


def _attention_calls(token: WholeToken, place: int) -> int:
    """How many calls of `attend` there are up to a block."""
    seams = [one.seam for block in token.blocks[: place + 1] for one in block.sublayers if one.seam is not None]
    return token.rows.calls.index(seams[-1]) + 1 if seams else len(token.rows.calls)


def _counting(total: int, on_progress: OnProgress) -> attention.Handler:
    """The handler of before, which tells how many calls there were."""
    before, done = attention.handler(), iter(range(1, total + 1))

    def handler(call: AttentionCall) -> Tensor:
        z = before(call)
        on_progress(next(done, total), total)
        return z

    return handler


@torch.inference_mode()
def activations_at(body: Body, inputs: Float[Tensor, "token width"], name: NeuronName) -> Float[np.ndarray, "token"]:
    """One neuron's activation at every token, 0 where its expert was not chosen.

    Raises UserError for a neuron that the layer does not have.
    """
    activated = _hidden_at(body, inputs, name).activated[0].numpy()
    return np.where(shares_at(body, inputs, name.expert) == 0, 0.0, activated)


@torch.inference_mode()
def shares_at(body: Body, inputs: Float[Tensor, "token width"], expert: int) -> Float[np.ndarray, "token"]:
    """An expert's share at every token: 0 where it was not chosen, 1 in a dense layer."""
    if not isinstance(body, Mixture):
        return np.ones(len(inputs))
    if body.shared is not None and expert == body.shared_number:
        return np.asarray(body.shared.share(inputs)[:, 0].numpy())
    routing = body.router(inputs)
    shares = torch.where(routing.chosen == expert, routing.shares, torch.zeros_like(routing.shares)).sum(-1)
    return np.asarray(shares.numpy())


def _hidden_at(body: Body, inputs: Tensor, name: NeuronName) -> Hidden:
    """The neuron's inner numbers, [1, token]."""
    check_neuron(body, name)
    one = _alone(body.expert(name.expert), name.number)
    up, gate = one.up(inputs), None if one.gate is None else one.gate(inputs)
    activated = one.gating(up, gate)
    return Hidden(up=up.T, gate=None if gate is None else gate.T, activated=activated.T)


def _alone(neurons: Neurons, number: int) -> Neurons:
    """One neuron of a layer, with its rows of the first matrices."""
    part = slice(number, number + 1)
    gate = None if neurons.gate is None else neurons.gate.rows(part)
    return Neurons(up=neurons.up.rows(part), gate=gate, gating=neurons.gating, down=neurons.down)


@torch.inference_mode()
def neuron_derivations(
    body: Body, inputs: Float[Tensor, "token width"], name: NeuronName, token: int
) -> tuple[Derivation, ...]:
    """How one neuron's number at a token of the text came about: its share's product, activation, up and gate.

    Raises UserError for a neuron that the layer does not have, IndexError for a token that the text does not have.
    """
    at, hidden = inputs[token : token + 1], _hidden_at(body, inputs, name)
    one = _alone(body.expert(name.expert), name.number)
    activated = activation_vector("a[{column}]", one.gating, hidden, is_recomputed=True)
    share = shares_at(body, at, name.expert)
    vectors: list[Vector] = [] if body.experts == 1 else [_shared_vector(activated, float(share[0]), name)]
    vectors += [activated, _product_vector("u", "W_up", one.up, inputs, name.number)]
    vectors += [] if one.gate is None else [_product_vector("g", "W_gate", one.gate, inputs, name.number)]
    return tuple(vector.derive(token) for vector in vectors)


def _shared_vector(activated: Vector, share: float, name: NeuronName) -> Products:
    """The activation times the expert's share at one token."""
    shares = np.full_like(activated.values, share)
    return Products(
        name=f"p[e{name.expert}] · a[{{column}}]",
        values=shares * activated.values,
        left=NamedTerm(name=f"p[e{name.expert}]", values=shares),
        right=NamedTerm(name=activated.name, values=activated.values),
        is_recomputed=True,
    )


def _product_vector(letter: str, matrix: str, map: LinearMap, inputs: Tensor, number: int) -> SumOfProducts:
    """A row of a matrix times the input of every token."""
    rows, bias = inputs.numpy(), None
    if map.bias is not None:
        bias = NamedTerm(name=f"b[{number}]", values=np.full(len(rows), float(map.bias[0])))
    return SumOfProducts(
        name=f"{letter}[{{column}}]",
        values=map(inputs)[:, 0].numpy(),
        left=np.broadcast_to(map.matrix[0].numpy(), rows.shape),
        right=rows,
        term_name=f"{matrix}[{number},{{term}}] · x̂[{{column}},{{term}}]",
        formula=f"Σ {matrix}[{number},i] · x̂[{{column}},i]",
        bias=bias,
        is_recomputed=True,
    )
