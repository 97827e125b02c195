"""Heads of transformers' families: for a text (ForSequenceClassification), its tokens, or the span of an answer."""

import contextlib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from playground.attention import IMPLEMENTATION
from playground.errors import UserError
from playground.models.adapters.from_folder import module_from_folder
from playground.models.adapters.transformers import forward_parameters, takes_segments
from playground.models.formats.checkpoint import inspect
from playground.models.heads import HeadTask, ModelHead, labels_in, scale_of
from playground.models.memory_estimate import check_fits

if TYPE_CHECKING:
    from playground.models.loading import LoadedModel

HEAD_CLASSES: dict[str, tuple[HeadTask, str]] = {
    "ForSequenceClassification": ("text", "MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING"),
    "ForTokenClassification": ("token", "MODEL_FOR_TOKEN_CLASSIFICATION_MAPPING"),
    "ForQuestionAnswering": ("span", "MODEL_FOR_QUESTION_ANSWERING_MAPPING"),
}
"""Endings of the class names in a config.json, what such a head labels, and transformers' table of their classes."""
SPAN_LABELS = ("start", "end")
NEVER_A_TOKEN = -1


def stated_task(config: Any) -> tuple[HeadTask, str] | None:
    """What a checkpoint's head labels, and transformers' table of such classes; None where it states no such head."""
    names = config.architectures or []
    return next((found for name in names for ending, found in HEAD_CLASSES.items() if name.endswith(ending)), None)


def pretrained_head(module: nn.Module, tokenizer: Any, task: HeadTask, untrained: Sequence[str]) -> ModelHead:
    """The head of a loaded module. untrained: the tensors that its checkpoint lacks.

    Raises UserError for a configuration without labels.
    """
    whole: Any = module
    config = whole.config
    labels = SPAN_LABELS if task == "span" else labels_in(config.id2label, len(config.id2label))
    _read_to_the_end(config)
    parameters = forward_parameters(module)
    has_segments = takes_segments(parameters, tokenizer)

    def answer(ids: Int[Tensor, "row token"], segments: Int[Tensor, "row token"]) -> Float[Tensor, "..."]:
        output = whole(**_head_arguments(config, parameters, ids, segments if has_segments else None))
        if task == "span":
            return torch.stack([output.start_logits, output.end_logits], dim=-1)
        logits: Tensor = output.logits
        return logits

    return ModelHead(
        task=task,
        labels=labels,
        scale=scale_of(config.problem_type, len(labels)) if task == "text" else "softmax",
        answer=answer,
        architecture=type(module).__name__,
        untrained=tuple(sorted(untrained)),
        needs_pair=task == "span",
    )


def _read_to_the_end(config: Any) -> None:
    """Let a decoder's classifier answer from the last token of every row.

    It looks for the last token that is no padding, and refuses several rows where it knows of none. Here the rows of a
    pass are of one length and none is padded, so that a padding token which no text can contain does it.
    """
    text_config = config.get_text_config()
    if getattr(text_config, "pad_token_id", None) is None:
        text_config.pad_token_id = NEVER_A_TOKEN


def _head_arguments(config: Any, parameters: set[str], ids: Tensor, segments: Tensor | None) -> dict[str, Any]:
    arguments: dict[str, Any] = {"input_ids": ids}
    if "use_cache" in parameters:
        arguments["use_cache"] = False
    if segments is not None and bool(segments.any()):
        kinds = getattr(config, "type_vocab_size", None)
        arguments["token_type_ids"] = segments if kinds is None else segments.clamp(max=max(0, kinds - 1))
    return arguments


def load_random_head(model: "LoadedModel", n_labels: int) -> tuple[nn.Module, ModelHead]:
    """A sequence classifier on a loaded model's checkpoint, which has no head: the module, and its random head.

    Raises UserError where the model has a head, where the family has no such class, and where the classifier does not
    fit beside the model or cannot be loaded.
    """
    if model.head is not None:
        raise UserError("The checkpoint of {name} has a head already.", name=model.name)
    check_fits(inspect(model.folder, model.name), name=model.name, device=model.device, dtype=model.dtype)
    try:
        module, missing = _load_classifier(model, n_labels)
    except UserError:
        raise
    except Exception as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise UserError(
            "{name} cannot be loaded as a classifier: {reason}", name=model.name, reason=reason[:300]
        ) from error
    module = module.to(model.device).eval().requires_grad_(False)
    return module, pretrained_head(module, model.tokenizer, "text", missing)


def load_classifier(model: "LoadedModel", n_labels: int) -> nn.Module:
    """A sequence classifier of so many labels on a loaded model's checkpoint, whose own head may have others.

    Its calls go through the seam as the model's do. Raises UserError where the family has no such class.
    """
    module, _missing = _load_classifier(model, n_labels)
    implementation = IMPLEMENTATION if model.attention == "interface" else "eager"
    module.set_attn_implementation(implementation)  # type: ignore[operator]
    return module


def _load_classifier(model: "LoadedModel", n_labels: int) -> tuple[nn.Module, list[str]]:
    """transformers' sequence classifier on the checkpoint, and the tensors that the checkpoint lacks."""
    from transformers import AutoConfig, AutoModelForSequenceClassification

    from playground.models.loading import BUILD_LOCK

    config = AutoConfig.from_pretrained(
        model.folder, num_labels=n_labels, trust_remote_code=False, local_files_only=True
    )
    classes = AutoModelForSequenceClassification._model_mapping
    if type(config) not in classes:
        raise UserError("The family {family} has no sequence classifier in transformers.", family=model.family)
    with BUILD_LOCK, quiet_transformers():
        module, report = module_from_folder(
            classes[type(config)],
            inspect(model.folder, model.name),
            config=config,
            dtype=getattr(torch, model.dtype),
            ignore_mismatched_sizes=True,
        )
    return module, sorted(report["missing_keys"])


@contextlib.contextmanager
def quiet_transformers() -> Iterator[None]:
    """Silence transformers' progress bars and reports; what matters in them is raised as UserError."""
    from transformers.utils import logging

    before = logging.get_verbosity()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(before)
