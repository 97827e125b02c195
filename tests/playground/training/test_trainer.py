"""Steps of training: against AdamW written out, by invariants, and that something is learned."""

import dataclasses
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from playground.errors import UserError
from playground.training import train
from playground.training.objective import loss_of
from playground.training.schedule import learning_rate
from playground.training.trainer import make_optimizer, start_state
from playground.transformer import Transformer, TransformerConfig
from tests.playground.training.small import task_of, train_config

torch.set_num_threads(1)


def weights_after(config, task) -> dict[str, torch.Tensor]:
    state = start_state(config)
    list(train(config, task, state=state))
    return {name: parameter.detach().clone() for name, parameter in state.model.named_parameters()}


# Against an independent reference


@pytest.mark.parametrize("shape", [{}, {"norm": "layer", "feed_forward": "gelu", "tied": False}])
def test_four_steps_are_those_of_adamw_written_out(tmp_path, shape):
    """Loshchilov and Hutter 2019, algorithm 2, with clipping by the global norm, in float64 on our gradients."""
    config = train_config(tmp_path, shape, steps=4, clip=0.5, weight_decay=0.3, betas=(0.8, 0.9))
    task = task_of(config)
    found = weights_after(config, task)
    model = start_state(config).model
    means = {name: np.zeros(p.shape) for name, p in model.named_parameters()}
    squares = {name: np.zeros(p.shape) for name, p in model.named_parameters()}
    for step in range(1, 5):
        generator = np.random.default_rng((config.seed, step))
        model.zero_grad()
        loss_of(model, task.batch(generator, rows=config.batch, length=config.model.context, step=step)).backward()
        gradients = {name: p.grad.double().numpy() for name, p in model.named_parameters()}
        norm = math.sqrt(sum((gradient**2).sum() for gradient in gradients.values()))
        rate = learning_rate(config, step)
        for name, parameter in model.named_parameters():
            gradient = gradients[name] * min(1.0, 0.5 / (norm + 1e-6))
            means[name] = 0.8 * means[name] + 0.2 * gradient
            squares[name] = 0.9 * squares[name] + 0.1 * gradient**2
            mean, square = means[name] / (1 - 0.8**step), squares[name] / (1 - 0.9**step)
            decay = 0.3 if parameter.ndim > 1 else 0.0
            old = parameter.detach().double().numpy()
            new = old * (1 - rate * decay) - rate * mean / (np.sqrt(square) + 1e-8)
            parameter.data = torch.from_numpy(new).float()
    for name, parameter in model.named_parameters():
        torch.testing.assert_close(found[name], parameter.detach(), atol=2e-5, rtol=1e-4, msg=name)


@pytest.mark.parametrize("tied", [True, False])
def test_matrices_decay_vectors_do_not_and_each_stands_once(tmp_path, tied):
    config = train_config(tmp_path, {"norm": "layer", "feed_forward": "gelu", "tied": tied}, weight_decay=0.3)
    model = Transformer(config.model)
    groups = make_optimizer(config, model).param_groups
    decay = {id(p): group["weight_decay"] for group in groups for p in group["params"]}
    assert sum(len(group["params"]) for group in groups) == len(decay) == len(list(model.parameters()))
    for name, parameter in model.named_parameters():
        is_vector = name.endswith("bias") or "norm" in name
        assert decay[id(parameter)] == (0.0 if is_vector else 0.3), name
    assert all(group["betas"] == config.betas for group in groups)


# By an invariant


def test_the_same_seed_gives_the_same_run_and_another_seed_another(tmp_path):
    config = train_config(tmp_path)
    task = task_of(config)
    first, again = list(train(config, task)), list(train(config, task))
    assert first == again
    assert [step.loss for step in train(train_config(tmp_path, seed=1), task)] != [step.loss for step in first]
    weights = weights_after(config, task)
    assert all(torch.equal(tensor, weights[name]) for name, tensor in weights_after(config, task).items())


def test_a_run_neither_reads_nor_moves_the_global_random_state(tmp_path):
    config = train_config(tmp_path)
    task = task_of(config)
    torch.manual_seed(1)
    np.random.seed(1)
    before, numbers = torch.get_rng_state(), np.random.get_state()[1].copy()
    first = [step.loss for step in train(config, task)]
    assert torch.equal(torch.get_rng_state(), before)
    assert (np.random.get_state()[1] == numbers).all()
    torch.manual_seed(2)
    assert [step.loss for step in train(config, task)] == first


def test_stopping_and_going_on_is_not_stopping(tmp_path):
    config = train_config(tmp_path)
    task = task_of(config)
    whole = list(train(config, task))
    state = start_state(config)
    stream = train(config, task, state=state)
    first = [next(stream) for _ in range(2)]
    stream.close()
    assert state.step == 2
    assert [*first, *train(config, task, state=state)] == whole


def test_what_a_step_reports(tmp_path):
    config = train_config(tmp_path, steps=7)
    steps = list(train(config, task_of(config)))
    assert [step.step for step in steps] == list(range(1, 8))
    assert [step.step for step in steps if step.evaluation is not None] == [3, 6, 7]
    assert [step.tokens for step in steps] == [32 * step for step in range(1, 8)]
    assert [step.learning_rate for step in steps] == [learning_rate(config, step) for step in range(1, 8)]
    assert all(step.gradient_norm > 0 for step in steps)


def test_the_first_loss_is_about_an_even_guess(tmp_path):
    config = train_config(tmp_path, batch=16)
    first = next(train(config, task_of(config)))
    assert first.loss == pytest.approx(math.log(32), abs=0.1)


def test_evaluation_changes_nothing(tmp_path):
    often, seldom = train_config(tmp_path, evaluate_every=1), train_config(tmp_path, evaluate_every=6)
    task = task_of(often)
    assert [step.loss for step in train(often, task)] == [step.loss for step in train(seldom, task)]


# Learning


def test_the_losses_fall_on_a_text_that_repeats_itself(tmp_path):
    config = train_config(tmp_path, steps=120, batch=4, warm_up=10, learning_rate=0.02, evaluate_every=120)
    steps = list(train(config, task_of(config)))
    assert steps[0].loss > 3
    assert np.mean([step.loss for step in steps[-10:]]) < 1.2
    measures = steps[-1].evaluation
    assert measures is not None
    assert measures["held_out_loss"] < 1.5
    assert measures["bits_per_byte"] == pytest.approx(measures["held_out_loss"] / math.log(2))


# Refusals


@pytest.mark.parametrize(
    ("shape", "sentence"),
    [
        ({"context": 2000}, "training text"),
        ({"context": 100}, "held-out text"),
        ({"vocabulary": 8}, "the model only 8"),
    ],
)
def test_a_text_that_does_not_fit_the_model_is_refused_before_the_first_step(tmp_path, shape, sentence):
    config = train_config(tmp_path, shape)
    with pytest.raises(UserError, match=sentence):
        next(train(config, task_of(config)))


def test_a_loss_that_is_no_number_ends_the_run(tmp_path):
    config = train_config(tmp_path)
    state = start_state(config)
    stream = train(config, task_of(config), state=state)
    next(stream)
    with torch.no_grad():
        state.model.embedding.weight[:] = float("nan")
    with pytest.raises(UserError, match="loss of step 2 is not a finite number"):
        next(stream)
    assert state.step == 1


@st.composite
def shapes(draw) -> dict:
    """Shapes of which about half can be; the others have a size that is none, or two that do not go together."""
    heads = draw(st.integers(1, 4))
    return {
        "vocabulary": draw(st.sampled_from([17, 32, 40, 40, 8])),
        "context": draw(st.sampled_from([1, 2, 7, 16, 16, 90])),
        "width": heads * draw(st.integers(1, 6)) + draw(st.sampled_from([0, 0, 0, 1])),
        "layers": draw(st.sampled_from([1, 1, 2, 3, 0])),
        "heads": heads,
        "key_value_heads": draw(st.sampled_from([None, 1, heads, 2])),
        "hidden": draw(st.sampled_from([None, 1, 5, 8, 0])),
        "feed_forward": draw(st.sampled_from(["swiglu", "gelu", "relu", "none"])),
        "norm": draw(st.sampled_from(["rms", "layer"])),
        "positions": draw(st.sampled_from(["rotary", "learned", "sinusoidal", "none"])),
        "tied": draw(st.booleans()),
    }


OUTCOMES: list[bool] = []


@settings(max_examples=100, deadline=None)
@given(shapes(), st.integers(0, 3))
def one_step_or_a_sentence(task, config, shape, seed):
    try:
        changed = dataclasses.replace(config, model=TransformerConfig(**shape), seed=seed, steps=1, warm_up=0)
        step = next(train(changed, task))
    except UserError:
        OUTCOMES.append(False)
        return
    OUTCOMES.append(True)
    assert math.isfinite(step.loss)
    assert math.isfinite(step.gradient_norm)
    assert step.evaluation is not None
    assert math.isfinite(step.evaluation["held_out_loss"])


def test_any_small_shape_trains_a_step_or_is_refused(tmp_path):
    OUTCOMES.clear()
    config = train_config(tmp_path)
    one_step_or_a_sentence(task_of(config), config)
    assert OUTCOMES.count(True) >= 10
    assert OUTCOMES.count(False) >= 10
