"""AdamW, SGD and Muon against their formulas in float64, and what is in which group."""

import numpy as np
import pytest
import torch

from playground.training import optimizers
from playground.training.optimizers import make_optimizer, orthogonalised
from playground.transformer import Transformer
from tests.helpers.small_training import train_config

torch.set_num_threads(1)
RATE, FIRST, SECOND, DECAY = 0.03, 0.8, 0.95, 0.3


def newton_schulz(matrix: np.ndarray) -> np.ndarray:
    """Jordan et al. 2024, as printed there."""
    turned = matrix.T if matrix.shape[0] > matrix.shape[1] else matrix
    x = turned / (np.linalg.norm(turned) + 1e-7)
    for _ in range(5):
        square = x @ x.T
        x = 3.4445 * x + (-4.7750 * square + 2.0315 * square @ square) @ x
    return x.T if matrix.shape[0] > matrix.shape[1] else x


def sgd(weight, gradient, memory, decay, step):
    gradient = gradient + decay * weight
    memory["v"] = gradient if step == 1 else FIRST * memory["v"] + gradient
    return weight - RATE * memory["v"]


def muon(weight, gradient, memory, decay, step):
    memory["m"] = FIRST * memory.get("m", np.zeros_like(weight)) + (1 - FIRST) * gradient
    update = newton_schulz((1 - FIRST) * gradient + FIRST * memory["m"])
    return weight - RATE * (0.2 * np.sqrt(max(weight.shape)) * update + decay * weight)


def adamw(weight, gradient, memory, decay, step):
    memory["m"] = FIRST * memory.get("m", np.zeros_like(weight)) + (1 - FIRST) * gradient
    memory["v"] = SECOND * memory.get("v", np.zeros_like(weight)) + (1 - SECOND) * gradient**2
    mean, square = memory["m"] / (1 - FIRST**step), memory["v"] / (1 - SECOND**step)
    return weight - RATE * (mean / (np.sqrt(square) + 1e-8) + decay * weight)


def rule_of(optimizer: str, name: str, ndim: int):
    """The formula that moves a parameter."""
    if optimizer == "muon":
        return muon if name.startswith("blocks.") and ndim == 2 else adamw
    return {"sgd": sgd, "adamw": adamw}[optimizer]


@pytest.mark.parametrize(
    ("optimizer", "together"), [("adamw", 0), ("sgd", 0), ("muon", 0), ("muon", 3000), ("muon", 10**6)]
)
def test_four_steps_are_those_of_the_formula(tmp_path, optimizer, together, monkeypatch):
    """However many matrices Muon takes at once."""
    monkeypatch.setattr(optimizers, "TOGETHER", together)
    changes = {"optimizer": optimizer, "betas": (FIRST, SECOND), "weight_decay": DECAY}
    config = train_config(tmp_path, {"norm": "layer"}, learning_rate=RATE, warm_up=0, **changes)
    model = Transformer(config.model)
    stepper = make_optimizer(config, model)
    expected = {name: p.detach().double().numpy().copy() for name, p in model.named_parameters()}
    memories = {name: {} for name in expected}
    generator = np.random.default_rng(7)
    for step in range(1, 5):
        for name, parameter in model.named_parameters():
            gradient = generator.normal(size=tuple(parameter.shape)).astype(np.float32)
            parameter.grad = torch.from_numpy(gradient)
            rule = rule_of(optimizer, name, parameter.ndim)
            decay = DECAY if parameter.ndim > 1 else 0.0
            expected[name] = rule(expected[name], gradient.astype(np.float64), memories[name], decay, step)
        stepper.step()
    for name, parameter in model.named_parameters():
        np.testing.assert_allclose(parameter.detach().numpy(), expected[name], atol=2e-5, rtol=2e-4, err_msg=name)


@pytest.mark.parametrize("optimizer", ["adamw", "sgd", "muon"])
@pytest.mark.parametrize("tied", [True, False])
def test_matrices_decay_vectors_do_not_and_each_stands_once(tmp_path, tied, optimizer):
    shape = {"norm": "layer", "feed_forward": "gelu", "tied": tied}
    config = train_config(tmp_path, shape, weight_decay=0.3, optimizer=optimizer)
    model = Transformer(config.model)
    groups = make_optimizer(config, model).param_groups
    decay = {id(p): group["weight_decay"] for group in groups for p in group["params"]}
    assert sum(len(group["params"]) for group in groups) == len(decay) == len(list(model.parameters()))
    for name, parameter in model.named_parameters():
        is_vector = name.endswith("bias") or "norm" in name
        assert decay[id(parameter)] == (0.0 if is_vector else 0.3), name


@pytest.mark.parametrize("shape", [(5, 5), (4, 9), (9, 4)])
def test_an_orthogonalised_matrix_keeps_its_directions_and_evens_its_lengths(shape):
    matrix = torch.randn(shape, generator=torch.Generator().manual_seed(1))
    u, _, v = torch.linalg.svd(matrix, full_matrices=False)
    lengths = u.T @ orthogonalised(matrix[None])[0] @ v.T
    assert (lengths - lengths.diagonal().diag()).abs().max() < 1e-4
    assert ((lengths.diagonal() > 0.5) & (lengths.diagonal() < 1.3)).all()
