"""Encoders and encoder-decoders against torch's own layers and transformers' BERT; decoders against what they were."""

import pytest
import torch
from torch import nn
from torch.nn import functional
from transformers import BertConfig, BertModel

from playground import load
from playground.transformer import Transformer, TransformerConfig

torch.set_num_threads(1)

WIDTH, HEADS, HIDDEN, LAYERS = 24, 4, 20, 2
SOURCE = torch.tensor([[3, 1, 4, 1, 5, 9, 2], [2, 7, 1, 8, 2, 8, 1]])
TARGET = torch.tensor([[0, 5, 3, 9], [0, 2, 7, 1]])
MASK = torch.tensor([[True] * 7, [True] * 5 + [False] * 2])
PLAIN = {"vocabulary": 11, "context": 16, "width": WIDTH, "layers": LAYERS, "n_heads": HEADS, "hidden": HIDDEN}
VASWANI = {"norm": "layer", "bias": True, "positions": "none"}


def model_of(**changes) -> Transformer:
    torch.manual_seed(0)
    model = Transformer(TransformerConfig(**{**PLAIN, **changes}))
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, mean=0.0 if parameter.ndim > 1 else 1.0, std=0.3)
    return model.eval().requires_grad_(False)


def close(actual: torch.Tensor, expected: torch.Tensor) -> None:
    torch.testing.assert_close(actual, expected, atol=2e-5, rtol=1e-5)
    assert expected.std() > 0.1


# torch.nn


def copy_layer(layer: nn.Module, block: nn.Module) -> None:
    """Give torch's layer our block's weights; an encoder's second norm is a decoder's third."""
    copy_attention(layer.self_attn, block.attention.query_key_value, block.attention.output)
    layer.norm1.load_state_dict(block.attention_norm.state_dict())
    layer.linear1.load_state_dict(block.feed_forward.up.state_dict())
    layer.linear2.load_state_dict(block.feed_forward.output.state_dict())
    if hasattr(layer, "multihead_attn"):
        crossing = block.cross_attention
        joined = nn.Linear(WIDTH, 3 * WIDTH)
        with torch.no_grad():
            joined.weight.copy_(torch.cat([crossing.query.weight, crossing.key_value.weight]))
            joined.bias.copy_(torch.cat([crossing.query.bias, crossing.key_value.bias]))
        copy_attention(layer.multihead_attn, joined, crossing.output)
        layer.norm2.load_state_dict(block.cross_attention_norm.state_dict())
        layer.norm3.load_state_dict(block.feed_forward_norm.state_dict())
    else:
        layer.norm2.load_state_dict(block.feed_forward_norm.state_dict())


def copy_attention(attention: nn.MultiheadAttention, joined: nn.Linear, output: nn.Linear) -> None:
    with torch.no_grad():
        attention.in_proj_weight.copy_(joined.weight)
        attention.in_proj_bias.copy_(joined.bias)
    attention.out_proj.load_state_dict(output.state_dict())


def torch_layers(kind: type[nn.Module], blocks: nn.ModuleList, norm_position: str, activation: str) -> list[nn.Module]:
    options = {"dropout": 0.0, "activation": activation, "batch_first": True, "norm_first": norm_position == "pre"}
    layers = [kind(WIDTH, HEADS, HIDDEN, **options).eval() for _ in blocks]
    for layer, block in zip(layers, blocks, strict=True):
        copy_layer(layer, block)
    return layers


@pytest.mark.parametrize("mask", [None, MASK])
@pytest.mark.parametrize("activation", ["relu", "gelu"])
@pytest.mark.parametrize("norm_position", ["pre", "post"])
def test_an_encoder_is_torchs_encoder_layers(norm_position, activation, mask):
    model = model_of(kind="encoder", norm_position=norm_position, feed_forward=activation, **VASWANI)
    x = model.embedding(SOURCE)
    with torch.no_grad():
        for layer in torch_layers(nn.TransformerEncoderLayer, model.blocks, norm_position, activation):
            x = layer(x, src_key_padding_mask=None if mask is None else ~mask)
    actual, expected = model.read(SOURCE, mask=mask), model.norm(x)
    real = torch.ones_like(MASK) if mask is None else mask
    close(actual[real], expected[real])


@pytest.mark.parametrize("activation", ["relu", "gelu"])
@pytest.mark.parametrize("norm_position", ["pre", "post"])
def test_a_decoder_is_torchs_encoder_layers_under_a_causal_mask(norm_position, activation):
    model = model_of(norm_position=norm_position, feed_forward=activation, **VASWANI)
    x, future = model.embedding(SOURCE), nn.Transformer.generate_square_subsequent_mask(7)
    with torch.no_grad():
        for layer in torch_layers(nn.TransformerEncoderLayer, model.blocks, norm_position, activation):
            x = layer(x, src_mask=future, is_causal=True)
    close(model.read(SOURCE), model.norm(x))


@pytest.mark.parametrize("mask", [None, MASK])
@pytest.mark.parametrize("activation", ["relu", "gelu"])
@pytest.mark.parametrize("norm_position", ["pre", "post"])
def test_an_encoder_decoder_is_torchs_transformer(norm_position, activation, mask):
    """torch's Transformer, with a norm after each stack as ours has where the norms come before."""
    model = model_of(kind="encoder-decoder", norm_position=norm_position, feed_forward=activation, **VASWANI)
    options = {"activation": activation, "batch_first": True, "norm_first": norm_position == "pre", "dropout": 0.0}
    norms = [nn.LayerNorm(WIDTH) if norm_position == "pre" else None for _ in range(2)]
    layers = (nn.TransformerEncoderLayer, nn.TransformerDecoderLayer)
    reader, writer = (layer(WIDTH, HEADS, HIDDEN, **options) for layer in layers)
    stacks = {
        "custom_encoder": nn.TransformerEncoder(reader, LAYERS, norms[0], enable_nested_tensor=False),
        "custom_decoder": nn.TransformerDecoder(writer, LAYERS, norms[1]),
    }
    whole = nn.Transformer(WIDTH, HEADS, LAYERS, LAYERS, HIDDEN, **options, **stacks).eval()
    for stack, ours in ((whole.encoder, model.encoder), (whole.decoder, model)):
        for layer, block in zip(stack.layers, ours.blocks, strict=True):
            copy_layer(layer, block)
        if stack.norm is not None:
            stack.norm.load_state_dict(ours.norm.state_dict())
    padded = None if mask is None else ~mask
    with torch.no_grad():
        expected = whole(
            model.embedding(SOURCE),
            model.embedding(TARGET),
            tgt_mask=nn.Transformer.generate_square_subsequent_mask(4),
            src_key_padding_mask=padded,
            memory_key_padding_mask=padded,
            tgt_is_causal=True,
        )
    close(model.read(SOURCE, TARGET, mask=mask), expected)
    close(model(SOURCE, TARGET, mask=mask), functional.linear(expected, model.embedding.weight))


# BERT


@pytest.mark.parametrize("mask", [None, MASK])
@pytest.mark.parametrize("segments", [None, torch.tensor([[0, 0, 0, 1, 1, 1, 1], [0, 0, 1, 1, 1, 0, 0]])])
def test_an_encoder_is_bert(segments, mask):
    """Embeddings that are summed and normed, two post-norm layers, and the pooler on the first token."""
    bert_like = {**VASWANI, "positions": "learned", "norm_position": "post", "embedding_norm": True}
    model = model_of(kind="encoder", feed_forward="gelu", segments=2, classes=3, **bert_like)
    reference = BertModel(
        BertConfig(
            vocab_size=11,
            hidden_size=WIDTH,
            num_hidden_layers=LAYERS,
            num_attention_heads=HEADS,
            intermediate_size=HIDDEN,
            max_position_embeddings=16,
            type_vocab_size=2,
            layer_norm_eps=1e-5,
            attn_implementation="eager",
        )
    )
    reference.load_state_dict(bert_weights(model))
    attended = None if mask is None else mask.long()
    with torch.no_grad():
        expected = reference.eval()(SOURCE, attention_mask=attended, token_type_ids=segments)
    real = torch.ones_like(MASK) if mask is None else mask
    actual = model.read(SOURCE, segments=segments, mask=mask)
    close(actual[real], expected.last_hidden_state[real])
    classes = model.classifier.output
    close(model.classify(actual), functional.linear(expected.pooler_output, classes.weight, classes.bias))


def bert_weights(model: Transformer) -> dict[str, torch.Tensor]:
    layers = {
        "embeddings.word_embeddings": {"weight": model.embedding.weight},
        "embeddings.position_embeddings": {"weight": model.position.embedding.weight},
        "embeddings.token_type_embeddings": {"weight": model.segment.embedding.weight},
        "embeddings.LayerNorm": model.embedding_norm.state_dict(),
        "pooler.dense": model.classifier.pool.state_dict(),
    }
    for index, block in enumerate(model.blocks):
        joined = block.attention.query_key_value
        parts = zip(("query", "key", "value"), joined.weight.chunk(3), joined.bias.chunk(3), strict=True)
        own = {f"attention.self.{name}": {"weight": weight, "bias": bias} for name, weight, bias in parts}
        own |= {
            "attention.output.dense": block.attention.output.state_dict(),
            "attention.output.LayerNorm": block.attention_norm.state_dict(),
            "intermediate.dense": block.feed_forward.up.state_dict(),
            "output.dense": block.feed_forward.output.state_dict(),
            "output.LayerNorm": block.feed_forward_norm.state_dict(),
        }
        layers |= {f"encoder.layer.{index}.{name}": tensors for name, tensors in own.items()}
    return {f"{name}.{key}": tensor for name, tensors in layers.items() for key, tensor in tensors.items()}


# What decoders were before there were encoders


@pytest.mark.parametrize(
    ("changes", "logits"),
    [
        (
            {"key_value_heads": 2},
            [1.44476, -1.37625, -0.17674, 1.5391, -1.24132, -0.3954, 1.60562, -1.08395, -0.60692, 1.64314, -0.907],
        ),
        (
            {"norm": "layer", "positions": "learned", "feed_forward": "gelu", "tied": False},
            [1.73743, 2.40872, 0.87264, -1.46313, -2.45808, -1.20043, 1.15731, 2.45448, 1.50234, -0.82655, -2.39799],
        ),
        (
            {"positions": "sinusoidal", "feed_forward": "relu"},
            [0.6776, -0.16393, -0.52656, 0.64908, -0.07147, -0.58323, 0.60884, 0.02227, -0.62936, 0.55759, 0.11562],
        ),
    ],
)
def test_a_decoder_gives_the_logits_it_always_gave(changes, logits):
    """Parameter n is half the sine of 0, 1, 2 … times 0.7 + n/10, vectors 1 more; numbers of the first version."""
    model = Transformer(TransformerConfig(**PLAIN, **changes)).requires_grad_(False)
    for n, parameter in enumerate(model.parameters()):
        waves = (torch.arange(parameter.numel(), dtype=torch.float64) * (0.7 + 0.1 * n)).sin() * 0.5
        parameter.copy_((waves + (parameter.ndim == 1)).view(parameter.shape))
    actual = model(torch.tensor([[3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5]]))[0, -1]
    torch.testing.assert_close(actual, torch.tensor(logits), atol=3e-5, rtol=0)


def test_the_shipped_decoder_loads_with_every_weight_and_its_old_names():
    model = load("books-decoder")
    block = {"attention_norm.weight", "attention.query_key_value.weight", "attention.output.weight"}
    block |= {"feed_forward_norm.weight", *(f"feed_forward.{part}.weight" for part in ("gate", "up", "output"))}
    names = {f"blocks.{index}.{name}" for index in range(model.layers) for name in block}
    assert set(model.module.state_dict()) == names | {"embedding.weight", "norm.weight", "head.weight"}
