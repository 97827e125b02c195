"""Our transformer against transformers' Llama and GPT-2, by invariants, and by hand."""

import math
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional
from transformers import GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM

from playground.errors import UserError
from playground.layers import RMSNorm
from playground.transformer import (
    FeedForwardLayer,
    Rotary,
    SinusoidalPositions,
    SwiGLU,
    Transformer,
    TransformerConfig,
)

torch.set_num_threads(1)

ROOT = Path(__file__).parents[2]
IDS = torch.tensor([[3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5], [2, 7, 1, 8, 2, 8, 1, 8, 2, 8, 4]])
SMALL = {"vocabulary": 11, "context": 16, "width": 24, "layers": 2, "n_heads": 4, "hidden": 20}
POSITIONS = ["rotary", "learned", "sinusoidal", "none"]
FEED_FORWARDS = ["swiglu", "gelu", "relu", "none"]


def model_of(seed: int = 0, **changes) -> Transformer:
    """A small model with weights large enough that a mistake anywhere would show in the logits."""
    torch.manual_seed(seed)
    model = Transformer(TransformerConfig(**{**SMALL, **changes}))
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, mean=0.0 if parameter.ndim > 1 else 1.0, std=0.3)
    return model.eval().requires_grad_(False)


# Against an independent reference


def llama_of(model: Transformer) -> LlamaForCausalLM:
    config = model.config
    reference = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=config.vocabulary,
            hidden_size=config.width,
            intermediate_size=config.hidden_width,
            num_hidden_layers=config.layers,
            num_attention_heads=config.n_heads,
            num_key_value_heads=config.n_key_value_heads,
            max_position_embeddings=config.context,
            rms_norm_eps=1e-5,
            rope_parameters={"rope_type": "default", "rope_theta": 10000.0},
            tie_word_embeddings=config.tied,
            attn_implementation="eager",
        )
    )
    reference.load_state_dict(llama_weights(model))
    return reference.eval()


def llama_weights(model: Transformer) -> dict[str, torch.Tensor]:
    weights = {
        "model.embed_tokens.weight": model.embedding.weight,
        "model.norm.weight": model.norm.weight,
        "lm_head.weight": model.head.weight,
    }
    for index, block in enumerate(model.blocks):
        query, key, value = block.attention.query_key_value.weight.split(block.attention.sizes)
        parts = {
            "input_layernorm": block.attention_norm.weight,
            "self_attn.q_proj": query,
            "self_attn.k_proj": key,
            "self_attn.v_proj": value,
            "self_attn.o_proj": block.attention.output.weight,
            "post_attention_layernorm": block.feed_forward_norm.weight,
            "mlp.gate_proj": block.feed_forward.gate.weight,
            "mlp.up_proj": block.feed_forward.up.weight,
            "mlp.down_proj": block.feed_forward.output.weight,
        }
        weights |= {f"model.layers.{index}.{name}.weight": tensor for name, tensor in parts.items()}
    return weights


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("key_value_heads", [None, 2, 1])
def test_the_logits_are_those_of_llama_with_our_weights(key_value_heads, tied):
    model = model_of(key_value_heads=key_value_heads, tied=tied)
    with torch.inference_mode():
        expected = llama_of(model)(IDS).logits
    torch.testing.assert_close(model(IDS), expected, atol=2e-5, rtol=1e-5)
    assert expected.std() > 0.1


def test_the_logits_are_those_of_gpt2_with_our_weights():
    """Layer norms, learned positions, exact GELU; GPT-2's attention biases, which we do not have, are zero."""
    model = model_of(norm="layer", positions="learned", feed_forward="gelu")
    reference = GPT2LMHeadModel(
        GPT2Config(
            vocab_size=11,
            n_positions=16,
            n_embd=24,
            n_layer=2,
            n_head=4,
            n_inner=20,
            activation_function="gelu",
            attn_implementation="eager",
        )
    )
    missing, unexpected = reference.load_state_dict(gpt2_weights(model), strict=False)
    assert not unexpected
    assert all(name.endswith(("attn.c_attn.bias", "attn.c_proj.bias")) for name in missing)
    for name, parameter in reference.named_parameters():
        if name in missing:
            torch.nn.init.zeros_(parameter)
    with torch.inference_mode():
        expected = reference.eval()(IDS).logits
    torch.testing.assert_close(model(IDS), expected, atol=2e-5, rtol=1e-5)


def gpt2_weights(model: Transformer) -> dict[str, torch.Tensor]:
    weights = {
        "transformer.wte.weight": model.embedding.weight,
        "transformer.wpe.weight": model.position.embedding.weight,
        "transformer.ln_f.weight": model.norm.weight,
        "transformer.ln_f.bias": model.norm.bias,
        "lm_head.weight": model.head.weight,
    }
    for index, block in enumerate(model.blocks):
        parts = {
            "ln_1.weight": block.attention_norm.weight,
            "ln_1.bias": block.attention_norm.bias,
            "attn.c_attn.weight": block.attention.query_key_value.weight.T,
            "attn.c_proj.weight": block.attention.output.weight.T,
            "ln_2.weight": block.feed_forward_norm.weight,
            "ln_2.bias": block.feed_forward_norm.bias,
            "mlp.c_fc.weight": block.feed_forward.up.weight.T,
            "mlp.c_fc.bias": block.feed_forward.up.bias,
            "mlp.c_proj.weight": block.feed_forward.output.weight.T,
            "mlp.c_proj.bias": block.feed_forward.output.bias,
        }
        weights |= {f"transformer.h.{index}.{name}": tensor for name, tensor in parts.items()}
    return weights


# By an invariant


@pytest.mark.parametrize("positions", POSITIONS)
@pytest.mark.parametrize("feed_forward", FEED_FORWARDS)
@pytest.mark.parametrize("norm", ["rms", "layer"])
def test_a_later_token_changes_no_earlier_logits(positions, feed_forward, norm):
    model = model_of(positions=positions, feed_forward=feed_forward, norm=norm, key_value_heads=2)
    changed = IDS.clone()
    changed[:, 6] = (changed[:, 6] + 1) % 11
    before, after = model(IDS), model(changed)
    torch.testing.assert_close(before[:, :6], after[:, :6], atol=1e-6, rtol=0)
    assert (before[:, 6:] - after[:, 6:]).abs().amax(-1).min() > 1e-4


@pytest.mark.parametrize("positions", POSITIONS)
def test_a_shorter_text_is_a_prefix(positions):
    model = model_of(positions=positions)
    torch.testing.assert_close(model(IDS[:, :5]), model(IDS)[:, :5], atol=1e-5, rtol=1e-5)


def test_rows_of_a_batch_do_not_meet():
    model = model_of()
    torch.testing.assert_close(model(IDS)[1:], model(IDS[1:]), atol=1e-5, rtol=1e-5)


def test_rotary_products_depend_on_the_distance_alone():
    rotate = Rotary(TransformerConfig(**{**SMALL, "context": 40}))
    query, key = torch.randn(2, 1, 1, 1, 6, generator=torch.Generator().manual_seed(0))
    turned_query = rotate(query.expand(1, 40, 1, 6))[0, :, 0]
    turned_key = rotate(key.expand(1, 40, 1, 6))[0, :, 0]
    products = turned_query @ turned_key.T
    for distance in (0, 3, 17):
        diagonal = products.diagonal(-distance)
        torch.testing.assert_close(diagonal, diagonal[:1].expand_as(diagonal), atol=1e-4, rtol=0)
    torch.testing.assert_close(turned_query.norm(dim=-1), query.norm().expand(40), atol=1e-5, rtol=1e-5)


def test_without_positions_the_last_token_sees_a_bag_of_earlier_ones():
    model = model_of(positions="none", layers=1)
    shuffled = IDS[:, [2, 0, 5, 1, 4, 3, 6]]
    torch.testing.assert_close(model(IDS[:, :7])[:, -1], model(shuffled)[:, -1], atol=1e-5, rtol=1e-5)
    ordered = model_of(positions="rotary", layers=1)
    assert not torch.allclose(ordered(IDS[:, :7])[:, -1], ordered(shuffled)[:, -1], atol=1e-3)


def test_the_start_weights_follow_the_recipe_and_the_seed():
    config = TransformerConfig(vocabulary=500, width=64, layers=8, feed_forward="gelu")
    torch.manual_seed(5)
    model = Transformer(config)
    torch.manual_seed(5)
    again = Transformer(config)
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), again.parameters(), strict=True))
    block = model.blocks[3]
    assert model.embedding.weight.std().item() == pytest.approx(0.02, rel=0.05)
    assert block.attention.query_key_value.weight.std().item() == pytest.approx(0.02, rel=0.05)
    for writer in (block.attention.output, block.feed_forward.output):
        assert writer.weight.std().item() == pytest.approx(0.02 / 4, rel=0.05)
        assert writer.weight.mean().item() == pytest.approx(0, abs=5e-4)
    assert (block.feed_forward.up.bias == 0).all()
    assert (block.attention_norm.weight == 1).all()


def test_a_tied_head_is_the_embedding_and_an_untied_one_is_not():
    tied, untied = model_of(tied=True), model_of(tied=False)
    assert tied.head.weight is tied.embedding.weight
    assert untied.head.weight is not untied.embedding.weight
    count = {name: sum(p.numel() for p in model.parameters()) for name, model in (("tied", tied), ("untied", untied))}
    assert count["untied"] - count["tied"] == 11 * 24


def test_the_number_of_parameters_by_hand():
    """Embedding 11*24; each of 2 blocks: norms 2*24, query 24*24, key and value 2*24*12, output 24*24,
    three matrices 24*20; the last norm 24. The head is the embedding.
    """
    model = model_of(key_value_heads=2)
    expected = 11 * 24 + 2 * (2 * 24 + 24 * 24 + 2 * 24 * 12 + 24 * 24 + 3 * 24 * 20) + 24
    assert sum(parameter.numel() for parameter in model.parameters()) == expected


# By hand


def test_rotary_by_hand():
    """Head width 4: frequencies 1 and 1/100. Position 0 turns nothing; at position 1 the pair (first, third)
    turns by 1 radian: (1, 0) -> (cos 1, sin 1) = (0.5403, 0.8415), and the pair (second, fourth) by 0.01:
    (0, 1) -> (-sin 0.01, cos 0.01) = (-0.0100, 0.99995).
    """
    rotate = Rotary(TransformerConfig(vocabulary=1, context=2, width=4, n_heads=1))
    turned = rotate(torch.tensor([1.0, 0.0, 0.0, 1.0]).expand(1, 2, 1, 4))[0, :, 0]
    expected = torch.tensor([[1, 0, 0, 1], [0.540302, -0.0099998, 0.841471, 0.99995]])
    torch.testing.assert_close(turned, expected, atol=1e-6, rtol=0)


def test_sinusoidal_positions_by_hand():
    """Width 4: sine and cosine of the position, then of a hundredth of it."""
    table = SinusoidalPositions(TransformerConfig(vocabulary=1, context=3, width=4, n_heads=1)).table
    expected = [[0, 1, 0, 1]] + [[math.sin(p), math.cos(p), math.sin(p / 100), math.cos(p / 100)] for p in (1, 2)]
    np.testing.assert_allclose(table.numpy(), expected, atol=1e-7)


def test_swiglu_by_hand():
    """x = (1, 2); gate = x1 + x2 = 3, silu(3) = 3 / (1 + e^-3) = 2.857722; up = x2 - x1 = 1; output (1, -2)."""
    layer = SwiGLU(TransformerConfig(vocabulary=1, width=2, n_heads=1, hidden=1))
    with torch.no_grad():
        layer.gate.weight.copy_(torch.tensor([[1.0, 1.0]]))
        layer.up.weight.copy_(torch.tensor([[-1.0, 1.0]]))
        layer.output.weight.copy_(torch.tensor([[1.0], [-2.0]]))
    output = layer(torch.tensor([[[1.0, 2.0]]]))
    torch.testing.assert_close(output, torch.tensor([[[2.857722, -5.715445]]]), atol=1e-5, rtol=0)


def test_relu_layer_by_hand():
    """x = (1, 2); hidden (1 - 2 + 0.5, 2 + 1) = (-0.5, 3) bends to (0, 3); output (3 * 2 + 1, -3)."""
    layer = FeedForwardLayer(TransformerConfig(vocabulary=1, width=2, n_heads=1, hidden=2), functional.relu)
    with torch.no_grad():
        layer.up.weight.copy_(torch.tensor([[1.0, -1.0], [0.0, 1.0]]))
        layer.up.bias.copy_(torch.tensor([0.5, 1.0]))
        layer.output.weight.copy_(torch.tensor([[7.0, 2.0], [7.0, -1.0]]))
        layer.output.bias.copy_(torch.tensor([1.0, 0.0]))
    assert layer(torch.tensor([[[1.0, 2.0]]])).tolist() == [[[7.0, -3.0]]]


def test_a_whole_decoder_by_hand():
    """Width 2, one head, no positions, no feed-forward, three tokens with embeddings (1, 0), (0, 1), (1, 1).

    RMS norm makes a = (1.41421, 0), b = (0, 1.41421), c = (1, 1); queries, keys and values are the normed
    vectors and the output passes them on. The third token's scores are its products with a, b, c over the
    square root of 2: (1, 1, 1.41421), their softmax (0.284643, 0.284643, 0.430714). So the head writes
    0.284643 * 1.41421 + 0.430714 = 0.833260 into each number, and the residual (1.833260, 1.833260) is
    normed to (1, 1): the logits are its products with the embeddings: 1, 1, 2.
    The first token attends itself: residual (1 + 1.41421, 0), normed (1.41421, 0): logits 1.41421, 0, 1.41421.
    The second: scores with a and b (0, 1.41421), weights (0.195570, 0.804430), it writes (0.276578, 1.137636);
    the residual (0.276578, 2.137636) has root mean square 1.524145, so the norm gives (0.181464, 1.402515).
    """
    config = TransformerConfig(
        vocabulary=3, context=3, width=2, layers=1, n_heads=1, feed_forward="none", positions="none"
    )
    model = Transformer(config).requires_grad_(False)
    model.embedding.weight.copy_(torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]))
    model.blocks[0].attention.query_key_value.weight.copy_(torch.eye(2).repeat(3, 1))
    model.blocks[0].attention.output.weight.copy_(torch.eye(2))
    residual = model.residual(torch.tensor([[0, 1, 2]]))[0]
    expected = torch.tensor([[2.414214, 0.0], [0.276578, 2.137636], [1.833260, 1.833260]])
    torch.testing.assert_close(residual, expected, atol=2e-5, rtol=0)
    logits = torch.tensor([[1.414214, 0, 1.414214], [0.181464, 1.402515, 1.583979], [1, 1, 2]])
    torch.testing.assert_close(model(torch.tensor([[0, 1, 2]]))[0], logits, atol=2e-5, rtol=0)


# The configuration


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"vocabulary": 0}, "vocabulary is 0"),
        ({"layers": -1}, "layers is -1"),
        ({"width": 12.0, "n_heads": 4}, "whole number"),
        ({"context": True}, "context is True"),
        ({"width": 10, "n_heads": 4}, "does not divide"),
        ({"n_heads": 4, "key_value_heads": 3}, "cannot share"),
        ({"n_heads": 4, "key_value_heads": -2}, "key_value_heads is -2"),
        ({"key_value_heads": 0}, "key_value_heads is 0"),
        ({"hidden": 0}, "hidden is 0"),
        ({"hidden": -4}, "hidden is -4"),
        ({"width": 12, "n_heads": 4}, "is odd"),
        ({"norm": "batch"}, "rms, layer or none"),
        ({"positions": "alibi"}, "rotary, learned, sinusoidal or none"),
        ({"feed_forward": "tanh"}, "swiglu, gelu, relu or none"),
    ],
)
def test_a_shape_that_cannot_be_is_refused(changes, sentence):
    with pytest.raises(UserError, match=sentence):
        TransformerConfig(**{"vocabulary": 10, **changes})


def test_the_configuration_survives_a_file():
    config = TransformerConfig(vocabulary=10, key_value_heads=2, hidden=6, norm="layer", tied=False)
    assert TransformerConfig.from_dict(config.to_dict()) == config
    assert config.to_dict()["model_type"] == "playground"
    assert TransformerConfig.from_dict({"model_type": "playground", "vocabulary": 7}).hidden_width == 512


@pytest.mark.parametrize(
    ("values", "sentence"),
    [({"vocabulary": 7, "experts": 2}, "unknown fields: experts"), ({"width": 8}, "lacks the model's vocabulary")],
)
def test_a_file_of_another_kind_is_refused(values, sentence):
    with pytest.raises(UserError, match=sentence):
        TransformerConfig.from_dict(values)


# Shapes


SHAPES = """
    import dataclasses
    from jaxtyping import TypeCheckError, install_import_hook

    parts = ("transformer", "layers", "generation", "attention", "lens", "tasks", "training")
    install_import_hook([f"playground.{part}" for part in parts], "beartype.beartype")
    import numpy as np
    import torch

    torch.set_num_threads(1)
    import playground.lens.capture.forward, playground.lens.trace
    from playground.generation import greedy_answers, greedy_continuation
    from playground.lens import trace
    from playground.models.loading import LoadedModel
    from playground.tasks.text import TextTaskConfig, prepare_text
    from playground.training import TrainConfig, train
    from playground.transformer import Transformer, TransformerConfig
    from tests.helpers.families import as_loaded, small_model
    from tests.helpers.own_models import letters_tokenizer

    # The lens imports the name for type checkers only.
    playground.lens.capture.forward.LoadedModel = playground.lens.trace.LoadedModel = LoadedModel

    def use(model, text="a cat and a mat", target=None):
        traced = trace(model, text, target)
        for kind in traced.kinds:
            traced.attention(0, 1, kind), traced.overview(4, kind)
            traced.head_scores(kind), traced.steps(1, 0, 2, kind)
        traced.check(), traced.next_tokens(3)

    for feed_forward, norm, positions in [
        ("swiglu", "rms", "rotary"), ("gelu", "layer", "learned"),
        ("relu", "rms", "sinusoidal"), ("none", "rms", "none"),
    ]:
        config = TransformerConfig(
            vocabulary=99, width=16, context=64, layers=2, n_heads=4, key_value_heads=2,
            feed_forward=feed_forward, norm=norm, positions=positions,
        )
        use(as_loaded(Transformer(config).eval(), "decoder", "playground"))
    mask = torch.tensor([[True] * 5, [True] * 3 + [False] * 2])
    ids, target = torch.zeros(2, 5, dtype=torch.long), torch.zeros(2, 3, dtype=torch.long)
    for kind, norm_position in [("encoder", "post"), ("encoder-decoder", "pre"), ("decoder", "pre")]:
        parts = {"segments": 2, "classes": 3} if kind == "encoder" else {}
        config = TransformerConfig(
            vocabulary=99, kind=kind, norm_position=norm_position, width=16, context=64, layers=2, n_heads=4,
            dropout=0.1, scaled_embedding=True, bias=True, **parts,
        )
        module = Transformer(config)
        read = module.read(ids, target if kind == "encoder-decoder" else None, segments=ids, mask=mask)
        if kind == "encoder":
            module.classify(read)
        if kind == "encoder-decoder":
            greedy_answers(module, ids, mask, start=0, end=1, most=4)
        if kind == "decoder":
            greedy_continuation(module, ids, most=2, end=1)
        loaded = dataclasses.replace(
            as_loaded(module.eval(), kind, "playground"), tokenizer=letters_tokenizer(kind)
        )
        use(loaded, target="a mat" if kind == "encoder-decoder" else None)
    for family in ("llama", "gemma2", "gpt_oss", "bert"):
        use(small_model(family))
    use(small_model("t5"), target="a mat")

    import sys
    settings = {"vocabulary": "characters", "vocabulary_size": 64, "repeats": 0.5}
    task = prepare_text(TextTaskConfig(sources=(sys.argv[1],), **settings))
    model = TransformerConfig(vocabulary=64, width=16, context=8, layers=1, n_heads=2)
    steps = list(train(TrainConfig(task=task.config, model=model, steps=2, warm_up=0, batch=3), task))
    assert steps[-1].evaluation is not None

    wrong = Transformer(model)
    for ids in (torch.zeros(3, dtype=torch.long), torch.zeros(1, 3)):
        try:
            wrong(ids)
        except TypeCheckError:
            print("refused")
"""


def test_the_shapes_in_the_signatures_hold(tmp_path):
    text = tmp_path / "text.txt"
    text.write_text("the cat sat on the mat. " * 40)
    program = [sys.executable, "-c", textwrap.dedent(SHAPES), str(text)]
    done = subprocess.run(program, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.split() == ["refused", "refused"]


@pytest.mark.parametrize("scale", [0.0, 1e-3, 1.0, 1e4])
def test_the_rms_norm_is_that_of_torch_there_and_back(scale):
    ours, theirs = RMSNorm(12, eps=1e-5), torch.nn.RMSNorm(12, eps=1e-5)
    generator = torch.Generator().manual_seed(3)
    weight = torch.randn(12, generator=generator)
    numbers = scale * torch.randn(2, 5, 12, generator=generator)
    results = []
    for norm in (ours, theirs):
        norm.weight.data.copy_(weight)
        x = numbers.clone().requires_grad_()
        normed = norm(x)
        (normed * torch.arange(12.0)).sum().backward()
        results.append((normed.detach(), x.grad, norm.weight.grad))
    for our, their in zip(*results, strict=True):
        torch.testing.assert_close(our, their, atol=1e-5 / max(scale, 0.01), rtol=1e-4)
    half = numbers.half().clamp(-100, 100)
    assert torch.equal(ours.half()(half), theirs.half()(half))
