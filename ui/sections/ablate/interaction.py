"""Interaction effects: single ablations against the joint one, and pairs."""

from collections.abc import Sequence

import numpy as np
import streamlit as st

from playground.charts.ablate import interaction_figure
from playground.charts.heatmap import heatmap_figure
from playground.lens.intervene.findings import joint_against_singles
from playground.lens.intervene.interaction import MOST_COMPONENTS, Interaction, measure_interaction
from playground.progress import OnProgress
from playground.text import _, fill
from ui.jobs import compute
from ui.sections.ablate.figure import show_figure, table_rows
from ui.sections.ablate.options import Subject, choose_components, component_title
from ui.sections.ablate.setting import Setting, choose_setting, metric_titles
from ui.state.address import write_choice
from ui.state.parameters import SECTION
from ui.widgets.download import offer_snippet
from ui.widgets.findings import show_findings


def show_interaction(subject: Subject) -> None:
    """Choose components; compare their single effects, joint effect and pairs."""
    setting = choose_setting(subject)
    if setting is None:
        return
    components = choose_components(subject.clean, _("Components to ablate"))
    if len(components) < 2:
        st.info(_("Choose from 2 to {most} components to compare them.").format(most=MOST_COMPONENTS))
        return

    def make(on_progress: OnProgress) -> Interaction:
        return measure_interaction(setting.experiment(), components, on_progress)

    title = _("Ablating components, singly and jointly:")
    interaction = compute(("whole", tuple(components), *setting.key), make, title=title, cache=subject.traced)
    if interaction is not None:
        _show_effects(setting, interaction)
        _show_pairs(setting, interaction)
        st.button(
            _("Predictions with and without them"),
            icon=":material/content_cut:",
            type="tertiary",
            key="door_joint",
            on_click=write_choice,
            args=(SECTION, "ablate", "ablate"),
        )
    lines = [f"interaction = measure_interaction(experiment, {components!r})"]
    lines += ["print(interaction.singles, interaction.joint)", f"print(interaction.of_all({setting.metric!r}))"]
    imports = [
        "playground.lens.capture.activations import Component",
        "playground.lens.intervene.ablation import TargetToken, prepare",
        "playground.lens.intervene.interaction import measure_interaction",
    ]
    offer_snippet(subject.model, imports, [*setting.lines(), *lines])


def _names(interaction: Interaction) -> list[str]:
    with_kind = len({component.kind for component in interaction.components}) > 1
    return [component_title(component, with_kind=with_kind) for component in interaction.components]


def _show_effects(setting: Setting, interaction: Interaction) -> None:
    """The sum of single effects, the joint effect and their difference."""
    metric, unit, names = setting.metric, metric_titles()[setting.metric], _names(interaction)
    singles = [float(getattr(effect, metric)) for effect in interaction.singles]
    joint = float(getattr(interaction.joint, metric))
    rows: list[Sequence[object]] = [("component", unit), *zip(names, singles, strict=True)]
    rows += [("joint effect", joint), ("interaction", interaction.of_all(metric))]
    show_findings(joint_against_singles(singles, joint, title=unit))
    sentence = _("Sum of single effects {sum:+.4f}, joint effect {joint:+.4f}, interaction {difference:+.4f}.")
    st.caption(
        fill(sentence, sum=interaction.sum_of_singles(metric), joint=joint, difference=interaction.of_all(metric))
    )
    show_figure(
        setting.subject,
        interaction_figure(names, singles, joint, x=unit),
        rows,
        name=f"whole-{metric}",
        label=_("Sum of single effects and joint effect"),
        details={"components": ", ".join(names), **setting.details},
    )


def _show_pairs(setting: Setting, interaction: Interaction) -> None:
    """Each pair's interaction."""
    st.caption(
        _(
            "Pairwise interaction: the joint effect of two components minus their single effects. Same sign as the "
            "effects: they are redundant, each makes up for the loss of the other. Opposite sign: each needs the "
            "other, so that losing one already costs what the other does."
        )
    )
    metric, names = setting.metric, _names(interaction)
    table = np.full((len(names), len(names)), np.nan)
    for first, second in interaction.pairs:
        table[first, second] = table[second, first] = interaction.of_pair(first, second, metric)
    axis = _("component")
    show_figure(
        setting.subject,
        heatmap_figure(table, rows=names, columns=names, y=axis, x=axis, meaning=metric_titles()[metric]),
        table_rows("component", names, names, table),
        name=f"pairs-{metric}",
        label=_("Pairwise interaction"),
        details={"components": ", ".join(names), **setting.details},
    )
