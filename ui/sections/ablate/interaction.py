"""The whole and the sum of its parts: single effects against the joint effect."""

from collections.abc import Sequence

import numpy as np
import streamlit as st

from playground.charts.ablate import map_figure, together_figure
from playground.lens.intervene.interaction import MOST, Interaction, interaction
from playground.progress import OnProgress
from playground.text import _
from ui.jobs import ask
from ui.sections.ablate.ablation import Setting, choose_setting, judge_titles
from ui.sections.ablate.figure import show_figure, table_rows
from ui.sections.ablate.options import Subject, choose_parts, component_title
from ui.widgets.download import offer_snippet


def show_whole(subject: Subject) -> None:
    """Choose parts; see what they do one by one, together, and in pairs."""
    setting = choose_setting(subject)
    if setting is None:
        return
    parts = choose_parts(subject.clean, _("Parts"))
    if len(parts) < 2:
        st.info(_("Choose from 2 to {most} parts to hold them against each other.").format(most=MOST))
        return

    def compute(on_progress: OnProgress) -> Interaction:
        return interaction(setting.experiment(), parts, on_progress)

    words = _("Taking parts away, alone and together:")
    found = ask(subject.reading, ("whole", tuple(parts), *setting.question), words, compute)
    if found is not None:
        _show(setting, found)
    lines = [f"found = interaction(experiment, {parts!r})"]
    lines += ["print(found.singles, found.joint)", f"print(found.interaction({setting.judge!r}))"]
    imports = [
        "playground.lens.intervene.ablation import Watched, prepare",
        "playground.lens.intervene.interaction import interaction",
    ]
    imports += ["playground.lens.intervene.interventions import Component"]
    offer_snippet(subject.model, imports, [*setting.lines(), *lines])


def _show(setting: Setting, found: Interaction) -> None:
    judge, unit = setting.judge, judge_titles()[setting.judge]
    with_kind = len({part.kind for part in found.components}) > 1
    names = [component_title(part, with_kind=with_kind) for part in found.components]
    singles = [float(getattr(effect, judge)) for effect in found.singles]
    joint = float(getattr(found.joint, judge))
    rows: list[Sequence[object]] = [("part", unit), *zip(names, singles, strict=True)]
    rows += [("together", joint), ("interaction", found.interaction(judge))]
    figure = together_figure(
        names, singles, joint, titles=(_("sum of singles"), _("together"), _("interaction")), x=unit
    )
    sentence = _("One by one {sum:+.4f}, together {joint:+.4f}: the whole differs from the sum by {rest:+.4f}.")
    st.write(sentence.format(sum=found.sum_of_singles(judge), joint=joint, rest=found.interaction(judge)))
    label, facts = _("The sum of single effects, and the joint effect"), {"parts": ", ".join(names), **setting.facts}
    show_figure(setting.subject, figure, rows, name=f"whole-{judge}", label=label, facts=facts)
    st.caption(
        _(
            "Each pair's joint effect less its two single effects. Of the single effects' sign: each needs the other. "
            "Of the opposite sign: they do the same, or stand in for each other."
        )
    )
    table = np.full((len(names), len(names)), np.nan)
    for first, second in found.pairs:
        table[first, second] = table[second, first] = found.pair(first, second, judge)
    figure = map_figure(table, rows=names, columns=names, y=_("part"), x=_("part"), meaning=unit)
    pairs, label = table_rows("part", names, names, table), _("What each pair does beyond its two single effects")
    show_figure(setting.subject, figure, pairs, name=f"pairs-{judge}", label=label, facts=facts)
