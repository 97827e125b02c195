"""Call models of any family in transformers."""

import copy
import inspect
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import torch
from jaxtyping import Float, Int
from tokenizers import Tokenizer
from torch import Tensor, nn

from playground.models.adapters.adapter import TOKENIZER_LOCK, Constraint, NextToken, PatternKind
from playground.models.adapters.attention_seam import outputs_agree
from playground.models.rehearsal import encoding_of, rehearse

if TYPE_CHECKING:
    from playground.models.loading import LoadedModel


CACHE_PROBE_TOKENS = 6
_SAMPLING = {"temperature", "top_k", "top_p", "min_p", "typical_p", "epsilon_cutoff", "eta_cutoff"}
_UNFOLLOWED = _SAMPLING | {
    *("forced_eos_token_id", "num_beams", "length_penalty", "early_stopping", "stop_strings"),
    *("max_new_tokens", "max_length", "max_time"),
    *("penalty_alpha", "dola_layers", "token_healing"),
}
"""Settings of generation that the reader chooses here instead, or that need more than logits."""
_NEUTRAL: dict[str, tuple[Any, ...]] = {
    **{"temperature": (None, 1.0), "top_k": (None, 0), "top_p": (None, 1.0), "min_p": (None, 0.0)},
    **{"typical_p": (None, 1.0), "epsilon_cutoff": (None, 0.0), "eta_cutoff": (None, 0.0)},
    # 20 tokens are transformers' default, which no model has chosen.
    **{
        "num_beams": (None, 1),
        "length_penalty": (None, 1.0),
        "early_stopping": (None, False),
        "max_length": (None, 20),
        "penalty_alpha": (None, 0.0),
        "token_healing": (None, False),
    },
}
_agreeing_caches: "WeakKeyDictionary[nn.Module, bool]" = WeakKeyDictionary()


class TransformersAdapter:
    """Adapter for models of transformers."""

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
        if any(segments) and takes_segments(self.parameters, self.tokenizer):
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
        stated = next((ids for name in names if (ids := self._setting(name)) is not None), 0)
        # One for each text of a batch, which is one text here.
        return int(stated[0] if isinstance(stated, list) else stated)

    def end_ids(self) -> frozenset[int]:
        end = self._setting("eos_token_id")
        return frozenset() if end is None else frozenset(end if isinstance(end, list) else [end])

    def neutral_id(self) -> int:
        n_tokens = int(self.embedding().weight.shape[0])  # type: ignore[union-attr,index,arg-type]
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

    def encode_source(self, ids: Int[Tensor, "batch token"]) -> Float[Tensor, "batch token width"]:
        if self.model.kind == "encoder-decoder":
            encoded: Tensor = self.module.get_encoder()(input_ids=ids)[0]
            return encoded
        last: Tensor = self.module.base_model(**self.arguments(ids))[0]
        return last

    def keeps_cache(self) -> bool:
        is_stale = not {"longrope", "dynamic"}.isdisjoint(self._rope_kinds())
        may = "past_key_values" in self.parameters and self.model.attention == "interface" and not is_stale
        return may and self._cache_agrees()

    def _cache_agrees(self) -> bool:
        """Whether reading a few tokens one by one with a cache gives what one pass gives; tried once for each model.

        Some mixed stacks (Bamba) answer otherwise from their cache than without it.
        """
        if self.module not in _agreeing_caches:
            try:
                _agreeing_caches[self.module] = self._try_cache()
            except Exception:  # a cache that fails is not used
                _agreeing_caches[self.module] = False
        return _agreeing_caches[self.module]

    @torch.inference_mode()
    def _try_cache(self) -> bool:
        rows = int(self.embedding().weight.shape[0])  # type: ignore[union-attr,index,arg-type]
        # From the middle of the vocabulary: its first tokens are special, and some models hide padding.
        begin = max(0, rows // 2 - CACHE_PROBE_TOKENS)
        count = min(CACHE_PROBE_TOKENS, rows, self.model.context)
        ids = torch.arange(begin, begin + count, device=self.model.device)[None]
        encoded = self.encode_source(ids) if self.model.kind == "encoder-decoder" else None
        plain, cache, read = self.next_token(ids, encoded=encoded).logits, None, 0
        logits = plain
        for end in range(max(1, ids.shape[1] - 2), ids.shape[1] + 1):
            predicted = self.next_token(ids[:, read:end], encoded=encoded, cache=cache, use_cache=True)
            logits, cache, read = predicted.logits, predicted.cache, end
            if cache is None:
                return False
        return outputs_agree(logits, plain)

    def _rope_kinds(self) -> list[str]:
        """The kinds of rotary positions. Some turn all keys anew beyond a length: keys that are kept would be stale."""
        config = self.module.config.get_text_config(decoder=True)
        settings = getattr(config, "rope_parameters", None) or {}
        nested = [value for value in settings.values() if isinstance(value, dict)]
        return [str(part.get("rope_type")) for part in (settings, *nested)]

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
            arguments["encoder_outputs"] = _encoder_output(encoded.expand(len(ids), -1, -1))
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

    def constraint(self, *, prompt: int, source: Int[Tensor, "1 token"] | None = None) -> Constraint:
        processors = self._processors(prompt, source)
        return lambda ids, logits: processors(ids, logits.float()) if processors else logits

    def unfollowed_settings(self) -> Mapping[str, Any]:
        settings = getattr(self.module, "generation_config", None)
        ignored = _UNFOLLOWED if getattr(settings, "do_sample", False) else _UNFOLLOWED - _SAMPLING
        values = {name: getattr(settings, name, None) for name in sorted(ignored)}
        if getattr(settings, "cache_implementation", None) == "quantized":
            # Of the kinds of cache the one that rounds what it keeps.
            values["cache_implementation"] = "quantized"
        return {name: value for name, value in values.items() if value not in _NEUTRAL.get(name, (None,))}

    def _processors(self, prompt: int, source: Int[Tensor, "1 token"] | None) -> Any:
        """transformers' own processors for the model's settings, as greedy `generate` sets them up."""
        settings = getattr(self.module, "generation_config", None)
        if settings is None:
            return []
        settings = copy.deepcopy(settings)
        # What sampling cuts is the reader's choice; how long a text gets, too: its last token is not forced.
        settings.do_sample, settings.forced_eos_token_id = False, None
        self.module._prepare_special_tokens(settings, kwargs_has_attention_mask=True, device=self.model.device)
        return self.module._get_logits_processor(
            settings, input_ids_seq_length=prompt, encoder_input_ids=source, device=self.model.device, model_kwargs={}
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

    def fused_rows(self) -> Mapping[str, Mapping[str, slice]]:
        return {}

    def versions(self) -> dict[str, str]:
        import transformers

        return {"transformers": transformers.__version__}

    def _setting(self, name: str) -> Any:
        """A value of the generation config, or else of the model's config; None if neither has it."""
        configs = (getattr(self.module, "generation_config", None), self.module.config)
        return next((value for config in configs if (value := getattr(config, name, None)) is not None), None)


def takes_segments(parameters: set[str], tokenizer: Any) -> bool:
    """Whether a model is given the segments of a pair: its forward takes them, and its tokenizer hands them over."""
    return "token_type_ids" in parameters and "token_type_ids" in getattr(
        tokenizer, "model_input_names", ("token_type_ids",)
    )


def _encoder_output(encoded: Tensor) -> Any:
    """An encoder's output as decoders expect it; those with experts ask what a router said, and do without (None)."""
    from transformers.modeling_outputs import BaseModelOutput

    output = BaseModelOutput(last_hidden_state=encoded)
    for name in ("router_logits", "router_probs"):
        object.__setattr__(output, name, None)
    return output


def forward_parameters(module: nn.Module) -> set[str]:
    """Names of the arguments of a module's forward."""
    return set(inspect.signature(type(module).forward).parameters)


def encode_target(tokenizer: Any, text: str) -> list[int]:
    """Token ids of an encoder-decoder's labels, in the target language's vocabulary and with its special tokens."""
    if isinstance(tokenizer, Tokenizer):
        return [int(id) for id in encoding_of(tokenizer, text).ids]
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is not None:
        rehearse(backend, text)
    with TOKENIZER_LOCK:  # transformers switches the tokenizer to its target side and back
        return [int(id) for id in tokenizer(text_target=text)["input_ids"]]
