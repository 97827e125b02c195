"""Models of any family that transformers knows: built from a folder of safetensors, and how they are called."""

import contextlib
import inspect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from jaxtyping import Float, Int
from tokenizers import Tokenizer
from torch import Tensor, nn

from playground.attention import IMPLEMENTATION, register
from playground.errors import UserError
from playground.models.adapters.adapter import TOKENIZER_LOCK, NextToken, PatternKind
from playground.models.adapters.attention_seam import choose_attention
from playground.models.catalogue import Kind
from playground.models.formats.checkpoint import Checkpoint
from playground.models.loading import NO_STATED_LIMIT

if TYPE_CHECKING:
    from playground.models.loading import LoadedModel

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


class TransformersAdapter:
    """How a model of transformers is called."""

    ids_name, target_name = "input_ids", "decoder_input_ids"

    def __init__(self, model: "LoadedModel") -> None:
        self.model, self.tokenizer = model, model.tokenizer
        self.module: Any = model.module
        self.parameters = forward_parameters(model.module)

    def arguments(
        self,
        ids: Int[Tensor, "batch token"],
        *,
        segments: Sequence[int] = (),
        target_ids: Int[Tensor, "batch position"] | None = None,
        last_only: bool = False,
    ) -> dict[str, Any]:
        arguments: dict[str, Any] = {"input_ids": ids}
        if "use_cache" in self.parameters:
            arguments["use_cache"] = False
        if "token_type_ids" in self.parameters and any(segments):
            limit = getattr(self.module.config, "type_vocab_size", 2) - 1
            segment_ids = torch.tensor([list(segments)], device=ids.device)
            arguments["token_type_ids"] = segment_ids.clamp(max=max(0, limit))
        if target_ids is not None:
            arguments["decoder_input_ids"] = target_ids
        if last_only and "logits_to_keep" in self.parameters:
            arguments["logits_to_keep"] = 1
        return arguments

    def logits(self, output: Any) -> Float[Tensor, "batch token vocabulary"] | None:
        return getattr(output, "logits", None)

    def embedding(self) -> nn.Module:
        embedding: nn.Module = self.module.get_input_embeddings()
        return embedding

    def output_head(self) -> nn.Module | None:
        head = self.module.get_output_embeddings()
        return head if isinstance(head, nn.Module) else None

    def start_id(self) -> int:
        names = ("decoder_start_token_id", "bos_token_id", "pad_token_id")
        ids = (self._setting(name) for name in names)
        return next((int(id) for id in ids if id is not None), 0)

    def end_ids(self) -> frozenset[int]:
        end = self._setting("eos_token_id")
        return frozenset() if end is None else frozenset(end if isinstance(end, list) else [end])

    def neutral_id(self) -> int:
        n_tokens = int(self.embedding().num_embeddings)  # type: ignore[arg-type]
        ids = (getattr(self.tokenizer, name, None) for name in ("pad_token_id", "eos_token_id"))
        return next((int(id) for id in ids if id is not None and id < n_tokens), 0)

    def mask_id(self, spellings: Sequence[str]) -> int | None:
        if isinstance(self.tokenizer, Tokenizer):
            ids = map(self.tokenizer.token_to_id, spellings)
            return next((int(id) for id in ids if id is not None), None)
        id = self.tokenizer.mask_token_id
        return None if id is None else int(id)

    def unknown_id(self) -> int | None:
        return None

    def target_ids(self, target: str) -> list[int]:
        labels = encode_target(self.tokenizer, target)
        if labels and labels[-1] in self.end_ids():
            labels = labels[:-1]
        return [self.start_id(), *labels]

    def encode_source(self, ids: Int[Tensor, "1 token"]) -> Float[Tensor, "1 token width"]:
        encoded: Tensor = self.module.get_encoder()(input_ids=ids)[0]
        return encoded

    def keeps_cache(self) -> bool:
        return "past_key_values" in self.parameters and self.model.attention == "interface"

    def next_token(
        self,
        ids: Int[Tensor, "row token"],
        *,
        encoded: Float[Tensor, "1 token width"] | None = None,
        cache: Any = None,
        use_cache: bool = False,
        patterns: bool = False,
    ) -> NextToken:
        arguments: dict[str, Any] = {"input_ids" if encoded is None else "decoder_input_ids": ids}
        if encoded is not None:
            from transformers.modeling_outputs import BaseModelOutput

            arguments["encoder_outputs"] = BaseModelOutput(last_hidden_state=encoded.expand(len(ids), -1, -1))
        if "use_cache" in self.parameters:
            arguments["use_cache"] = use_cache
        if cache is not None:
            arguments["past_key_values"] = cache
        if "logits_to_keep" in self.parameters:
            arguments["logits_to_keep"] = 1
        output = self.module(**arguments, **({"output_attentions": True} if patterns else {}))
        kept = output.past_key_values if use_cache else None
        return NextToken(
            logits=output.logits[:, -1], cache=kept, patterns=self.reported_patterns(output) if patterns else {}
        )

    def reported_patterns(self, output: Any) -> dict[PatternKind, Sequence[Tensor]]:
        if self.model.kind != "encoder-decoder":
            names: dict[PatternKind, str] = {self.model.kind: "attentions"}
        else:
            names = {
                "encoder": "encoder_attentions",
                "decoder": "decoder_attentions",
                "cross": "cross_attentions",
            }
        reported = {kind: getattr(output, name, None) for kind, name in names.items()}
        return {kind: layers for kind, layers in reported.items() if layers}

    def versions(self) -> dict[str, str]:
        import transformers

        return {"transformers": transformers.__version__}

    def _setting(self, name: str) -> Any:
        """A setting of generation, else of the model; None where neither has it."""
        settings = (getattr(self.module, "generation_config", None), self.module.config)
        return next((value for part in settings if (value := getattr(part, name, None)) is not None), None)


def forward_parameters(module: nn.Module) -> set[str]:
    """The names of a model's forward arguments."""
    return set(inspect.signature(type(module).forward).parameters)


def encode_target(tokenizer: Any, text: str) -> list[int]:
    """The ids of a text as an encoder-decoder's labels: with the target language's vocabulary and marks."""
    if isinstance(tokenizer, Tokenizer):
        return [int(id) for id in tokenizer.encode(text).ids]
    with TOKENIZER_LOCK:  # transformers switches the tokenizer to its target side and back
        return [int(id) for id in tokenizer(text_target=text)["input_ids"]]


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
            "The attention of the family {model_type} is sparse and cannot be shown exactly; choose another.",
            model_type=config.model_type,
        )
    kind = kind_of(config)
    headed = _headed_class(config, kind) if _promises_head(config) else None
    model_class = headed or _class_in(config, "MODEL_MAPPING")
    if model_class is None:
        raise UserError(
            "{name} is of the family {model_type}, which has no text model that can be loaded.",
            name=name,
            model_type=config.model_type,
        )
    reads = getattr(model_class, "main_input_name", "input_ids")
    if reads != "input_ids":
        raise UserError(
            "{name} reads {reads}, not text; choose a text model.", name=name, reads=reads.replace("_", " ")
        )
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


PROBE_TEXT = "The cat sat on the mat."
UNUSED_BY_ATTENTION = ("pooler.",)
"""Layers after the last attention, absent from many checkpoints and never shown."""


def build_pretrained(checkpoint: Checkpoint, name: str, device: str, dtype: str) -> dict[str, Any]:
    """The loaded parts, as fields of LoadedModel. Raises UserError where the model cannot be shown as it is."""
    register()
    with _quiet():
        return _parts(checkpoint, name, device, dtype)


def _parts(checkpoint: Checkpoint, name: str, device: str, dtype: str) -> dict[str, Any]:
    """Configuration, tokenizer, module, and how its attention is seen."""
    config = _config(checkpoint, name)
    architecture = choose(config, name)
    tokenizer = _tokenizer(checkpoint, name)
    module, has_head = _module(checkpoint, name, architecture, dtype)
    refuse_not_a_number(module, name)
    module = module.to(device).eval().requires_grad_(False)
    attention = choose_attention(
        module,
        _probe_ids(tokenizer, module).to(device),
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
        "parameters": sum(parameter.numel() for parameter in module.parameters()),
        "bytes": sum(parameter.numel() * parameter.element_size() for parameter in module.parameters()),
        "layers": _stated(text_config, "num_hidden_layers"),
        "n_heads": _stated(text_config, "num_attention_heads"),
        "has_output_head": has_head,
        "attention": attention,
    }


def _config(checkpoint: Checkpoint, name: str) -> Any:
    """transformers' configuration. Raises UserError for a family that it does not know."""
    import transformers

    if checkpoint.family not in transformers.CONFIG_MAPPING:
        raise UserError(
            "{name} is of the family {family}, which transformers {version} does not know.",
            name=name,
            family=checkpoint.family,
            version=transformers.__version__,
        )
    return transformers.AutoConfig.from_pretrained(checkpoint.folder, trust_remote_code=False, local_files_only=True)


def _tokenizer(checkpoint: Checkpoint, name: str) -> Any:
    """transformers' tokenizer from the same folder."""
    from transformers import AutoTokenizer

    try:
        return AutoTokenizer.from_pretrained(checkpoint.folder, trust_remote_code=False, local_files_only=True)
    except Exception as error:
        raise UserError(
            "The tokenizer of {name} cannot be read: it is damaged, or needs Python code of its own, which "
            "is never run here.",
            name=name,
        ) from error


def _module(checkpoint: Checkpoint, name: str, architecture: Architecture, dtype: str) -> tuple[nn.Module, bool]:
    """The module with every weight from the checkpoint, and whether it has its head for words.

    A head whose weights are missing is left away; other missing weights are an error, since transformers would
    fill them with random numbers.
    """
    through = goes_through_interface(architecture.model_class)
    module, report = architecture.model_class.from_pretrained(
        checkpoint.folder,
        dtype=getattr(torch, dtype),
        attn_implementation=IMPLEMENTATION if through else "eager",
        use_safetensors=True,
        trust_remote_code=False,
        local_files_only=True,
        output_loading_info=True,
    )
    missing = [key for key in report["missing_keys"] if not any(part in key for part in UNUSED_BY_ATTENTION)]
    base = getattr(module, module.base_model_prefix, None) if architecture.has_output_head else None
    in_base = [key for key in missing if base is None or key.startswith(f"{module.base_model_prefix}.")]
    if in_base:
        raise UserError(
            "The weights of {name} lack {n_in_base} of the model's tensors ({in_base}, …); random numbers "
            "would stand in for them. Check that the folder's config.json belongs to its weights.",
            name=name,
            n_in_base=len(in_base),
            in_base=in_base[0],
        )
    return (base, False) if missing and base is not None else (module, architecture.has_output_head)


def refuse_not_a_number(module: nn.Module, name: str) -> None:
    """Raise UserError where the checkpoint holds NaN: everything computed from it would be NaN, too."""
    for tensor, weight in module.named_parameters():
        # A sum takes no memory of its own; infinities of both signs would make it NaN, too.
        if bool(weight.sum().isnan()) and bool(weight.isnan().any()):
            count = int(weight.isnan().sum())
            raise UserError(
                "The checkpoint of {name} holds NaN, which is not a number: {count:,} of the {numel:,} numbers "
                "in {tensor}. Fetch or save the model again.",
                name=name,
                count=count,
                numel=weight.numel(),
                tensor=tensor,
            )


def _probe_ids(tokenizer: Any, module: nn.Module) -> torch.Tensor:
    """A few token ids, [1, token], all of them in the model's vocabulary."""
    rows = module.get_input_embeddings().num_embeddings  # type: ignore[operator]
    ids = [index for index in tokenizer(PROBE_TEXT)["input_ids"] if index < rows]
    return torch.tensor([ids if len(ids) > 2 else list(range(min(rows, 4)))])


def context_of(module: nn.Module, config: Any, tokenizer: Any) -> int:
    """The most tokens the model takes.

    RoBERTa's relatives count positions from after their padding row, so that their table has rows to spare.
    """
    for name, part in module.named_modules():
        if name.endswith("position_embeddings") and getattr(part, "padding_idx", None) is not None:
            return int(part.num_embeddings) - int(part.padding_idx) - 1  # type: ignore[arg-type]
    stated = _stated(config, "max_position_embeddings") or _stated(config, "n_positions")
    spoken = getattr(tokenizer, "model_max_length", None)
    return stated or (int(spoken) if spoken and spoken < 1e6 else NO_STATED_LIMIT)


def _stated(config: Any, name: str) -> int:
    """A number of the configuration; 0 where it has none of that name."""
    value = getattr(config, name, None)
    return value if isinstance(value, int) and value > 0 else 0


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep transformers' progress bars and reports off the terminal; what matters of them is raised."""
    from transformers.utils import logging

    before = logging.get_verbosity()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(before)
