"""Activation patching: what of the clean prompt, put into the corrupted one, brings the clean answer back."""

from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np
import streamlit as st

from playground.charts.ablate import map_figure
from playground.errors import UserError
from playground.lens.capture.site import SiteKind
from playground.lens.generate.fill import mask_id
from playground.lens.intervene.patching import (
    Patched,
    PatchingExample,
    examples_of,
    first_id,
    patch_head_positions,
    patch_heads,
    patch_positions,
    prepare_pair,
)
from playground.models import LoadedModel
from playground.progress import OnProgress
from playground.text import _
from ui import state
from ui.jobs import AT_ONCE, ask
from ui.sections.ablate.figure import show_figure, table_rows
from ui.sections.ablate.options import (
    TEXT_LENGTH,
    Subject,
    choose_position,
    choose_second,
    examine,
    kind_titles,
)
from ui.widgets.choice import choose_word
from ui.widgets.download import offer_snippet
from ui.widgets.text import address_text

CLEAN, CORRUPTED, OTHER = "clean", "corrupted", "other"
HEADS, HEAD_POSITIONS = "head", "head_position"


def show_patching(model: LoadedModel) -> None:
    """Two prompts, two answers, and the map of what brings the first one back."""
    offered = examples_of(model)
    _offer_examples(offered)
    first = offered[0]
    left, right = st.columns(2)
    with left:
        clean = address_text(CLEAN, first.clean, label=_("Clean prompt"), limit=TEXT_LENGTH, rows=2)
        answer = address_text("patch_answer", first.answer, label=_("Its answer"), limit=60, rows=1)
    with right:
        corrupted = address_text(CORRUPTED, first.corrupted, label=_("Corrupted prompt"), limit=TEXT_LENGTH, rows=2)
        other = address_text(OTHER, first.other, label=_("Its answer"), limit=60, rows=1)
    texts = choose_second(model, clean, first.target)
    subject = examine(model, texts, key="clean")
    second = examine(model, replace(texts, text=corrupted), key="corrupted") if subject else None
    if subject is None or second is None:
        return
    if not subject.clean.best:
        sentence = _("{name} has no output head, so that there is no prediction to measure. Choose another model.")
        st.error(sentence.format(name=model.name), icon=":material/error:")
        return
    try:
        ids = first_id(model, answer), first_id(model, other)
    except UserError as error:
        st.error(str(error), icon=":material/error:")
        return
    _show_map(subject, second, *ids)


def _offer_examples(offered: tuple[PatchingExample, ...]) -> None:
    titles = {
        "Indirect object": _("Indirect object"),
        "Induction": _("Induction"),
        "Agreement": _("Agreement"),
        "Who receives it": _("Who receives it"),
        "What is given": _("What is given"),
        "Whose hand": _("Whose hand"),
    }
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        st.caption(_("Examples"), width="content")
        for example in offered:
            st.button(
                titles[example.name],
                key=f"patch_{example.name}",
                type="tertiary",
                help=example.about,
                on_click=_fill,
                args=(example,),
            )


def _fill(example: PatchingExample) -> None:
    for name, text in (
        (CLEAN, example.clean),
        (CORRUPTED, example.corrupted),
        ("patch_answer", example.answer),
        (OTHER, example.other),
        (state.TARGET, example.target),
    ):
        state.replace_text(name, text)


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """What of the first prompt is put into the second, and where the two answers' logits are compared."""

    subject: Subject
    second: Subject
    answer: int
    other: int
    part: str
    kind: SiteKind
    position: int
    layer: int

    @property
    def facts(self) -> dict[str, object]:
        """The choices, for the picture's files."""
        facts: dict[str, object] = {"corrupted text": self.second.texts.text}
        facts |= {"answer": self.answer, "other answer": self.other, "position": self.position}
        facts |= {"exchanged": self.part, "in": self.kind}
        return facts | ({"layer": self.layer} if self.part == HEAD_POSITIONS else {})

    @property
    def given(self) -> dict[str, Any]:
        """What the pair is made of besides its two texts."""
        texts = self.subject.texts
        targets = None if texts.target is None else (texts.target, texts.target)
        found: dict[str, Any] = {"answer": self.answer, "other": self.other, "position": self.position}
        return {**found, "targets": targets, "pair": texts.pair}

    def compute(self, on_progress: OnProgress) -> tuple[float, float, np.ndarray]:
        """Both prompts' differences of the two logits, and the shares that come back."""
        pair = prepare_pair(self.subject.model, self.subject.texts.text, self.second.texts.text, **self.given)
        if self.part == HEADS:
            shares = patch_heads(pair, kind=self.kind, on_progress=on_progress)
        elif self.part == HEAD_POSITIONS:
            shares = patch_head_positions(pair, self.layer, kind=self.kind, on_progress=on_progress)
        else:
            shares = patch_positions(pair, cast(Patched, self.part), kind=self.kind, on_progress=on_progress)
        return pair.clean_difference, pair.corrupted_difference, shares

    def lines(self) -> list[str]:
        """The same in Python."""
        given = ", ".join(f"{name}={value!r}" for name, value in self.given.items())
        pair = f"pair = prepare_pair(model, {self.subject.texts.text!r}, {self.second.texts.text!r}, {given})"
        calls = {
            HEADS: f"patch_heads(pair, kind={self.kind!r})",
            HEAD_POSITIONS: f"patch_head_positions(pair, {self.layer}, kind={self.kind!r})",
        }
        call = calls.get(self.part, f"patch_positions(pair, {self.part!r}, kind={self.kind!r})")
        return [pair, f"print(pair.clean_difference, pair.corrupted_difference, {call})"]


def _show_map(subject: Subject, second: Subject, answer: int, other: int) -> None:
    # Side by side they would not wrap, and on a narrow screen their last words could not be reached.
    part = choose_word("patch", _("Exchange"), _part_titles())
    word = _choose_kind(subject, part)
    left, right = st.columns(2)
    with left:
        tokens = subject.clean.tokens
        position = choose_position(state.POSITION, _("Compare the answers at"), tokens, _masked(subject))
    layer = 0
    if part == HEAD_POSITIONS:
        with right:
            layer = _choose_layer(sum(one == word for one, _layer, _heads in subject.clean.places))
    exchange = Exchange(
        subject=subject,
        second=second,
        answer=answer,
        other=other,
        part=part,
        kind=cast(SiteKind, word),
        position=position,
        layer=layer,
    )
    question = ("patch", second.texts, answer, other, part, word, position, layer)
    words = _("Exchanging one part after the other:")
    found = ask(subject.reading, question, words, exchange.compute, patience=AT_ONCE)
    if found is not None:
        _draw(exchange, *found)
    names = "patch_head_positions, patch_heads, patch_positions, prepare_pair"
    offer_snippet(subject.model, [f"playground.lens.intervene.patching import {names}"], exchange.lines())


def _choose_kind(subject: Subject, part: str) -> str:
    """In which stack; where two sources differ, the encoder's first: the decoder reads the same in both."""
    # Cross-attention has heads and writes, but no stream and no feed-forward layers of its own.
    fits_cross = part in ("attention", HEADS, HEAD_POSITIONS)
    kinds = sorted((kind for kind in subject.clean.kinds if kind != "cross" or fits_cross), reverse=True)
    titles: dict[str, str] = {one: kind_titles()[one] for one in kinds}
    return choose_word("patch_kind", _("In"), titles) if kinds[1:] else kinds[0]


def _draw(exchange: Exchange, before: float, after: float, shares: np.ndarray) -> None:
    sentence = _(
        "The first answer's logit less the second one's: {before:+.3f} in the clean prompt, {after:+.3f} in the "
        "corrupted one. 1 brings the clean difference back, 0 changes nothing."
    )
    st.caption(sentence.format(before=before, after=after))
    part, kind = exchange.part, exchange.kind
    rows = list(map(str, range(len(shares))))
    columns = list(map(str, range(shares.shape[1])))
    if part != HEADS:
        columns = _labels(exchange.subject, exchange.second, kind)
    x = _("head") if part == HEADS else _("token")
    y = _("head of layer {layer}").format(layer=exchange.layer) if part == HEAD_POSITIONS else _("layer")
    show_figure(
        exchange.subject,
        map_figure(shares, rows=rows, columns=columns, y=y, x=x, meaning=_("share brought back")),
        table_rows(y, rows, columns, shares),
        name=f"patched-{part}-{kind}",
        label=_("How much of the clean difference each exchange brings back"),
        facts=exchange.facts,
    )


def _choose_layer(count: int) -> int:
    words = list(map(str, range(count)))
    start = words.index(state.read_word("patch_layer", words))
    word = st.selectbox(_("Layer"), words, index=start, key=f"apart_patch_layer_{count}")
    state.write_word("patch_layer", word, words[0])
    return int(word)


def _masked(subject: Subject) -> int | None:
    """Where an encoder's mask is: there its answers are compared."""
    try:
        mask = mask_id(subject.model)
    except UserError:
        return None
    return next((place for place, token in enumerate(subject.clean.tokens) if token.id == mask), None)


def _part_titles() -> dict[str, str]:
    return {
        "residual": _("the residual stream"),
        "attention": _("what attention writes"),
        "feed_forward": _("what the feed-forward layer writes"),
        HEADS: _("a head"),
        HEAD_POSITIONS: _("a head at one token"),
    }


def _labels(subject: Subject, second: Subject, kind: SiteKind) -> list[str]:
    """The tokens of both prompts where they differ."""
    stack: SiteKind = "encoder" if kind == "encoder" else "decoder"
    both = zip(subject.clean.tokens_of(stack), second.clean.tokens_of(stack), strict=False)
    return [
        f"{place} {clean.text}" + ("" if clean.id == other.id else f" | {other.text}")
        for place, (clean, other) in enumerate(both)
    ]
