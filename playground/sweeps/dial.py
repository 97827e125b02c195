"""One dial: a depth sets width, heads, learning rate, batch and tokens by a sweep's own law, and the loss is predicted.

The prediction is made from runs that are there already and stands in the new sweep's folder before its first step
(prediction.json), so that nobody can adapt it to what came out.
"""

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from playground.errors import UserError
from playground.scaling.bootstrap import LEVEL, Bootstrap, percentile_interval
from playground.scaling.fits import Fit
from playground.scaling.frontier import closed_form
from playground.scaling.laws import LAWS
from playground.scaling.points import FLOPS_PER_PARAMETER_AND_TOKEN
from playground.sweeps.flop_counting import count_parameters
from playground.sweeps.grid import SweepConfig, cells, shape_of
from playground.sweeps.results import CellResult
from playground.training.run.paths import read_json

PREDICTION = "prediction.json"
LAW = "chinchilla"
DEPTHS = 4
"""In a series: the dial's own and the ones below."""
SHALLOWEST, DEEPEST = 4, 8


@dataclass(frozen=True, kw_only=True)
class DialSetting:
    """Everything that a depth decides, and the loss that the law predicts for it."""

    depth: int
    width: int
    """depth x the sweep's head width: one more head with each layer."""
    params: int
    """N, counted as for the law."""
    learning_rate: float
    tokens: int
    """What the law finds compute-optimal for N with C = 6 N D, but at least the fewest and at most the most tokens
    that a run of the sweep saw."""
    optimal_tokens: float
    """Before these bounds; infinite where a float cannot hold it."""
    predicted: float
    low: float
    """With `high` the interval in which 95% of new runs are to land: resampled laws, each with every residual."""
    high: float
    is_extrapolated: bool
    """Whether N is smaller or larger than any model of the sweep."""

    @property
    def is_bounded(self) -> bool:
        """Whether the tokens are not the law's optimum."""
        return not math.isclose(self.tokens, self.optimal_tokens, rel_tol=0.02)


@dataclass(frozen=True, kw_only=True)
class SeriesPrediction:
    """The contents of prediction.json."""

    law: str
    parameters: dict[str, float]
    floor: float | None
    """The known entropy at which E was fixed."""
    source: str
    """Whose runs the law was fitted to."""
    n_points: int
    counting: str
    """How N was counted: a convention of `flop_counting.PARAMETERS`."""
    settings: tuple[DialSetting, ...]


@dataclass(frozen=True, kw_only=True)
class Landing:
    """A finished run of a series beside its prediction."""

    setting: DialSetting
    run: str
    measured: float

    @property
    def is_on_line(self) -> bool:
        """Whether it lies within the interval that was predicted."""
        return self.setting.low <= self.measured <= self.setting.high

    @property
    def deviation(self) -> float:
        """Measured less predicted, as a share of the predicted."""
        return self.measured / self.setting.predicted - 1


def dial_depths(deepest: int) -> tuple[int, ...]:
    """The depths of a series, smallest first. Raises UserError beyond the dial's ends.

    >>> dial_depths(5)
    (2, 3, 4, 5)
    """
    if not SHALLOWEST <= deepest <= DEEPEST:
        raise UserError("The dial goes from {first} to {last}.", first=SHALLOWEST, last=DEEPEST)
    return tuple(range(deepest - DEPTHS + 1, deepest + 1))


def turn_dial(config: SweepConfig, fitted: Fit, resamples: Bootstrap, depth: int, *, counting: str) -> DialSetting:
    """What a depth means under the law that was fitted to a sweep of this configuration.

    Raises UserError where the law is not Chinchilla's, or has no optimum.
    """
    if fitted.law != LAW:
        raise UserError("The dial needs Chinchilla's law: it says how many tokens a size is worth.")
    width = depth * config.head_width
    params = count_parameters(shape_of(config, (width, depth)), counting)
    points = fitted.points
    optimal = optimal_tokens(fitted.parameters, params)
    bounded = min(max(optimal, points.tokens.min()), points.tokens.max())
    tokens = max(1, round(bounded / config.tokens_per_step)) * config.tokens_per_step
    low, high = run_interval(fitted, resamples, params=params, tokens=tokens)
    return DialSetting(
        depth=depth,
        width=width,
        params=params,
        learning_rate=series_rates(config).peak_rate((width, depth)),
        tokens=tokens,
        optimal_tokens=optimal,
        predicted=float(fitted.predict(params=params, tokens=tokens)),
        low=low,
        high=high,
        is_extrapolated=not points.params.min() <= params <= points.params.max(),
    )


def optimal_tokens(parameters: dict[str, float], params: float) -> float:
    """The tokens for which a size is compute-optimal under Chinchilla's law with C = 6 N D.

    N = k C^a solved for C. Infinite where the law asks for more than a float can hold.

    >>> round(optimal_tokens({"E": 1.0, "A": 400.0, "B": 400.0, "alpha": 0.5, "beta": 0.5}, 1e10))
    10000000000
    """
    frontier = closed_form(parameters)
    log_flops = (math.log(params) - frontier.log_coefficient) / frontier.exponent
    log_tokens = log_flops - math.log(FLOPS_PER_PARAMETER_AND_TOKEN * params)
    return math.exp(log_tokens) if log_tokens < 700 else math.inf


def run_interval(fitted: Fit, resamples: Bootstrap, *, params: float, tokens: float) -> tuple[float, float]:
    """Where 95% of new runs are to land: the law of each resample, scattered by each run's residual.

    Wider than the band of the curve, which says where the mean of many runs lies.
    """
    law = LAWS[fitted.law]
    each = [float(law.predict(one, params=params, tokens=tokens)) for one in resamples.parameters()]
    scattered: Float[np.ndarray, "resample run"] = np.outer(each, np.exp(fitted.residuals()))
    low, high = percentile_interval(scattered.ravel(), LEVEL)
    return float(low), float(high)


def series_rates(config: SweepConfig) -> SweepConfig:
    """The sweep's learning rates as a rule of the width: tuned ones are followed by a power law through them."""
    widths = {width for width, _layers, _rate in config.tuned_rates}
    if len(widths) < 2:
        return dataclasses.replace(config, tuned_rates=())
    logs = np.log([(width, rate) for width, _layers, rate in config.tuned_rates])
    slope, offset = np.polyfit(logs[:, 0], logs[:, 1], 1)
    at = config.learning_rate_width
    return dataclasses.replace(
        config,
        tuned_rates=(),
        learning_rate=float(f"{math.exp(offset + slope * math.log(at)):.6g}"),
        learning_rate_exponent=float(f"{-slope:.6g}"),
    )


def series_config(config: SweepConfig, settings: Sequence[DialSetting]) -> SweepConfig:
    """The sweep that trains these settings: corpus, batch, schedule and evaluation are those of the law's own runs."""
    return dataclasses.replace(
        series_rates(config),
        design="series",
        sizes=tuple((setting.width, setting.depth) for setting in settings),
        tokens=tuple(setting.tokens for setting in settings),
        flops=(),
        seeds=(1 + max(config.seeds),),
        rate_factors=(1.0,),
        device="cpu",
    )


def predict_series(
    config: SweepConfig, fitted: Fit, resamples: Bootstrap, deepest: int, *, counting: str, source: str
) -> SeriesPrediction:
    """The prediction of a series of four depths."""
    settings = [turn_dial(config, fitted, resamples, depth, counting=counting) for depth in dial_depths(deepest)]
    return SeriesPrediction(
        law=fitted.law,
        parameters=dict(fitted.parameters),
        floor=fitted.floor,
        source=source,
        n_points=len(fitted.points),
        counting=counting,
        settings=tuple(settings),
    )


def prediction_to_dict(prediction: SeriesPrediction) -> dict[str, Any]:
    """As it stands in prediction.json; an infinite number of tokens is null."""
    values = dataclasses.asdict(prediction)
    for setting in values["settings"]:
        if math.isinf(setting["optimal_tokens"]):
            setting["optimal_tokens"] = None
    return values


def read_prediction(folder: Path) -> SeriesPrediction | None:
    """The prediction in a sweep's folder; None where there is none, or it is damaged."""
    values = read_json(folder / PREDICTION)
    try:
        settings = [
            DialSetting(**{**setting, "optimal_tokens": setting["optimal_tokens"] or math.inf})
            for setting in values["settings"]
        ]
        return SeriesPrediction(**{**values, "settings": tuple(settings)})
    except (KeyError, TypeError):
        return None


def landings(config: SweepConfig, prediction: SeriesPrediction, results: Sequence[CellResult]) -> list[Landing]:
    """The finished runs of a series beside their predictions, shallowest first."""
    names = {(cell.config.model.width, cell.config.model.layers): cell.name for cell in cells(config)}
    losses = {result.run: result.loss for result in results}
    runs = [(setting, names.get((setting.width, setting.depth), "")) for setting in prediction.settings]
    return [Landing(setting=setting, run=run, measured=losses[run]) for setting, run in runs if run in losses]
