"""The norm between the stream and a feed-forward layer.

Xiong et al. 2020 (before or after the layer), Black et al. 2022, section 2.1 (beside attention).
"""

import numpy as np

from playground.lens.inspect.steps.block import Sublayer
from playground.lens.inspect.steps.code_lines import in_transformer
from playground.lens.inspect.steps.norm_map import NormMap
from playground.lens.inspect.steps.step import InsideStep, Row, StepTable
from playground.lens.inspect.steps.stream import stream_before
from playground.lens.inspect.steps.token_inputs import TokenInputs
from playground.lens.inspect.steps.vectors import NamedTerm, NormedVector, SumOfTerms, Vector
from playground.text import _, fill


def feed_forward_norm_step(inputs: TokenInputs) -> InsideStep | None:
    """r: the stream; g: the norm's weights; n: what the layer reads."""
    layer = inputs.block.feed_forward
    if layer is None or inputs.feed_forward is None:
        return None
    stream = read_vector(inputs, layer)
    rows = [Row(symbol="r", label=_("residual stream"), vector=stream)]
    if layer.input_norm is not None:
        weights = Vector(name="w[{column}]", values=layer.input_norm.step.weight, note=_("learned"))
        rows.append(Row(symbol="g", label=_("norm weights"), vector=weights))
    rows.append(Row(symbol="n", label=_("layer input"), vector=input_vector(inputs, layer)))
    sentences = [_norm_sentence(layer.input_norm, stream.values)]
    if layer.reads_start:
        sentences.append(_("It reads the stream from before the block: attention and this layer run side by side."))
    return InsideStep(
        name="feed_forward_norm",
        title=_("Normalised input of the feed-forward layer"),
        formula=norm_formula(layer.input_norm, "r"),
        explanation=" ".join(sentences),
        tables=(StepTable(label=_("Stream and layer input"), rows=tuple(rows), role="stream", is_scaled_by_row=True),),
        code=(in_transformer("post_norm" if layer.sum_norm is not None else "pre_norm", "norm"),),
    )


def norm_formula(norm: NormMap | None, letter: str) -> str:
    """LaTeX of the norm, or of nothing."""
    if norm is None:
        return rf"\hat{{x}} = {letter}"
    if norm.step.kind == "layer":
        bias = "" if norm.step.bias is None else " + b_i"
        return rf"\hat{{x}}_i = \frac{{{letter}_i - \mu}}{{\sqrt{{\sigma^2 + \epsilon}}}}\, w_i{bias}"
    return rf"\hat{{x}}_i = \frac{{{letter}_i}}{{\sqrt{{\overline{{{letter}^2}} + \epsilon}}}}\, w_i"


def _norm_sentence(norm: NormMap | None, values: np.ndarray) -> str:
    if norm is None:
        return _("The layer reads the stream as it is: this family norms after the layer, not before.")
    root = float(np.sqrt(np.square(values - (values.mean() if norm.step.kind == "layer" else 0)).mean()))
    if norm.step.kind == "layer":
        template = _("Layer norm: subtract the mean {mean:.4g}, divide by {root:.4g}, multiply by the weights.")
        return fill(template, mean=float(values.mean()), root=root)
    return _("RMS norm: divide by the root mean square {root:.4g}, multiply by the weights.").format(root=root)


def read_vector(inputs: TokenInputs, layer: Sublayer) -> Vector:
    """The stream that the feed-forward layer reads, as the sum of what was written into it."""
    return stream_before(inputs.token, inputs.layer, None if layer.reads_start else layer, "r")


def input_vector(inputs: TokenInputs, layer: Sublayer) -> Vector:
    """What the first matrices read."""
    assert inputs.feed_forward is not None
    values, stream = inputs.feed_forward.input[0].numpy(), read_vector(inputs, layer)
    return normed_vector("x̂[{column}]", values, layer.input_norm, Vector(name="r[{column}]", values=stream.values), "r")


def normed_vector(name: str, values: np.ndarray, norm: NormMap | None, source: Vector, letter: str) -> Vector:
    """A vector behind a norm, or the vector itself."""
    if norm is None:
        term = NamedTerm(name=source.name, values=source.values)
        return SumOfTerms(name=name, values=values, terms=(term,))
    return NormedVector(name=name, values=values, norm=norm.at(source.values), letter=letter, input=source)
