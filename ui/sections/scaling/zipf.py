"""Zipf's dial: stories at several Zipf exponents, and the exponents of their losses beside the quantization model's."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import streamlit as st

from playground.charts.scaling.intervals import Interval, intervals_figure
from playground.csv_table import Row
from playground.errors import UserError
from playground.progress import OnProgress
from playground.scaling.bootstrap import Bootstrap, bootstrap
from playground.scaling.fits import Fit, fit
from playground.scaling.quantization import QuantizedExponents, finite_exponents, quantized_exponents
from playground.scaling.verdict import LOOSE, spread
from playground.sweeps.folder import SWEEP, find_sweep
from playground.tasks.tales.tales_task import TalesConfig
from playground.text import _
from ui.cache import hash_of_files, scaling_results
from ui.jobs import compute
from ui.sections.scaling.figure import show_scaling_figure
from ui.sections.scaling.study import SHIPPED, ScalingStudy, study_of_sweep

LAW, RESAMPLES = "chinchilla", 200
SHORT = 0.2
"""The share of warm-up in a run beyond which it is called short."""
SYMBOLS = {"alpha": "α", "beta": "β"}


@dataclass(frozen=True, kw_only=True)
class ZipfFit:
    """The law of one Zipf exponent's runs, E fixed at their known entropy, and what the quantization model predicts."""

    name: str
    exponent: float
    ranks: int
    """Names in the world, its longest list."""
    fitted: Fit
    resamples: Bootstrap
    shortest_steps: int
    """Of the shortest run."""
    warm_up: int

    @property
    def predicted(self) -> QuantizedExponents | None:
        """For endless ranks; None up to an exponent of 1."""
        return quantized_exponents(self.exponent) if self.exponent > 1 else None

    @property
    def finite(self) -> QuantizedExponents:
        """For as many ranks as there are names."""
        return finite_exponents(self.exponent, self.ranks)


def show_zipf_section(study: ScalingStudy | None) -> None:
    """The exponents of every shipped sweep on stories beside those that are predicted."""
    st.caption(
        _(
            "If a language is a list of skills whose frequencies fall as Zipf's law, rank to the power of −(a + 1), "
            "and models learn the most frequent first, the excess loss falls as N to the power of −a and as D to the "
            "power of −a/(a + 1) (the quantization model, Michaud et al. 2023). The stories have a dial for just that: "
            "the Zipf exponent a + 1 of their names, places and things."
        )
    )
    counts_embeddings = study is None or study.counts_embeddings
    fits = _fetch_fits(counts_embeddings=counts_embeddings)
    if not fits:
        return
    st.markdown(" ".join(_sentence(each) for each in fits if each.predicted is not None))
    _show_figure(fits)
    st.dataframe([row for each in fits for row in _rows(each)], hide_index=True, key="zipf_rows")
    st.caption(
        _(
            "Why the two need not agree: the law counts skills, these models have parameters; most of what the stories "
            "ask for is grammar and memory of who has what, whose frequencies no dial changes; and a list of {ranks} "
            "names ends, so that its tail falls faster than a power (predicted with so many ranks: the slope over the "
            "first half of them)."
        ).format(ranks=fits[0].ranks)
    )
    _warn_of_short_runs(fits)


def _warn_of_short_runs(fits: list[ZipfFit]) -> None:
    """Name the sweeps whose shortest runs are mostly warm-up: what they measure is no law of N and D."""
    short = [each for each in fits if each.warm_up > SHORT * each.shortest_steps]
    if short:
        st.caption(
            _(
                "The shortest runs at Zipf {exponents} have {steps} steps, {warm_up} of them warm-up: their losses say "
                "more about the start of training than about the amount of data, and raise β."
            ).format(
                exponents=", ".join(f"{each.exponent:g}" for each in short),
                steps=short[0].shortest_steps,
                warm_up=short[0].warm_up,
            )
        )


def zipf_folders() -> dict[float, Path]:
    """The shipped sweeps on stories by their Zipf exponents."""
    found = {}
    for path in sorted(SHIPPED.glob("*/points.csv")):
        task = find_sweep(path.parent).config.task
        if isinstance(task, TalesConfig):
            found[task.exponent] = path.parent
    return dict(sorted(found.items()))


def _fetch_fits(*, counts_embeddings: bool) -> list[ZipfFit]:
    """A fit for each sweep; those that a person has cancelled are left out."""
    fits = []
    for exponent, folder in zipf_folders().items():
        key = ("zipf", hash_of_files(folder / "points.csv", folder / SWEEP), counts_embeddings)
        title = _("Fitting the stories of Zipf exponent {exponent:g} …").format(exponent=exponent)
        make = partial(_fit, folder, counts_embeddings)
        each = compute(key, make, title=title, cache=scaling_results())
        if each is not None:
            fits.append(each)
    return fits


def _fit(folder: Path, counts_embeddings: bool, _on_progress: OnProgress) -> ZipfFit:
    study = study_of_sweep(folder, title=folder.name, source=folder.name, opens=False)
    study = study if counts_embeddings else study.counted_without_embeddings()
    config = find_sweep(folder).config
    task = config.task
    if not isinstance(task, TalesConfig):
        raise UserError("The sweep {name} was not trained on stories.", name=folder.name)
    fitted = fit(LAW, study.points, floor=study.floor)
    return ZipfFit(
        name=folder.name,
        exponent=task.exponent,
        ranks=task.names,
        fitted=fitted,
        resamples=bootstrap(fitted, n_resamples=RESAMPLES, processes=1),
        shortest_steps=round(study.points.tokens.min() / config.tokens_per_step),
        warm_up=config.warm_up,
    )


def _sentence(each: ZipfFit) -> str:
    """Predicted and fitted exponents, and whether the interval holds the prediction."""
    assert each.predicted is not None
    said = [
        _("{symbol} {fitted:.2f} [{low:.2f}, {high:.2f}], predicted {predicted:.2f} ({verdict})").format(
            symbol=SYMBOLS[name],
            fitted=each.fitted.parameters[name],
            low=low,
            high=high,
            predicted=predicted,
            verdict=_verdict(low, high, predicted),
        )
        for name, (low, high), predicted in _compared(each)
    ]
    return _("Zipf {exponent:g}: {said}.").format(exponent=each.exponent, said="; ".join(said))


def _verdict(low: float, high: float, predicted: float) -> str:
    """Whether an interval holds a prediction; one that holds nearly anything agrees with nothing."""
    if not low <= predicted <= high:
        return _("disagrees")
    return _("agrees") if spread(low, high) < LOOSE else _("inside an interval too wide to tell")


def _compared(each: ZipfFit) -> list[tuple[str, tuple[float, float], float]]:
    intervals = each.resamples.intervals()
    assert each.predicted is not None
    return [(name, intervals[name], getattr(each.predicted, name)) for name in SYMBOLS]


def _show_figure(fits: list[ZipfFit]) -> None:
    groups = [
        (_("fitted"), [_fitted_interval(each, name) for each in fits for name in SYMBOLS]),
        (
            _("predicted, endless ranks"),
            [_exact(each, name, each.predicted) for each in fits for name in SYMBOLS if each.predicted],
        ),
        (
            _("predicted, {ranks} ranks").format(ranks=fits[0].ranks),
            [_exact(e, n, e.finite) for e in fits for n in SYMBOLS],
        ),
    ]
    table: list[Row] = [("kind", "exponent", "value", "low", "high")]
    table += [(group, each.name, each.value, each.low, each.high) for group, members in groups for each in members]
    names = ", ".join(each.name for each in fits)
    show_scaling_figure(
        intervals_figure(groups, x=_("exponent, with its 95% interval where it is fitted")),
        name="zipf",
        label=_("Fitted and predicted exponents by Zipf exponent"),
        source=_("the shipped sweeps {names}; Chinchilla's law, E fixed at the known entropy").format(names=names),
        table=table,
        code=_code(fits),
        height=120 + 42 * 2 * len(fits),
        revision=names + str(fits[0].fitted.points.params.min()),
    )


def _fitted_interval(each: ZipfFit, name: str) -> Interval:
    low, high = each.resamples.intervals()[name]
    return Interval(name=_row_title(each, name), value=each.fitted.parameters[name], low=low, high=high)


def _exact(each: ZipfFit, name: str, exponents: QuantizedExponents) -> Interval:
    value = getattr(exponents, name)
    return Interval(name=_row_title(each, name), value=value, low=value, high=value)


def _row_title(each: ZipfFit, name: str) -> str:
    return _("{symbol}, Zipf {exponent:g}").format(symbol=SYMBOLS[name], exponent=each.exponent)


def _rows(each: ZipfFit) -> list[dict[str, str]]:
    intervals = each.resamples.intervals()
    return [
        {
            _("Zipf exponent"): f"{each.exponent:g}",
            _("Exponent"): _("{symbol} of {size}").format(symbol=symbol, size="N" if name == "alpha" else "D"),
            _("Fitted"): f"{each.fitted.parameters[name]:.3f}",
            _("95% interval"): _("{low:.3f} to {high:.3f}").format(low=intervals[name][0], high=intervals[name][1]),
            _("Predicted"): f"{getattr(each.predicted, name):.3f}" if each.predicted else "–",
            _("With {ranks} ranks").format(ranks=each.ranks): f"{getattr(each.finite, name):.3f}",
            _("Runs"): str(len(each.fitted.points)),
        }
        for name, symbol in SYMBOLS.items()
    ]


def _code(fits: list[ZipfFit]) -> str:
    """Python that fits the same laws, from the repository's root."""
    names = [each.name for each in fits]
    return f"""from pathlib import Path

from playground.scaling.fits import fit
from playground.scaling.quantization import quantized_exponents
from playground.sweeps.progress import read_sweep

for name in {names!r}:
    view = read_sweep(Path("assets/sweeps") / name)
    floor = sum(point.floor for point in view.points) / len(view.points)
    fitted = fit("chinchilla", view.to_points(with_embeddings=True), floor=floor)
    zipf = view.config.task.exponent
    print(zipf, fitted.parameters, quantized_exponents(zipf) if zipf > 1 else None)
"""
