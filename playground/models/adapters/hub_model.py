"""A model of transformers behind the calls that a task makes of ours: read, head, classify, encode, decode."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from playground.models.adapters.attention_seam import outputs_agree
from playground.models.catalogue import Kind
from playground.transformer import Transformer

if TYPE_CHECKING:
    from playground.models.loading import LoadedModel


@dataclass(frozen=True, kw_only=True)
class HubShape:
    """What a task asks of a model's configuration."""

    kind: Kind
    context: int
    classes: int = 0


class HubModel(nn.Module):
    """A module of transformers, called as `playground.transformer.Transformer` is."""

    def __init__(self, module: nn.Module, config: HubShape) -> None:
        super().__init__()
        self.module, self.config = module, config
        self.is_split = False

    def read(
        self,
        ids: Int[Tensor, "batch token"],
        target_ids: Int[Tensor, "batch position"] | None = None,
        *,
        segments: Int[Tensor, "batch token"] | None = None,
        mask: Bool[Tensor, "batch token"] | None = None,
    ) -> Float[Tensor, "batch _ _"]:
        """What `head` and `classify` continue from: the last states where the head is a layer of its own, else logits.

        A classifier's are its logits, one row for a text.
        """
        if mask is not None and self.config.classes and not bool(mask.all()) and _summarises_padding(self.module):
            return self._read_by_length(ids, mask)
        arguments: dict[str, Any] = {"input_ids": ids, "attention_mask": None if mask is None else mask.long()}
        if target_ids is not None:
            arguments["decoder_input_ids"] = target_ids
        if self.config.kind != "encoder":
            arguments["use_cache"] = False
        if self.is_split:
            states: Tensor = self._whole.base_model(**arguments).last_hidden_state
            return states
        logits: Tensor = self._whole(**arguments).logits
        return logits

    def _read_by_length(
        self, ids: Int[Tensor, "batch token"], mask: Bool[Tensor, "batch token"]
    ) -> Float[Tensor, "batch class"]:
        """A classifier's logits of rows without their padding, those of one length together."""
        lengths = mask.sum(-1)
        groups = [(lengths == length).nonzero()[:, 0] for length in sorted(set(lengths.tolist()))]
        logits = torch.cat([self.read(ids[rows, : int(lengths[rows[0]])]) for rows in groups])
        return logits[torch.cat(groups).argsort()]

    def head(self, read: Float[Tensor, "*rows _"]) -> Float[Tensor, "*rows vocabulary"]:
        """The logits of what `read` returned, or of some of its positions."""
        logits: Tensor = self._whole.get_output_embeddings()(read) if self.is_split else read
        return logits

    def classify(self, read: Float[Tensor, "batch class"], mask: Tensor | None = None) -> Float[Tensor, "batch class"]:
        """The class logits, which a classifier's `read` has computed already."""
        return read

    def forward(self, ids: Tensor, target_ids: Tensor | None = None, **rest: Any) -> Tensor:
        """Logits at each token."""
        return self.head(self.read(ids, target_ids, **rest))

    def encode(self, ids: Tensor, segments: Tensor | None = None, mask: Tensor | None = None) -> Tensor:
        """An encoder-decoder's encoded source."""
        encoder = self._whole.get_encoder()
        states: Tensor = encoder(input_ids=ids, attention_mask=None if mask is None else mask.long()).last_hidden_state
        return states

    def decode(self, target_ids: Tensor, encoded: Tensor, mask: Tensor | None = None) -> Tensor:
        """The logits of a target, given the encoded source."""
        logits: Tensor = self._whole(
            encoder_outputs=(encoded,),
            attention_mask=None if mask is None else mask.long(),
            decoder_input_ids=target_ids,
            use_cache=False,
        ).logits
        return logits

    @property
    def _whole(self) -> Any:
        return self.module

    @torch.no_grad()
    def split_where_exact(self, ids: Int[Tensor, "1 token"]) -> None:
        """Compute a decoder's logits only where they count, if its head alone makes them of the last states."""
        if self.config.kind != "decoder" or self.config.classes or self._whole.get_output_embeddings() is None:
            return
        whole = self(ids)
        self.is_split = True
        if not outputs_agree(self(ids), whole):
            self.is_split = False


def as_ours(module: nn.Module, config: HubShape) -> nn.Module:
    """The module as a task calls it: itself where it is one of ours."""
    return module if isinstance(module, Transformer) else HubModel(module, config)


def _summarises_padding(module: nn.Module) -> bool:
    """Whether a classifier answers from the last place of a row or from all of them, padded ones too (XLNet, XLM)."""
    summary = getattr(module, "sequence_summary", None)
    return summary is not None and getattr(summary, "summary_type", "first") != "first"


def classifier_of(
    model: "LoadedModel", labels: tuple[str, ...], padding: int
) -> tuple[nn.Module, Callable[[str], bool]]:
    """transformers' sequence classifier on a loaded model's folder, and which of its parameters are the head's.

    Raises UserError where the family has none, or it does not fit beside the model.
    """
    from playground.models.adapters.pretrained_head import load_classifier

    module = load_classifier(model, len(labels))
    config: Any = module.config
    config.id2label, config.label2id = dict(enumerate(labels)), {name: index for index, name in enumerate(labels)}
    config.get_text_config().pad_token_id = padding
    config.pad_token_id = padding
    prefix = f"{module.base_model_prefix}."

    def is_head(name: str) -> bool:
        return not name.startswith(prefix) or name.startswith(f"{prefix}pooler.")

    return module, is_head
