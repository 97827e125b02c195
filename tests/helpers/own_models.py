"""Small models of our own with vocabularies, as folders that `load` reads."""

import json
from pathlib import Path

import torch
from safetensors.torch import save_file
from tokenizers import Regex, Tokenizer, models, pre_tokenizers, processors

from playground.models.loading import LoadedModel
from playground.transformer import Transformer, TransformerConfig
from tests.helpers.families import as_loaded

LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ .,!?'"
SPECIAL = ["<|start|>", "<|end|>", "<|pad|>", "<|mask|>", "<|unknown|>"]
SMALL = {"context": 64, "width": 24, "layers": 2, "n_heads": 4, "hidden": 20}


def letters_tokenizer(kind: str) -> Tokenizer:
    """Letters and the special tokens, with the frame that each kind of model reads a text in."""
    tokens = [*SPECIAL, *LETTERS]
    tokenizer = Tokenizer(models.WordLevel({token: index for index, token in enumerate(tokens)}, "<|unknown|>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(r"[\s\S]"), "isolated")
    tokenizer.add_special_tokens(SPECIAL)
    special = [("<|start|>", 0), ("<|end|>", 1)]
    frames = {
        "decoder": {"single": "<|start|> $A"},
        "encoder": {"single": "<|start|> $A <|end|>", "pair": "<|start|> $A:0 <|end|>:0 $B:1 <|end|>:1"},
        "encoder-decoder": {"single": "<|start|> $A <|end|>"},
    }
    tokenizer.post_processor = processors.TemplateProcessing(**frames[kind], special_tokens=special)
    return tokenizer


def random_model(seed: int = 0, **changes) -> Transformer:
    """A model with weights large enough that a mistake anywhere would show."""
    torch.manual_seed(seed)
    model = Transformer(TransformerConfig(**{**SMALL, "vocabulary": len(SPECIAL) + len(LETTERS), **changes}))
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, mean=0.0 if parameter.ndim > 1 else 1.0, std=0.3)
    return model.eval().requires_grad_(False)


def own_model(kind: str) -> LoadedModel:
    """A random model of that kind, loaded with its vocabulary of letters."""
    loaded = as_loaded(random_model(kind=kind), kind, "playground")
    object.__setattr__(loaded, "tokenizer", letters_tokenizer(kind))
    return loaded


def save_model(model: Transformer, folder: Path) -> Path:
    """Write the model as a run writes a snapshot: weights that are shared once."""
    folder.mkdir(parents=True, exist_ok=True)
    weights = {}
    for name, tensor in model.state_dict().items():
        if all(tensor.data_ptr() != other.data_ptr() for other in weights.values()):
            weights[name] = tensor.contiguous()
    save_file(weights, folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps(model.config.to_dict()))
    letters_tokenizer(model.config.kind).save(str(folder / "tokenizer.json"))
    return folder
