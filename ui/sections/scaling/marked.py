"""The run that the address marks: where it lies beside the law, and the door to it."""

import numpy as np
import streamlit as st

from playground.scaling.fits import Fit
from playground.text import _
from ui.sections.scaling.study import ScalingStudy
from ui.state.address import read_text, write_text
from ui.state.parameters import POINT, RUN
from ui.widgets.doors import TRAIN, door


def marked_point(study: ScalingStudy) -> int | None:
    """The run that the address names, by its index; None where it names none of these."""
    name = read_text(POINT)
    return study.names.index(name) if name in study.names else None


def show_marked(study: ScalingStudy, fitted: Fit, index: int) -> None:
    """The marked run beside the law, and the door to it."""
    measured = float(study.points.loss[index])
    predicted = float(measured / np.exp(fitted.residuals()[index]))
    sentence = _("Marked: {run}, loss {measured:.4f}, by the law {predicted:.4f} ({percent:+.2f}% of predicted).")
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        # A name may be a person's: never markup.
        st.text(
            sentence.format(
                run=study.names[index], measured=measured, predicted=predicted, percent=100 * (measured / predicted - 1)
            ),
            width="content",
        )
        if study.run_ids[index]:
            door(_("Open this run"), TRAIN, {str(RUN): study.run_ids[index]})
        st.button(_("Remove the mark"), icon=":material/close:", type="tertiary", key="no_mark", on_click=_unmark)


def _unmark() -> None:
    write_text(POINT, None)
