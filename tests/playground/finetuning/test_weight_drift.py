"""Drift worked out by hand, against numpy's singular values, and the rank of a known low-rank change."""

import copy
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from playground.errors import UserError
from playground.finetuning.drift_table import drift_table
from playground.finetuning.model_pair import ModelPair
from playground.finetuning.weight_drift import ROWS_AT_ONCE, model_drift, tensor_drift
from tests.helpers.families import as_loaded, small_model, word_tokenizer
from tests.helpers.model_pairs import QUERIES, loaded, low_rank_change, pair_of


def test_a_drift_by_hand():
    """W = [[3, 0], [0, 4]] has norm 5; the change diag(1, 1/2) has norm sqrt(5)/2 and the singular values 1, 1/2."""
    before = torch.tensor([[3.0, 0.0], [0.0, 4.0]])
    drift = tensor_drift("blocks.0.output.weight", before, before + torch.diag(torch.tensor([1.0, 0.5])))
    assert drift.norm == pytest.approx(5.0)
    assert drift.change == pytest.approx(math.sqrt(1.25))
    assert drift.relative == pytest.approx(math.sqrt(1.25) / 5)
    assert drift.singular_values == pytest.approx([1.0, 0.5])
    assert drift.effective_rank == pytest.approx(math.exp(math.log(3) - 2 / 3 * math.log(2)))
    assert drift.stable_rank == pytest.approx(1.25)
    assert drift.energy(1) == pytest.approx(0.8)


@given(
    rows=st.integers(1, 12),
    columns=st.integers(1, 12),
    seed=st.integers(0, 99),
)
@settings(max_examples=40)
def test_singular_values_are_numpys(rows, columns, seed):
    generator = np.random.default_rng(seed)
    before = torch.from_numpy(generator.normal(size=(rows, columns)))
    change = generator.normal(size=(rows, columns))
    drift = tensor_drift("w", before, before + torch.from_numpy(change))
    theirs = np.linalg.svd(change, compute_uv=False)
    assert drift.singular_values == pytest.approx(theirs[: drift.rank], rel=1e-5, abs=1e-6)
    assert (theirs[drift.rank :] <= 1e-6 * theirs[0]).all()
    assert drift.change == pytest.approx(float(np.linalg.norm(change)))
    assert 1 - 1e-9 <= drift.stable_rank <= drift.effective_rank * drift.rank
    assert 1 - 1e-9 <= drift.effective_rank <= drift.rank + 1e-9


@pytest.mark.parametrize("rank", [1, 3, 8])
@pytest.mark.parametrize("shape", [(64, 64), (40, 96), (200, 24)])
def test_the_rank_of_a_change_is_told_behind_the_rounding_of_its_sum(rank, shape):
    """float32 rounds W + s B A in every number, which makes the difference full-rank: below the level of rounding."""
    torch.manual_seed(1)
    before = torch.randn(shape)
    after = (before.double() + low_rank_change(*shape, rank, scale=0.5)).float()
    drift = tensor_drift("w", before, after)
    assert drift.rank == rank
    assert drift.singular_values == pytest.approx(0.5 / np.arange(1, rank + 1), rel=1e-4)
    full = np.linalg.matrix_rank((after.double() - before.double()).numpy())
    assert full == min(shape)


def test_rows_beyond_one_block_count():
    before = torch.zeros(ROWS_AT_ONCE + 3, 2)
    after = before.clone()
    after[-1, 0], after[0, 1] = 2.0, 1.0
    assert tensor_drift("w", before, after).singular_values == pytest.approx([2.0, 1.0])
    assert tensor_drift("w", before.T, after.T).singular_values == pytest.approx([2.0, 1.0])


def test_what_was_zero_moves_infinitely_far_and_what_stays_not_at_all():
    zero, one = torch.zeros(3), torch.ones(3)
    assert tensor_drift("b", zero, one).relative == math.inf
    still = tensor_drift("b", one, one)
    assert (still.relative, still.rank, still.effective_rank, still.stable_rank, still.energy(1)) == (
        0.0,
        0,
        0.0,
        0.0,
        0.0,
    )
    assert not still.is_matrix


def test_the_queries_of_one_layer_moved_in_two_directions():
    drift = model_drift(pair_of(rank=2, scale=0.3))
    (moved,) = drift.changed
    assert (moved.name, moved.layer, moved.part) == (f"{QUERIES} · query", 1, "attention.query")
    assert moved.shape == (24, 24)
    assert moved.singular_values == pytest.approx([0.3, 0.15], rel=1e-4)
    assert drift.relative == pytest.approx(
        math.hypot(0.3, 0.15) / math.sqrt(sum(weight.norm**2 for weight in drift.weights))
    )
    assert drift.added == drift.dropped == ()


def test_every_weight_is_counted_once():
    """The parts of query_key_value put together are the whole, and a tied head is no second matrix."""
    pair = pair_of(rank=0, tied=True)
    squares = sum(float(p.square().sum()) for p in pair.before.module.parameters())
    drift = model_drift(pair)
    assert sum(weight.norm**2 for weight in drift.weights) == pytest.approx(squares, rel=1e-6)
    assert {"attention.query", "attention.key", "attention.value", "attention.output"} <= {
        w.part for w in drift.weights
    }


def test_the_cross_attention_of_an_encoder_decoder_has_keys_and_values():
    table = drift_table(model_drift(pair_of("encoder-decoder", rank=1)))
    assert {"cross_attention.key", "cross_attention.value", "cross_attention.query"} <= set(table.columns)
    assert table.rows == ("blocks 0", "blocks 1", "encoder.blocks 0", "encoder.blocks 1")
    row, column = table.rows.index("blocks 1"), table.columns.index("attention.query")
    assert table.values[row, column] > 0
    assert np.nansum(table.values) == pytest.approx(table.values[row, column])
    assert np.isnan(table.values[table.rows.index("encoder.blocks 0"), table.columns.index("cross_attention.key")])
    assert table.weights[row][column].part == "attention.query"


def test_vectors_have_a_table_of_their_own():
    table = drift_table(model_drift(pair_of(rank=0, bias=True)), matrices=False)
    assert "attention.query.bias" in table.columns
    assert not table.values.any()


def test_a_classifier_around_a_body_is_compared_with_the_body():
    """The body stands under `transformer.` in both; a bare body has no word before its names."""
    around = small_model("gpt2")
    body = as_loaded(copy.deepcopy(around.module.transformer), "decoder", "gpt2")
    around.module.transformer.h[1].mlp.c_fc.bias.data += 1.0
    drift = model_drift(ModelPair(before=body, after=around))
    assert [weight.name for weight in drift.changed] == ["h.1.mlp.c_fc.bias"]
    assert len(drift.weights) == len(list(body.module.named_parameters()))
    assert drift.added == drift.dropped == ()  # the output head is the embedding
    assert [weight.name for weight in model_drift(ModelPair(before=around, after=body)).changed] == [
        "transformer.h.1.mlp.c_fc.bias"
    ]


def test_a_head_of_another_size_is_added_and_dropped():
    before, after = loaded("encoder", classes=2), loaded("encoder", classes=3)
    drift = model_drift(ModelPair(before=before, after=after))
    assert drift.added == drift.dropped
    assert all("classifier" in name for name in drift.added)


def test_two_architectures_are_refused():
    with pytest.raises(UserError, match="not one architecture"):
        ModelPair(before=loaded("decoder"), after=loaded("encoder"))
    other = loaded("decoder")
    object.__setattr__(other, "tokenizer", word_tokenizer())
    with pytest.raises(UserError, match="different vocabularies"):
        ModelPair(before=loaded("decoder"), after=other)


def test_progress_counts_weights_and_may_end_the_work():
    seen = []

    def stop(done: int, total: int) -> None:
        seen.append((done, total))
        if done == 2:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        model_drift(pair_of(), stop)
    assert [done for done, _total in seen] == [0, 1, 2]
