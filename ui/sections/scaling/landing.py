"""A series of the dial: what was predicted before its first step, and where its runs landed."""

import numpy as np
import streamlit as st

from playground.charts.scaling.loss import Dots, Line, axis_title, fitted_loss_figure
from playground.csv_table import Row
from playground.scaling.budgets import short
from playground.scaling.laws import LAWS
from playground.sweeps.dial import Landing, SeriesPrediction, landings
from playground.sweeps.progress import SweepView
from playground.text import _
from ui.sections.scaling.figure import show_scaling_figure
from ui.state.parameters import RUN
from ui.text import page_link


def show_landing(sweep_id: str, view: SweepView, prediction: SeriesPrediction) -> None:
    """The runs that have finished beside the line that was predicted, in a sentence, a figure and a table."""
    landed = landings(view.config, prediction, view.points)
    st.markdown(landing_sentence(landed, len(prediction.settings)))
    show_scaling_figure(
        fitted_loss_figure(_dots(sweep_id, landed), [_line(prediction)], x=axis_title("params")),
        name="dial",
        label=_("Predicted and measured loss of the series"),
        source=_source(sweep_id, prediction),
        table=_table(prediction, landed),
        code=_code(sweep_id),
        height=380,
        revision=sweep_id,
        opens_runs=True,
    )
    st.caption(
        _("Along the line N and D change together, as the table says; the band is where 95% of new runs are to land.")
    )
    _show_rows(prediction, landed)


def landing_sentence(landed: list[Landing], total: int) -> str:
    """How many runs lie on the line, and how far off the deepest is."""
    if not landed:
        return _("The prediction is kept; no run has finished yet.")
    on_line = sum(landing.is_on_line for landing in landed)
    last = landed[-1]
    sentence = _(
        "**{on_line} of {done} finished runs landed on the line**, within the interval predicted for 95% of new runs "
        "({total} in all). Depth {depth}: measured {measured:.4f}, predicted {predicted:.4f} ({percent})."
    )
    return sentence.format(
        on_line=on_line,
        done=len(landed),
        total=total,
        depth=last.setting.depth,
        measured=last.measured,
        predicted=last.setting.predicted,
        percent=_percent(last),
    )


def _dots(sweep_id: str, landed: list[Landing]) -> Dots:
    return Dots(
        x=np.array([float(landing.setting.params) for landing in landed]),
        y=np.array([landing.measured for landing in landed]),
        size=np.array([float(landing.setting.tokens) for landing in landed]),
        size_title=axis_title("tokens"),
        names=[landing.run for landing in landed],
        links=[page_link("train", (RUN, f"{sweep_id}-{landing.run}")) for landing in landed],
        details=[
            f"N {short(landing.setting.params)}, D {short(landing.setting.tokens)}, {_percent(landing)}"
            for landing in landed
        ],
    )


def _line(prediction: SeriesPrediction) -> Line:
    settings = prediction.settings
    return Line(
        name=_("predicted before the first step"),
        x=np.array([float(setting.params) for setting in settings]),
        y=np.array([setting.predicted for setting in settings]),
        low=np.array([setting.low for setting in settings]),
        high=np.array([setting.high for setting in settings]),
    )


def _source(sweep_id: str, prediction: SeriesPrediction) -> str:
    parts = [
        _("the sweep {name}").format(name=sweep_id[:12]),
        _("predicted by {law} from {count} runs of {source}").format(
            law=_(LAWS[prediction.law].title), count=prediction.n_points, source=prediction.source
        ),
    ]
    return " · ".join(parts)


def _table(prediction: SeriesPrediction, landed: list[Landing]) -> list[Row]:
    measured = {landing.setting.depth: landing.measured for landing in landed}
    header = ("depth", "width", "params", "tokens", "learning_rate", "predicted", "low", "high", "measured")
    return [
        header,
        *(
            (
                *(setting.depth, setting.width, setting.params, setting.tokens, setting.learning_rate),
                *(setting.predicted, setting.low, setting.high, measured.get(setting.depth, "")),
            )
            for setting in prediction.settings
        ),
    ]


def _code(sweep_id: str) -> str:
    """Python that reads the same numbers on this machine."""
    return f"""from playground.folders import runs_folder
from playground.sweeps.dial import landings, read_prediction
from playground.sweeps.progress import read_sweep

view = read_sweep(runs_folder() / {sweep_id!r})
for landing in landings(view.config, read_prediction(view.folder), view.points):
    print(landing.setting.depth, landing.setting.predicted, landing.measured, landing.is_on_line)
"""


def _show_rows(prediction: SeriesPrediction, landed: list[Landing]) -> None:
    by_depth = {landing.setting.depth: landing for landing in landed}
    rows = []
    for setting in prediction.settings:
        landing = by_depth.get(setting.depth)
        rows.append(
            {
                _("Depth"): str(setting.depth),
                _("Parameters N"): f"{setting.params:,}",
                _("Tokens D"): f"{setting.tokens:,}",
                _("Predicted loss"): f"{setting.predicted:.4f}",
                _("95% of new runs"): _("{low:.4f} to {high:.4f}").format(low=setting.low, high=setting.high),
                _("Measured"): f"{landing.measured:.4f}" if landing else "–",
                _("in % of predicted"): _percent(landing) if landing else "–",
                _("On the line"): "–" if landing is None else _("yes") if landing.is_on_line else _("no"),
            }
        )
    st.dataframe(rows, hide_index=True, key="landing_rows")


def _percent(landing: Landing) -> str:
    """Measured less predicted, as a share of the predicted."""
    return f"{100 * landing.deviation:+.2f}%"
