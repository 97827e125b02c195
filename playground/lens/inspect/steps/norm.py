"""Norm: from the residual stream to the layer input.

Ba et al. 2016 (layer norm), Zhang and Sennrich 2019 (root mean square), Xiong et al. 2020 (before or after the layer).
"""

import numpy as np

from playground.lens.capture.norm_step import NormStep
from playground.lens.capture.residual_stream import StreamParts
from playground.lens.inspect.steps.code_lines import in_transformer
from playground.lens.inspect.steps.embedding import entered_vector
from playground.lens.inspect.steps.head import HeadInside
from playground.lens.inspect.steps.step import InsideStep, Row, StepInputs, StepTable
from playground.lens.inspect.steps.vectors import NamedTerm, NormedVector, SumOfTerms, Vector
from playground.text import _, fill


def norm_step(inputs: StepInputs) -> InsideStep:
    """r: the residual stream; g: the norm's weights; n: the layer input."""
    head, norm = inputs.head, inputs.head.norm
    rows = [Row(symbol="r", label=_("residual stream"), vector=stream_vector(head))]
    if norm is not None:
        weights = Vector(name="w[{column}]", values=norm.weight, note=_("learned"))
        rows.append(Row(symbol="g", label=_("norm weights"), vector=weights))
    rows.append(Row(symbol="n", label=_("layer input"), vector=layer_input_vector(head)))
    label = _("Residual stream and layer input")
    function = "pre_norm" if head.is_additive else "post_norm"
    names = ("norm", "layer") if head.is_additive else ("norm",)
    return InsideStep(
        name="norm",
        title=_("Normalised input"),
        formula=_formula(norm, is_same=_reads_stream(head)),
        explanation=_explanation(head),
        tables=(StepTable(label=label, rows=tuple(rows), role="stream", is_scaled_by_row=True),),
        code=(in_transformer(function, *names),),
    )


def layer_input_vector(head: HeadInside) -> Vector:
    """The layer input: the residual stream, normed in most families."""
    name, stream = "x̂[{column}]", Vector(name="r[{column}]", values=head.residual)
    if head.norm is not None:
        return NormedVector(name=name, values=head.layer_input, norm=head.norm, letter="r", input=stream)
    if _reads_stream(head):
        return SumOfTerms(
            name=name, values=head.layer_input, terms=(NamedTerm(name=stream.name, values=stream.values),)
        )
    return Vector(name=name, values=head.layer_input, is_known=False)


def stream_vector(head: HeadInside, parts: StreamParts | None = None) -> Vector:
    """The residual stream before the layer. What was written into it takes another pass: `Trace.stream_parts`."""
    name, values = "r[{column}]", head.residual
    if parts is None and np.array_equal(values, head.entered):
        return entered_vector(head, "r")
    if parts is None:
        note = _("written by the blocks before; click for every layer's part")
        return Vector(name=name, values=values, note=note, is_known=False)
    if parts.norm is not None:
        total = Vector(name="s[{column}]", values=parts.vectors[0])
        return NormedVector(name=name, values=values, norm=parts.norm, letter="s", input=total)
    terms = tuple(
        NamedTerm(name=f"{part}[{{column}}]", values=numbers)
        for part, numbers in zip(parts.names, parts.vectors, strict=True)
    )
    formula = "x[{column}] + Σ attention[{column}] + Σ feed_forward[{column}]"
    return SumOfTerms(name=name, values=values, terms=terms, formula=formula)


def _reads_stream(head: HeadInside) -> bool:
    """Whether the layer receives the residual stream as it is."""
    return bool(np.array_equal(head.residual, head.layer_input))


def _formula(norm: NormStep | None, *, is_same: bool) -> str:
    if norm is None:
        return r"\hat{x} = r" if is_same else r"\hat{x} = \mathrm{norm}(r)"
    if norm.kind == "layer":
        bias = "" if norm.bias is None else " + b_i"
        return r"\hat{x}_i = \frac{r_i - \mu}{\sqrt{\sigma^2 + \epsilon}}\, w_i" + bias
    return r"\hat{x}_i = \frac{r_i}{\sqrt{\overline{r^2} + \epsilon}}\, w_i"


def _explanation(head: HeadInside) -> str:
    mean, root = float(head.residual.mean()), float(np.sqrt(np.square(head.residual).mean()))
    template = _("The residual stream before layer {layer} has mean {mean:.3g} and root mean square {root:.3g}.")
    sentences = [fill(template, layer=head.layer, mean=mean, root=root)]
    if _reads_stream(head):
        sentences.append(_("The layer reads it as it is: this family norms after the layer, not before."))
    elif head.norm is None:
        sentences.append(_("The layer reads it after its norm."))
    elif head.norm.kind == "layer":
        template = _("Layer norm: subtract the mean {mean:.4g}, divide by {root:.4g}, multiply by the weights.")
        sentences.append(fill(template, mean=head.norm.mean, root=head.norm.root))
    else:
        template = _("RMS norm: divide by the root mean square {root:.4g}, multiply by the weights.")
        sentences.append(template.format(root=head.norm.root))
    return " ".join(sentences)
