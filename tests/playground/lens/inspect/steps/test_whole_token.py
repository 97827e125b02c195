"""The proof: logits of every position, recomputed from the steps' numbers, are the model's own, for every family."""

import pytest
import torch
import transformers

from playground import load
from playground import trace as read
from playground.errors import UserError
from playground.lens.inspect.steps.neurons import feed_forward_of
from playground.models import is_local
from playground.models.catalogue import find
from tests.helpers.families import (
    DECODERS,
    ENCODER_DECODERS,
    ENCODERS,
    FEED,
    FURTHER_DECODERS,
    GROUPED,
    SIZES,
    TOKENS,
    as_loaded,
    small_model,
)
from tests.helpers.own_models import own_model, random_model
from tests.playground.lens.inspect.steps.test_layer import traced

PROVEN = 1e-4
FAMILIES = [*DECODERS, *FURTHER_DECODERS, *ENCODERS, *ENCODER_DECODERS]
POST_NORM = {"bert", "roberta", "distilbert", "electra", "albert", "bart", "marian"}
PARALLEL = {"gpt_neox", "phi", "cohere"}
GATED = {"llama", "mistral", "mixtral", "qwen2", "qwen2_moe", "qwen3", "gemma2", "gemma3", "phi3", "olmo", "olmo2"}
GATED |= {"gpt_oss", "granite", "cohere", "modernbert"}
TANH = {"gpt2", "gemma2", "gemma3", "phi", "albert"}
SILU = {"llama", "mistral", "mixtral", "qwen2", "qwen2_moe", "qwen3", "phi3", "olmo", "olmo2", "granite", "cohere"}


def scrambled(family):
    """A small model whose norms and biases are random too: a forgotten one would show."""
    model = small_model(family)
    torch.manual_seed(1)
    for tensor in [*model.module.parameters(), *model.module.buffers()]:
        # Vectors of the stream's width, of the neurons and of the vocabulary; Marian's bias is a row of one.
        if tensor.is_floating_point() and max(tensor.shape, default=0) == tensor.numel() in (32, 48, 99):
            tensor.normal_(0.6, 0.3)
    return model


def own_logits(trace):
    """The logits of the model itself, without anything of the lens."""
    arguments = {name: value for name, value in trace._arguments.items() if name != "logits_to_keep"}
    returned = trace.model.module(**arguments)
    return (returned if isinstance(returned, torch.Tensor) else returned.logits)[0]


@pytest.mark.parametrize("family", FAMILIES)
def test_the_recomputed_logits_of_every_position_are_the_models(family):
    trace = traced(scrambled(family))
    token, own = trace.whole_token(), own_logits(trace)
    recomputed = token.recomputed_logits()
    assert recomputed.shape == own.shape
    assert float((recomputed - own).abs().max() / own.abs().max()) < PROVEN
    assert token.difference < PROVEN
    # One token alone is told apart as well, and in the same way.
    single = trace.whole_token(2)
    assert float((single.recomputed_logits() - own[2:3]).abs().max() / own.abs().max()) < PROVEN
    for whole in (token, single):
        first = whole.blocks[0]
        assert first.is_post_norm == (family in POST_NORM)
        assert first.is_parallel == (family in PARALLEL)
        neurons = feed_forward_of(whole, 1).body.expert(0)
        assert (neurons.gate is not None) == (family in GATED)
        name = neurons.gating.activation.name
        assert (name == "GELU (tanh)") == (family in TANH), name
        assert (name == "SiLU") == (family in SILU), name


def test_multipliers_caps_and_biases_are_told():
    granite = traced(scrambled("granite")).whole_token(1)
    assert [layer.factor for layer in granite.blocks[0].sublayers] == pytest.approx([0.3, 0.3], rel=1e-4)
    assert granite.ending.head.factor == pytest.approx(1 / 3, rel=1e-5)
    assert traced(scrambled("gemma2")).whole_token(1).ending.head.cap == 30.0
    assert traced(scrambled("cohere")).whole_token(1).ending.head.factor == pytest.approx(0.0625, rel=1e-5)
    assert traced(scrambled("marian")).whole_token(1).ending.head.bias is not None
    stages = traced(scrambled("bert")).whole_token(1).ending.head.stages
    assert [stage.kind for stage in stages] == ["matrix", "activation", "norm"]
    assert traced(scrambled("gpt_oss")).whole_token(1).blocks[0].feed_forward.feed_forward.body.tables.gating.limit == 7


@pytest.mark.parametrize("kind", ["decoder", "encoder", "encoder-decoder"])
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"norm_position": "post", "positions": "learned", "feed_forward": "gelu"},
        {"feed_forward": "relu", "norm": "none"},
        {"residual": False},
        {"residual": False, "norm_position": "post"},
    ],
    ids=["plain", "post-norm", "no norm", "no residual", "no residual, post-norm"],
)
def test_our_own_kinds(kind, changes):
    model = own_model(kind)
    object.__setattr__(model, "module", random_model(kind=kind, **changes))
    trace = traced(model)
    for site in trace.kinds:
        assert trace.whole_token(kind=site).difference < PROVEN
    own = own_logits(trace)
    assert float((trace.whole_token().recomputed_logits() - own).abs().max() / own.abs().max()) < PROVEN


def test_blocks_without_a_feed_forward_layer_have_none():
    model = own_model("decoder")
    object.__setattr__(model, "module", random_model(kind="decoder", feed_forward="none"))
    token = traced(model).whole_token(0)
    assert token.difference < PROVEN
    with pytest.raises(UserError, match="no feed-forward layer"):
        feed_forward_of(token, 0)


def test_an_encoders_states_are_followed_to_the_last_one():
    trace = traced(small_model("bart"))
    token = trace.whole_token(3, kind="encoder")
    assert token.ending.head is None
    assert token.difference < PROVEN
    with pytest.raises(UserError, match="no output head"):
        token.recomputed_logits()


def refused(name, **sizes):
    config = getattr(transformers, name)(**{**SIZES, **FEED, **GROUPED, **TOKENS, **sizes})
    torch.manual_seed(0)
    module = transformers.AutoModelForCausalLM.from_config(config, attn_implementation="playground").eval()
    return as_loaded(module, "decoder", config.model_type)


@pytest.mark.parametrize(
    ("name", "sizes", "reason"),
    [
        (
            "Llama4TextConfig",
            {"num_local_experts": 2},
            "family llama4_text are not handed which experts",
        ),
    ],
)
def test_what_cannot_be_told_is_refused_by_name(name, sizes, reason):
    with pytest.raises(UserError, match=reason):
        traced(refused(name, **sizes)).whole_token(1)


def test_a_layer_that_does_something_unknown_is_refused():
    model = small_model("llama")
    for layer in model.module.model.layers:
        layer.mlp.act_fn = torch.nn.Softplus()
    with pytest.raises(UserError, match="feed-forward layers of the family llama cannot be told"):
        traced(model).whole_token(1)


def test_a_block_that_adds_something_else_is_refused():
    model = small_model("llama")
    layer = model.module.model.layers[1]
    layer.register_forward_hook(lambda module, arguments, output: output + 0.5)
    with pytest.raises(UserError, match="block 1 of the family llama"):
        traced(model).whole_token(1)


def test_numbers_that_are_none_are_refused_in_a_sentence():
    model = small_model("gpt2")
    model.module.transformer.h[0].mlp.c_fc.weight[0] = float("nan")
    trace = traced(model)
    with pytest.raises(UserError, match="not a number"):
        trace.whole_token(1)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["smollm2-135m", "all-minilm-l6-v2"])
def test_models_that_were_fetched(name):
    if not is_local(find(name)):
        pytest.skip("not on this machine")
    trace = read(load(name), "The cat sat on the mat.")
    token = trace.whole_token()
    assert token.difference < PROVEN
    if token.ending.head is None:
        arguments = trace._arguments
        own = trace.model.module(**arguments).last_hidden_state[0]
        assert float((token.recomputed - own).abs().max() / own.abs().max()) < PROVEN
    else:
        own = own_logits(trace)
        assert float((token.recomputed_logits() - own).abs().max() / own.abs().max()) < PROVEN


def test_half_precision_is_followed_as_far_as_it_reaches():
    token = read(load("books-decoder", dtype="bfloat16"), "The cat sat").whole_token(2)
    assert token.difference < 5e-2
    assert token.blocks[0].feed_forward.feed_forward.body.neurons.gating.activation.name == "SiLU"
