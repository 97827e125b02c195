"""The embedding step: against the table's own rows and what the model's embedding module returns."""

import numpy as np
import pytest
import torch

from playground.lens.capture.hooks import ModuleOutput
from playground.lens.capture.inputs import find_table_row
from playground.lens.inspect.steps.embedding import embedding_step
from playground.lens.inspect.steps.step import StepInputs
from tests.playground.lens.inspect.steps.test_layer import traced
from tests.playground.lens.inspect.steps.test_whole_token import scrambled

ROOT = 32**0.5
QUERY = 2


def step_of(trace):
    head = trace.inside(0).head(1, QUERY)
    return embedding_step(StepInputs(head=head, keys=(0,), key_labels=["a"], query_label="b", dimension=0))


def embedded(trace):
    """The table's row of the query's token, and what the embedding module makes of it."""
    module, id = trace.model.module.get_input_embeddings(), trace.ids[QUERY]
    return module.weight[id].detach().numpy(), module(torch.tensor([id]))[0].detach().numpy()


@pytest.mark.parametrize("family", ["gemma2", "gemma3"])
def test_gemmas_embedding_is_a_row_of_the_table_times_the_root_of_the_width(family):
    trace = traced(scrambled(family))
    row, returned = embedded(trace)
    np.testing.assert_allclose(returned, row * ROOT, rtol=1e-6)
    step = step_of(trace)
    (shown,) = step.tables[0].rows
    np.testing.assert_array_equal(shown.values, returned)
    for column in (0, 7, 31):
        derivation = shown.derive(column)
        (term,) = derivation.terms
        assert term.factors == pytest.approx((float(row[column]), ROOT), rel=1e-6)
        assert derivation.formula == f"E[{trace.ids[QUERY]},{column}] · 5.65685"
        assert derivation.difference < 1e-6
    assert "row of the embedding table times 5.65685" in step.explanation
    assert step.formula == r"x = e_{\text{token}},\quad e_{\text{token}} = 5.657\, E_{\text{token}}"
    assert "the token's row of the embedding table" not in shown.summary().template


def test_granites_embedding_is_the_row_and_is_multiplied_behind_its_module():
    trace = traced(scrambled("granite"))
    row, returned = embedded(trace)
    np.testing.assert_array_equal(row, returned)
    step = step_of(trace)
    shown, entered = step.tables[0].rows
    np.testing.assert_array_equal(shown.values, row)
    np.testing.assert_allclose(entered.values, 5 * row, rtol=1e-6)
    assert "the token's row of the embedding table" in shown.summary().template
    assert step.formula == r"x = 5\, e_{\text{token}}"
    assert "the embedding times 5 enters" in step.explanation


@pytest.mark.parametrize(
    ("family", "formula"),
    [
        ("llama", r"x = e_{\text{token}}"),
        ("gpt2", r"x = e_{\text{token}} + p_{\text{position}}"),
        ("bert", r"x = \mathrm{norm}(e_{\text{token}} + p_{\text{position}})"),
        ("modernbert", r"x = \mathrm{norm}(e_{\text{token}})"),
    ],
)
def test_the_formula_is_the_familys(family, formula):
    assert step_of(traced(scrambled(family))).formula == formula


def test_what_is_no_multiple_of_a_row_is_not_called_one():
    table = torch.nn.Embedding(5, 4).requires_grad_(False)
    ids = torch.tensor([[3, 1]])
    plain = ModuleOutput(module=table, received=ids, output=table(ids))
    assert (find_table_row(plain, 1).id, find_table_row(plain, 1).scale) == (1, 1.0)
    other = ModuleOutput(module=table, received=ids, output=table(ids) + torch.tensor([[[0.0] * 4, [9.0, 0, 0, 0]]]))
    assert find_table_row(other, 0).scale == 1.0
    assert find_table_row(other, 1) is None
    assert find_table_row(ModuleOutput(module=table, received=None, output=table(ids)), 0) is None


def test_a_row_of_zeros_is_itself():
    table = torch.nn.Embedding(5, 4, padding_idx=0).requires_grad_(False)
    ids = torch.tensor([[0]])
    assert find_table_row(ModuleOutput(module=table, received=ids, output=table(ids)), 0).scale == 1.0
