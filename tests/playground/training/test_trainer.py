"""Steps of training: against AdamW written out, by invariants, and that something is learned."""

import copy
import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from playground.errors import UserError
from playground.training import train
from playground.training.objective import loss_of
from playground.training.optimizers import learning_rate
from playground.training.run.checkpoints import latest_state, write_checkpoint
from playground.training.trainer import start_state, take_step
from tests.helpers.small_training import task_of, train_config

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
    weights = weights_after(config, task)
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
        torch.testing.assert_close(weights[name], parameter.detach(), atol=2e-5, rtol=1e-4, msg=name)


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


@pytest.mark.parametrize("optimizer", ["adamw", "sgd", "muon"])
@pytest.mark.parametrize("changes", [{}, {"accumulation": 3}, {"betas": (0.0, 0.0)}])
def test_a_run_resumed_from_disk_ends_bit_identical(tmp_path, optimizer, changes):
    """With dropout, whose stream must go on too, and with a rate that a person changed."""
    config = train_config(tmp_path, {"dropout": 0.2}, optimizer=optimizer, **changes)
    task = task_of(config)
    state = start_state(config)
    state.rate_factor = 0.5
    stream = train(config, task, state=state)
    for _ in range(3):
        next(stream)
    write_checkpoint(tmp_path, state, task.tokenizer)
    whole = list(stream)
    torch.rand(7)
    again = latest_state(config, tmp_path)
    assert (again.step, again.rate_factor) == (3, 0.5)
    assert list(train(config, task, state=again)) == whole
    for (name, first), second in zip(state.model.named_parameters(), again.model.parameters(), strict=True):
        assert torch.equal(first, second), name


def test_dropout_is_decided_by_the_seed_and_acts_in_steps_alone(tmp_path):
    config = train_config(tmp_path, {"dropout": 0.5})
    task = task_of(config)
    first = list(train(config, task))
    torch.rand(3)
    assert list(train(config, task)) == first
    dry = list(train(train_config(tmp_path), task))
    assert [step.loss for step in dry] != [step.loss for step in first]
    state = start_state(config)
    take_step(config, task, state, rate=0.01)
    assert not state.model.training
    measures = [task.evaluate(state.model, rows=2, length=16) for _ in range(2)]
    assert measures[0] == measures[1]


def test_an_accumulated_step_is_the_mean_of_its_parts(tmp_path):
    """The gradient of three batches at once, each from a stream of its own, is that of the mean of their losses."""
    config = train_config(tmp_path, accumulation=3, clip=1e9, optimizer="sgd", betas=(0.0, 0.9), weight_decay=0.0)
    task, state = task_of(config), start_state(config)
    seeds = np.random.SeedSequence((config.seed, 1))
    streams = [np.random.default_rng(seed) for seed in (seeds, *seeds.spawn(2))]
    batches = [task.batch(stream, rows=2, length=16, step=1) for stream in streams]
    assert not torch.equal(batches[0].ids, batches[1].ids)
    assert not torch.equal(batches[1].ids, batches[2].ids)
    model = copy.deepcopy(state.model)
    mean = sum(loss_of(model, batch) for batch in batches) / 3
    mean.backward()
    update = take_step(config, task, state, rate=0.1)
    assert update.loss == pytest.approx(mean.item(), abs=1e-6)
    assert state.tokens == 3 * 2 * 16
    for old, new in zip(model.parameters(), state.model.parameters(), strict=True):
        torch.testing.assert_close(new, old - 0.1 * old.grad, atol=1e-6, rtol=1e-5)


def test_a_changed_rate_factor_holds_from_the_next_step_on(tmp_path):
    config = train_config(tmp_path)
    state = start_state(config)
    stream = train(config, task_of(config), state=state)
    assert next(stream).learning_rate == learning_rate(config, 1)
    state.rate_factor = 0.25
    assert next(stream).learning_rate == pytest.approx(0.25 * learning_rate(config, 2))


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


def test_a_step_that_is_refused_leaves_the_weights_as_they_were(tmp_path):
    config = train_config(tmp_path)
    state = start_state(config)
    with torch.no_grad():
        state.model.norm.weight[:] = 1e30
    before = copy.deepcopy(state.model.state_dict())
    with pytest.raises(UserError, match="gradient of step 1 is not a finite number"):
        take_step(config, task_of(config), state, rate=0.1)
    assert all(torch.equal(tensor, before[name]) for name, tensor in state.model.state_dict().items())


def test_a_device_that_is_not_there_is_refused_with_a_sentence(tmp_path, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    config = train_config(tmp_path)
    for device in ("cuda", "mps"):
        with pytest.raises(UserError, match=f"no {device} device; choose auto or cpu"):
            start_state(replace(config, device=device, precision="bfloat16"))
    assert next(start_state(replace(config, device="auto")).model.parameters()).device.type == "cpu"
    with pytest.raises(UserError, match="choose float32"):
        start_state(replace(config, device="auto", precision="bfloat16"))
