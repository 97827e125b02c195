"""Every number of what a neuron changes in the logits is made of its terms, and the changes are the slopes' own."""

import numpy as np
import pytest

from playground.lens.inspect.steps.derivation import parse_number
from playground.lens.inspect.steps.logit_slopes import logit_slopes
from playground.lens.inspect.steps.neuron_logits import neuron_logits_step
from playground.lens.inspect.steps.neurons import output_row
from tests.playground.lens.inspect.steps.test_token_steps import TWO_SIGNS, inputs_of
from tests.playground.lens.inspect.steps.test_whole_token import scrambled

PASSED = {
    "gpt2": ["norm"],
    "granite": ["times 0.3", "norm"],
    "gemma2": ["norm", "norm"],
    "bert": ["norm", "matrix", "GELU", "norm"],
    "albert": ["norm", "matrix", "GELU (tanh)", "norm"],
    "t5": ["norm", "times 0.1768"],
    "cohere": ["norm"],
    "mixtral": ["norm"],
}


@pytest.mark.parametrize("family", PASSED)
def test_the_terms_of_every_number_make_it(family):
    inputs = inputs_of(scrambled(family))
    step = neuron_logits_step(inputs, inputs.neuron, [5, 9], [7])
    raised, lowered, way = step.tables
    assert [row.label.split(" ", 1)[1] for row in way.rows[1:]] == PASSED[family]
    for passed in PASSED[family]:
        assert passed in step.explanation
    for table in step.tables:
        for row in table.rows:
            largest = max(1.0, float(np.abs(row.values).max()))
            for column in range(len(row.values)):
                number, derivation = row.number(column), row.derive(column)
                assert parse_number(number.address) == number
                assert derivation.terms or row.symbol == "w"
                assert not TWO_SIGNS.search(" ".join([derivation.formula, *(term.name for term in derivation.terms)]))
                assert derivation.difference < 1e-4 * largest, (table.label, number, derivation)
    expected = logit_slopes(inputs.token, 1)(output_row(inputs.feed_forward.body, inputs.neuron)[None])[0]
    np.testing.assert_allclose(raised.rows[-1].values, expected[[5, 9]], rtol=1e-3, atol=1e-6)
    np.testing.assert_allclose(lowered.rows[-1].values, expected[[7]], rtol=1e-3, atol=1e-6)
    assert len(raised.rows) == (2 if family == "gemma2" else 1)
    assert ("soft cap" in step.explanation) == (family == "gemma2")
    assert ("share" in step.explanation) == (family == "mixtral")


def test_there_is_none_without_an_output_head():
    model = scrambled("bart")
    inputs = inputs_of(model)
    assert neuron_logits_step(inputs, inputs.neuron, [5], [7]) is not None
    object.__setattr__(model, "has_output_head", False)
    inputs = inputs_of(model)
    assert neuron_logits_step(inputs, inputs.neuron, [5], [7]) is None
