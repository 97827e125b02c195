"""Published laws overlaid on the current data set: exponents as printed, everything else fitted."""

from dataclasses import dataclass
from functools import partial

import streamlit as st

from playground.progress import OnProgress
from playground.scaling.fits import fit_to_exponents
from playground.scaling.forms.form import Parameters
from playground.scaling.published import BESIROGLU, HOFFMANN, KAPLAN, Published
from playground.text import _
from ui.cache import scaling_results
from ui.jobs import compute
from ui.sections.scaling.study import ScalingStudy
from ui.state.address import read_several, write_several
from ui.state.parameters import PUBLISHED

OVERLAYS: dict[str, Published] = {published.key: published for published in (KAPLAN, HOFFMANN, BESIROGLU)}


@dataclass(frozen=True, kw_only=True, eq=False)
class LawCurve:
    """A law as it is drawn on this page."""

    name: str
    law: str
    parameters: Parameters
    series: int = 0
    """Its colour: 0 for one's own fit, then the published laws."""

    @property
    def dash(self) -> str:
        """Published laws are dashed: their colours stand beside those of the points."""
        return "dash" if self.series else ""


def choose_overlays() -> list[str]:
    """The published laws to overlay, all by default."""
    known = list(OVERLAYS)
    chosen: list[str] = st.pills(
        _("Overlay published laws"),
        known,
        selection_mode="multi",
        default=read_several(PUBLISHED, known, known),
        format_func=lambda key: _(OVERLAYS[key].title),
        key="choose_published",
    )
    write_several(PUBLISHED, chosen, known, known)
    return chosen


def fetch_overlays(study: ScalingStudy, keys: list[str]) -> list[LawCurve]:
    """The chosen laws, fitted to the points; those that cannot be are left out with a sentence."""
    curves = []
    for series, (key, published) in enumerate(OVERLAYS.items(), start=1):
        if key not in keys:
            continue
        name = _(published.title)
        title = _("Fitting {law} with its published exponents …").format(law=name)
        parameters = compute(
            ("aligned", study.fingerprint, key), partial(_fit, published, study), title=title, cache=scaling_results()
        )
        if parameters is not None:
            curves.append(LawCurve(name=name, law=published.law, parameters=parameters, series=series))
    return curves


def _fit(published: Published, study: ScalingStudy, _on_progress: OnProgress) -> Parameters:
    return fit_to_exponents(published.law, published.parameters, study.points)
