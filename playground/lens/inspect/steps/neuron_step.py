"""The neurons that add most: |activation| times the length of the output row, and the row itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from playground.lens.inspect.steps.code_lines import in_layers
from playground.lens.inspect.steps.derivation import Derivation, Term
from playground.lens.inspect.steps.feed_forward import FeedForward
from playground.lens.inspect.steps.feed_forward_rows import activated_vector
from playground.lens.inspect.steps.neurons import NeuronName, RankedNeurons, output_row
from playground.lens.inspect.steps.products import Gathered
from playground.lens.inspect.steps.step import InsideStep, Row, StepTable
from playground.lens.inspect.steps.token_inputs import MOST_NEURONS, TokenInputs
from playground.lens.inspect.steps.vectors import NamedTerm, Origin, SumOfTerms, Vector
from playground.text import _


@dataclass(frozen=True, kw_only=True, eq=False)
class Lengths(Vector):
    """values[column] = √(sum of the squares of a row)."""

    rows: Mapping[int, Float[np.ndarray, "width"]]
    """Of the listed columns."""
    row_name: str
    """Such as "W_down[{term},{column}]"."""

    def derive(self, column: int) -> Derivation:
        """Every square."""
        terms = [
            Term(name=f"{self.row_name.format(column=column, term=index)}²", factors=(float(x),), value=float(x) ** 2)
            for index, x in enumerate(self.rows[column])
        ]
        result = float(np.sqrt(sum(term.value for term in terms)))
        formula = f"√(Σ {self.row_name.format(column=column, term='i')}²)"
        return self._derived(column, formula, terms, result)

    def origin(self, first: int = 0) -> Origin:
        """How many squares."""
        return _("the root of the sum of {count:,} squares").format(count=len(next(iter(self.rows.values())))), []


def neurons_step(inputs: TokenInputs) -> InsideStep | None:
    """c: what each listed neuron adds; a: its activation; l: the length of its row."""
    ranked, feed_forward = inputs.ranked, inputs.feed_forward
    if ranked is None or feed_forward is None or inputs.neuron is None:
        return None
    is_mixture = feed_forward.body.experts > 1
    table = StepTable(
        label=_("The neurons that add most at this token"),
        rows=_neuron_rows(inputs, ranked, feed_forward),
        role="head",
        is_scaled_by_row=True,
        columns=tuple(neuron_label(name, is_mixture=is_mixture) for name in ranked.names[:MOST_NEURONS]),
        axis=_("neuron"),
    )
    return InsideStep(
        name="neurons",
        title=_("Neurons"),
        formula=r"o = \sum_n a_n\, w_n \qquad c_n = |a_n|\, \lVert w_n \rVert",
        explanation=_(
            "A neuron adds its activation times its column w of the last matrix. Sorted by the length of what it adds."
        ),
        tables=(table, _direction_table(inputs.neuron, feed_forward)),
        code=(in_layers("SwiGLU.forward" if ranked.gates is not None else "FeedForwardLayer.forward", "output"),),
    )


def _neuron_rows(inputs: TokenInputs, ranked: RankedNeurons, feed_forward: FeedForward) -> tuple[Row, ...]:
    names = ranked.names[:MOST_NEURONS]
    is_mixture = feed_forward.body.experts > 1
    # A neuron's place in all vectors: its own number; behind those of the experts before it in a mixture.
    size = feed_forward.body.expert(0).count
    keys = tuple(name.expert * size + name.number for name in names)
    directions = {key: output_row(feed_forward.body, name).numpy() for key, name in zip(keys, names, strict=True)}
    activations, lengths, shares, adds = (
        _placed(keys, numbers) for numbers in (ranked.activations, ranked.lengths, ranked.shares, ranked.added)
    )
    factors = (np.abs(activations), *([shares] if is_mixture else []), lengths)
    formula = "|a[{column}]| · p[e] · ‖W_down[:,{column}]‖" if is_mixture else "|a[{column}]| · ‖W_down[:,{column}]‖"
    added = NamedTerm(name=formula, values=adds, factors=factors)
    return (
        Row(
            symbol="c",
            label=_("adds"),
            vector=SumOfTerms(name="c[{column}]", values=adds, terms=(added,), is_recomputed=True),
            keys=keys,
        ),
        Row(
            symbol="a",
            label="a",
            vector=Gathered(name="a[{column}]", values=activations, sources=_activation_sources(inputs, keys)),
            keys=keys,
        ),
        Row(
            symbol="l",
            label=_("length"),
            vector=Lengths(
                name="l[{column}]",
                values=lengths,
                rows=directions,
                row_name="W_down[{term},{column}]",
                is_recomputed=True,
            ),
            keys=keys,
        ),
    )


def _direction_table(neuron: NeuronName, feed_forward: FeedForward) -> StepTable:
    row = Vector(
        name=f"W_down[{{column}},{neuron.number}]",
        values=output_row(feed_forward.body, neuron).numpy(),
        note=_("learned"),
    )
    label = _("What neuron {neuron} writes for an activation of 1").format(
        neuron=neuron_label(neuron, is_mixture=feed_forward.body.experts > 1)
    )
    return StepTable(label=label, rows=(Row(symbol="wd", label="", vector=row),), role="stream")


def _activation_sources(inputs: TokenInputs, keys: Sequence[int]) -> dict[int, tuple[Vector, int]]:
    """Where each listed neuron's activation is derived: among those of its expert."""
    assert inputs.ranked is not None
    assert inputs.feed_forward is not None
    vectors = {branch.expert: activated_vector(branch, inputs.feed_forward) for branch in inputs.branches}
    return {key: (vectors[name.expert], name.number) for key, name in zip(keys, inputs.ranked.names, strict=False)}


def _placed(keys: Sequence[int], numbers: Float[np.ndarray, "neuron"]) -> Float[np.ndarray, "place"]:
    """The numbers of the listed neurons at their places, zeros elsewhere."""
    whole = np.zeros(max(keys) + 1)
    whole[list(keys)] = numbers[: len(keys)]
    return whole


def neuron_label(name: tuple[int, int], *, is_mixture: bool) -> str:
    """How a neuron is called: its number, behind its expert's in a mixture."""
    return f"{name[0]}.{name[1]}" if is_mixture else str(name[1])
