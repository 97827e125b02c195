"""Build a model of our own from its folder; needs neither transformers nor its seconds of import."""

from typing import Any

import torch

from playground.errors import UserError
from playground.models.formats.checkpoint import Checkpoint
from playground.transformer import Transformer, TransformerConfig


def build_own(checkpoint: Checkpoint, name: str, device: str, dtype: str) -> dict[str, Any]:
    """The loaded parts, as fields of LoadedModel. Raises UserError where the weights do not fit the configuration."""
    from tokenizers import Tokenizer

    path = checkpoint.folder / "tokenizer.json"
    if not path.is_file():
        raise UserError("{name} has no tokenizer.json; put it beside its weights.", name=name)
    config = TransformerConfig.from_dict(_known(checkpoint.config))
    module = _module(checkpoint, name, config).to(device=device, dtype=getattr(torch, dtype))
    parameters = sum(parameter.numel() for parameter in module.parameters())
    return {
        "kind": config.kind,
        "family": "playground",
        "module": module,
        "tokenizer": Tokenizer.from_file(str(path)),
        "context": config.context,
        "parameters": parameters,
        "bytes": parameters * getattr(torch, dtype).itemsize,
        "layers": config.layers,
        "n_heads": config.n_heads,
        # A classifier alone leaves the output head as it was at the start, unless it is the embedding.
        "has_output_head": config.kind != "encoder" or config.tied or not config.classes,
        "attention": "interface",
        "classes": config.classes,
    }


def _known(config: dict[str, Any]) -> dict[str, Any]:
    """The configuration without the keys that other programs expect in a config.json."""
    return {key: value for key, value in config.items() if key not in {"architectures", "dtype", "torch_dtype"}}


def _module(checkpoint: Checkpoint, name: str, config: TransformerConfig) -> Transformer:
    """The module with its weights, every one of them read from the file."""
    from safetensors.torch import load_file

    module = Transformer(config)
    weights = {key: value.float() for path in checkpoint.weights for key, value in load_file(path).items()}
    try:
        missing, unexpected = module.load_state_dict(weights, strict=False)
    except RuntimeError as error:
        raise UserError("The weights of {name} have other sizes than its config.json says.", name=name) from error
    own = module.state_dict()
    read = {own[key].data_ptr() for key in weights if key in own}
    # A tied head and an encoder's embedding are the embedding under other names: one of them is enough.
    lacking = [key for key in missing if own[key].data_ptr() not in read] + [*unexpected]
    if lacking:
        raise UserError(
            "The weights of {name} do not belong to its config.json ({lacking}).", name=name, lacking=lacking[0]
        )
    return module.eval().requires_grad_(False)
