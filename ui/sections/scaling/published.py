"""What others published: Hoffmann's runs to fit, famous models beside a law, their sizes; a published law of tasks."""

import streamlit as st

from playground.text import _
from ui.sections.scaling.downstream import show_downstream
from ui.sections.scaling.famous_models import choose_famous_law, show_famous_models, show_famous_sizes
from ui.sections.scaling.published_runs import show_published_runs
from ui.sections.scaling.study import ScalingStudy
from ui.state.parameters import FIGURE
from ui.widgets.choice import choose_option


def published_titles() -> dict[str, str]:
    """The figures, by the names that stand in addresses."""
    return {
        "runs": _("Hoffmann's runs"),
        "models": _("Famous models"),
        "sizes": _("Sizes over the years"),
        "tasks": _("Loss to task"),
    }


def show_published_section(study: ScalingStudy | None) -> None:
    """One of the figures."""
    with st.container(horizontal=True, gap="medium"):
        figure = choose_option(FIGURE, _("Figure"), published_titles(), key="choose_published_figure", hidden=True)
        law = choose_famous_law(study) if figure == "models" else ""
    if figure == "models":
        show_famous_models(study, law)
    elif figure == "sizes":
        show_famous_sizes()
    elif figure == "tasks":
        show_downstream()
    else:
        show_published_runs(study)
