"""Activation patching: clean activations in the corrupted prompt, and the logit difference that they recover."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import streamlit as st

from playground.charts.heatmap import heatmap_figure
from playground.charts.layout import mark_spaces
from playground.lens.capture.site import SiteKind
from playground.lens.intervene.findings import carried_from, largest_recovery
from playground.lens.intervene.patching import (
    PatchedPart,
    Recovery,
    patch_head_positions,
    patch_heads,
    patch_positions,
    prepare_pair,
)
from playground.lens.intervene.patching_examples import mask_position
from playground.models import LoadedModel
from playground.progress import OnProgress
from playground.text import _
from ui.jobs import AT_ONCE, compute
from ui.sections.ablate.figure import show_figure, table_rows
from ui.sections.ablate.heads import choose_head, chosen_head, offer_head_doors
from ui.sections.ablate.options import Subject, choose_position, kind_titles
from ui.sections.ablate.patching_prompts import choose_prompts
from ui.state.address import read_choice, write_choice
from ui.state.parameters import PATCH, PATCH_KIND, PATCH_LAYER, POSITION
from ui.state.revisions import widget_key
from ui.widgets.choice import choose_option
from ui.widgets.context_bar import ContextBar
from ui.widgets.download import offer_snippet
from ui.widgets.findings import show_findings

HEADS, HEAD_POSITIONS = "head", "head_position"


def show_patching(bar: ContextBar, model: LoadedModel) -> None:
    """Two prompts, two answers, and a heatmap of the recovered logit difference."""
    prompts = choose_prompts(bar, model)
    if prompts is not None:
        _show_recovered(prompts.clean, prompts.corrupted, prompts.answer, prompts.counterfactual)


@dataclass(frozen=True, kw_only=True)
class Patch:
    """Which clean activations are patched into the corrupted prompt, and where the answers' logits are compared."""

    subject: Subject
    corrupted: Subject
    answer: int
    counterfactual: int
    part: str
    """A `PatchedPart`, `HEADS` or `HEAD_POSITIONS`."""
    kind: SiteKind
    position: int
    layer: int
    """Of `HEAD_POSITIONS`; 0 otherwise."""

    @property
    def details(self) -> dict[str, object]:
        """The options for a figure's files."""
        details: dict[str, object] = {"corrupted text": self.corrupted.texts.text}
        details |= {"correct answer": self.answer, "counterfactual answer": self.counterfactual}
        details |= {"position": self.position, "patched": self.part, "stack": self.kind}
        return details | ({"layer": self.layer} if self.part == HEAD_POSITIONS else {})

    @property
    def pair_options(self) -> dict[str, Any]:
        """Arguments of `prepare_pair` besides model and texts."""
        texts = self.subject.texts
        targets = None if texts.target is None else (texts.target, texts.target)
        options: dict[str, Any] = {
            "answer": self.answer,
            "counterfactual": self.counterfactual,
            "position": self.position,
            "targets": targets,
            "pair": texts.pair,
        }
        # Each prompt fits or is cut: the trace has been made of both.
        return options | ({"truncate": True} if self.subject.truncate or self.corrupted.truncate else {})

    def make(self, on_progress: OnProgress) -> Recovery:
        """The clean and the corrupted logit difference, and what each patch recovers."""
        texts = self.subject.texts.text, self.corrupted.texts.text
        pair = prepare_pair(self.subject.model, *texts, **self.pair_options)
        if self.part == HEADS:
            recovered = patch_heads(pair, kind=self.kind, on_progress=on_progress)
        elif self.part == HEAD_POSITIONS:
            recovered = patch_head_positions(pair, self.layer, kind=self.kind, on_progress=on_progress)
        else:
            part = cast(PatchedPart, self.part)
            recovered = patch_positions(pair, part, kind=self.kind, on_progress=on_progress)
        return Recovery(
            clean_difference=pair.clean_difference,
            corrupted_difference=pair.corrupted_difference,
            recovered=recovered,
        )

    @property
    def rows(self) -> list[int]:
        """The numbers of the blocks that have what is patched; of one layer's heads their own numbers."""
        clean, kind = self.subject.clean, self.kind
        if self.part == HEAD_POSITIONS:
            return list(range(clean.heads_of(kind)))
        if self.part in (HEADS, "attention"):
            return clean.layers_of(kind)
        has = clean.feed_forward if self.part == "feed_forward" else set(clean.blocks)
        return sorted(layer for site_kind, layer in has if site_kind == kind)

    @property
    def columns(self) -> list[str]:
        """The tokens of both prompts where they differ; nothing for heads, which are patched at all of them."""
        return [] if self.part == HEADS else _prompt_labels(self.subject, self.corrupted, self.kind)

    def place(self, row: int, column: int) -> str:
        """A cell of the map in words."""
        row = self.rows[row]
        if self.part == HEADS:
            return _("head {layer}.{head}").format(layer=row, head=column)
        token = self.columns[column]
        if self.part == HEAD_POSITIONS:
            return _("head {layer}.{head}, token {token}").format(layer=self.layer, head=row, token=token)
        return _("layer {layer}, token {token}").format(layer=row, token=token)

    def lines(self) -> list[str]:
        """The same in Python."""
        options = ", ".join(f"{name}={value!r}" for name, value in self.pair_options.items())
        pair = f"pair = prepare_pair(model, {self.subject.texts.text!r}, {self.corrupted.texts.text!r}, {options})"
        calls = {
            HEADS: f"patch_heads(pair, kind={self.kind!r})",
            HEAD_POSITIONS: f"patch_head_positions(pair, {self.layer}, kind={self.kind!r})",
        }
        call = calls.get(self.part, f"patch_positions(pair, {self.part!r}, kind={self.kind!r})")
        return [pair, f"print(pair.clean_difference, pair.corrupted_difference, {call})"]


def _show_recovered(subject: Subject, corrupted: Subject, answer: int, counterfactual: int) -> None:
    layer = 0
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        part = choose_option(PATCH, _("Patch"), _part_titles(), hidden=True)
        kind = _choose_patch_kind(subject, part)
        title = _("Compare the answers at position")
        position = choose_position(POSITION, title, subject.clean.tokens, _mask_position(subject))
        if part == HEAD_POSITIONS:
            layer = _choose_patch_layer(subject.clean.layers_of(cast(SiteKind, kind)))
    patch = Patch(
        subject=subject,
        corrupted=corrupted,
        answer=answer,
        counterfactual=counterfactual,
        part=part,
        kind=cast(SiteKind, kind),
        position=position,
        layer=layer,
    )
    key = ("patch", corrupted.texts, answer, counterfactual, part, kind, position, layer)
    recovery = compute(
        key, patch.make, title=_("Patching component by component:"), cache=subject.traced, patience=AT_ONCE
    )
    if recovery is not None:
        _draw_recovered(patch, recovery)
    names = "patch_head_positions, patch_heads, patch_positions, prepare_pair"
    offer_snippet(subject.model, [f"playground.lens.intervene.patching import {names}"], patch.lines())


def _choose_patch_kind(subject: Subject, part: str) -> str:
    """In which stack; where two sources differ, the encoder's first: the decoder reads the same in both."""
    # Cross-attention has heads and outputs, but no stream and no feed-forward layers of its own.
    fits_cross = part in ("attention", HEADS, HEAD_POSITIONS)
    kinds = sorted((kind for kind in subject.clean.kinds if kind != "cross" or fits_cross), reverse=True)
    titles: dict[str, str] = {kind: kind_titles()[kind] for kind in kinds}
    return choose_option(PATCH_KIND, _("In"), titles) if kinds[1:] else kinds[0]


def _draw_recovered(patch: Patch, recovery: Recovery) -> None:
    if not recovery.is_solved:
        _say_whether_solved(patch, recovery)
    values = recovery.recovered if recovery.is_solved else recovery.change
    _say_where(patch, recovery, values)
    part, kind = patch.part, patch.kind
    rows = list(map(str, patch.rows))
    columns = patch.columns or list(map(str, range(values.shape[1])))
    x = _("head") if part == HEADS else _("token")
    y = _("head of layer {layer}").format(layer=patch.layer) if part == HEAD_POSITIONS else _("layer")
    recovered, change = _("recovered logit difference"), _("change of the logit difference (logits)")
    cell = show_figure(
        patch.subject,
        heatmap_figure(
            values, rows=rows, columns=columns, y=y, x=x, meaning=recovered if recovery.is_solved else change
        ),
        table_rows(y, rows, columns, values),
        name=f"patched-{part}-{kind}",
        label=_("Recovered logit difference by patch") if recovery.is_solved else _("Effect of each patch"),
        details=patch.details | ({} if recovery.is_solved else {"values": "change of the logit difference"}),
        picks=part in (HEADS, HEAD_POSITIONS),
    )
    if recovery.is_solved:
        _say_whether_solved(patch, recovery)
    if cell is not None:
        choose_head(
            patch.subject, kind, *((patch.layer, cell[1]) if part == HEAD_POSITIONS else (patch.rows[cell[1]], cell[2]))
        )
    if part in (HEADS, HEAD_POSITIONS):
        best = np.unravel_index(int(np.nanargmax(values)), values.shape)
        head = (patch.layer, int(best[0])) if part == HEAD_POSITIONS else (patch.rows[int(best[0])], int(best[1]))
        offer_head_doors(patch.subject, kind, chosen_head(patch.subject, kind) or head)


def _say_whether_solved(patch: Patch, recovery: Recovery) -> None:
    """Whether the model solves the pair: only then is there something to restore."""
    template = (
        _(
            "{name} solves this pair: logit difference (correct − counterfactual) {clean:+.3f} in the clean prompt, "
            "{corrupted:+.3f} in the corrupted one. Recovered: 1 = fully recovered, 0 = no effect."
        )
        if recovery.is_solved
        else _(
            "{name} does not solve this pair: logit difference (correct − counterfactual) {clean:+.3f} in the clean "
            "prompt, {corrupted:+.3f} in the corrupted one, where clean > 0 > corrupted is needed. A recovered share "
            "(1 = fully recovered, 0 = no effect) would mislead: the map shows the change in logits."
        )
    )
    sentence = template.format(
        name=patch.subject.model.name, clean=recovery.clean_difference, corrupted=recovery.corrupted_difference
    )
    if recovery.is_solved:
        st.caption(sentence)
    else:
        st.info(sentence, icon=":material/info:")


def _say_where(patch: Patch, recovery: Recovery, values: np.ndarray) -> None:
    show_findings(
        largest_recovery(values, patch.place, is_solved=recovery.is_solved),
        carried_from(values, patch.position, patch.columns[patch.position])
        if recovery.is_solved and patch.part == "residual" and patch.kind == patch.subject.clean.kinds[0]
        else None,
    )


def _choose_patch_layer(numbers: Sequence[int]) -> int:
    layers = list(map(str, numbers))
    index = layers.index(read_choice(PATCH_LAYER, layers))
    key = widget_key(PATCH_LAYER, f"ablate_patch_layer_{len(layers)}_{layers[-1]}")
    spelling = _("layer {layer}").format
    layer = st.selectbox(
        _("Layer"),
        layers,
        index=index,
        key=key,
        format_func=lambda number: spelling(layer=number),
        label_visibility="collapsed",
        width=110,
    )
    write_choice(PATCH_LAYER, layer, layers[0])
    return int(layer)


def _mask_position(subject: Subject) -> int | None:
    return mask_position(subject.model, [token.id for token in subject.clean.tokens])


def _part_titles() -> dict[str, str]:
    return {
        "residual": _("Residual stream"),
        "attention": _("Attention output"),
        "feed_forward": _("MLP output"),
        HEADS: _("Head output"),
        HEAD_POSITIONS: _("Head output at one position"),
    }


def _prompt_labels(clean: Subject, corrupted: Subject, kind: SiteKind) -> list[str]:
    """The tokens of both prompts where they differ."""
    stack: SiteKind = "encoder" if kind == "encoder" else "decoder"
    both = zip(clean.clean.tokens_of(stack), corrupted.clean.tokens_of(stack), strict=False)
    return [
        f"{position} {mark_spaces(first.text)}" + ("" if first.id == second.id else f" | {mark_spaces(second.text)}")
        for position, (first, second) in enumerate(both)
    ]
