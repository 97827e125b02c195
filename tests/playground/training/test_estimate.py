"""What a run will cost, against the real model: parameters and operations exactly, memory and time within a factor."""

import statistics
import time
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils.flop_counter import FlopCounterMode

from playground.attention import handling, pattern
from playground.errors import UserError
from playground.tasks.task import Batch
from playground.training.estimate import estimate
from playground.training.objective import loss_of
from playground.training.optimizers import make_optimizer
from playground.training.sizes import parameters_by_part, product_flops
from playground.training.throughput import Throughput, ThroughputCache, measured_throughput
from playground.transformer import Transformer, TransformerConfig
from playground.transformer_config import LARGEST
from tests.helpers.small_training import train_config

torch.set_num_threads(1)
SPEED = Throughput(flops_per_second=1e9, seconds_per_value=1e-9, seconds_per_layer=1e-3)
SHAPE = {"vocabulary": 32, "context": 16, "width": 24, "layers": 2, "n_heads": 2, "hidden": 40}
SHAPES = [
    {},
    {"key_value_heads": 1, "tied": False, "positions": "learned"},
    {"norm": "layer", "feed_forward": "gelu", "bias": True, "norm_position": "post"},
    {"feed_forward": "none", "positions": "none"},
    {"kind": "encoder", "segments": 2, "classes": 3, "feed_forward": "relu"},
    {"kind": "encoder-decoder"},
    {"norm": "none", "residual": False},
    {"norm": "none", "embedding_norm": True, "norm_position": "post", "residual": False, "kind": "encoder-decoder"},
]


def batch_of(shape: TransformerConfig, rows: int = 2) -> Batch:
    ids = torch.arange(rows * shape.context).view(rows, -1) % shape.vocabulary
    return Batch(ids=ids, labels=ids, target_ids=ids if shape.kind == "encoder-decoder" else None)


def pattern_times_value(call):
    """Attention by two plain products, which the operations' counter sees."""
    return pattern(call) @ call.value.repeat_interleave(call.queries_per_key_value_head, dim=1)


@pytest.mark.parametrize("changes", SHAPES)
def test_parameters_are_those_of_the_real_model(changes):
    shape = TransformerConfig(**{**SHAPE, **changes})
    assert sum(parameters_by_part(shape).values()) == sum(p.numel() for p in Transformer(shape).parameters())


def test_parameters_by_hand():
    """Embedding 32 x 24; per layer 4 x 24 x 24 and 3 x 24 x 40; two norms a layer and one at the end."""
    parts = parameters_by_part(TransformerConfig(**SHAPE))
    assert parts == {"embedding": 768, "attention": 2 * 2304, "feed_forward": 2 * 2880, "norms": 5 * 24}


@pytest.mark.parametrize("changes", SHAPES)
def test_products_are_those_that_torch_counts(changes):
    shape = TransformerConfig(**{**SHAPE, **changes, "classes": 0})
    model, batch = Transformer(shape), batch_of(shape)
    with FlopCounterMode(display=False) as counter, handling(pattern_times_value):
        model(batch.ids, batch.target_ids)
    assert counter.get_total_flops() == 2 * sum(product_flops(shape, shape.context).values())


def test_a_step_by_hand(tmp_path):
    """Two rows of 16 tokens, twice: 3 x 4 times the forward pass; the embedding as 2 x 16 x 32 x 24 for each row."""
    config = replace(train_config(tmp_path, accumulation=2), model=TransformerConfig(**SHAPE))
    cost = estimate(config, SPEED)
    assert cost.flops_per_step["embedding"] == 3 * 4 * 2 * 16 * 32 * 24
    assert cost.flops_per_step["attention"] == 3 * 4 * 2 * (4 * 16 * 16 * 24)
    assert cost.flops == 6 * sum(cost.flops_per_step.values())
    assert cost.tokens_per_step == 4 * 16
    assert cost.seconds == pytest.approx(6 * cost.seconds_per_step)


@pytest.mark.parametrize("optimizer", ["adamw", "sgd", "muon"])
@pytest.mark.parametrize("changes", [*SHAPES, {"dropout": 0.1}])
def test_memory_is_within_a_third_of_what_a_step_holds(tmp_path, changes, optimizer):
    shape = TransformerConfig(**{**SHAPE, "width": 48, "n_heads": 4, **changes, "classes": 0})
    config = replace(train_config(tmp_path, batch=8, optimizer=optimizer), model=shape)
    model = Transformer(shape)
    stepper = make_optimizer(config, model)
    kept: dict[int, int] = {}

    def keep(tensor):
        kept[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        loss = loss_of(model, batch_of(shape, rows=8))
    own = {tensor.untyped_storage().data_ptr() for tensor in [*model.parameters(), *model.buffers()]}
    activations = sum(size for place, size in kept.items() if place not in own)
    loss.backward()
    stepper.step()
    states = sum(tensor.nbytes for state in stepper.state.values() for tensor in state.values() if tensor.numel() > 1)
    memory = estimate(config, SPEED).memory
    assert memory.weights == memory.gradients == sum(p.nbytes for p in model.parameters())
    assert memory.optimizer == states
    assert memory.activations == pytest.approx(activations, rel=1 / 3)


def test_measuring_the_machine_is_quick_and_kept():
    torch.mm(torch.ones(64, 64), torch.ones(64, 64))
    began = time.perf_counter()
    speed = measured_throughput()
    assert speed.flops_per_second > 1e8
    assert speed.seconds_per_layer > 0
    assert measured_throughput() is speed
    assert time.perf_counter() - began < 3, "three measurements of 0.06 seconds, on however busy a machine"


@pytest.mark.parametrize("changes", [{"width": 32, "layers": 1}, {"width": 96, "layers": 3, "norm": "layer"}])
def test_a_step_takes_about_as_long_as_estimated(tmp_path, changes):
    """Within a factor of three, whatever else the machine does: both count the time of one thread at work."""
    shape = TransformerConfig(**{**SHAPE, "context": 64, "n_heads": 4, "hidden": None, **changes})
    config = replace(train_config(tmp_path, batch=8), model=shape)
    model, batch = Transformer(shape), batch_of(shape, rows=8)
    stepper = make_optimizer(config, model)
    measured_throughput.cache_clear()
    seconds = []
    for _ in range(15):
        began = time.thread_time()
        model.zero_grad()
        loss_of(model, batch).backward()
        stepper.step()
        seconds.append(time.thread_time() - began)
    measured = statistics.median(sorted(seconds)[:7])
    assert 1 / 3 < estimate(config, measured_throughput()).seconds_per_step / measured < 3


def test_a_machine_that_was_busy_is_measured_again_and_the_best_counts():
    slow = Throughput(flops_per_second=1.0, seconds_per_value=2.0, seconds_per_layer=3.0)
    fast = Throughput(flops_per_second=10.0, seconds_per_value=0.2, seconds_per_layer=4.0)
    measured = iter([slow, fast, slow, slow])
    speeds = ThroughputCache(lambda device: next(measured))
    assert speeds.of("cpu", now=0.0) == slow
    assert speeds.of("cpu", now=1.0) == slow
    best = Throughput(flops_per_second=10.0, seconds_per_value=0.2, seconds_per_layer=3.0)
    assert [speeds.of("cpu", now=now) for now in (100.0, 200.0, 300.0, 400.0, 500.0)] == [best] * 5


@given(
    kind=st.sampled_from(["decoder", "encoder", "encoder-decoder"]),
    layers=st.integers(1, 4),
    tied=st.booleans(),
    norm_position=st.sampled_from(["pre", "post"]),
    feed_forward=st.sampled_from(["swiglu", "gelu", "none"]),
    positions=st.sampled_from(["rotary", "learned"]),
)
@settings(max_examples=40)
def test_the_parameters_are_those_of_the_model(**shape):
    config = TransformerConfig(vocabulary=11, width=8, n_heads=2, context=9, bias=True, **shape)
    counted = parameters_by_part(config)
    assert sum(counted.values()) == sum(parameter.numel() for parameter in Transformer(config).parameters())


def test_a_very_deep_model_is_counted_without_being_built():
    config = TransformerConfig(vocabulary=1_000, layers=1_000, width=65_536, n_heads=512)
    begun = time.monotonic()
    assert sum(parameters_by_part(config).values()) > 50e12
    assert time.monotonic() - begun < 2


@pytest.mark.parametrize("field", LARGEST)
def test_no_shape_beyond_all_bounds(field):
    with pytest.raises(UserError, match=f"{field} can be at most"):
        TransformerConfig(**{"vocabulary": 11, "kind": "encoder", field: 10**9})
