"""What a feed-forward layer adds to the stream. Xiong et al. 2020: a norm before the layer, or behind the sum."""

import numpy as np

from playground.lens.inspect.steps.block import Sublayer
from playground.lens.inspect.steps.code_lines import in_transformer
from playground.lens.inspect.steps.feed_forward import FeedForward
from playground.lens.inspect.steps.feed_forward_norm import normed_vector
from playground.lens.inspect.steps.feed_forward_rows import output_vector
from playground.lens.inspect.steps.step import InsideStep, Row, StepTable
from playground.lens.inspect.steps.stream import stream_before
from playground.lens.inspect.steps.token_inputs import TokenInputs
from playground.lens.inspect.steps.vectors import NamedTerm, NormedVector, SumOfTerms, Vector
from playground.lens.tolerances import ADDED
from playground.text import _


def feed_forward_residual_step(inputs: TokenInputs) -> InsideStep | None:
    """r, o, d, u: the stream before, the layer's output, what is added, the stream after."""
    layer, feed_forward = inputs.block.feed_forward, inputs.feed_forward
    if layer is None or feed_forward is None:
        return None
    rows = residual_rows(inputs, layer, feed_forward)
    sentences = [_("What the layer wrote is added to the residual stream.")]
    if layer.factor != 1:
        sentences.append(_("This model multiplies it by {factor:g} first.").format(factor=layer.factor))
    if layer.written_norm is not None:
        sentences.append(_("This model norms it first."))
    if layer.replaces:
        sentences = [_("This model has no residual connections: what the layer wrote takes the stream's place.")]
    if layer.sum_norm is not None:
        sentences.append(_("The sum is normed: the stream is no longer the sum of what was written."))
    if layer.reads_start:
        sentences.append(_("The stream already holds what attention wrote, although this layer did not read it."))
    return InsideStep(
        name="feed_forward_residual",
        title=_("Feed-forward output into the residual stream"),
        formula=_formula(layer),
        explanation=" ".join(sentences),
        tables=(StepTable(label=_("Residual stream before and after the layer"), rows=tuple(rows), role="head"),),
        code=(in_transformer("post_norm" if layer.sum_norm is not None else "pre_norm", "residual", "drop"),),
    )


def _formula(layer: Sublayer) -> str:
    if layer.replaces:
        return r"r' = o"
    return r"r' = \mathrm{norm}(r + o)" if layer.sum_norm is not None else r"r' = r + o"


def residual_rows(inputs: TokenInputs, layer: Sublayer, feed_forward: FeedForward) -> list[Row]:
    """The rows of the residual step."""
    before = stream_before(inputs.token, inputs.layer, layer, "r")
    output, added = feed_forward.output[0].numpy(), layer.written(feed_forward.output)[0].numpy()
    rows = [
        Row(symbol="r", label=_("before"), vector=before),
        Row(symbol="o", label=_("output"), vector=output_vector(inputs, feed_forward)),
    ]
    name = "o[{column}]"
    if not np.allclose(added, output, atol=ADDED):
        name = "d[{column}]"
        normed = Vector(name="o[{column}]", values=output)
        vector = _added_vector(layer, added, normed)
        rows.append(Row(symbol="d", label=_("as added"), vector=vector))
    start = () if layer.replaces else (NamedTerm(name="r[{column}]", values=before.values),)
    terms = (*start, NamedTerm(name=name, values=added))
    total = SumOfTerms(name="r′[{column}]", values=np.sum([term.values for term in terms], axis=0), terms=terms)
    if layer.sum_norm is None:
        end = SumOfTerms(name="r′[{column}]", values=inputs.block.end[0].numpy(), terms=terms)
        return [*rows, Row(symbol="u", label=_("after"), vector=end)]
    source = Vector(name="s[{column}]", values=total.values)
    end_vector = normed_vector("r′[{column}]", inputs.block.end[0].numpy(), layer.sum_norm, source, "s")
    total = SumOfTerms(name="s[{column}]", values=total.values, terms=terms)
    return [*rows, Row(symbol="s", label=_("sum"), vector=total), Row(symbol="u", label=_("after"), vector=end_vector)]


def _added_vector(layer: Sublayer, added: np.ndarray, output: Vector) -> Vector:
    """What norm or multiplier made of the layer's output."""
    if layer.written_norm is None:
        factors = (output.values, np.full_like(output.values, layer.factor))
        term = NamedTerm(name=f"o[{{column}}] · {layer.factor:g}", values=output.values * layer.factor, factors=factors)
        return SumOfTerms(name="d[{column}]", values=added, terms=(term,))
    norm = layer.written_norm.at(output.values)
    return NormedVector(name="d[{column}]", values=added, norm=norm, letter="o", input=output, factor=layer.factor)
