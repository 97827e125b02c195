"""The embedding step: against the table's own rows and what the model's embedding module returns."""

import numpy as np
import pytest
import torch
import transformers

from playground.attention import IMPLEMENTATION
from playground.lens.capture.hooks import ModuleOutput
from playground.lens.capture.inputs import find_table_row
from playground.lens.inspect.steps.embedding import embedding_step
from playground.lens.inspect.steps.step import StepInputs
from tests.helpers.families import DECODERS, as_loaded
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
        ("albert", r"x = W_E\, \mathrm{norm}(e_{\text{token}} + p_{\text{position}}) + b_E"),
        ("electra", r"x = W_E\, \mathrm{norm}(e_{\text{token}} + p_{\text{position}}) + b_E"),
    ],
)
def test_the_formula_is_the_familys(family, formula):
    assert step_of(traced(scrambled(family))).formula == formula


def parts_of_embedding(trace):
    """Of the query's token: rows of the three tables, their sum, its norm, and the matrix that follows."""
    base = trace.model.module.base_model
    inside, id = base.embeddings, trace.ids[QUERY]
    matrix = (
        base.embeddings_project if hasattr(base, "embeddings_project") else base.encoder.embedding_hidden_mapping_in
    )
    row, position = inside.word_embeddings.weight[id], inside.position_embeddings.weight[QUERY]
    total = row + position + inside.token_type_embeddings.weight[0]
    return row.numpy(), position.numpy(), total.numpy(), inside.LayerNorm(total).numpy(), matrix


@pytest.mark.parametrize("family", ["albert", "electra"])
def test_a_table_of_a_width_of_its_own_is_followed_through_its_matrix(family):
    model = scrambled(family)
    trace = traced(model)
    row, position, total, normed, matrix = parts_of_embedding(trace)
    step = step_of(trace)
    rows = {shown.symbol: shown for shown in step.tables[0].rows}
    assert list(rows) == ["e", "es", "ef", "x"]
    for symbol, own in {"e": row, "es": total, "ef": normed, "x": matrix(torch.tensor(normed)).numpy()}.items():
        np.testing.assert_allclose(rows[symbol].values, own, rtol=1e-4, atol=1e-5, err_msg=symbol)
    derivation = rows["x"].derive(5)
    assert [term.name for term in derivation.terms[:2]] == ["W_E[5,0] · f[0]", "W_E[5,1] · f[1]"]
    assert derivation.terms[3].factors == pytest.approx((float(matrix.weight[5, 3]), float(normed[3])), abs=1e-5)
    assert (derivation.terms[-1].name, len(derivation.terms)) == ("b_E[5]", 17)
    assert derivation.total == pytest.approx(derivation.value, abs=1e-5)
    assert derivation.is_known
    assert not derivation.is_recomputed
    assert rows["ef"].derive(3).difference < 1e-5
    values = {term.name.split(".")[-1]: term.value for term in rows["es"].derive(3).terms}
    assert values["embedding[3]"] == float(row[3])
    assert values["position_embeddings[3]"] == float(position[3])
    assert "have 16 numbers; a matrix makes 32" in step.explanation


def test_opts_narrow_embedding_goes_through_its_matrix_before_positions_are_added():
    name, sizes = DECODERS["opt"]
    module = transformers.AutoModelForCausalLM.from_config(
        getattr(transformers, name)(**{**sizes, "word_embed_proj_dim": 16}), attn_implementation=IMPLEMENTATION
    )
    trace = traced(as_loaded(module.eval().requires_grad_(False), "decoder", "opt"))
    step = step_of(trace)
    rows = {shown.symbol: shown for shown in step.tables[0].rows}
    matrix = trace.model.module.model.decoder.project_in
    np.testing.assert_allclose(rows["ef"].values, matrix.weight.numpy() @ rows["e"].values, rtol=1e-4, atol=1e-6)
    derivation = rows["x"].derive(4)
    assert derivation.terms[-1].name == "f[4]"
    assert derivation.difference < 1e-6
    assert step.formula == r"x = (W_E\, e_{\text{token}}) + p_{\text{position}}"


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
