"""Stacks in which only some blocks attend, and gates before the output projection: followed, or refused by name."""

import pytest
import torch
import transformers

from playground import attention
from playground.errors import UserError
from playground.lens import trace
from playground.lens.inspect.steps.gate import find_gate
from playground.lens.inspect.steps.neurons import feed_forward_of
from playground.lens.inspect.steps.router import Preference
from playground.lens.inspect.steps.step import StepInputs
from playground.lens.inspect.steps.stream import read_stream
from playground.lens.inspect.steps.walkthrough import derive, walkthrough
from tests.helpers.families import as_loaded
from tests.playground.lens.capture.test_blocks import MIXED, SIZES

TEXT = "the cat sat on the mat"
PROVEN = 1e-4


def mixed_trace(family):
    """A trace of a small random model, its matrices large enough that gates are far from a half."""
    attention.register_with_transformers()
    name, settings, _blocks, _mixer = MIXED[family]
    config = getattr(transformers, f"{name}Config")(**SIZES, **settings)
    torch.manual_seed(2)
    module = transformers.AutoModelForCausalLM.from_config(config, attn_implementation=attention.IMPLEMENTATION)
    for parameter in module.parameters():
        if parameter.ndim > 1:
            parameter.data.normal_(std=0.3)
    return trace(as_loaded(module.eval().requires_grad_(False), "decoder", family), TEXT)


@pytest.mark.parametrize("family", ["lfm2", "qwen3_next"])
def test_a_token_is_followed_through_blocks_that_do_not_attend(family):
    traced = mixed_trace(family)
    token = traced.whole_token(2, -1)
    own = traced.model.module(torch.tensor([traced.ids])).logits[0, [2, -1]]
    assert float((token.recomputed_logits() - own).abs().max() / own.abs().max()) < PROVEN
    assert [block.layer for block in token.blocks] == [0, 1, 2, 3]
    attending = traced.block_numbers()
    assert token.mixers == tuple(sorted({0, 1, 2, 3} - set(attending)))
    stream = read_stream(token)
    assert stream.difference < 1e-4 * max(1.0, abs(stream.final).max())
    names = {(part.kind, part.layer) for part in stream.names}
    assert {("mixer", block) for block in token.mixers} | {("attention", block) for block in attending} <= names
    assert feed_forward_of(token, token.mixers[0]).body.expert(0).count
    with pytest.raises(UserError, match="no layer 9; choose 0 to 3"):
        feed_forward_of(token, 9)


def test_a_gate_is_a_step_whose_numbers_are_the_models():
    traced = mixed_trace("qwen3_next")
    (block,) = traced.block_numbers()
    module = traced.model.module.model.layers[block].self_attn
    received = []
    module.o_proj.register_forward_pre_hook(lambda _module, args: received.append(args[0]))
    head = traced.inside(block).head(1, 3)
    assert head.gate is not None
    assert head.gate.function == "sigmoid"
    # What the model's own projection was given of head 1 at token 3, in the last pass.
    own = received[-1][0, 3].view(4, -1)[1]
    torch.testing.assert_close(torch.from_numpy(head.received), own, atol=1e-5, rtol=1e-4)
    assert head.difference < PROVEN
    labels = [str(token) for token in range(6)]
    steps = walkthrough(StepInputs(head=head, keys=(0, 1, 2), key_labels=labels, query_label="3", dimension=0))
    gate = next(step for step in steps if step.name == "gate")
    number = gate.tables[0].number(2, 0)
    assert number is not None
    assert derive(steps, number).result == pytest.approx(head.received[0], abs=1e-6)


SPARSE = {"moe_intermediate_size": 16, "num_experts_per_tok": 2, "n_shared_experts": 1, "first_k_dense_replace": 1}
SPARSE |= {"n_routed_experts": 8, "n_group": 4, "topk_group": 2, "q_lora_rank": 8, "kv_lora_rank": 8}
SPARSE |= {"qk_rope_head_dim": 4, "qk_nope_head_dim": 4, "v_head_dim": 8, "head_dim": 4, "num_key_value_heads": 4}


@pytest.mark.parametrize("normed", [True, False])
def test_experts_chosen_by_a_bias_within_groups_are_told(normed):
    attention.register_with_transformers()
    config = transformers.DeepseekV3Config(**{**SIZES, **SPARSE, "norm_topk_prob": normed})
    torch.manual_seed(3)
    module = transformers.AutoModelForCausalLM.from_config(config, attn_implementation=attention.IMPLEMENTATION)
    for name, tensor in [*module.named_parameters(), *module.named_buffers()]:
        if tensor.ndim > 1 or name.endswith("e_score_correction_bias"):
            tensor.data.normal_(std=0.3)
    traced = trace(as_loaded(module.eval().requires_grad_(False), "decoder", "deepseek_v3"), TEXT)
    token = traced.whole_token()
    own = module(torch.tensor([traced.ids])).logits[0]
    assert float((token.recomputed_logits() - own).abs().max() / own.abs().max()) < PROVEN
    router = feed_forward_of(token, 1).body.router
    assert (router.preference.groups, router.preference.kept) == (4, 2)
    assert router.factor == pytest.approx(config.routed_scaling_factor, rel=1e-4)
    torch.testing.assert_close(router.preference.bias, module.model.layers[1].mlp.gate.e_score_correction_bias)
    # By hand: two groups of two experts; the best pair has 2 · σ(1) = 1.46, the pair with the best expert 1.23.
    preference = Preference(bias=torch.zeros(4), groups=2, kept=1)
    chosen = preference(torch.tensor([[1.0, 1.0, 1.3, -0.2]]))
    assert chosen[0].isfinite().tolist() == [True, True, False, False]


def test_what_no_module_shows_is_no_gate():
    z = torch.randn(3, 8, generator=torch.Generator().manual_seed(0))
    arguments = torch.randn(3, 4, generator=torch.Generator().manual_seed(1))
    gated = z * arguments.sigmoid().repeat_interleave(2, dim=1)
    found = find_gate([z, arguments], z, gated, heads=4, dtype=torch.float32)
    assert found is not None
    torch.testing.assert_close(found.values * z, gated)
    assert find_gate([z, arguments], z, gated + 0.1, heads=4, dtype=torch.float32) is None
