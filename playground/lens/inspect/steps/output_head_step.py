"""The layers of an output head of its own, between the last block and the output matrix: a masked-word head, a factor.

Devlin et al. 2019, appendix A.2 (masked words); Raffel et al. 2020 (T5 divides by the root of the width).
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from playground.lens.inspect.steps.activation import Activation
from playground.lens.inspect.steps.code_lines import in_transformer
from playground.lens.inspect.steps.feed_forward_norm import normed_vector
from playground.lens.inspect.steps.norm_map import LinearMap, NormMap
from playground.lens.inspect.steps.output_head import Ending, OutputStage
from playground.lens.inspect.steps.products import ListedProducts
from playground.lens.inspect.steps.step import InsideStep, Row, StepTable
from playground.lens.inspect.steps.token_inputs import TokenInputs
from playground.lens.inspect.steps.vectors import NamedTerm, Products, SumOfTerms, Vector
from playground.text import _

LETTERS = "uabcde"
"""What the head's layers return, in their order: the last one returns h, which the output matrix reads."""


class OwnStage(NamedTuple):
    """One of the head's own layers, what its numbers are called, and what it reads."""

    stage: OutputStage
    letter: str
    source: str


def own_stages(ending: Ending) -> list[OwnStage]:
    """What stands between the final norm, or the last block, and the output matrix; empty in most families."""
    stages = [] if ending.head is None else [stage for stage in ending.head.stages if stage is not ending.norm]
    letters = [*LETTERS[: len(stages) - 1], "h"]
    sources = ["f" if ending.norm is None else "x̂", *letters]
    return [OwnStage(*each) for each in zip(stages, letters, sources, strict=False)]


def output_head_step(inputs: TokenInputs) -> InsideStep | None:
    """u, a, …, h: what each of the head's own layers makes, one below the other. None where it has none."""
    stages = own_stages(inputs.token.ending)
    if not stages:
        return None
    rows = [
        Row(symbol=letter, label=map_title(stage.map), vector=stage_vector(stage, letter, source))
        for stage, letter, source in stages
    ]
    titles = ", ".join(map_title(each.stage.map) for each in stages)
    return InsideStep(
        name="output_head",
        title=_("The head's own layers"),
        formula=_head_formula(stages),
        explanation=_("Between the last block and the output matrix this head has: {stages}.").format(stages=titles),
        tables=(StepTable(label=_("One row for each layer"), rows=tuple(rows), role="head", is_scaled_by_row=True),),
        code=(in_transformer("Transformer.forward", "head"),),
    )


def _head_formula(stages: list[OwnStage]) -> str:
    """h as one layer after the other."""
    text = r"\hat{x}" if stages[0].source == "x̂" else stages[0].source
    for stage, _letter, _source in stages:
        if isinstance(stage.map, LinearMap):
            text = r"W_{\text{head}}\, " + text + ("" if stage.map.bias is None else r" + b_{\text{head}}")
        elif isinstance(stage.map, float):
            text = rf"{stage.map:.4g}\, ({text})" if "+" in text else rf"{stage.map:.4g}\, {text}"
        else:
            text = rf"\mathrm{{{'norm' if isinstance(stage.map, NormMap) else 'act'}}}({text})"
    return f"h = {text}"


def stage_vector(stage: OutputStage, letter: str, source: str) -> Vector:
    """What a stage made, with how."""
    name, values, before = f"{letter}[{{column}}]", stage.after[0].numpy(), stage.before[0].numpy()
    source_vector = Vector(name=f"{source}[{{column}}]", values=before)
    if isinstance(stage.map, NormMap):
        return normed_vector(name, values, stage.map, source_vector, source)
    if isinstance(stage.map, LinearMap):
        return head_products(name, values, stage.map, source_vector)
    if isinstance(stage.map, Activation):
        plain = stage.map.plain.replace("u", f"{source}[{{column}}]")
        return SumOfTerms(name=name, values=values, terms=(NamedTerm(name=plain, values=values, factors=(before,)),))
    factor = np.full_like(before, stage.map)
    left, right = NamedTerm(name=source_vector.name, values=before), NamedTerm(name=f"{stage.map:.6g}", values=factor)
    return Products(name=name, values=values, left=left, right=right)


def head_products(
    name: str, values: Float[np.ndarray, "_"], matrix: LinearMap, source: Vector, *, is_recomputed: bool = False
) -> ListedProducts:
    """What a matrix of the head's own makes of a vector; its bias is a term, where it has one."""
    letter = source.name.split("[")[0]
    return ListedProducts(
        name=name,
        values=values,
        map=matrix,
        input=source.values,
        listed=tuple(range(len(values))),
        term_name=f"W_head[{{column}},{{term}}] · {letter}[{{term}}]",
        formula=f"Σ W_head[{{column}},i] · {letter}[i]",
        bias_name="b_head[{column}]",
        is_recomputed=is_recomputed,
    )


def map_title(map: NormMap | LinearMap | Activation | float) -> str:
    """What a layer of the head, or anything else on the way to the output matrix, is called."""
    if isinstance(map, Activation):
        return map.name
    if isinstance(map, float):
        return _("times {factor:.4g}").format(factor=map)
    return _("matrix") if isinstance(map, LinearMap) else _("norm")
