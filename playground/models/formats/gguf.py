"""Convert a GGUF file of the Llama family to a folder that transformers loads.

Weights are dequantised to float32: that keeps every value exactly (q * d + m needs more digits than half precision
has), and loading becomes a memory map. The price is disk space, 4 bytes per parameter.

GGUF orders the rows of query and key matrices for its own rotary layout, in which rotated pairs are neighbours;
transformers keeps the two halves apart. `ungroup_rotary_pairs` converts.
"""

import json
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32

from playground.errors import UserError
from playground.models.download_progress import Meter

TOKEN_IS_SPECIAL = 3

TENSOR_NAMES = {
    "token_embd": "model.embed_tokens",
    "output_norm": "model.norm",
    "output": "lm_head",
    "attn_norm": "input_layernorm",
    "ffn_norm": "post_attention_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}


@dataclass(frozen=True, kw_only=True)
class Tensor:
    """A tensor to write: its name in transformers, its shape, and the GGUF tensor behind it."""

    name: str
    shape: tuple[int, ...]
    origin: Any

    @property
    def size(self) -> int:
        """Size in float32, in bytes."""
        return 4 * int(np.prod(self.shape))


def convert(path: Path, target: Path, meter: Meter) -> None:
    """Write config.json, model.safetensors, tokenizer.json and tokenizer_config.json into the target folder.

    Raises UserError for a family or a tokenizer other than SmolLM2's.
    """
    from gguf import GGUFReader

    meter.report("converting")
    reader = GGUFReader(str(path))
    fields = _Fields(reader)
    if fields("general.architecture") != "llama" or fields("tokenizer.ggml.pre") != "smollm":
        raise UserError(
            "{name} is not of SmolLM2's kind; convert it to safetensors yourself and open the folder.", name=path.name
        )
    target.mkdir()
    tensors = [_plan(tensor) for tensor in reader.tensors]
    names = {tensor.name for tensor in tensors}
    _write_json(target / "config.json", config_of(fields, tied="lm_head.weight" not in names))
    _write_tokenizer(fields, target)
    _write_weights(target / "model.safetensors", tensors, fields, meter)


class _Fields:
    """The metadata of a GGUF file by key; `architecture` keys without their prefix."""

    def __init__(self, reader: Any) -> None:
        self._fields = reader.fields

    def __call__(self, key: str, default: Any = None) -> Any:
        field = self._fields.get(key) or self._fields.get(f"llama.{key}")
        return default if field is None else field.contents()


def config_of(fields: Any, *, tied: bool) -> dict[str, Any]:
    """The model's config.json for transformers."""
    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "vocab_size": len(fields("tokenizer.ggml.tokens")),
        "hidden_size": fields("embedding_length"),
        "intermediate_size": fields("feed_forward_length"),
        "num_hidden_layers": fields("block_count"),
        "num_attention_heads": fields("attention.head_count"),
        "num_key_value_heads": fields("attention.head_count_kv"),
        "head_dim": fields("rope.dimension_count"),
        "max_position_embeddings": fields("context_length"),
        "rope_theta": fields("rope.freq_base"),
        # Stored as float32 (0.00000999…): its shortest decimal, 1e-05, is what was meant.
        "rms_norm_eps": float(str(np.float32(fields("attention.layer_norm_rms_epsilon")))),
        "hidden_act": "silu",
        "attention_bias": False,
        "mlp_bias": False,
        "tie_word_embeddings": tied,
        "bos_token_id": fields("tokenizer.ggml.bos_token_id"),
        "eos_token_id": fields("tokenizer.ggml.eos_token_id"),
        "pad_token_id": fields("tokenizer.ggml.padding_token_id"),
        "dtype": "float32",
    }


def _plan(tensor: Any) -> Tensor:
    """Name and shape for a GGUF tensor, which lists its axes from the fastest to the slowest."""
    parts = tensor.name.removesuffix(".weight").split(".")
    prefix = f"model.layers.{parts[1]}." if parts[0] == "blk" else ""
    if parts[-1] not in TENSOR_NAMES:
        raise UserError("The GGUF file holds a tensor that a Llama does not have: {name}.", name=tensor.name)
    shape = tuple(int(size) for size in reversed(tensor.shape))
    return Tensor(name=f"{prefix}{TENSOR_NAMES[parts[-1]]}.weight", shape=shape, origin=tensor)


def _write_weights(path: Path, tensors: list[Tensor], fields: Any, meter: Meter) -> None:
    """Write the safetensors file tensor by tensor, so that memory holds one at a time.

    Format: the header's length (8 bytes, little-endian), the header (JSON), the data.
    """
    total = sum(tensor.size for tensor in tensors)
    header = _safetensors_header(tensors)
    done = 0
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(header)) + header)
        for tensor in tensors:
            meter.report("converting", done, total)
            file.write(_values(tensor, fields).tobytes())
            done += tensor.size
    meter.report("converting", total, total)


def _safetensors_header(tensors: list[Tensor]) -> bytes:
    """The safetensors header, padded with spaces so that the data is aligned to eight bytes."""
    offset, entries = 0, {}
    for tensor in tensors:
        span = [offset, offset + tensor.size]
        entries[tensor.name] = {"dtype": "F32", "shape": tensor.shape, "data_offsets": span}
        offset += tensor.size
    text = json.dumps({"__metadata__": {"format": "pt"}, **entries}).encode()
    return text + b" " * (-len(text) % 8)


def _values(tensor: Tensor, fields: Any) -> Float32[np.ndarray, "..."]:
    """The tensor, dequantised to float32, in transformers' order of rows."""
    from gguf.quants import dequantize

    dequantised = dequantize(tensor.origin.data, tensor.origin.tensor_type)
    values: np.ndarray = np.asarray(dequantised, dtype="<f4").reshape(tensor.shape)
    if tensor.name.endswith("q_proj.weight"):
        return ungroup_rotary_pairs(values, fields("attention.head_count"))
    if tensor.name.endswith("k_proj.weight"):
        return ungroup_rotary_pairs(values, fields("attention.head_count_kv"))
    return values


def ungroup_rotary_pairs(matrix: Float32[np.ndarray, "row column"], heads: int) -> Float32[np.ndarray, "row column"]:
    """Per head: rows (a0 b0 a1 b1 …) become (a0 a1 … b0 b1 …)."""
    rows, columns = matrix.shape
    pairs = matrix.reshape(heads, rows // heads // 2, 2, columns)
    return np.ascontiguousarray(pairs.swapaxes(1, 2)).reshape(rows, columns)


def _write_tokenizer(fields: Any, target: Path) -> None:
    """Write the tokenizer: byte-level BPE that splits numbers into digits."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

    tokens, types = fields("tokenizer.ggml.tokens"), fields("tokenizer.ggml.token_type")
    merges = [tuple(merge.split(" ")) for merge in fields("tokenizer.ggml.merges")]
    tokenizer = Tokenizer(models.BPE(vocab={token: index for index, token in enumerate(tokens)}, merges=merges))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    special = [token for token, type_ in zip(tokens, types, strict=True) if type_ == TOKEN_IS_SPECIAL]
    tokenizer.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in special])
    tokenizer.save(str(target / "tokenizer.json"))
    _write_json(target / "tokenizer_config.json", dict(_tokenizer_config(fields, tokens)))


def _tokenizer_config(fields: Any, tokens: list[str]) -> Iterator[tuple[str, Any]]:
    """The entries of tokenizer_config.json: class, named special tokens, chat template."""
    yield "tokenizer_class", "PreTrainedTokenizerFast"
    yield "clean_up_tokenization_spaces", False
    yield "model_max_length", fields("context_length")
    for name, key in (("bos", "bos"), ("eos", "eos"), ("unk", "unknown"), ("pad", "padding")):
        index = fields(f"tokenizer.ggml.{key}_token_id")
        if index is not None:
            yield f"{name}_token", tokens[index]
    template = fields("tokenizer.chat_template")
    if template:
        yield "chat_template", template


def _write_json(path: Path, values: dict[str, Any]) -> None:
    path.write_text(json.dumps(values, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
