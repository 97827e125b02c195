"""Build a small random model of a family, save it with a tokenizer, and load the reference from the same folder."""

import string
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from benchmarks.configurations.shrinking import VOCABULARY, shrunk
from benchmarks.configurations.special_cases import GIVEN

TASKS = ("causal", "masked", "sequence-to-sequence")


@dataclass(frozen=True, kw_only=True)
class Configuration:
    """One family under one of transformers' three mappings of text models."""

    task: str
    family: str

    def __str__(self) -> str:
        return f"{self.family} ({self.task})"


def all_configurations() -> list[Configuration]:
    """Every family that transformers lists, under each mapping that lists it."""
    return [Configuration(task=task, family=family) for task in TASKS for family in sorted(_names(task))]


def _names(task: str) -> dict[str, str]:
    from transformers.models.auto import modeling_auto as auto

    names = {
        "causal": auto.MODEL_FOR_CAUSAL_LM_MAPPING_NAMES,
        "masked": auto.MODEL_FOR_MASKED_LM_MAPPING_NAMES,
        "sequence-to-sequence": auto.MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING_NAMES,
    }
    return dict(names[task])


def auto_class(task: str) -> Any:
    """transformers' class that builds any family for this task."""
    import transformers

    return {
        "causal": transformers.AutoModelForCausalLM,
        "masked": transformers.AutoModelForMaskedLM,
        "sequence-to-sequence": transformers.AutoModelForSeq2SeqLM,
    }[task]


def save_small(configuration: Configuration, folder: Path) -> None:
    """Save a small random model of the family and a tokenizer of single letters."""
    import transformers

    given = dict(GIVEN.get(configuration.family, {}))
    if configuration.task == "causal" and configuration.family in _names("masked"):
        given |= {"is_decoder": True}
    config = shrunk(transformers.CONFIG_MAPPING[configuration.family], **given)
    torch.manual_seed(0)
    module = auto_class(configuration.task).from_config(config)
    with torch.no_grad():
        for name, parameter in module.named_parameters():
            _randomise(name, parameter)
    if config.is_encoder_decoder and _has_no_start(module.generation_config):
        # T5 names the token that begins an answer in its checkpoints only.
        module.config.decoder_start_token_id = module.generation_config.decoder_start_token_id = 0
    module.eval().save_pretrained(folder)
    letters_tokenizer().save_pretrained(folder)


def _has_no_start(settings: Any) -> bool:
    return settings.decoder_start_token_id is None and settings.bos_token_id is None


def _randomise(name: str, parameter: nn.Parameter) -> None:
    """Larger than at the usual start, so that patterns are far from even and no norm or bias is neutral."""
    if parameter.ndim > 1 and parameter.is_floating_point():
        nn.init.normal_(parameter, std=0.3)
    elif name.endswith(("weight", "bias")) and parameter.is_floating_point():
        parameter.add_(0.1 * torch.randn_like(parameter))


def letters_tokenizer() -> Any:
    """A vocabulary of VOCABULARY tokens: a few special ones and single characters."""
    import transformers
    from tokenizers import Regex, Tokenizer, models, pre_tokenizers

    special = ["<pad>", "<s>", "</s>", "<unk>", "<mask>"]
    characters = list(dict.fromkeys(f" {string.ascii_letters}{string.digits}{string.punctuation}"))
    tokens = [*special, *characters][:VOCABULARY]
    tokens += [f"[{number}]" for number in range(VOCABULARY - len(tokens))]
    tokenizer = Tokenizer(models.WordLevel({token: index for index, token in enumerate(tokens)}, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(r"[\s\S]"), "isolated")
    names = ("pad_token", "bos_token", "eos_token", "unk_token", "mask_token")
    return transformers.PreTrainedTokenizerFast(tokenizer_object=tokenizer, **dict(zip(names, special, strict=True)))


@torch.inference_mode()
def reference_of(configuration: Configuration, folder: Path) -> nn.Module:
    """The saved model as transformers loads it, with its own eager attention."""
    module = auto_class(configuration.task).from_pretrained(folder, attn_implementation="eager", dtype=torch.float32)
    ids = torch.tensor([[5, 6, 7, 8, 9, 10, 11, 12]])
    # A small model that transformers itself cannot run says nothing about us.
    module.eval()(input_ids=ids, **({"decoder_input_ids": ids[:, :3]} if module.config.is_encoder_decoder else {}))
    result: nn.Module = module
    return result
