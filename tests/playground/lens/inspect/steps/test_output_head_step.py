"""The head's own layers: against the model's own modules, and called alike in every step."""

import numpy as np
import pytest
import torch

from playground.lens.inspect.steps.walkthrough import token_walkthrough
from tests.playground.lens.inspect.steps.test_layer import traced
from tests.playground.lens.inspect.steps.test_token_steps import inputs_of
from tests.playground.lens.inspect.steps.test_whole_token import scrambled


def steps_of(model):
    return {step.name: step for step in token_walkthrough(inputs_of(model))}


def row_called(step, symbol, table=0):
    (row,) = [row for row in step.tables[table].rows if row.symbol == symbol]
    return row


def formula_of(row):
    return row.derive(0).formula


def test_berts_rows_are_its_transform_modules_and_h_is_what_the_output_matrix_reads():
    model = scrambled("bert")
    trace, transform = traced(model), model.module.cls.predictions.transform
    with torch.inference_mode():
        state = model.module.bert(torch.tensor([trace.ids])).last_hidden_state[0, 2]
        product = transform.dense(state)
        activated = transform.transform_act_fn(product)
        normed = transform.LayerNorm(activated)
    steps = steps_of(model)
    head, logit = steps["output_head"], steps["logit"]
    assert [row.symbol for row in head.tables[0].rows] == ["u", "a", "h"]
    for symbol, values in (("u", product), ("a", activated), ("h", normed)):
        np.testing.assert_allclose(row_called(head, symbol).values, values, atol=1e-4)
    state_row = row_called(logit, "h")
    np.testing.assert_allclose(state_row.values, normed.numpy()[list(state_row.keys)], atol=1e-4)
    assert head.formula.startswith(r"h = \mathrm{norm}(\mathrm{act}(W_{\text{head}}\, f + b")
    assert formula_of(row_called(head, "u")).startswith("Σ W_head[0,i] · f[i]")
    assert formula_of(row_called(head, "h")).startswith("(a[0] − μ) / √(Σ (a[i] − μ)²")
    first = state_row.keys[0]
    assert formula_of(state_row).startswith(f"(a[{first}] − μ) / √(Σ (a[i] − μ)²")


def test_t5s_h_is_made_of_the_normed_state_that_the_step_before_shows():
    model = scrambled("t5")
    steps = steps_of(model)
    normed, head, logit = steps["final_norm"], steps["output_head"], steps["logit"]
    np.testing.assert_allclose(row_called(head, "h").values, row_called(normed, "n").values * 32**-0.5, rtol=1e-5)
    assert formula_of(row_called(head, "h")) == "x̂[0] · 0.176777"
    state = row_called(logit, "h")
    assert formula_of(state) == f"x̂[{state.keys[0]}] · 0.176777"
    assert head.formula == r"h = 0.1768\, \hat{x}"


@pytest.mark.parametrize(
    ("family", "formula"),
    [
        ("modernbert", r"h = \mathrm{norm}(\mathrm{act}(W_{\text{head}}\, \hat{x}))"),
        ("albert", r"h = \mathrm{norm}(\mathrm{act}(W_{\text{head}}\, f + b_{\text{head}}))"),
    ],
)
def test_the_formula_is_what_the_head_does(family, formula):
    assert steps_of(scrambled(family))["output_head"].formula == formula


@pytest.mark.parametrize("family", ["llama", "marian", "gemma2"])
def test_most_heads_have_no_layers_of_their_own(family):
    steps = steps_of(scrambled(family))
    assert "output_head" not in steps
    state = row_called(steps["logit"], "h")
    assert ("part" in formula_of(state)) == (family == "marian")
    assert ("f[i]" in formula_of(state)) == (family != "marian")
