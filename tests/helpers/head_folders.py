"""Small random classifiers of transformers' families, as folders that `load` reads."""

from pathlib import Path
from typing import Any

from tests.helpers.pretrained_folders import CONFIGURATIONS

WORDS = [
    "the",
    "cat",
    "sat",
    "on",
    "mat",
    "and",
    "dog",
    "lay",
    "under",
    "tree",
    "anna",
    "went",
    "to",
    "paris",
    "who",
    "where",
    "is",
    "good",
    "bad",
]
SPECIAL = ["<pad>", "<s>", "</s>", "<unk>"]
ENDINGS = {"text": "SequenceClassification", "token": "TokenClassification", "span": "QuestionAnswering"}
FAMILIES = ("bert", "roberta", "distilbert", "electra", "modernbert", "gpt2", "llama")
PAIRS = ("bart", "t5")
"""Encoder-decoders; T5 labels tokens with its encoder alone."""
DECODERS = ("gpt2", "llama")
SEGMENTED = ("bert", "electra")
TAGS = {0: "O", 1: "B-PER", 2: "I-PER", 3: "B-LOC", 4: "I-LOC"}


def save_words(folder: Path, *, framed: bool, padded: bool = True, segments: bool = False) -> None:
    """A word tokenizer. framed: `<s> text </s>` and `<s> text </s> pair </s>` as encoders read."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    vocabulary = {word: index for index, word in enumerate([*SPECIAL, *WORDS])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    if framed:
        tokenizer.post_processor = processors.TemplateProcessing(
            single="<s> $A </s>", pair="<s> $A </s> $B:1 </s>:1", special_tokens=[("<s>", 1), ("</s>", 2)]
        )
    names = {"unk_token": "<unk>", "bos_token": "<s>", "eos_token": "</s>", "cls_token": "<s>", "sep_token": "</s>"}
    names |= {"pad_token": "<pad>"} if padded else {}
    reads = ["input_ids", "token_type_ids", "attention_mask"] if segments else ["input_ids", "attention_mask"]
    wrapped = PreTrainedTokenizerFast(tokenizer_object=tokenizer, model_input_names=reads, **names)
    wrapped.save_pretrained(folder)


def save_head(folder: Path, family: str, task: str, **changes: Any) -> Path:
    """A random model of the family with a head for the task, and its tokenizer."""
    import torch
    import transformers

    values = {**CONFIGURATIONS[family], **changes}
    if family == "gpt2":
        values |= {"bos_token_id": 1, "eos_token_id": 2}
    if family == "llama":
        values |= {"pad_token_id": None}
    if family == "t5":
        values |= {"pad_token_id": 0, "eos_token_id": 2, "decoder_start_token_id": 0}
    labels = values.pop(
        "labels", None if task == "span" else TAGS if task == "token" else {0: "bad", 1: "good", 2: "?"}
    )
    config = transformers.AutoConfig.for_model(family, **values)
    if labels is not None:
        config.id2label = labels
    torch.manual_seed(1)
    module = getattr(transformers, f"AutoModelFor{ENDINGS[task]}").from_config(config)
    for parameter in module.parameters():
        # Larger than the usual start, so that a mistake would show in the answers.
        torch.nn.init.normal_(parameter, mean=float(parameter.ndim == 1), std=0.3)
    module.save_pretrained(folder)
    is_decoder = family in DECODERS
    save_words(folder, framed=not is_decoder, padded=not is_decoder, segments=family in SEGMENTED)
    return folder


def drop_tensors(folder: Path, *parts: str) -> Path:
    """Take the tensors whose names hold one of the parts out of a folder's weights."""
    from safetensors.torch import load_file, save_file

    path = folder / "model.safetensors"
    kept = {name: tensor for name, tensor in load_file(path).items() if not any(part in name for part in parts)}
    save_file(kept, path, metadata={"format": "pt"})
    return folder
