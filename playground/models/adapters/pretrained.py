"""Build models of any family in transformers from a folder of safetensors."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from playground.attention import IMPLEMENTATION, register_with_transformers
from playground.errors import UserError
from playground.models.adapters.attention_seam import choose_attention
from playground.models.adapters.directions import BIDIRECTIONAL, MASK_BEHIND
from playground.models.adapters.from_folder import module_from_folder
from playground.models.adapters.pretrained_head import pretrained_head, quiet_transformers, stated_task
from playground.models.adapters.probe_text import probe_ids
from playground.models.adapters.weight_checks import refuse_left_over, refuse_not_a_number
from playground.models.catalogue import Kind
from playground.models.formats.checkpoint import Checkpoint
from playground.models.heads import HeadTask
from playground.models.loading import NO_STATED_LIMIT

HEADED = (
    "ForCausalLM",
    "LMHeadModel",
    "ForConditionalGeneration",
    "ForMaskedLM",
    "ForPreTraining",
    "MTModel",
    "ForSeq2SeqLM",
)
"""Endings of the class names that have an output head."""
CAUSAL_MAPPINGS = (
    "MODEL_FOR_CAUSAL_LM_MAPPING",
    "MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING",
    "MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING",
)
"""Where transformers lists models that predict the next token: of text alone, or after sounds and pictures."""
SPARSE = {"reformer", "big_bird", "bigbird_pegasus"}
"""Families that hash or skip blocks of a long text, so that they return no map of all token pairs."""
PAIRED = {"encoder-decoder", "vision-encoder-decoder", "speech-encoder-decoder"}
"""Two models in one folder, each with names and settings of its own."""
UNUSED_BY_ATTENTION = ("pooler.",)
"""Layers after the last attention, which many checkpoints lack and which are never shown."""


@dataclass(frozen=True, kw_only=True)
class CheckpointArchitecture:
    """How to load a checkpoint."""

    kind: Kind
    model_class: Any
    has_output_head: bool
    head_task: HeadTask | None = None
    """What the class's head labels, where it is a classifier's."""


def choose_architecture(config: Any, name: str) -> CheckpointArchitecture:
    """The class for a configuration of transformers. Raises UserError for sparse attention and for other than text."""
    if config.model_type in SPARSE and getattr(config, "attention_type", "") != "original_full":
        raise UserError(
            "The attention of the family {model_type} is sparse and cannot be shown exactly; choose another.",
            model_type=config.model_type,
        )
    if config.model_type in PAIRED:
        raise UserError(
            "{name} pairs two models (family {model_type}); open its encoder or its decoder in a folder of its own.",
            name=name,
            model_type=config.model_type,
        )
    kind = kind_of(config)
    headed = _headed_class(config, kind)
    headed = headed if headed is not None and _promises_head(config, headed.__name__) else None
    task, table = (None if headed else stated_task(config)) or (None, "")
    classifier = _class_in(config, table) if task else None
    base = "MODEL_FOR_TEXT_ENCODING_MAPPING" if _is_encoder_alone(config) else "MODEL_MAPPING"
    model_class = headed or classifier or _class_in(config, base)
    if model_class is None:
        raise UserError(
            "{name} is of the family {model_type}, which has no text model that can be loaded.",
            name=name,
            model_type=config.model_type,
        )
    main_input = getattr(model_class, "main_input_name", "input_ids")
    if main_input != "input_ids":
        raise UserError(
            "{name} reads {reads}, not text; choose a text model.", name=name, reads=main_input.replace("_", " ")
        )
    return CheckpointArchitecture(
        kind=kind,
        model_class=model_class,
        has_output_head=headed is not None,
        head_task=task if classifier is not None else None,
    )


def kind_of(config: Any) -> Kind:
    """The kind of a configuration's model."""
    from transformers.models.auto import modeling_auto as auto

    if _is_encoder_alone(config):
        return "encoder"
    if getattr(config, "is_encoder_decoder", False):
        return "encoder-decoder"
    family = config.model_type
    if getattr(config, "causal", False) and family in MASK_BEHIND:
        return "decoder"
    causal = any(family in getattr(auto, f"{name}_NAMES") for name in CAUSAL_MAPPINGS) and family not in BIDIRECTIONAL
    masked = family in auto.MODEL_FOR_MASKED_LM_MAPPING_NAMES and not getattr(config, "is_decoder", False)
    return "decoder" if causal and not masked else "encoder"


def _is_encoder_alone(config: Any) -> bool:
    """Whether a checkpoint of a family of encoder-decoders has its encoder only (T5EncoderModel)."""
    if not getattr(type(config), "is_encoder_decoder", False):
        return False
    names = config.architectures or []
    is_decoder = getattr(config, "is_decoder", False) or any(name.endswith("ForCausalLM") for name in names)
    is_alone = not config.is_encoder_decoder and not is_decoder
    return is_alone or any(name.endswith(("EncoderModel", "T5ForTokenClassification")) for name in names)


def _promises_head(config: Any, headed: str) -> bool:
    """Whether the checkpoint says that it has an output head, or says nothing; headed: the family's class with one."""
    names = config.architectures or []
    return not names or any(name == headed or name.endswith(HEADED) for name in names)


def _headed_class(config: Any, kind: Kind) -> Any:
    """The family's class with an output head; None if there is none."""
    mappings = {
        "encoder-decoder": ("MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING",),
        "decoder": (*CAUSAL_MAPPINGS, *(["MODEL_FOR_MASKED_LM_MAPPING"] if config.model_type in MASK_BEHIND else [])),
        "encoder": ("MODEL_FOR_MASKED_LM_MAPPING",),
    }[kind]
    classes = [found for name in mappings if (found := _class_in(config, name)) is not None]
    named = (found for found in classes if found.__name__ in (config.architectures or []))
    return next(named, classes[0] if classes else None)


def _class_in(config: Any, mapping_name: str) -> Any:
    """The class for this configuration in one of transformers' mappings; None if there is none."""
    from transformers.models.auto import modeling_auto as auto

    model_class = getattr(auto, mapping_name).get(type(config), None)
    return model_class[0] if isinstance(model_class, tuple) else model_class


def goes_through_interface(model_class: Any) -> bool:
    """Whether the family's source calls transformers' attention interface.

    A first guess before loading; `choose_attention` then verifies it with the loaded model.
    """
    return bool(model_class._can_set_attn_implementation())


def build_pretrained(checkpoint: Checkpoint, name: str, device: str, dtype: str) -> dict[str, Any]:
    """Fields of LoadedModel. Raises UserError for a model that cannot be loaded or captured exactly."""
    register_with_transformers()
    with quiet_transformers():
        return _parts(checkpoint, name, device, dtype)


def _parts(checkpoint: Checkpoint, name: str, device: str, dtype: str) -> dict[str, Any]:
    """Load configuration, tokenizer and module, and choose how its attention is captured."""
    config = _pretrained_config(checkpoint, name)
    architecture = choose_architecture(config, name)
    tokenizer = _pretrained_tokenizer(checkpoint, name)
    whole, has_head, missing = _pretrained_module(checkpoint, name, architecture, dtype)
    task = architecture.head_task
    head = None if task is None else pretrained_head(whole, tokenizer, task, missing)
    refuse_not_a_number(whole, name)
    whole = whole.to(device).eval().requires_grad_(False)
    # A classifier's head stands on a base model; every page but the one that asks the head looks at that.
    module: Any = whole if head is None else _base_of(whole, config)
    attention = choose_attention(
        module,
        probe_ids(tokenizer, module).to(device),
        encoder_decoder=architecture.kind == "encoder-decoder",
        family=checkpoint.family,
    )
    text_config = config.get_text_config(decoder=True)
    return {
        "kind": architecture.kind,
        "family": checkpoint.family,
        "module": module,
        "tokenizer": tokenizer,
        "context": context_of(module, text_config, tokenizer),
        "parameters": sum(parameter.numel() for parameter in whole.parameters()),
        "bytes": sum(parameter.numel() * parameter.element_size() for parameter in whole.parameters()),
        "layers": _stated(text_config, "num_hidden_layers"),
        "n_heads": _stated(text_config, "num_attention_heads"),
        "has_output_head": has_head,
        "attention": attention,
        "head": head,
        "classes": 0 if head is None or head.task == "span" else len(head.labels),
    }


def _base_of(whole: Any, config: Any) -> Any:
    """The model below a classifier's head; some classes hold its parts without it (T5ForQuestionAnswering)."""
    if whole.base_model is not whole:
        return whole.base_model
    base_class = _class_in(config, "MODEL_MAPPING")
    if base_class is None or isinstance(whole, base_class):
        return whole
    base = base_class(whole.config)
    base.load_state_dict(whole.state_dict(), strict=False, assign=True)
    return base.eval().requires_grad_(False)


def _pretrained_config(checkpoint: Checkpoint, name: str) -> Any:
    """The configuration. Raises UserError for a family that transformers does not know."""
    import transformers

    if checkpoint.family not in transformers.CONFIG_MAPPING:
        raise UserError(
            "{name} is of the family {family}, which transformers {version} does not know.",
            name=name,
            family=checkpoint.family,
            version=transformers.__version__,
        )
    return transformers.AutoConfig.from_pretrained(checkpoint.folder, trust_remote_code=False, local_files_only=True)


def _pretrained_tokenizer(checkpoint: Checkpoint, name: str) -> Any:
    """The tokenizer. Raises UserError if it cannot be read."""
    from transformers import AutoTokenizer

    try:
        return AutoTokenizer.from_pretrained(checkpoint.folder, trust_remote_code=False, local_files_only=True)
    except Exception as error:
        raise UserError(
            "The tokenizer of {name} cannot be read: it is damaged, or needs Python code of its own, which "
            "is never run here.",
            name=name,
        ) from error


def _pretrained_module(
    checkpoint: Checkpoint, name: str, architecture: CheckpointArchitecture, dtype: str
) -> tuple[Any, bool, list[str]]:
    """The module with its weights, whether it has its output head, and which of its tensors the weights lack.

    Without weights for an output head, the module is the base model; a classifier's head keeps its random numbers and
    will say so. Other missing weights raise UserError: transformers would initialise them at random.
    """
    through = goes_through_interface(architecture.model_class)
    try:
        module, report = _from_folder(checkpoint, architecture, dtype, IMPLEMENTATION if through else "eager")
    except KeyError as error:
        if error.args != (IMPLEMENTATION,):
            raise
        # The source looked as if it went through the interface, but it keeps a table of its own (GIT).
        module, report = _from_folder(checkpoint, architecture, dtype, "eager")
    missing = [key for key in report["missing_keys"] if not any(part in key for part in UNUSED_BY_ATTENTION)]
    refuse_left_over(module, report["unexpected_keys"], name)
    is_headed = architecture.has_output_head or architecture.head_task is not None
    base = getattr(module, module.base_model_prefix, None) if is_headed else None
    in_base = [key for key in missing if base is None or key.startswith(f"{module.base_model_prefix}.")]
    if in_base:
        raise UserError(
            "The weights of {name} lack {n_in_base} of the model's tensors ({in_base}, …); random numbers "
            "would stand in for them. Check that the folder's config.json belongs to its weights.",
            name=name,
            n_in_base=len(in_base),
            in_base=in_base[0],
        )
    if architecture.head_task is not None:
        return module, False, sorted(report["missing_keys"])
    return (base, False, []) if missing and base is not None else (module, architecture.has_output_head, [])


def _from_folder(checkpoint: Checkpoint, architecture: CheckpointArchitecture, dtype: str, implementation: str) -> Any:
    """The module, and what transformers reports of its loading."""
    return module_from_folder(
        architecture.model_class, checkpoint, dtype=getattr(torch, dtype), attn_implementation=implementation
    )


def context_of(module: nn.Module, config: Any, tokenizer: Any) -> int:
    """The longest input in tokens.

    RoBERTa and its relatives count positions from after the padding row: 514 rows are 512 positions.
    """
    for name, part in module.named_modules():
        if name.endswith("position_embeddings") and getattr(part, "padding_idx", None) is not None:
            return int(part.weight.shape[0]) - int(part.padding_idx) - 1  # type: ignore[union-attr,index,arg-type]
    stated = _stated(config, "max_position_embeddings") or _stated(config, "n_positions")
    tokenizer_limit = getattr(tokenizer, "model_max_length", None)
    # Tokenizers without a limit state 10^30.
    return stated or (int(tokenizer_limit) if tokenizer_limit and tokenizer_limit < 1e6 else NO_STATED_LIMIT)


def _stated(config: Any, name: str) -> int:
    """A positive number of the configuration; 0 if it has none of that name."""
    # Asked for by name, a configuration whose layers differ in it (dots3) raises an error.
    value = vars(config).get(name) or getattr(config, name, None)
    return value if isinstance(value, int) and value > 0 else 0
