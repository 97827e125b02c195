"""Edits act in the context that asked for them, and leave nothing behind."""

import threading

import pytest
import torch
from torch import nn

from playground.lens.capture.hooks import editing, record


def hooks_on(module: nn.Module) -> int:
    return sum(len(part._forward_hooks) + len(part._forward_pre_hooks) for part in module.modules())


@pytest.fixture
def module() -> nn.Sequential:
    return nn.Sequential(nn.Identity(), nn.Identity())


def test_input_and_output_are_edited_and_the_hooks_are_gone_afterwards(module):
    with editing({(module[0], "output"): lambda x: x + 1, (module[1], "input"): lambda x: x * 10}):
        assert module(torch.tensor(1.0)) == 20
        assert hooks_on(module) == 2
    assert module(torch.tensor(1.0)) == 1
    assert hooks_on(module) == 0


def test_none_leaves_the_tensor(module):
    with editing({(module[0], "output"): lambda x: None}):
        assert module(torch.tensor(3.0)) == 3


def test_inner_blocks_add_to_outer_ones(module):
    with editing({(module[0], "output"): lambda x: x + 1}):
        with editing({(module[0], "output"): lambda x: x * 2}):
            assert module(torch.tensor(1.0)) == 4
            assert hooks_on(module) == 1
        assert module(torch.tensor(1.0)) == 2


def test_an_exception_leaves_the_module_as_it_was(module):
    def fail(_: torch.Tensor) -> torch.Tensor:
        raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"), editing({(module[0], "output"): fail}):
        module(torch.tensor(1.0))
    assert hooks_on(module) == 0
    assert module(torch.tensor(1.0)) == 1


def test_tuples_keywords_and_calls():
    class Layer(nn.Module):
        def forward(self, *, hidden_states: torch.Tensor, factor: int) -> tuple[torch.Tensor, str]:
            return hidden_states * factor, "weights"

    layer = Layer()
    with (
        record(calls=[layer]) as recording,
        editing({(layer, "input"): lambda x: x + 1, (layer, "output"): lambda x: -x}),
    ):
        assert layer(hidden_states=torch.tensor(1.0), factor=3) == (torch.tensor(-6.0), "weights")
    assert recording.calls == {layer: ((), {"hidden_states": torch.tensor(1.0), "factor": 3})}


def test_a_recording_has_inputs_and_outputs_in_order_and_changes_nothing(module):
    first, second = module
    with (
        editing({(first, "output"): lambda x: x + 1}),
        record(inputs=[first, second], outputs=[first, second, module]) as recording,
    ):
        assert module(torch.tensor(1.0)) == 2
        assert hooks_on(module) == 5
    assert hooks_on(module) == 0
    assert recording.inputs == {first: 1, second: 2}
    assert [(item.module, item.received, item.output) for item in recording.outputs] == [
        (first, 1, 2),
        (second, 2, 2),
        (module, None, 2),
    ]
    assert recording.output(module) == 2
    assert [item.module for item in recording.before(second)] == [first]
    assert recording.before(module) == recording.outputs


def test_a_recording_keeps_what_it_is_told_to(module):
    with record(outputs=module, keep=lambda tensor: tensor * 10 if tensor > 0 else None) as recording:
        module(torch.tensor(1.0))
        module(torch.tensor(-1.0))
    assert [float(item.output) for item in recording.outputs] == [10.0, 10.0]


def test_another_thread_does_not_see_the_edits(module):
    inside, done = threading.Event(), threading.Event()
    found = []

    def other() -> None:
        inside.wait(10)
        found.append(float(module(torch.tensor(1.0))))
        done.set()

    thread = threading.Thread(target=other)
    thread.start()
    with editing({(module[0], "output"): lambda x: x + 1}):
        inside.set()
        assert done.wait(10)
        assert module(torch.tensor(1.0)) == 2
    thread.join()
    assert found == [1.0]
