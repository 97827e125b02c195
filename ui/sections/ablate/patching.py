"""Activation patching: clean activations in the corrupted prompt, and the logit difference that they recover."""

from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np
import streamlit as st

from playground.charts.heatmap import heatmap_figure
from playground.errors import UserError
from playground.lens.capture.site import SiteKind
from playground.lens.generate.fill_mask import mask_id
from playground.lens.intervene.patching import (
    PatchedPart,
    PatchingExample,
    examples_of,
    first_token_id,
    patch_head_positions,
    patch_heads,
    patch_positions,
    prepare_pair,
)
from playground.models import LoadedModel
from playground.progress import OnProgress
from playground.text import _
from ui.jobs import AT_ONCE, compute
from ui.sections.ablate.figure import show_figure, table_rows
from ui.sections.ablate.options import (
    Subject,
    choose_position,
    examine,
    kind_titles,
    show_no_output_head,
)
from ui.state.address import read_choice, replace_text, write_choice
from ui.state.parameters import (
    CLEAN,
    CORRECT_ANSWER,
    CORRUPTED,
    COUNTERFACTUAL_ANSWER,
    PATCH,
    PATCH_KIND,
    PATCH_LAYER,
    POSITION,
    TARGET,
    Text,
)
from ui.widgets.choice import choose_option
from ui.widgets.download import offer_snippet
from ui.widgets.text import address_text, choose_second

HEADS, HEAD_POSITIONS = "head", "head_position"


def show_patching(model: LoadedModel) -> None:
    """Two prompts, two answers, and a heatmap of the recovered logit difference."""
    examples = examples_of(model)
    _offer_examples(examples)
    left, right = st.columns(2)
    with left:
        clean = address_text(CLEAN, examples[0].clean, label=_("Clean prompt"), rows=2)
        answer = address_text(CORRECT_ANSWER, examples[0].answer, label=_("Correct answer"), rows=1)
    with right:
        corrupted = address_text(CORRUPTED, examples[0].corrupted, label=_("Corrupted prompt"), rows=2)
        counterfactual = address_text(
            COUNTERFACTUAL_ANSWER, examples[0].counterfactual, label=_("Counterfactual answer"), rows=1
        )
    texts = choose_second(model, clean, examples[0].target)
    subject = examine(model, texts, key="clean")
    corrupted_subject = examine(model, replace(texts, text=corrupted), key="corrupted") if subject else None
    if subject is None or corrupted_subject is None:
        return
    if not subject.clean.predictions:
        show_no_output_head(model)
        return
    try:
        ids = first_token_id(model, answer), first_token_id(model, counterfactual)
    except UserError as error:
        st.error(str(error), icon=":material/error:")
        return
    _show_recovered(subject, corrupted_subject, *ids)


def _offer_examples(examples: tuple[PatchingExample, ...]) -> None:
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        st.caption(_("Examples"), width="content")
        for example in examples:
            st.button(
                _(example.name),
                key=f"patch_{example.name}",
                type="tertiary",
                help=_(example.about),
                on_click=_fill,
                args=(example,),
            )


def _fill(example: PatchingExample) -> None:
    texts: tuple[tuple[Text, str], ...] = (
        (CLEAN, example.clean),
        (CORRUPTED, example.corrupted),
        (CORRECT_ANSWER, example.answer),
        (COUNTERFACTUAL_ANSWER, example.counterfactual),
        (TARGET, example.target),
    )
    for name, text in texts:
        replace_text(name, text)


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

    def make(self, on_progress: OnProgress) -> tuple[float, float, np.ndarray]:
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
        return pair.clean_difference, pair.corrupted_difference, recovered

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
    # Side by side they would not wrap, and on a narrow screen their last options could not be reached.
    part = choose_option(PATCH, _("Patch"), _part_titles())
    kind = _choose_patch_kind(subject, part)
    left, right = st.columns(2)
    with left:
        position = choose_position(
            POSITION, _("Compare the answers at position"), subject.clean.tokens, _mask_position(subject)
        )
    layer = 0
    if part == HEAD_POSITIONS:
        with right:
            layer = _choose_patch_layer(
                sum(site_kind == kind for site_kind, _layer, _heads in subject.clean.attention_layers)
            )
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
    results = compute(
        key, patch.make, title=_("Patching component by component:"), cache=subject.traced, patience=AT_ONCE
    )
    if results is not None:
        _draw_recovered(patch, *results)
    names = "patch_head_positions, patch_heads, patch_positions, prepare_pair"
    offer_snippet(subject.model, [f"playground.lens.intervene.patching import {names}"], patch.lines())


def _choose_patch_kind(subject: Subject, part: str) -> str:
    """In which stack; where two sources differ, the encoder's first: the decoder reads the same in both."""
    # Cross-attention has heads and outputs, but no stream and no feed-forward layers of its own.
    fits_cross = part in ("attention", HEADS, HEAD_POSITIONS)
    kinds = sorted((kind for kind in subject.clean.kinds if kind != "cross" or fits_cross), reverse=True)
    titles: dict[str, str] = {kind: kind_titles()[kind] for kind in kinds}
    return choose_option(PATCH_KIND, _("In"), titles) if kinds[1:] else kinds[0]


def _draw_recovered(patch: Patch, clean_difference: float, corrupted_difference: float, recovered: np.ndarray) -> None:
    sentence = _(
        "Logit difference (correct − counterfactual): {clean:+.3f} in the clean prompt, {corrupted:+.3f} in the "
        "corrupted one. Recovered: 1 = fully recovered, 0 = no effect."
    )
    st.caption(sentence.format(clean=clean_difference, corrupted=corrupted_difference))
    part, kind = patch.part, patch.kind
    rows = list(map(str, range(len(recovered))))
    columns = list(map(str, range(recovered.shape[1])))
    if part != HEADS:
        columns = _prompt_labels(patch.subject, patch.corrupted, kind)
    x = _("head") if part == HEADS else _("token")
    y = _("head of layer {layer}").format(layer=patch.layer) if part == HEAD_POSITIONS else _("layer")
    meaning = _("recovered logit difference")
    show_figure(
        patch.subject,
        heatmap_figure(recovered, rows=rows, columns=columns, y=y, x=x, meaning=meaning),
        table_rows(y, rows, columns, recovered),
        name=f"patched-{part}-{kind}",
        label=_("Recovered logit difference by patch"),
        details=patch.details,
    )


def _choose_patch_layer(count: int) -> int:
    layers = list(map(str, range(count)))
    index = layers.index(read_choice(PATCH_LAYER, layers))
    layer = st.selectbox(_("Layer"), layers, index=index, key=f"ablate_patch_layer_{count}")
    write_choice(PATCH_LAYER, layer, layers[0])
    return int(layer)


def _mask_position(subject: Subject) -> int | None:
    """Where an encoder's mask token is: its answers are compared there."""
    try:
        mask = mask_id(subject.model)
    except UserError:
        return None
    return next((position for position, token in enumerate(subject.clean.tokens) if token.id == mask), None)


def _part_titles() -> dict[str, str]:
    return {
        "residual": _("residual stream"),
        "attention": _("attention output"),
        "feed_forward": _("MLP output"),
        HEADS: _("head output"),
        HEAD_POSITIONS: _("head output at one position"),
    }


def _prompt_labels(clean: Subject, corrupted: Subject, kind: SiteKind) -> list[str]:
    """The tokens of both prompts where they differ."""
    stack: SiteKind = "encoder" if kind == "encoder" else "decoder"
    both = zip(clean.clean.tokens_of(stack), corrupted.clean.tokens_of(stack), strict=False)
    return [
        f"{position} {first.text}" + ("" if first.id == second.id else f" | {second.text}")
        for position, (first, second) in enumerate(both)
    ]
