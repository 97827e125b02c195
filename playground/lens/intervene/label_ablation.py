"""Ablation for classifiers: what a label's logit loses without each head, attention layer, MLP and block."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from playground.errors import UserError
from playground.lens.capture.activations import Activations, Component, EncodedText, Part, capture_run
from playground.lens.capture.site import SiteKind
from playground.lens.capture.tokens import Token
from playground.lens.generate.classification import tensors_of
from playground.lens.generate.encoded_rows import encode_row
from playground.lens.intervene.ablation import AblationMethod, larger_components, replace_component
from playground.lens.intervene.interventions import MOST_ROWS, Intervention, run_replaced
from playground.progress import OnProgress, no_progress

if TYPE_CHECKING:
    from playground.models import LoadedModel


@dataclass(frozen=True, kw_only=True, eq=False)
class LabelEffects:
    """The change of a label's logit without each component alone; NaN where a block has no such part."""

    tokens: tuple[Token, ...]
    label: str
    logit: float
    """With all components."""
    best: int
    """The label with the highest logit, with all components."""
    kind: SiteKind
    layers: tuple[int, ...]
    """The numbers of the blocks: the rows."""
    heads: Float[np.ndarray, "layer head"]
    parts: tuple[Part, ...]
    larger: Float[np.ndarray, "layer part"]
    """The effects of attention layers, MLPs and whole blocks."""
    best_without_head: Int[np.ndarray, "layer head"]
    """The label with the highest logit without the head; -1 where there is none."""

    @property
    def deciding_heads(self) -> list[tuple[int, int]]:
        """Layer and number of the heads without which another label has the highest logit."""
        changed = (self.best_without_head != self.best) & (self.best_without_head >= 0)
        return [(self.layers[row], int(head)) for row, head in np.argwhere(changed)]


def ablate_label(
    model: "LoadedModel",
    text: str,
    pair: str | None = None,
    *,
    label: int,
    position: int | None = None,
    kind: SiteKind | None = None,
    method: AblationMethod = "mean",
    truncate: bool = False,
    on_progress: OnProgress = no_progress,
) -> LabelEffects:
    """Ablate each component alone and measure a label's logit, as `ablate_heads` does for a predicted token.

    label, position: as in `attribute_label`. kind: the attention whose heads are ablated, by default that of the last
    stack. Raises UserError for a model without a head, for a label or token that is not there, and for `resampled`,
    which needs another text.
    """
    head = model.head
    if head is None:
        raise UserError("{name} has no classifier, so that there is no label to explain.", name=model.name)
    if method == "resampled":
        raise UserError("Choose mean or zero: to resample takes another text.")
    row = encode_row(model, text, pair, truncate=truncate)
    head.check_label(label, position, len(row.ids))
    ids, segments = tensors_of(model, [row])

    def run(rows: int) -> Tensor:
        logits = head.answer(ids.expand(rows, -1), segments.expand(rows, -1))
        return logits if position is None else logits[:, position]

    encoded = EncodedText(tokens=tuple(row.tokens(model)), source=(), arguments={})
    clean = capture_run(model, lambda: run(1), encoded)
    kind = kind or clean.parts.kind
    components = [*clean.heads(kind), *larger_components(clean, kind)[2]]
    changed = _logits_without(clean, components, method, run, on_progress)
    return _label_effects(clean, kind, changed, head.labels, label)


def _label_effects(
    clean: Activations,
    kind: SiteKind,
    changed: Float[np.ndarray, "component label"],
    labels: Sequence[str],
    label: int,
) -> LabelEffects:
    """The logits without each component, the heads' first, as tables of what the label's logit loses."""
    assert clean.logits is not None
    layers, parts, larger = larger_components(clean, kind)
    single = clean.heads(kind)
    effects = changed[:, label] - float(clean.logits[label])
    shape = (len(layers), max(component.head or 0 for component in single) + 1)
    heads, best = np.full(shape, np.nan, dtype=np.float32), np.full(shape, -1)
    for component, effect, logits in zip(single, effects, changed, strict=False):
        cell = layers.index(component.layer), component.head
        heads[cell], best[cell] = effect, int(logits.argmax())
    table = np.full((len(layers), len(parts)), np.nan, dtype=np.float32)
    for component, effect in zip(larger, effects[len(single) :], strict=True):
        table[layers.index(component.layer), parts.index(component.part)] = effect
    return LabelEffects(
        tokens=clean.encoded.tokens,
        label=labels[label],
        logit=float(clean.logits[label]),
        best=int(clean.logits.argmax()),
        kind=kind,
        layers=layers,
        heads=heads,
        parts=parts,
        larger=table,
        best_without_head=best,
    )


def _logits_without(
    clean: Activations,
    components: Sequence[Component],
    method: AblationMethod,
    run: Callable[[int], Tensor],
    on_progress: OnProgress,
) -> Float[np.ndarray, "component label"]:
    """The labels' logits without each component alone, so many copies of the text in a pass as fit."""
    rows: list[Intervention] = [[replace_component(component, method, clean)] for component in components]
    found = []
    for begin in range(0, len(rows), MOST_ROWS):
        on_progress(begin, len(rows))
        batch = rows[begin : begin + MOST_ROWS]
        found.append(run_replaced(clean.parts, batch, run).float().cpu())
    on_progress(len(rows), len(rows))
    return torch.cat(found).numpy()
