"""Labels and help of methods, data and effects, translated when they are shown."""

from playground.tasks.finetune.labels import LabelsConfig
from playground.text import N_, _
from playground.training.finetune.finetune_config import FinetuneConfig

PART_LABELS = {
    "rank": N_("Rank r of LoRA"),
    "alpha": N_("α of LoRA"),
    "matrices": N_("Matrices with LoRA"),
    "layer_decay": N_("Layer-wise decay of the rate"),
}
"""Fields of what is trained."""
PART_HELPS = {
    "alpha": N_("The change is (α / r) B A; α is often twice the rank."),
    "layer_decay": N_("Each layer learns at this share of the rate of the layer above it; 1 is the same rate for all."),
}
PART_CHOICES = {
    "query": N_("Query"),
    "key": N_("Key"),
    "value": N_("Value"),
    "output": N_("Attention output"),
    "up": N_("MLP up"),
    "gate": N_("MLP gate"),
    "down": N_("MLP down"),
}
"""Matrices that LoRA can learn beside."""


def effect_titles() -> dict[str, str]:
    """What can be looked at, by its word in the address."""
    return {
        "scores": _("Held-out measures"),
        "weights": _("Weights"),
        "heads": _("Heads"),
        "states": _("States"),
        "forgetting": _("Forgetting"),
        "samples": _("Samples"),
    }


def view_titles() -> dict[str, str]:
    """The page's sections, by their word in the address."""
    return {
        "effects": _("Before and after"),
        "new": _("New fine-tuning"),
        "run": _("Training"),
        "labels": _("Number of labels"),
        "ranks": _("Rank sweep"),
        "files": _("Result"),
    }


def data_titles() -> dict[str, str]:
    """What a model can be fine-tuned on: the task's name, and for labels their source."""
    return {
        "labels.sentiment": _("Sentiment of templated sentences"),
        "labels.sentences": _("Kinds of sentences"),
        "labels.authors": _("Authors of old books"),
        "labels.languages": _("Language of a passage"),
        "labels.table": _("Your labelled texts"),
        "passages": _("Your text, next token"),
        "prompts": _("Your prompts and answers"),
        "pairs": _("Your source and target sentences"),
    }


def trained_titles() -> dict[str, str]:
    """What is trained."""
    return {
        "head": _("Head only"),
        "last": _("Last layers"),
        "lora": _("LoRA"),
        "biases": _("Biases (BitFit)"),
        "all": _("Everything"),
    }


def method_help() -> str:
    """The methods in a sentence each."""
    return _(
        "Head only: the new classifier. Last layers: the topmost blocks, too. LoRA: W + (α/r) B A beside chosen "
        "matrices (Hu et al. 2022). Biases: only these (Ben Zaken et al. 2022). Everything: all weights."
    )


def describe_config(config: FinetuneConfig) -> str:
    """On what a model is fine-tuned, and which parts of it learn."""
    task = config.task
    data = f"labels.{task.source}" if isinstance(task, LabelsConfig) else config.task_name
    method = trained_titles()[config.parts.method]
    return f"{data_titles().get(data, data)} · {_('trained: {method}').format(method=method)}"
