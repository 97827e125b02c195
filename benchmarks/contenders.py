"""Who takes turns with our trainer: four sizes, three shapes, and a peer of each as a plain torch module.

Every peer is written here from its description; transformers and torch bring their own. nanoGPT is GPT-2's shape with
one projection for queries, keys and values (github.com/karpathy/nanoGPT, model.py). nanochat has no biases and no
weights in its norms, norms queries and keys, squares the ReLU, unties the head and caps the logits
(github.com/karpathy/nanochat, gpt.py).
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from torch.nn import functional

from playground.transformer import TransformerConfig


@dataclass(frozen=True, kw_only=True)
class Size:
    """A size by its name; rows of one context make a batch of one to two thousand tokens."""

    name: str
    vocabulary: int
    context: int
    rows: int
    width: int
    layers: int
    heads: int
    hidden: int
    steps: int
    """How many steps are one turn."""


SIZES = (
    Size(name="10k", vocabulary=64, context=64, rows=16, width=32, layers=1, heads=2, hidden=48, steps=30),
    Size(name="100k", vocabulary=128, context=64, rows=16, width=64, layers=2, heads=4, hidden=172, steps=10),
    Size(name="800k", vocabulary=256, context=64, rows=16, width=128, layers=4, heads=4, hidden=344, steps=3),
    Size(name="3M", vocabulary=512, context=128, rows=16, width=256, layers=4, heads=4, hidden=688, steps=1),
)


def llama_shape(size: Size) -> TransformerConfig:
    """RMS norm, rotary positions, SwiGLU, no biases."""
    return TransformerConfig(
        vocabulary=size.vocabulary,
        context=size.context,
        width=size.width,
        layers=size.layers,
        n_heads=size.heads,
        hidden=size.hidden,
    )


def gpt2_shape(size: Size) -> TransformerConfig:
    """Layer norm, learned positions, GELU, biases; the hidden layer is wider, so that the parameters stay as many."""
    return replace(
        llama_shape(size),
        hidden=size.hidden * 3 // 2,
        norm="layer",
        positions="learned",
        feed_forward="gelu",
        bias=True,
    )


def nanochat_shape(size: Size) -> TransformerConfig:
    """RMS norm, rotary positions, ReLU, no biases in attention, a head of its own: as near as ours comes."""
    return replace(llama_shape(size), hidden=size.hidden * 3 // 2, feed_forward="relu", tied=False, embedding_norm=True)


def llama_peer(shape: TransformerConfig) -> nn.Module:
    """The same shape from a transformers config; ids to logits."""
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(
        vocab_size=shape.vocabulary,
        hidden_size=shape.width,
        intermediate_size=shape.hidden_width,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.n_heads,
        num_key_value_heads=shape.n_key_value_heads,
        max_position_embeddings=shape.context,
        rms_norm_eps=1e-5,
        tie_word_embeddings=True,
        attn_implementation="sdpa",
    )
    return _Logits(LlamaForCausalLM(config).train())


class _Logits(nn.Module):
    """A model of transformers as ids to logits."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, ids: Tensor) -> Tensor:
        logits: Tensor = self.inner(input_ids=ids, use_cache=False).logits
        return logits


class EncoderPeer(nn.Module):
    """The same shape from torch.nn.TransformerEncoder, with a causal mask; ids to logits."""

    def __init__(self, shape: TransformerConfig) -> None:
        super().__init__()
        layer = nn.TransformerEncoderLayer(
            shape.width, shape.n_heads, shape.hidden_width, 0.0, "gelu", batch_first=True, norm_first=True
        )
        self.embedding = nn.Embedding(shape.vocabulary, shape.width)
        self.position = nn.Embedding(shape.context, shape.width)
        self.encoder = nn.TransformerEncoder(layer, shape.layers, nn.LayerNorm(shape.width), enable_nested_tensor=False)
        self.head = nn.Linear(shape.width, shape.vocabulary, bias=False)
        self.head.weight = self.embedding.weight
        nn.init.normal_(self.embedding.weight, std=0.02)
        self.register_buffer("mask", nn.Transformer.generate_square_subsequent_mask(shape.context), persistent=False)

    def forward(self, ids: Tensor) -> Tensor:
        embedded = self.embedding(ids) + self.position.weight[: ids.shape[1]]
        logits: Tensor = self.head(self.encoder(embedded, mask=self.mask, is_causal=True))
        return logits


class NanoGPT(nn.Module):
    """nanoGPT's model without dropout; ids to logits."""

    def __init__(self, shape: TransformerConfig) -> None:
        super().__init__()
        self.embedding = nn.Embedding(shape.vocabulary, shape.width)
        self.position = nn.Embedding(shape.context, shape.width)
        self.blocks = nn.ModuleList(NanoGPTBlock(shape) for _ in range(shape.layers))
        self.norm = nn.LayerNorm(shape.width, bias=shape.bias)
        self.head = nn.Linear(shape.width, shape.vocabulary, bias=False)
        self.head.weight = self.embedding.weight
        self._initialise(shape.layers)

    def _initialise(self, layers: int) -> None:
        """Normal with deviation 0.02; what writes into the stream less, the more layers there are."""
        for name, parameter in self.named_parameters():
            if parameter.ndim > 1:
                is_writer = name.endswith(("attention_output.weight", "down.weight"))
                nn.init.normal_(parameter, std=0.02 / (2 * layers) ** 0.5 if is_writer else 0.02)
            elif name.endswith(".bias"):
                nn.init.zeros_(parameter)

    def forward(self, ids: Tensor) -> Tensor:
        x = self.embedding(ids) + self.position(torch.arange(ids.shape[1]))
        for block in self.blocks:
            x = block(x)
        logits: Tensor = self.head(self.norm(x))
        return logits


class NanoGPTBlock(nn.Module):
    """Norm first, fused attention, four linear layers, exact GELU; all with biases or none."""

    def __init__(self, shape: TransformerConfig) -> None:
        super().__init__()
        self.n_heads = shape.n_heads
        width, hidden, bias = shape.width, shape.hidden_width, shape.bias
        self.attention_norm, self.feed_forward_norm = (nn.LayerNorm(width, bias=bias) for _ in range(2))
        self.query_key_value = nn.Linear(width, 3 * width, bias=bias)
        self.attention_output = nn.Linear(width, width, bias=bias)
        self.up, self.down = nn.Linear(width, hidden, bias=bias), nn.Linear(hidden, width, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        query_key_value = self.query_key_value(self.attention_norm(x)).split(x.shape[-1], dim=2)
        query, key, value = (in_heads(part, self.n_heads).transpose(1, 2) for part in query_key_value)
        z = functional.scaled_dot_product_attention(query, key, value, is_causal=True)
        x = x + self.attention_output(z.transpose(1, 2).contiguous().view(x.shape))
        added: Tensor = x + self.down(functional.gelu(self.up(self.feed_forward_norm(x))))
        return added


class Nanochat(nn.Module):
    """nanochat's model; ids to logits."""

    cosine: Tensor
    sine: Tensor

    def __init__(self, shape: TransformerConfig) -> None:
        super().__init__()
        self.embedding = nn.Embedding(shape.vocabulary, shape.width)
        self.blocks = nn.ModuleList(NanochatBlock(shape) for _ in range(shape.layers))
        self.head = nn.Linear(shape.width, shape.vocabulary, bias=False)
        half = shape.head_width // 2
        angles = torch.arange(shape.context)[:, None] * 10_000.0 ** (-torch.arange(half) / half)
        # [token, 1, half]: the same for every head.
        self.register_buffer("cosine", angles.cos()[:, None], persistent=False)
        self.register_buffer("sine", angles.sin()[:, None], persistent=False)

    def forward(self, ids: Tensor) -> Tensor:
        x = unit_rms(self.embedding(ids))
        for block in self.blocks:
            x = block(x, self.cosine, self.sine)
        return 15 * torch.tanh(self.head(unit_rms(x)) / 15)


class NanochatBlock(nn.Module):
    """Norm first; queries and keys rotated, then normed; squared ReLU."""

    def __init__(self, shape: TransformerConfig) -> None:
        super().__init__()
        self.n_heads = shape.n_heads
        self.query, self.key, self.value, self.attention_output = (
            nn.Linear(shape.width, shape.width, bias=False) for _ in range(4)
        )
        self.up = nn.Linear(shape.width, shape.hidden_width, bias=False)
        self.down = nn.Linear(shape.hidden_width, shape.width, bias=False)

    def forward(self, x: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
        normed = unit_rms(x)
        query, key, value = (in_heads(part(normed), self.n_heads) for part in (self.query, self.key, self.value))
        query, key = (unit_rms(rotated(part, cosine, sine)) for part in (query, key))
        z = functional.scaled_dot_product_attention(
            query.transpose(1, 2), key.transpose(1, 2), value.transpose(1, 2), is_causal=True
        )
        x = x + self.attention_output(z.transpose(1, 2).contiguous().view(x.shape))
        added: Tensor = x + self.down(functional.relu(self.up(unit_rms(x))).square())
        return added


def in_heads(x: Tensor, n_heads: int) -> Tensor:
    """[batch, token, width] as [batch, token, head, width of a head]."""
    return x.view(*x.shape[:2], n_heads, -1)


def unit_rms(x: Tensor) -> Tensor:
    """RMS norm without weights."""
    return functional.rms_norm(x, (x.shape[-1],))


def rotated(x: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
    """Rotary positions: the halves of each head as pairs."""
    first, second = x.chunk(2, dim=-1)
    return torch.cat([first * cosine + second * sine, second * cosine - first * sine], dim=-1)


PEERS: dict[
    str, tuple[Callable[[Size], TransformerConfig], Callable[[TransformerConfig], Callable[[Tensor], Tensor]]]
] = {
    "nanoGPT": (gpt2_shape, NanoGPT),
    "nanochat": (nanochat_shape, Nanochat),
    "transformers": (llama_shape, llama_peer),
    "torch.nn.TransformerEncoder": (gpt2_shape, EncoderPeer),
}
"""By the peer's name: the shape of ours that is nearest to it, and the peer of that shape."""
