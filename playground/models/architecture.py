"""Which class loads a checkpoint, which way its tokens look, and how its attention can be seen."""

from dataclasses import dataclass
from typing import Any

from playground.errors import UserError
from playground.models.catalogue import Kind

HEADED = (
    "ForCausalLM",
    "LMHeadModel",
    "ForConditionalGeneration",
    "ForMaskedLM",
    "ForPreTraining",
    "MTModel",
    "ForSeq2SeqLM",
)
LOOK_BOTH_WAYS = {"xlnet"}
"""Families with a next-word head whose tokens see each other in both directions."""
SPARSE = {"reformer", "big_bird", "bigbird_pegasus"}
"""Families that hash or skip blocks of a long text: what they return then is no map of all token pairs."""


@dataclass(frozen=True, kw_only=True)
class Architecture:
    """How to load a checkpoint: its kind, the class, and whether the class predicts words."""

    kind: Kind
    model_class: Any
    has_output_head: bool


def choose(config: Any, name: str) -> Architecture:
    """The class for a transformers configuration. Raises UserError for a model that does not read text."""
    if config.model_type in SPARSE and getattr(config, "attention_type", "") != "original_full":
        raise UserError(
            f"The attention of the family {config.model_type} is sparse and cannot be shown exactly; choose another."
        )
    kind = kind_of(config)
    headed = _headed_class(config, kind) if _promises_head(config) else None
    model_class = headed or _class_in(config, "MODEL_MAPPING")
    if model_class is None:
        raise UserError(f"{name} is of the family {config.model_type}, which has no text model that can be loaded.")
    reads = getattr(model_class, "main_input_name", "input_ids")
    if reads != "input_ids":
        raise UserError(f"{name} reads {reads.replace('_', ' ')}, not text; choose a text model.")
    return Architecture(kind=kind, model_class=model_class, has_output_head=headed is not None)


def kind_of(config: Any) -> Kind:
    """Whether the tokens look back only, both ways, or from one stack into another."""
    from transformers.models.auto import modeling_auto as auto

    if getattr(config, "is_encoder_decoder", False):
        return "encoder-decoder"
    family = config.model_type
    speaks = family in auto.MODEL_FOR_CAUSAL_LM_MAPPING_NAMES and family not in LOOK_BOTH_WAYS
    masked = family in auto.MODEL_FOR_MASKED_LM_MAPPING_NAMES and not getattr(config, "is_decoder", False)
    return "decoder" if speaks and not masked else "encoder"


def _promises_head(config: Any) -> bool:
    """Whether the checkpoint says that it has a head for words; one that says nothing may have it."""
    names = config.architectures or []
    return not names or any(name.endswith(HEADED) for name in names)


def _headed_class(config: Any, kind: Kind) -> Any:
    """The class with a head for words, or None where the family has none."""
    mapping = {
        "encoder-decoder": "MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING",
        "decoder": "MODEL_FOR_CAUSAL_LM_MAPPING",
        "encoder": "MODEL_FOR_MASKED_LM_MAPPING",
    }[kind]
    return _class_in(config, mapping)


def _class_in(config: Any, mapping_name: str) -> Any:
    """The class that one of transformers' tables holds for this configuration, or None."""
    from transformers.models.auto import modeling_auto as auto

    mapping = getattr(auto, mapping_name)
    found = mapping.get(type(config), None)
    return found[0] if isinstance(found, tuple) else found


def goes_through_interface(model_class: Any) -> bool:
    """Whether the family's source calls transformers' attention interface.

    A first answer before loading; `seam.choose_attention` then runs a few tokens through the loaded model.
    """
    return bool(model_class._can_set_attn_implementation())
