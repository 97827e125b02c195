"""From loss to task: our own checkpoints' errors over their losses, and Gadre's law through them."""

from dataclasses import dataclass

import numpy as np
import streamlit as st

from playground.charts.scaling.downstream import downstream_figure
from playground.charts.scaling.loss import RAMP, Dots, Line
from playground.csv_table import Row
from playground.emergence.tables import FOLDER
from playground.progress import OnProgress
from playground.scaling.budgets import short
from playground.scaling.downstream import DownstreamFit, fit_downstream
from playground.scaling.task_table import read_task_points
from playground.text import N_, _
from ui.cache import hash_of_files, scaling_results
from ui.jobs import compute
from ui.sections.scaling.figure import show_metrics, show_scaling_figure
from ui.sections.scaling.loss_curves import curve_table
from ui.state.parameters import SHARE_RIGHT, TASK_TABLE
from ui.widgets.choice import as_label, choose_option

CURVE_POINTS = 120
SYMBOLS = {"epsilon": "ε", "k": "k", "gamma": "γ"}


@dataclass(frozen=True, kw_only=True)
class TaskTable:
    """A shipped table of checkpoints: its columns of loss and of shares right."""

    title: str
    """Marked for translation."""
    loss: str
    right: dict[str, str]
    """Columns, and their titles, marked for translation."""


RIGHT = {"exact_match": N_("exact match"), "token_accuracy": N_("token accuracy")}
TASKS = {
    "addition": TaskTable(title=N_("Addition"), loss="held_out_loss", right=RIGHT),
    "translation": TaskTable(title=N_("Translation"), loss="held_out_loss", right=RIGHT),
    "induction": TaskTable(
        title=N_("Induction"),
        loss="repeat_loss",
        right={"repeat_accuracy": N_("accuracy on 2nd copy")},
    ),
}


def show_downstream() -> None:
    """Choose a task and a measure; see error over loss with the fitted law."""
    with st.container(horizontal=True, gap="medium"):
        task_titles = {name: _(table.title) for name, table in TASKS.items()}
        task = choose_option(TASK_TABLE, _("Task"), task_titles, hidden=True)
        titles = {name: as_label(_(title)) for name, title in TASKS[task].right.items()}
        right = choose_option(SHARE_RIGHT, _("Metric"), titles, key=f"share_right_{task}", hidden=True)
    fitted = _fetch(task, right)
    if fitted is None:
        return
    st.markdown(downstream_sentence(fitted))
    _show_figure(task, right, fitted)
    _show_parameters(fitted)
    st.caption(
        _(
            "Gadre et al. 2024 predict a task from the loss: error = ε − k exp(−γ L). Here for models that this "
            "repository trained: each dot is a checkpoint, so the small models' late ones lie beside the large ones' "
            "early ones."
        )
    )
    st.caption(
        _(
            "Dashed: what follows if the tokens of an answer were right independently, each with probability exp(−L): "
            "1 − exp(−n L) for the {count:.3g} tokens that are judged together. Intervals resample whole runs; a study "
            "of fewer than five has none. One seed each."
        ).format(count=fitted.points.tokens)
    )


def downstream_sentence(fitted: DownstreamFit) -> str:
    """The law, how well it describes and predicts, and how it compares with independent tokens."""
    law = fitted.law
    said = [
        _(
            "Error = {epsilon:.3g} − {k:.3g} exp(−{gamma:.3g} L) describes {count} checkpoints to {rmse:.1f} points."
        ).format(epsilon=law.epsilon, k=law.k, gamma=law.gamma, count=len(fitted.points), rmse=100 * fitted.rmse)
    ]
    if fitted.heldout is not None:
        template = _("From the smaller models alone it predicts the largest ones' to {error:.1f} points.")
        said.append(template.format(error=100 * fitted.heldout))
    independent = 1 - np.exp(-fitted.points.tokens * fitted.points.loss)
    off = float(np.sqrt(np.mean((fitted.points.error - independent) ** 2)))
    said.append(_("Independent tokens would miss them by {off:.1f}.").format(off=100 * off))
    return " ".join(said)


def _fetch(task: str, right: str) -> DownstreamFit | None:
    path = FOLDER / f"{task}.csv"
    key = ("downstream", task, right, hash_of_files(path))

    def make(on_progress: OnProgress) -> DownstreamFit:
        table = read_task_points(path.read_text(encoding="utf-8"), loss=TASKS[task].loss, right=right)
        return fit_downstream(table.points, on_progress=on_progress)

    return compute(key, make, title=_("Bootstrap resamples:"), cache=scaling_results())


def _show_figure(task: str, right: str, fitted: DownstreamFit) -> None:
    points, table = fitted.points, TASKS[task]
    x = np.linspace(0.0, float(points.loss.max()), CURVE_POINTS)
    low, high = fitted.band(x) or (None, None)
    lines = [
        Line(name=_("Gadre's law, fitted"), x=x, y=fitted.law.predict(x), low=low, high=high),
        Line(name=_("independent tokens"), x=x, y=1 - np.exp(-points.tokens * x), colour=RAMP[4], dash="dash"),
    ]
    dots = Dots(
        x=points.loss,
        y=points.error,
        size=points.params,
        names=points.runs,
        details=[_("N {params}").format(params=short(params)) for params in points.params.tolist()],
    )
    rows: list[Row] = curve_table("loss", dots, lines)
    show_scaling_figure(
        downstream_figure(dots, lines, y=_("error: 1 − {metric}").format(metric=_(table.right[right]))),
        name=f"loss-to-{task}",
        label=_("Error of the task over the loss"),
        source=_("assets/emergence/{task}.csv, checkpoints of {count} runs; Gadre et al. 2024, equation 5").format(
            task=task, count=len(set(points.runs))
        ),
        table=[("series", "nats", "error", "low", "high"), *rows[1:]],
        code=downstream_code(task, right),
        revision=f"{task}{right}",
    )


def _show_parameters(fitted: DownstreamFit) -> None:
    intervals = fitted.intervals()
    cells = []
    for name, symbol in SYMBOLS.items():
        note = _("{low:.3g} to {high:.3g}").format(low=intervals[name][0], high=intervals[name][1]) if intervals else ""
        cells.append((symbol, f"{getattr(fitted.law, name):.4g}", note))
    show_metrics(cells)


def downstream_code(task: str, right: str) -> str:
    """Python that fits the same law, from the repository's root."""
    return f"""from pathlib import Path

from playground.scaling.downstream import fit_downstream
from playground.scaling.task_table import read_task_points

text = Path("assets/emergence/{task}.csv").read_text()
fitted = fit_downstream(read_task_points(text, loss={TASKS[task].loss!r}, right={right!r}).points)
print(fitted.law, fitted.intervals(), fitted.rmse, fitted.heldout)
"""
