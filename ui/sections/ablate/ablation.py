"""What breaks when parts are taken away: each head alone, a chosen set, and the few heads that suffice."""

from dataclasses import dataclass
from typing import cast

import streamlit as st

from playground.charts.ablate import map_figure
from playground.lens.capture.site import SiteKind
from playground.lens.intervene.ablation import (
    By,
    Circuit,
    Effect,
    Experiment,
    HeadMap,
    Judge,
    Watched,
    ablate,
    ablate_every_head,
    prepare,
    smallest_circuit,
)
from playground.progress import OnProgress
from playground.text import _
from ui import state
from ui.jobs import AT_ONCE, ask
from ui.sections.ablate.figure import show_figure, table_rows
from ui.sections.ablate.options import Subject, choose_parts, choose_watched, component_title, kind_titles
from ui.sections.attention.examples import OTHER_TEXT
from ui.widgets.choice import choose_word
from ui.widgets.download import offer_snippet
from ui.widgets.text import address_text

LIMITS, USUAL_LIMIT = ("0.01", "0.03", "0.1", "0.3", "1", "3"), "0.1"
NO, YES = "no", "yes"


@dataclass(frozen=True, kw_only=True)
class Setting:
    """How parts are taken away, and the prediction and measure that are watched."""

    subject: Subject
    by: By
    reference: str | None
    watched: Watched
    judge: Judge

    @property
    def question(self) -> tuple[object, ...]:
        """What the effects depend on, besides the reading."""
        return self.by, self.reference, self.watched

    @property
    def facts(self) -> dict[str, object]:
        """The same for a picture's files."""
        found: dict[str, object] = {"replaced by": self.by, "judged by": self.judge}
        found |= {} if self.reference is None else {"other text": self.reference}
        return {**found, "watched position": self.watched.position, "watched token": self.watched.token}

    def lines(self) -> list[str]:
        """Python that prepares the experiment."""
        texts = self.subject.texts
        given = f"target={texts.target!r}, pair={texts.pair!r}, by={self.by!r}, reference={self.reference!r}"
        call = f"experiment = prepare(model, {texts.text!r}, {given}, watched=watched)"
        return [f"watched = {self.watched!r}", call]

    def experiment(self) -> Experiment:
        """The clean pass and what stands in for parts."""
        texts = self.subject.texts
        return prepare(
            self.subject.model,
            texts.text,
            target=texts.target,
            pair=texts.pair,
            by=self.by,
            reference=self.reference,
            watched=self.watched,
        )


def choose_setting(subject: Subject) -> Setting | None:
    """By what parts are replaced, and by what the damage is judged; None where nothing is predicted."""
    watched = choose_watched(subject)
    if watched is None:
        return None
    # Side by side they would not wrap, and on a narrow screen their last words could not be reached.
    by = choose_word(
        state.BY,
        _("Replace a part by"),
        {"zero": _("zero"), "mean": _("its mean over the text"), "resampled": _("what it did on another text")},
    )
    judge = choose_word(state.JUDGE, _("Judge by"), judge_titles())
    reference = None
    if by == "resampled":
        words = _("The other text, of as many tokens")
        reference = address_text(state.OTHER_TEXT, OTHER_TEXT, label=words, limit=4000, rows=2)
    return Setting(subject=subject, by=cast(By, by), reference=reference, watched=watched, judge=cast(Judge, judge))


def judge_titles() -> dict[str, str]:
    """The measures of damage, with their units."""
    return {
        "divergence": _("KL divergence (nats)"),
        "loss": _("change of loss (nats)"),
        "logit": _("change of the watched logit"),
    }


def show_ablation(subject: Subject) -> None:
    """The map of every head, a chosen set, and the smallest set."""
    setting = choose_setting(subject)
    if setting is None:
        return
    if setting.judge == "loss" and len(subject.clean.tokens) < 2 and subject.model.kind != "encoder":
        st.info(_("One token has no next one, so that there is no loss; judge by another measure."))
        return
    kind = _choose_kind(subject)
    _show_map(setting, kind)
    lines = [f"found = ablate_every_head(experiment, {kind!r})", "print(found.divergence, found.loss, found.logit)"]
    lines += [*_show_set(setting), *_show_smallest(setting)]
    names = "Watched, ablate, ablate_every_head, prepare, smallest_circuit"
    imports = [
        f"playground.lens.intervene.ablation import {names}",
        "playground.lens.intervene.interventions import Component",
    ]
    offer_snippet(subject.model, imports, [*setting.lines(), *lines])


def _choose_kind(subject: Subject) -> SiteKind:
    kinds, titles = subject.clean.kinds, kind_titles()
    if len(kinds) == 1:
        return kinds[0]
    return cast(SiteKind, choose_word(state.KIND, _("Heads of"), {kind: titles[kind] for kind in kinds}))


def _show_map(setting: Setting, kind: SiteKind) -> None:
    st.subheader(_("Each head alone"), anchor=False)

    def compute(on_progress: OnProgress) -> HeadMap:
        return ablate_every_head(setting.experiment(), kind, on_progress)

    words = _("Taking away one head after the other:")
    found = ask(setting.subject.reading, ("ablate", kind, *setting.question), words, compute, patience=AT_ONCE)
    if found is None:
        return
    values = getattr(found, setting.judge)
    layers, heads = (list(map(str, range(count))) for count in values.shape)
    meaning = judge_titles()[setting.judge]
    signed = setting.judge != "divergence"
    figure = map_figure(values, rows=layers, columns=heads, y=_("layer"), x=_("head"), meaning=meaning, signed=signed)
    show_figure(
        setting.subject,
        figure,
        table_rows("layer", layers, heads, values),
        name=f"ablated-{kind}-{setting.judge}",
        label=_("What breaks without each head alone"),
        facts={"heads of": kind, **setting.facts},
    )


def _show_set(setting: Setting) -> list[str]:
    """The effect of a chosen set, and the Python for it."""
    st.subheader(_("A set at once"), anchor=False)
    chosen = choose_parts(setting.subject.clean, _("Take away together"))
    if not chosen:
        return []
    words = _("Taking away the chosen parts …")
    question = ("set", tuple(chosen), *setting.question)
    effect = ask(setting.subject.reading, question, words, lambda _on_progress: ablate(setting.experiment(), chosen))
    if effect is not None:
        show_effect(effect)
    return [f"print(ablate(experiment, {chosen!r}))"]


def show_effect(effect: Effect) -> None:
    """All three measures of one change."""
    numbers = {"divergence": effect.divergence, "loss": effect.loss, "logit": effect.logit}
    for column, (name, value) in zip(st.columns(3), numbers.items(), strict=True):
        column.metric(judge_titles()[name], "–" if value != value else f"{value:+.4f}")


def _show_smallest(setting: Setting) -> list[str]:
    """The few heads that suffice, where they are wanted, and the Python for them."""
    st.subheader(_("The fewest heads that keep the behaviour"), anchor=False)
    left, right = st.columns(2)
    with left:
        limit = choose_word("limit", _("Largest effect allowed"), {word: word for word in LIMITS}, usual=USUAL_LIMIT)
    with right:
        wanted = choose_word("smallest", _("Greedy search"), {NO: _("not now"), YES: _("search")})
    if wanted == NO:
        return []

    def compute(on_progress: OnProgress) -> Circuit:
        return smallest_circuit(setting.experiment(), float(limit), judge=setting.judge, on_progress=on_progress)

    words = _("Taking away as many heads as possible:")
    question = ("smallest", limit, setting.judge, *setting.question)
    circuit = ask(setting.subject.reading, question, words, compute, patience=AT_ONCE)
    lines = [f"circuit = smallest_circuit(experiment, {limit}, judge={setting.judge!r})", "print(circuit.kept)"]
    if circuit is None:
        return lines
    sentence = _("{kept} of {all} heads are enough; without the others together the predictions change by this much:")
    st.write(sentence.format(kept=len(circuit.kept), all=len(circuit.kept) + len(circuit.removed)))
    show_effect(circuit.effect)
    if circuit.kept:
        st.caption(" · ".join(component_title(head, with_kind=False) for head in circuit.kept))
    return lines
