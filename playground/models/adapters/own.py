"""Our own models: build one from its folder, without importing transformers, and call it."""

from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from playground.errors import UserError
from playground.models.adapters.adapter import Constraint, NextToken, PatternKind
from playground.models.adapters.own_head import own_head
from playground.models.build_bounds import bounded_build
from playground.models.formats.checkpoint import Checkpoint
from playground.models.rehearsal import encoding_of
from playground.special_tokens import END, PAD, START, UNKNOWN
from playground.transformer import Attention, CrossAttention, Transformer, TransformerConfig

if TYPE_CHECKING:
    from playground.models.loading import LoadedModel


class OwnAdapter:
    """Adapter for `playground.transformer.Transformer`; its tokenizer is a `tokenizers.Tokenizer`."""

    ids_name, target_name = "ids", "target_ids"

    def __init__(self, model: "LoadedModel") -> None:
        self.name, self.module, self.tokenizer = model.name, model.module, model.tokenizer

    def arguments(
        self,
        ids: Int[Tensor, "batch token"],
        *,
        segments: Sequence[int] = (),
        target_ids: Int[Tensor, "batch position"] | None = None,
        last_only: bool = False,
    ) -> dict[str, Any]:
        arguments: dict[str, Any] = {"ids": ids}
        module = self._module
        if module.config.segments:
            segment_ids = torch.tensor([list(segments) or [0] * ids.shape[1]], device=ids.device)
            arguments["segments"] = segment_ids.clamp(max=module.config.segments - 1)
        if target_ids is not None:
            arguments["target_ids"] = target_ids
        return arguments

    def logits(self, output: Any) -> Float[Tensor, "batch token vocabulary"] | None:
        logits: Tensor = output
        return logits

    def embedding(self) -> nn.Module:
        embedding: nn.Module = self._module.embedding
        return embedding

    def output_head(self) -> nn.Module | None:
        head: nn.Module = self._module.head
        return head

    def start_id(self) -> int:
        ids = {token: self._id_of(token) for token in (START, END)}
        missing = next((token for token, id in ids.items() if id is None), None)
        if missing is not None:
            raise UserError(
                "The vocabulary of {name} has no token {token}, so its decoder cannot be run.",
                name=self.name,
                token=missing,
            )
        return ids[START] or 0

    def end_ids(self) -> frozenset[int]:
        end = self._id_of(END)
        return frozenset() if end is None else frozenset({end})

    def neutral_id(self) -> int:
        return self._id_of(PAD) or 0

    def mask_id(self, spellings: Sequence[str]) -> int | None:
        return next((id for id in map(self._id_of, spellings) if id is not None), None)

    def unknown_id(self) -> int | None:
        return self._id_of(UNKNOWN)

    def target_ids(self, target: str) -> list[int]:
        # Without the special tokens of a source: the decoder generates END itself.
        return [self.start_id(), *encoding_of(self.tokenizer, target, add_special_tokens=False).ids]

    def encode_source(self, ids: Int[Tensor, "batch token"]) -> Float[Tensor, "batch token width"]:
        encoded: Tensor = self._module.encode(ids)
        return encoded

    def keeps_cache(self) -> bool:
        return False

    def next_token(
        self,
        ids: Int[Tensor, "row token"],
        *,
        encoded: Float[Tensor, "1 token width"] | None = None,
        cache: Any = None,
        use_cache: bool = False,
        patterns: bool = False,
    ) -> NextToken:
        module = self._module
        read = module.read(ids) if encoded is None else module.decode(ids, encoded.expand(len(ids), -1, -1))
        return NextToken(logits=module.head(read[:, -1]))

    def constraint(self, *, prompt: int, source: Int[Tensor, "1 token"] | None = None) -> Constraint:
        return lambda ids, logits: logits

    def unfollowed_settings(self) -> Mapping[str, Any]:
        return {}

    def reported_patterns(self, output: Any) -> dict[PatternKind, Sequence[Tensor]]:
        return {}

    def fused_rows(self) -> Mapping[str, Mapping[str, slice]]:
        modules = self.module.named_modules()
        return {path: rows for name, module in modules for path, rows in _fused_rows(name, module).items()}

    def versions(self) -> dict[str, str]:
        return {}

    @property
    def _module(self) -> Any:
        return self.module

    def _id_of(self, token: str) -> int | None:
        id = self.tokenizer.token_to_id(token)
        return None if id is None else int(id)


def _fused_rows(name: str, module: nn.Module) -> dict[str, dict[str, slice]]:
    """Queries, keys and values of a self-attention layer [q + k + v, width], keys and values of a cross-attention."""
    if isinstance(module, Attention):
        matrix, sizes = "query_key_value", dict(zip(("query", "key", "value"), module.sizes, strict=True))
    elif isinstance(module, CrossAttention):
        half = module.key_value.weight.shape[0] // 2
        matrix, sizes = "key_value", {"key": half, "value": half}
    else:
        return {}
    ends = list(accumulate(sizes.values()))
    rows = {part: slice(end - size, end) for (part, size), end in zip(sizes.items(), ends, strict=True)}
    return {f"{name}.{matrix}.{tensor}": rows for tensor in ("weight", "bias")}


def build_own(checkpoint: Checkpoint, name: str, device: str, dtype: str) -> dict[str, Any]:
    """Fields of LoadedModel. Raises UserError if the weights do not fit the configuration."""
    from tokenizers import Tokenizer

    path = checkpoint.folder / "tokenizer.json"
    if not path.is_file():
        raise UserError("{name} has no tokenizer.json; put it beside its weights.", name=name)
    config = TransformerConfig.from_dict(_own_keys(checkpoint.config))
    module: Transformer = _own_module(checkpoint, name, config).to(device=device, dtype=getattr(torch, dtype))
    parameters = sum(parameter.numel() for parameter in module.parameters())
    tokenizer = Tokenizer.from_file(str(path))
    # Nobody here asks for texts of one length, and a stranger's could be a billion tokens.
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return {
        "kind": config.kind,
        "family": "playground",
        "module": module,
        "tokenizer": tokenizer,
        "context": config.context,
        "parameters": parameters,
        "bytes": parameters * getattr(torch, dtype).itemsize,
        "layers": config.layers,
        "n_heads": config.n_heads,
        # Training a classifier leaves the output head at its random start, unless it is tied to the embedding.
        "has_output_head": config.kind != "encoder" or config.tied or not config.classes,
        "attention": "interface",
        "classes": config.classes,
        "head": own_head(checkpoint, module),
    }


def _own_keys(config: dict[str, Any]) -> dict[str, Any]:
    """The configuration without keys that only other programs read."""
    foreign = {"architectures", "dtype", "torch_dtype", "id2label"}
    return {key: value for key, value in config.items() if key not in foreign}


def _own_module(checkpoint: Checkpoint, name: str, config: TransformerConfig) -> Transformer:
    """The module with its weights. Raises UserError if the file lacks one or has another."""
    from safetensors.torch import load_file

    with torch.device("meta"), bounded_build(checkpoint, name):
        Transformer(config)  # counted before it takes any memory
    module = Transformer(config)
    weights = {key: value.float() for path in checkpoint.weights for key, value in load_file(path).items()}
    try:
        missing, unexpected = module.load_state_dict(weights, strict=False)
    except RuntimeError as error:
        raise UserError("The weights of {name} have other sizes than its config.json says.", name=name) from error
    tensors = module.state_dict()
    loaded = {tensors[key].data_ptr() for key in weights if key in tensors}
    # A tied head and an encoder's embedding share the embedding's memory: one name of the three suffices.
    mismatched = [key for key in missing if tensors[key].data_ptr() not in loaded] + [*unexpected]
    if mismatched:
        raise UserError(
            "The weights of {name} do not belong to its config.json ({lacking}).", name=name, lacking=mismatched[0]
        )
    return module.eval().requires_grad_(False)
