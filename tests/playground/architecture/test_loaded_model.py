"""Every weight of every family stands in one box, and the boxes are connected as the papers say."""

import pytest
import torch
import transformers
from transformers import AutoModelForCausalLM

from playground import attention
from playground.architecture import architecture_of, planned_architecture
from playground.architecture.captions import box_title
from playground.errors import UserError
from playground.models import find, is_local, load
from tests.helpers.families import (
    DECODERS,
    ENCODER_DECODERS,
    ENCODERS,
    FEED,
    GROUPED,
    SIZES,
    as_loaded,
    small_model,
)
from tests.helpers.own_models import own_model, random_model

MIXTURE = {**SIZES, **FEED, **GROUPED, "num_experts_per_tok": 2}
MORE = {
    "mixtral": ("MixtralConfig", {**MIXTURE, "num_local_experts": 4}),
    "qwen2_moe": (
        "Qwen2MoeConfig",
        {**MIXTURE, "num_experts": 4, "moe_intermediate_size": 16, "shared_expert_intermediate_size": 24},
    ),
    "granite": ("GraniteConfig", {**SIZES, **FEED, **GROUPED, "residual_multiplier": 0.22}),
    "cohere": ("CohereConfig", {**SIZES, **FEED, **GROUPED}),
    "olmo": ("OlmoConfig", {**SIZES, **FEED, **GROUPED, "pad_token_id": 0, "eos_token_id": 1}),
    "deepseek_v3": (
        "DeepseekV3Config",
        {**SIZES, **FEED, "num_key_value_heads": 4, "q_lora_rank": 16, "kv_lora_rank": 8}
        | {"qk_rope_head_dim": 4, "qk_nope_head_dim": 8, "v_head_dim": 8, "n_routed_experts": 4, "n_group": 1}
        | {"num_experts_per_tok": 2, "topk_group": 1, "moe_intermediate_size": 16, "first_k_dense_replace": 1}
        | {"pad_token_id": 0, "max_position_embeddings": 64},
    ),
}


def other_model(family):
    """A random decoder of a family that the shared tables lack."""
    attention.register_with_transformers()
    name, sizes = MORE[family]
    torch.manual_seed(0)
    config = getattr(transformers, name)(**sizes)
    module = AutoModelForCausalLM.from_config(config, attn_implementation=attention.IMPLEMENTATION)
    for parameter in module.parameters():
        torch.nn.init.normal_(parameter, std=0.3) if parameter.ndim > 1 else None
    return as_loaded(module.eval().requires_grad_(False), "decoder", family)


MODELS = {
    **{family: lambda family=family: small_model(family) for family in {**DECODERS, **ENCODERS, **ENCODER_DECODERS}},
    **{family: lambda family=family: other_model(family) for family in MORE},
    **{f"own {kind}": lambda kind=kind: own_model(kind) for kind in ("decoder", "encoder", "encoder-decoder")},
}


def outline(architecture) -> list[str]:
    """Each stage of the first layers as text: "norm attention +"; parallel branches with a bar between."""
    texts = []
    for stack in architecture.stacks:
        for stage in stack.groups[0].stages:
            branches = " | ".join(" ".join(box.role for box in branch) for branch in stage.branches)
            shared = "".join(f"{box.role}: " for box in stage.shared)
            texts.append(shared + branches + {True: " +", False: "", None: " ?"}[stage.adds])
    return texts


@pytest.mark.parametrize("make", MODELS.values(), ids=MODELS)
def test_the_boxes_sum_to_the_models_parameters(make):
    model = make()
    architecture = architecture_of(model)
    assert architecture.parameters == sum(parameter.numel() for parameter in model.module.parameters())
    placed = [entry for entry in architecture.placed() if entry.copies == 1]
    named = dict(model.module.named_parameters(remove_duplicate=False))
    for weight in (weight for entry in placed for weight in entry.box.weights if "*" not in weight.name):
        assert tuple(named[weight.name].shape) == weight.shape
    assert all(stage.adds is not None for stack in architecture.stacks for g in stack.groups for stage in g.stages)
    assert sum(stack.n_layers for stack in architecture.stacks) == (4 if model.kind == "encoder-decoder" else 2)


PRE = ["norm attention +", "norm feed_forward +"]
POST = ["attention +", "norm", "feed_forward +", "norm"]
CONNECTIONS = {
    "gpt2": PRE,
    "llama": PRE,
    "gpt_oss": PRE,
    "bert": POST,
    "albert": POST,
    "distilbert": POST,
    "gemma2": ["norm attention norm +", "norm feed_forward norm +"],
    "olmo2": ["attention norm +", "feed_forward norm +"],
    "gpt_neox": ["norm attention | norm feed_forward +"],
    "cohere": ["norm: attention | feed_forward +"],
    "t5": [*PRE, PRE[0], "norm cross_attention +", PRE[1]],
    "bart": [*POST, *POST[:2], "cross_attention +", "norm", *POST[2:]],
}


@pytest.mark.parametrize("family", CONNECTIONS)
def test_norms_and_residual_connections_stand_where_they_do(family):
    assert outline(architecture_of(MODELS[family]())) == CONNECTIONS[family]


def test_a_multiplier_of_the_residual_writers_is_found():
    stages = architecture_of(other_model("granite")).stacks[0].groups[0].stages
    assert [stage.factor for stage in stages] == pytest.approx([0.22, 0.22], rel=1e-3)


def test_what_is_shared_is_named():
    tied = architecture_of(small_model("gpt2")).stacks[0].after[-1]
    assert (tied.role, tied.parameters, tied.shared_with) == ("head", 0, ("transformer.wte.weight",))
    one = architecture_of(small_model("albert")).stacks[0].groups
    assert [(group.count, group.shares_weights) for group in one] == [(2, True)]
    grouped = architecture_of(small_model("llama")).stacks[0].groups[0].stages[0].branches[0][1]
    assert (grouped.n_heads, grouped.n_key_value_heads, grouped.head_width) == (4, 2, 8)


@pytest.mark.parametrize(("family", "experts"), [("mixtral", (4, 2)), ("qwen2_moe", (4, 2)), ("gpt_oss", (2, 1))])
def test_experts_are_counted(family, experts):
    stages = architecture_of(MODELS[family]()).stacks[0].groups[0].stages
    assert (stages[1].branches[0][1].experts, stages[1].branches[0][1].experts_per_token) == experts


def test_what_mixes_tokens_without_attention_is_no_mlp():
    """LFM2: a convolution in the first layer, attention in the second."""
    sizes = {**SIZES, **FEED, "num_key_value_heads": 2, "layer_types": ["conv", "full_attention"]}
    module = AutoModelForCausalLM.from_config(transformers.Lfm2Config(**sizes), attn_implementation="eager")
    model = as_loaded(module.eval().requires_grad_(False), "decoder", "lfm2")
    object.__setattr__(model, "attention", "eager")
    architecture = architecture_of(model)
    roles = [[box.role for box in group.boxes] for group in architecture.stacks[0].groups]
    assert roles == [["norm", "mixer", "norm", "feed_forward"], ["norm", "attention", "norm", "feed_forward"]]
    assert architecture.parameters == sum(parameter.numel() for parameter in module.parameters())


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        (transformers.GPTJConfig, ["norm: attention | feed_forward +"]),
        (transformers.BloomConfig, PRE),
    ],
)
def test_families_that_do_not_pass_the_seam_are_drawn_too(config, expected):
    sizes = {"vocab_size": 99, "n_embd": 32, "n_layer": 2, "n_head": 4, "rotary_dim": 4, "n_positions": 64}
    module = AutoModelForCausalLM.from_config(config(**sizes), attn_implementation="eager")
    model = as_loaded(module.eval().requires_grad_(False), "decoder", "other")
    assert outline(architecture_of(model)) == expected


def test_half_precision_is_read_as_well():
    architecture = architecture_of(load("books-encoder", dtype="bfloat16"))
    assert outline(architecture) == PRE


def test_layers_that_differ_have_frames_of_their_own():
    groups = architecture_of(other_model("deepseek_v3")).stacks[0].groups
    assert [(group.first, group.count, group.boxes[-1].experts) for group in groups] == [(0, 1, 0), (1, 1, 4)]
    of_t5 = architecture_of(small_model("t5")).stacks[0].groups
    assert len(of_t5) == 2  # only the first layer has the table of relative positions


@pytest.mark.parametrize("name", ["smollm2-135m", "all-minilm-l6-v2"])
def test_the_catalogues_models_add_up(name):
    if not is_local(find(name)):
        pytest.skip("not downloaded")
    model = load(name)
    architecture = architecture_of(model)
    assert architecture.parameters == model.parameters
    assert [group.count for group in architecture.stacks[0].groups] == [model.layers]


def test_a_model_without_layers_is_refused():
    model = own_model("decoder")
    module = torch.nn.ModuleDict({"embedding": torch.nn.Embedding(9, 4)})
    module.forward = lambda ids: module["embedding"](ids)
    broken = as_loaded(module, "decoder", "playground")
    object.__setattr__(broken, "tokenizer", model.tokenizer)
    module.embedding = module["embedding"]
    module.config = model.module.config
    with pytest.raises(UserError, match="cannot be told apart"):
        architecture_of(broken)


def boxes_of(architecture):
    return [placed.box for placed in architecture.placed()]


@pytest.mark.parametrize(
    ("family", "kind"),
    [
        *((family, "LayerNorm") for family in ("gpt2", "bert", "albert", "bart")),
        *((family, "RMSNorm") for family in ("llama", "gemma2", "t5", "qwen3", "gpt_oss")),
    ],
)
def test_a_norm_is_called_what_it_does(family, kind):
    """T5's class is called LayerNorm and takes no mean away."""
    boxes = [box for box in boxes_of(architecture_of(small_model(family))) if box.role == "norm"]
    assert boxes
    assert {box.norm for box in boxes} == {kind}
    assert {box_title(box) for box in boxes} == {kind}


@pytest.mark.parametrize(("norm", "kind"), [("rms", "RMSNorm"), ("layer", "LayerNorm")])
def test_our_own_norms_are_called_alike_before_and_after_training(norm, kind):
    config = random_model(norm=norm, positions="learned").config
    planned = {box.norm for box in boxes_of(planned_architecture(config)) if box.role == "norm"}
    loaded = own_model("decoder")
    object.__setattr__(loaded, "module", random_model(norm=norm, positions="learned"))
    assert planned == {kind} == {box.norm for box in boxes_of(architecture_of(loaded)) if box.role == "norm"}
