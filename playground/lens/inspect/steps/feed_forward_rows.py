"""The neurons of a feed-forward layer: first matrices, activation, last matrix.

Vaswani et al. 2017, section 3.3; Shazeer 2020 (gated); Geva et al. 2021 (its neurons as keys and values).
"""

import math

import torch

from playground.lens.inspect.steps.activation import Gating
from playground.lens.inspect.steps.block import Sublayer
from playground.lens.inspect.steps.code_lines import CodeReference, in_layers
from playground.lens.inspect.steps.feed_forward import Branch, FeedForward, Hidden
from playground.lens.inspect.steps.feed_forward_norm import input_vector
from playground.lens.inspect.steps.norm_map import LinearMap
from playground.lens.inspect.steps.products import ListedProducts, NeuronSums, Summand
from playground.lens.inspect.steps.step import InsideStep, Row, StepTable
from playground.lens.inspect.steps.token_inputs import TokenInputs
from playground.lens.inspect.steps.vectors import NamedTerm, Products, SumOfTerms, Vector
from playground.text import _, fill


def up_step(inputs: TokenInputs) -> InsideStep | None:
    """u and g of the listed neurons; then the traced neuron's rows with every product."""
    feed_forward, layer, neuron = inputs.feed_forward, inputs.block.feed_forward, inputs.neuron
    if feed_forward is None or layer is None or neuron is None:
        return None
    tables = [
        _neuron_table(inputs, branch, _hidden_rows(inputs, feed_forward, branch, code)[:-1], _("Before the activation"))
        for code, branch in coded(inputs)
    ]
    is_gated = feed_forward.body.expert(neuron.expert).gate is not None
    formula = r"u = W_{\mathrm{up}}\hat{x}" + (r" \\ g = W_{\mathrm{gate}}\hat{x}" if is_gated else "")
    return InsideStep(
        name="up",
        title=_("Into the neurons: up and gate") if is_gated else _("Into the neurons: up"),
        formula=formula,
        explanation=_count_sentence(inputs),
        tables=(*tables, *_traced_rows(inputs, feed_forward, layer)),
        code=_first_matrix_code(is_gated=is_gated),
    )


def _first_matrix_code(*, is_gated: bool) -> tuple[CodeReference, ...]:
    return (in_layers("SwiGLU.forward", "gate", "up") if is_gated else in_layers("FeedForwardLayer.forward", "up"),)


def coded(inputs: TokenInputs) -> list[tuple[str, Branch]]:
    """The token's branches with the letter that tells their numbers apart: none in a dense layer, else a, b, …"""
    branches = inputs.branches
    return [("" if len(branches) == 1 else chr(ord("a") + index), branch) for index, branch in enumerate(branches)]


def _count_sentence(inputs: TokenInputs) -> str:
    assert inputs.ranked is not None
    listed = sum(len(inputs.listed_neurons(branch)) for branch in inputs.branches)
    total = len(inputs.ranked.names)
    added = inputs.ranked.added
    if not math.isfinite(added.sum()):
        template = _("{listed} neurons of {total:,} are listed; what some of them add is not a finite number.")
        return template.format(listed=listed, total=total)
    share = float(added[:listed].sum() / max(1e-20, added.sum()))
    template = _(
        "The {listed} neurons of {total:,} that add most are listed: {share:.1%} of the sum of |activation| times the "
        "length of the output row."
    )
    return template.format(listed=listed, total=total, share=share)


def _neuron_table(inputs: TokenInputs, branch: Branch, rows: tuple[Row, ...], label: str) -> StepTable:
    numbers = inputs.listed_neurons(branch)
    if len(inputs.branches) > 1:
        label = f"{label} · {expert_label(inputs, branch)}"
    return StepTable(
        label=label,
        rows=rows if numbers else (),
        role="head",
        is_scaled_by_row=True,
        columns=tuple(map(str, numbers)),
        axis=_("neuron"),
    )


def expert_label(inputs: TokenInputs, branch: Branch) -> str:
    """How a branch is called, with its share."""
    assert inputs.feed_forward is not None
    is_shared = branch.expert == getattr(inputs.feed_forward.body, "shared_number", None)
    name = _("shared expert") if is_shared else _("expert {number}").format(number=branch.expert)
    return f"{name} ({branch.share:.1%})"


def _hidden_rows(inputs: TokenInputs, feed_forward: FeedForward, branch: Branch, code: str) -> tuple[Row, ...]:
    """u, g where there is a gate, and a, of the branch's listed neurons."""
    neurons, listed, hidden = branch.neurons, inputs.listed_neurons(branch), feed_forward.hidden(branch)
    reads = [("u", "up", neurons.up, hidden.up)]
    reads += [] if neurons.gate is None or hidden.gate is None else [("g", "gate", neurons.gate, hidden.gate)]
    rows = []
    for letter, matrix, map, values in reads:
        vector = ListedProducts(
            name=f"{letter}[{{column}}]",
            values=values[0].numpy(),
            map=map,
            input=feed_forward.input[0].numpy(),
            listed=listed,
            term_name=f"W_{matrix}[{{column}},{{term}}] · x̂[{{term}}]",
            formula=f"Σ W_{matrix}[{{column}},i] · x̂[i]",
            bias_name=f"b_{matrix}[{{column}}]",
            is_recomputed=branch.expert not in feed_forward.seen,
        )
        rows.append(Row(symbol=f"{letter}{code}", label=letter, vector=vector, keys=listed))
    rows.append(Row(symbol=f"a{code}", label="a", vector=activated_vector(branch, feed_forward), keys=listed))
    return tuple(rows)


def activated_vector(branch: Branch, feed_forward: FeedForward) -> Vector:
    """The activations of all neurons: a function of u, or u times a function of g."""
    hidden, is_recomputed = feed_forward.hidden(branch), branch.expert not in feed_forward.seen
    return activation_vector("a[{column}]", branch.neurons.gating, hidden, is_recomputed=is_recomputed)


def activation_vector(name: str, gating: Gating, hidden: Hidden, *, is_recomputed: bool) -> Vector:
    """The activations of some inner numbers' first row."""
    values, plain = hidden.activated[0].numpy(), gating.activation.plain
    if hidden.gate is None:
        made, up = gating(hidden.up, None)[0].numpy(), hidden.up[0].numpy()
        term = NamedTerm(name=plain.replace("u", "u[{column}]"), values=made, factors=(up,))
        return SumOfTerms(name=name, values=values, terms=(term,), is_recomputed=is_recomputed)
    left, right = gating.factors(hidden.up, hidden.gate)
    up_name = "u[{column}]" if gating.limit is None else f"(clip(u[{{column}}], ±{gating.limit:g}) + {gating.shift:g})"
    return Products(
        name=name,
        values=values,
        left=NamedTerm(name=up_name, values=left[0].numpy()),
        right=NamedTerm(name=f"({plain.replace('u', 'g[{column}]')})", values=right[0].numpy()),
        is_recomputed=is_recomputed,
    )


def _traced_rows(inputs: TokenInputs, feed_forward: FeedForward, layer: Sublayer) -> list[StepTable]:
    """The traced neuron's row of each first matrix, its input, and their products."""
    assert inputs.neuron is not None
    neurons, number = feed_forward.body.expert(inputs.neuron.expert), inputs.neuron.number
    maps = [("up", "u", neurons.up), *([("gate", "g", neurons.gate)] if neurons.gate is not None else [])]
    return [
        product_table(f"W_{name}", letter, map.rows(slice(number, number + 1)), number, input_vector(inputs, layer))
        for name, letter, map in maps
    ]


def product_table(matrix: str, letter: str, map: LinearMap, row: int, source: Vector) -> StepTable:
    """A row of a matrix, its input, and the product of each pair: all products and the bias are one number."""
    weight = map.matrix[0].numpy()
    products = weight * source.values
    weights = Vector(name=f"{matrix}[{row},{{column}}]", values=weight, note=_("learned"))
    product = Products(
        name=f"{weights.name} · {source.name}",
        values=products,
        left=NamedTerm(name=weights.name, values=weight),
        right=NamedTerm(name=source.name, values=source.values),
        says_formula=False,
        is_recomputed=True,
    )
    bias = 0.0 if map.bias is None else float(map.bias[0])
    template = _("Row {row} of {matrix}, its input, and their products, which sum to {total:.3g}")
    if map.bias is not None:
        template = _(
            "Row {row} of {matrix}, its input, and their products, which sum to {total:.3g} with the bias {bias:.3g}"
        )
    rows = (
        Row(symbol=f"w{letter}", index=row, label=f"{matrix}[{row}]", vector=weights),
        Row(symbol=f"x{letter}", index=row, label=source.name.split("[")[0], vector=source),
        Row(symbol=f"p{letter}", index=row, label=_("product"), vector=product),
    )
    label = fill(template, row=row, matrix=matrix, total=products.sum() + bias, bias=bias)
    return StepTable(label=label, rows=rows, role="stream", is_scaled_by_row=True)


def activation_step(inputs: TokenInputs) -> InsideStep | None:
    """u, g and a: the numbers before and after the activation function."""
    feed_forward, neuron = inputs.feed_forward, inputs.neuron
    if feed_forward is None or neuron is None:
        return None
    gating = feed_forward.body.expert(neuron.expert).gating
    tables = tuple(
        _neuron_table(inputs, branch, _hidden_rows(inputs, feed_forward, branch, code), _("Before and after"))
        for code, branch in coded(inputs)
    )
    activations = torch.cat([feed_forward.hidden(branch).activated[0] for branch in inputs.branches])
    template = _("{name}; {positive:,} of {total:,} activations are above 0, {zero:,} are exactly 0.")
    explanation = template.format(
        name=gating.activation.name,
        positive=int((activations > 0).sum()),
        total=len(activations),
        zero=int((activations == 0).sum()),
    )
    return InsideStep(
        name="activation",
        title=_("Activation"),
        formula=gating.formula,
        explanation=explanation,
        tables=tables,
        code=(in_layers("SwiGLU.forward" if gating.is_gated else "FeedForwardLayer.forward", "output"),),
    )


def down_step(inputs: TokenInputs) -> InsideStep | None:
    """o: the layer's output; then one row of the last matrix with the listed neurons' products."""
    feed_forward = inputs.feed_forward
    if feed_forward is None:
        return None
    row = Row(symbol="o", label="o", vector=output_vector(inputs, feed_forward))
    tables = [StepTable(label=_("Output of the layer"), rows=(row,), role="head", is_scaled_by_row=True)]
    tables += [_down_table(inputs, branch, code) for code, branch in coded(inputs)]
    is_mixture = len(inputs.branches) > 1 or feed_forward.body.experts > 1
    mixed = r"o = \sum_{e \in C} p_e\, W_{\mathrm{down}}^{(e)} a^{(e)}"
    is_gated = inputs.branches[0].neurons.gate is not None
    return InsideStep(
        name="down",
        title=_("Out of the neurons: down"),
        formula=mixed if is_mixture else r"o = W_{\mathrm{down}}\, a",
        explanation=_(
            "Each neuron's column of the last matrix is a direction in the stream; its activation says how far the "
            "layer's output goes along it."
        ),
        tables=tuple(tables),
        code=(in_layers("SwiGLU.forward" if is_gated else "FeedForwardLayer.forward", "output"),),
    )


def output_vector(inputs: TokenInputs, feed_forward: FeedForward) -> NeuronSums:
    """The layer's output: every neuron is a term."""
    is_mixture = feed_forward.body.experts > 1
    summands = tuple(
        Summand(
            map=branch.neurons.down,
            activations=feed_forward.hidden(branch).activated[0].numpy(),
            share=branch.share,
            label=f"e{branch.expert}" if is_mixture else "",
        )
        for branch in inputs.branches
    )
    return NeuronSums(name="o[{column}]", values=feed_forward.output[0].numpy(), summands=summands)


def _down_table(inputs: TokenInputs, branch: Branch, code: str) -> StepTable:
    assert inputs.feed_forward is not None
    listed, dimension = inputs.listed_neurons(branch), min(inputs.dimension, len(branch.neurons.down.weight) - 1)
    weight = branch.neurons.down.weight[dimension].float().cpu().numpy()
    activated = activated_vector(branch, inputs.feed_forward)
    product = Products(
        name=f"W_down[{dimension},{{column}}] · a[{{column}}]",
        values=weight * activated.values,
        left=NamedTerm(name=f"W_down[{dimension},{{column}}]", values=weight),
        right=NamedTerm(name="a[{column}]", values=activated.values),
        says_formula=False,
        is_recomputed=True,
    )
    weights = Vector(name=f"W_down[{dimension},{{column}}]", values=weight, note=_("learned"))
    rows = (
        Row(symbol=f"wd{code}", label=f"W_down[{dimension}]", vector=weights, keys=listed),
        Row(symbol=f"a{code}", label="a", vector=activated, keys=listed),
        Row(symbol=f"pd{code}", label=_("product"), vector=product, keys=listed),
    )
    label = _("Row {row} of {matrix} times the listed activations").format(row=dimension, matrix="W_down")
    return _neuron_table(inputs, branch, rows, label)
