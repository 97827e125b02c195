"""What one neuron changes in the logits: its column of the last matrix, all that this passes, and the products.

Geva et al. 2022, section 3 (the tokens that a neuron promotes).
"""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from playground.lens.inspect.steps.activation import Activation
from playground.lens.inspect.steps.code_lines import in_transformer
from playground.lens.inspect.steps.logit_slopes import LogitSlopes, PassedMap
from playground.lens.inspect.steps.neuron_step import neuron_label
from playground.lens.inspect.steps.neurons import NeuronName, output_row
from playground.lens.inspect.steps.norm_map import LinearMap, NormMap
from playground.lens.inspect.steps.output_head_step import head_products, map_title
from playground.lens.inspect.steps.products import ListedProducts
from playground.lens.inspect.steps.step import InsideStep, Row, StepTable
from playground.lens.inspect.steps.token_inputs import TokenInputs
from playground.lens.inspect.steps.vectors import NamedTerm, Products, SumOfTerms, Vector
from playground.text import _, subtracted, true_minus


@torch.inference_mode()
def neuron_logits_step(
    inputs: TokenInputs, neuron: NeuronName, promoted: Sequence[int], suppressed: Sequence[int]
) -> InsideStep | None:
    """l: what a neuron changes in the logits of these tokens; w, a, b, …: its column, and what becomes of it.

    None without an output head. Raises UserError for a neuron that the layer does not have.
    """
    slopes, feed_forward = inputs.slopes, inputs.feed_forward
    if slopes is None or feed_forward is None:
        return None
    way = _way_rows(slopes, output_row(feed_forward.body, neuron).numpy(), neuron)
    name = neuron_label(neuron, is_mixture=feed_forward.body.experts > 1)
    labels = (
        _("Logits that neuron {neuron} raises most, for each unit of its activation"),
        _("Logits that neuron {neuron} lowers most, for each unit of its activation"),
    )
    changes = slopes.before_cap(torch.from_numpy(way[-1].vector.values))
    tables = [
        _logit_table(inputs, slopes, way[-1].vector, changes, tuple(map(int, tokens)), code, label.format(neuron=name))
        for tokens, code, label in zip((promoted, suppressed), ("p", "s"), labels, strict=True)
    ]
    template = _("Its column of the last matrix, and what becomes of it on the way to the output matrix")
    tables.append(StepTable(label=template, rows=tuple(way), role="stream", is_scaled_by_row=True))
    return InsideStep(
        name="neuron_logits",
        title=_("What the neuron changes in the logits"),
        formula=r"\Delta\ell = W_U\, J\, w",
        explanation=_explanation(inputs, slopes),
        tables=tuple(tables),
        code=(in_transformer("Transformer.forward", "head"),),
    )


def _explanation(inputs: TokenInputs, slopes: LogitSlopes) -> str:
    sentences = [
        _("What each unit of the neuron's activation changes in the logits at this token, to first order."),
        _("Its column passes, by their slopes here: {passages}.").format(
            passages=", ".join([*(map_title(passage.map) for passage in slopes.passages), _("output matrix")])
        ),
    ]
    if slopes.cap_slopes is not None:
        sentences.append(_("A soft cap makes each change smaller."))
    if inputs.feed_forward is not None and inputs.feed_forward.body.experts > 1:
        sentences.append(_("A unit of activation times the expert's share."))
    sentences.append(_("Later layers are held at what they wrote."))
    return " ".join(sentences)


def _way_rows(slopes: LogitSlopes, column: Float[np.ndarray, "width"], neuron: NeuronName) -> list[Row]:
    """The neuron's column, and a row for each thing that it passes."""
    vector = Vector(name=f"W_down[{{column}},{neuron.number}]", values=column, note=_("learned"))
    rows = [Row(symbol="w", label=_("column"), vector=vector)]
    for number, passage in enumerate(slopes.passages):
        vector = passed_vector(passage, vector, f"d{number + 1}[{{column}}]")
        # a, b, …, z, ba, bb, …: a number's address has letters only.
        symbol = (chr(ord("a") + number // 26) if number > 25 else "") + chr(ord("a") + number % 26)
        rows.append(Row(symbol=f"d{symbol}", label=f"{number + 1} {map_title(passage.map)}", vector=vector))
    return rows


def passed_vector(passage: PassedMap, before: Vector, name: str) -> Vector:
    """What one thing on the way makes of a direction, with how it is made."""
    values = passage(torch.from_numpy(before.values)[None])[0].numpy()
    if isinstance(passage.map, NormMap):
        return _normed_vector(passage.map, passage.at.numpy(), before, name, values)
    if isinstance(passage.map, LinearMap):
        return head_products(name, values, LinearMap(weight=passage.map.weight), before, is_recomputed=True)
    if isinstance(passage.map, Activation):
        right = NamedTerm(name="f′(u[{column}])", values=passage.map.slope(passage.at).numpy())
    else:
        right = NamedTerm(name=f"{passage.map:.6g}", values=np.full_like(before.values, passage.map))
    left = NamedTerm(name=before.name, values=before.values)
    return Products(name=name, values=values, left=left, right=right, is_recomputed=True)


def _normed_vector(
    map: NormMap, at: Float[np.ndarray, "width"], before: Vector, name: str, values: Float[np.ndarray, "width"]
) -> SumOfTerms:
    """A norm's slope along a direction d at x: (d − mean d − (x − mean x) · k) · w / r, k = mean(x d) / r²."""
    step, mean = map.at(at), float(before.values.mean()) if map.step.kind == "layer" else 0.0
    scale, centred = step.weight / step.root, at - step.mean
    along = float((centred * (before.values - mean)).mean()) / step.root**2
    over = f"w[{{column}}] / {step.root:.4g}"
    slope = true_minus(f"{-along:.4g}")
    centring = f"{slope} · (x[{{column}}] {subtracted(step.mean, 4)})"
    parts = [(before.name, before.values), (centring, -along * centred)]
    parts += [("−mean", np.full_like(before.values, -mean))] if mean else []
    terms = tuple(
        NamedTerm(name=f"{part} · {over}", values=numbers * scale, factors=(numbers, scale)) for part, numbers in parts
    )
    return SumOfTerms(name=name, values=values, terms=terms, is_recomputed=True)


def _logit_table(
    inputs: TokenInputs,
    slopes: LogitSlopes,
    arrived: Vector,
    changes: Float[Tensor, "vocabulary"],
    tokens: tuple[int, ...],
    code: str,
    label: str,
) -> StepTable:
    """The changes of some tokens' logits, before and behind a cap."""
    source = arrived.name.split("[")[0]
    products = ListedProducts(
        name="Δℓ[{column}]",
        values=changes.numpy(),
        map=LinearMap(weight=slopes.matrix.weight),
        input=arrived.values,
        listed=tokens,
        term_name=f"W_U[{{column}},{{term}}] · {source}[{{term}}]",
        formula=f"Σ W_U[{{column}},i] · {source}[i]",
        factor=slopes.factor,
        is_recomputed=True,
    )
    rows = [Row(symbol=f"l{code}", label="Δℓ", vector=products, keys=tokens)]
    if slopes.cap_slopes is not None:
        capped = Products(
            name="Δℓ′[{column}]",
            values=(changes * slopes.cap_slopes).numpy(),
            left=NamedTerm(name="Δℓ[{column}]", values=changes.numpy()),
            right=NamedTerm(name="(1 − tanh²(ℓ[{column}] / c))", values=slopes.cap_slopes.numpy()),
            is_recomputed=True,
        )
        rows.append(Row(symbol=f"k{code}", label="Δℓ′", vector=capped, keys=tokens))
    columns = tuple(inputs.spelling(token) for token in tokens)
    axis = _("token of the vocabulary")
    return StepTable(label=label, rows=tuple(rows), role="head", is_scaled_by_row=True, columns=columns, axis=axis)
