"""Products with large weights against nn.Linear, there and back."""

import pytest
import torch
from torch import nn

from playground.products import LargeLinear, linear

torch.set_num_threads(1)


def filled(layer: nn.Linear) -> nn.Linear:
    generator = torch.Generator().manual_seed(0)
    for parameter in layer.parameters():
        parameter.data.copy_(torch.randn(parameter.shape, generator=generator))
    return layer


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("rows", [(5,), (1, 1), (2, 7), (2, 3, 4)])
def test_values_and_gradients_are_those_of_nn_linear(rows, bias):
    numbers = torch.randn(*rows, 96, generator=torch.Generator().manual_seed(1))
    weights = torch.randn(*rows, 200, generator=torch.Generator().manual_seed(2))
    results = []
    for layer in (filled(LargeLinear(96, 200, bias=bias)), filled(nn.Linear(96, 200, bias=bias))):
        x = numbers.clone().requires_grad_()
        product = layer(x)
        (product * weights).sum().backward()
        results.append([product.detach(), x.grad, *(parameter.grad for parameter in layer.parameters())])
    for ours, theirs in zip(*results, strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=1e-4)


def test_input_and_gradient_may_lie_in_any_order():
    layer = filled(LargeLinear(96, 200))
    x = torch.randn(96, 6, 2, generator=torch.Generator().manual_seed(1)).permute(2, 1, 0).requires_grad_()
    product = layer(x)
    torch.testing.assert_close(product, x @ layer.weight.T + layer.bias, atol=1e-4, rtol=1e-4)
    product.sum().backward()
    torch.testing.assert_close(x.grad, layer.weight.sum(0).expand(2, 6, -1), atol=1e-4, rtol=1e-4)


def test_frozen_weights_get_no_gradient_and_the_input_still_does():
    layer = filled(LargeLinear(96, 200)).requires_grad_(False)
    x = torch.ones(3, 96, requires_grad=True)
    layer(x).sum().backward()
    assert layer.weight.grad is None
    torch.testing.assert_close(x.grad, layer.weight.sum(0).expand(3, -1), atol=1e-4, rtol=1e-4)


def test_another_dtype_is_left_to_torch():
    layer = filled(LargeLinear(96, 200)).double()
    x = torch.ones(3, 96, dtype=torch.float64)
    assert torch.equal(layer(x), nn.functional.linear(x, layer.weight, layer.bias))


def test_without_gradients_it_is_nn_linear_to_the_bit():
    layer = filled(LargeLinear(96, 200))
    x = torch.randn(3, 96, generator=torch.Generator().manual_seed(1))
    for context in (torch.no_grad, torch.inference_mode):
        with context():
            assert torch.equal(layer(x), nn.functional.linear(x, layer.weight, layer.bias))


def test_only_large_layers_take_the_longer_way():
    assert type(linear(127, 128, bias=True)) is nn.Linear
    large = linear(128, 128, bias=False)
    assert isinstance(large, nn.Linear)
    assert large.bias is None
    assert isinstance(large, LargeLinear) == torch.backends.mkldnn.is_available()
