"""The steps after attention: every number that they list is derived, and every step names lines that do it."""

import re

import numpy as np
import pytest

from playground.lens.inspect.steps.code_lines import code_lines
from playground.lens.inspect.steps.neurons import NeuronName
from playground.lens.inspect.steps.token_inputs import TokenInputs
from playground.lens.inspect.steps.walkthrough import token_walkthrough
from tests.helpers.own_models import own_model, random_model
from tests.playground.lens.inspect.steps.test_layer import traced
from tests.playground.lens.inspect.steps.test_whole_token import scrambled

FAMILIES = ["gpt2", "llama", "gemma2", "qwen2_moe", "gpt_oss", "granite", "cohere", "bert", "albert", "t5", "marian"]
ALWAYS = ["feed_forward_norm", "up", "activation", "down", "feed_forward_residual", "neurons", "stream", "logit"]
CODE = {
    "feed_forward_norm": "norm(",
    "up": "self.up(x)",
    "activation": "self.up(x)",
    "down": "self.output(",
    "feed_forward_residual": "residual + drop(",
    "neurons": "self.output(",
    "stream": "residual + drop(",
    "final_norm": ".norm(stack.residual(",
    "output_head": "self.head(",
    "logit": "self.head(",
    "probabilities": ".softmax(-1)",
    "router": "scores.topk(",
}


TWO_SIGNS = re.compile(r"[-−+] ?-|[−+] ?[−+]\d|(?<![\we])-\d")
"""A sign behind a sign, or a hyphen for a minus."""


def inputs_of(model, **changes):
    values = {"layer": 1, "label": "3 c", "spelling": lambda id: f"<{id}>", "dimension": 3, **changes}
    return TokenInputs(token=traced(model).whole_token(2), **values)


@pytest.mark.parametrize("family", FAMILIES)
def test_the_terms_of_every_listed_number_make_it(family):
    steps = token_walkthrough(inputs_of(scrambled(family)))
    names = [step.name for step in steps]
    assert [name for name in names if name in ALWAYS] == ALWAYS
    assert ("router" in names) == (family in ("qwen2_moe", "gpt_oss"))
    assert ("output_head" in names) == (family in ("bert", "albert", "t5"))
    assert ("final_norm" in names) == (family not in ("bert", "albert", "marian"))
    for step in steps:
        assert not TWO_SIGNS.search(step.explanation), step.explanation
        for table in step.tables:
            assert not TWO_SIGNS.search(table.label), table.label
            for row in table.rows:
                largest = max(1.0, float(np.abs(row.values).max()))
                for column in range(len(row.values)):
                    number = row.number(column)
                    assert number is not None
                    assert table.cell(number) is not None
                    derivation = row.derive(column)
                    assert derivation.is_known
                    assert not TWO_SIGNS.search(derivation.formula), derivation.formula
                    assert derivation.terms or row.vector.note == "learned", (step.name, number)
                    assert derivation.difference < 2e-4 * largest, (step.name, table.label, number, derivation)
                summary = row.summary()
                assert len(summary.numbers) == len(row.values)


@pytest.mark.parametrize("kind", ["decoder", "encoder"])
def test_every_step_names_lines_that_do_it(kind):
    for step in token_walkthrough(inputs_of(own_model(kind))):
        text = "\n".join(code_lines(reference).text for reference in step.code)
        assert CODE[step.name] in text, step.name
        assert step.title
        assert step.explanation


def test_the_probabilities_terms_run_over_the_whole_vocabulary():
    inputs = inputs_of(scrambled("llama"))
    step = next(step for step in token_walkthrough(inputs) if step.name == "probabilities")
    row = step.tables[0].rows[-1]
    logits = inputs.logits.astype(float)
    expected = np.exp(logits) / np.exp(logits).sum()
    np.testing.assert_allclose(row.values, expected[list(inputs.top)], rtol=1e-5)
    assert len(row.derive(0).terms) == len(logits)


def test_what_is_traced_can_be_chosen():
    model = scrambled("mixtral")
    chosen = inputs_of(model)
    expert = chosen.branches[1].expert
    inputs = inputs_of(model, traced_neuron=NeuronName(expert, 7), traced_token=11)
    assert inputs.neuron == (expert, 7)
    assert inputs.traced == 11
    assert 11 in inputs.top
    silent = next(number for number in range(4) if number not in [branch.expert for branch in inputs.branches])
    assert inputs_of(model, traced_neuron=NeuronName(silent, 7), traced_token=9999).neuron == chosen.neuron
    assert inputs_of(model, traced_token=9999).traced == int(chosen.logits.argmax())


def test_parallel_blocks_and_norms_behind_the_sum_are_told():
    texts = {}
    for family in ("cohere", "bert", "granite"):
        texts[family] = " ".join(step.explanation for step in token_walkthrough(inputs_of(scrambled(family))))
    assert "side by side" in texts["cohere"]
    assert "the sum is normed" in texts["bert"].casefold()
    assert "multiplies it by 0.3" in texts["granite"]


def test_without_residual_connections_only_the_last_layer_arrives():
    model = own_model("decoder")
    object.__setattr__(model, "module", random_model(kind="decoder", residual=False))
    inputs = inputs_of(model)
    assert (inputs.stream.arrived[:-1] == 0).all()
    np.testing.assert_allclose(inputs.stream.arrived[-1], inputs.stream.final, atol=1e-5)
    for step in token_walkthrough(inputs):
        for row in (row for table in step.tables for row in table.rows):
            largest = max(1.0, float(np.abs(row.values).max()))
            assert row.derive(len(row.values) - 1).difference < 2e-4 * largest, step.name
    assert "no residual connections" in " ".join(step.explanation for step in token_walkthrough(inputs))
