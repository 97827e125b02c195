"""One text being continued, token by token, with the model's own cache: what comes next, and where it looked.

A model whose family has no cache, and our own, read everything again at each step; the numbers are the same.
"""

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from playground.attention import handling
from playground.errors import UserError
from playground.lens.capture.forward import forward_parameters
from playground.lens.capture.own_inputs import END, START
from playground.lens.capture.recorder import recorder_for
from playground.lens.capture.site import Site, SiteKind
from playground.lens.capture.tokens import TooLongError, encode
from playground.lens.generate.predictions import refuse_not_a_number, require_output_head

if TYPE_CHECKING:
    from playground.models import LoadedModel

Looks = dict[SiteKind, Float[Tensor, "layer head key"]]
"""Where the last token looked, by kind of attention."""


class Continuation:
    """A model reading on: `feed` gives it tokens and answers with the next token's logits.

    Rows are read side by side, as beam search wants them. limit: how many tokens it can hold. Raises UserError for an
    encoder, a model without an output head, a text without tokens or beyond the context.
    """

    def __init__(self, model: "LoadedModel", text: str) -> None:
        require_output_head(model)
        if model.kind == "encoder":
            raise UserError("{name} is an encoder, which writes no text; let it fill in masked words.", name=model.name)
        self.model = model
        self.prompt = [token.id for token in encode(model.tokenizer, text)]
        if not self.prompt:
            raise UserError("The text has no tokens; type a few words.")
        if len(self.prompt) > model.context:
            raise TooLongError(len(self.prompt), model.context)
        self.module: Any = model.module
        self.is_own = model.family == "playground"
        parameters = forward_parameters(model.module)
        self.writes_elsewhere = model.kind == "encoder-decoder"
        self.first = [_start_id(model)] if self.writes_elsewhere else self.prompt
        self.limit = model.context
        self._recorder = recorder_for(model.module, None if self.writes_elsewhere else "decoder", None)
        self._caches = "past_key_values" in parameters and model.attention == "interface"
        self._cache: Any = None
        self._read = torch.empty(1, 0, dtype=torch.long, device=model.device)
        self._encoded = self._encode() if self.writes_elsewhere else None

    @property
    def length(self) -> int:
        """How many tokens have been read (an encoder-decoder's decoder: with its start token)."""
        return self._read.shape[1]

    @torch.inference_mode()
    def feed(self, ids: Int[Tensor, "row token"] | Sequence[int]) -> Float[Tensor, "row vocabulary"]:
        """Read more tokens; the logits of what comes next, minus infinity for tokens that the model's settings forbid.

        Raises UserError beyond the context or where the model computes what is not a number.
        """
        new = ids if isinstance(ids, Tensor) else torch.tensor([list(ids)], device=self.model.device)
        if self.length + new.shape[1] > self.limit:
            raise TooLongError(self.length + new.shape[1], self.limit)
        self._read = torch.cat([self._read.expand(len(new), -1), new], dim=1)
        logits = self._run(new if self._caches else self._read).float()
        refuse_not_a_number(logits)
        return forbid(self.model, logits, first=self.writes_elsewhere and self.length == 1)

    @torch.inference_mode()
    def feed_and_look(self, ids: Sequence[int]) -> tuple[Float[Tensor, "vocabulary"], Looks]:
        """Read more tokens of one row: the next token's logits, and where the last token looked in every head."""
        if self.model.attention == "eager":
            logits = self.feed(ids)
            return logits[0], self._reported_looks()
        self._recorder = dataclasses.replace(self._recorder, sites=[], counts=type(self._recorder.counts)())
        with handling(self._recorder):
            logits = self.feed(ids)
        return logits[0], self._looks(self._recorder.sites)

    def keep_rows(self, rows: Int[Tensor, "row"]) -> None:
        """Go on with these of the rows, in this order; a row may come several times."""
        self._read = self._read[rows]
        if self._cache is None:
            return
        if self._reorders:
            self._cache.reorder_cache(rows)
        else:
            self._cache, self._caches = None, False

    @property
    def _reorders(self) -> bool:
        return hasattr(self._cache, "reorder_cache")

    def _encode(self) -> Any:
        """What the encoder makes of the source."""
        ids = torch.tensor([self.prompt], device=self.model.device)
        with torch.inference_mode():
            return self.module.encode(ids) if self.is_own else self.module.get_encoder()(input_ids=ids)[0]

    def _run(self, ids: Int[Tensor, "row token"]) -> Float[Tensor, "row vocabulary"]:
        if self.is_own:
            read = self._run_own(ids)
            logits: Tensor = self.module.head(read[:, -1])
            return logits
        output = self.module(**self._arguments(ids))
        if self._caches:
            self._cache = output.past_key_values
            self._caches = self._cache is not None
        last: Tensor = output.logits[:, -1]
        return last

    def _run_own(self, ids: Int[Tensor, "row token"]) -> Float[Tensor, "row token width"]:
        if self._encoded is None:
            read: Tensor = self.module.read(ids)
        else:
            read = self.module.decode(ids, self._encoded.expand(len(ids), -1, -1))
        return read

    def _arguments(self, ids: Int[Tensor, "row token"]) -> dict[str, Any]:
        """The keyword arguments of one pass of a transformers model."""
        parameters = forward_parameters(self.module)
        arguments: dict[str, Any] = {"decoder_input_ids" if self.writes_elsewhere else "input_ids": ids}
        if self._encoded is not None:
            from transformers.modeling_outputs import BaseModelOutput

            encoded = self._encoded.expand(len(ids), -1, -1)
            arguments["encoder_outputs"] = BaseModelOutput(last_hidden_state=encoded)
        if "use_cache" in parameters:
            arguments["use_cache"] = self._caches
        if self._caches and self._cache is not None:
            arguments["past_key_values"] = self._cache
        if "logits_to_keep" in parameters:
            arguments["logits_to_keep"] = 1
        return arguments

    def _looks(self, sites: Sequence[Site]) -> Looks:
        """The last query's weights of every layer, over all tokens so far.

        A sliding window's cache holds the latest keys only; the others' weight is zero.
        """
        rows: dict[SiteKind, list[Tensor]] = {}
        for site in sites:
            row = site.pattern(slice(None), slice(site.queries - 1, site.queries))[:, 0]
            keys = len(self.prompt) if site.kind == "cross" else self.length
            rows.setdefault(site.kind, []).append(torch.nn.functional.pad(row, (keys - row.shape[-1], 0)))
        return {kind: torch.stack(found) for kind, found in rows.items()}

    def _reported_looks(self) -> Looks:
        """The maps that a family outside the seam reports itself."""
        output = self.module(**self._arguments(self._read), output_attentions=True)
        names = {"decoder": "attentions"}
        if self.writes_elsewhere:
            names = {"decoder": "decoder_attentions", "cross": "cross_attentions"}
        found = {kind: getattr(output, name, None) for kind, name in names.items()}
        return {
            kind: torch.stack([layer[0, :, -1].float().cpu() for layer in layers])  # type: ignore[misc]
            for kind, layers in found.items()
            if layers
        }


def end_ids(model: "LoadedModel") -> frozenset[int]:
    """The tokens that end a text: the configuration's and the generation settings', or our own END."""
    if model.family == "playground":
        end = model.tokenizer.token_to_id(END)
        return frozenset() if end is None else frozenset({end})
    module: Any = model.module
    settings = (getattr(module, "generation_config", None), module.config)
    for found in (getattr(part, "eos_token_id", None) for part in settings):
        if found is not None:
            return frozenset(found if isinstance(found, list) else [found])
    return frozenset()


def forbid(model: "LoadedModel", logits: Float[Tensor, "row vocabulary"], *, first: bool) -> Tensor:
    """The logits as the model's own generation settings want them.

    Single tokens that it must never write get minus infinity (Marian: padding); where its first token is prescribed
    (mBART: the language), every other one does.
    """
    settings = getattr(model.module, "generation_config", None)
    forced = getattr(settings, "forced_bos_token_id", None)
    if first and forced is not None:
        only = torch.full_like(logits, float("-inf"))
        only[:, forced] = 0.0
        return only
    never = [words[0] for words in getattr(settings, "bad_words_ids", None) or [] if len(words) == 1]
    never += getattr(settings, "suppress_tokens", None) or []
    return logits.index_fill(1, torch.tensor(never, device=logits.device), float("-inf")) if never else logits


def _start_id(model: "LoadedModel") -> int:
    """The token that an encoder-decoder's decoder begins with. Raises UserError for a vocabulary without START."""
    if model.family == "playground":
        found = model.tokenizer.token_to_id(START)
        if found is None:
            raise UserError(
                "The vocabulary of {name} has no token {start}, so its decoder cannot be run.",
                name=model.name,
                start=START,
            )
        return int(found)
    module: Any = model.module
    names = ("decoder_start_token_id", "bos_token_id", "pad_token_id")
    settings = (getattr(module, "generation_config", None), module.config)
    ids = (getattr(part, name, None) for name in names for part in settings)
    return next((int(token) for token in ids if token is not None), 0)
