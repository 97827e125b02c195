"""Small bases and texts to fine-tune in a test."""

from pathlib import Path
from typing import Any

from playground.tasks.finetune.labels import LabelsConfig
from playground.tasks.finetune.pairs import PairsConfig
from playground.tasks.finetune.passages import PassagesConfig
from playground.tasks.finetune.prompts import PromptsConfig
from playground.training.finetune.finetune_config import FinetuneConfig
from tests.helpers.own_models import random_model, save_model
from tests.helpers.pretrained_folders import build, save_tokenizer

ANIMALS = ("cat", "dog")
TABLE = "text,label\n" + "".join(
    f"the {animal} lay under the tree {number % 7 * 'and '},{animal}s\n"
    for number in range(20)
    for animal in ANIMALS
    if number < 7 or animal == "cat" or number < 14
)
PAIRS = "source,target\n" + "".join(
    f"the {a} {b} cat,{b} the {a}\n" for a in ("cat", "dog", "mat", "tree") for b in ("sat", "lay", "on", "under")
)
PROMPTS = PAIRS.replace("source,target", "prompt,answer")
TEXT = "the cat sat on the mat and the dog lay under the tree. " * 30
TASKS = {
    "labels": LabelsConfig(source="table", text=TABLE),
    "passages": PassagesConfig(text=TEXT),
    "prompts": PromptsConfig(text=PROMPTS),
    "pairs": PairsConfig(text=PAIRS),
}


def base_of(folder: Path, family: str, **changes: Any) -> str:
    """A random model in a folder: one of ours by its kind, or one of a family of transformers with these changes."""
    if family in ("encoder", "decoder", "encoder-decoder"):
        return str(save_model(random_model(kind=family, tied=True), folder / family))
    build(family, **changes).save_pretrained(folder / family)
    save_tokenizer(folder / family)
    return str(folder / family)


def finetune_config(folder: Path, family: str = "encoder", task: str = "labels", **changes) -> FinetuneConfig:
    """Four steps with a checkpoint at every second one."""
    given = {"steps": 4, "batch": 2, "warm_up": 1, "evaluate_every": 2, "evaluate_rows": 6, "checkpoint_every": 2}
    given |= {"frames": 3, "learning_rate": 0.01, "length": 60}
    return FinetuneConfig(base=base_of(folder, family), task=TASKS[task], **{**given, **changes})
