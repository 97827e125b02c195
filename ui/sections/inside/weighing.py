"""From scores to weights: each key's number after each step."""

import numpy as np

from playground.charts.inside import number_word as word
from playground.charts.inside import rows_figure
from playground.charts.palette import KEY
from playground.text import _
from ui.sections.inside.origins import pairwise, per_key, sum_words
from ui.sections.inside.scene import Scene
from ui.sections.inside.step_layout import symbols
from ui.sections.inside.step_parts import Picture, Stage


def weighing(scene: Scene) -> list[Stage]:
    """Scores, scaling, bias and mask, softmax."""
    return [_scores(scene), _scaling(scene), _mask(scene), _softmax(scene)]


def _scores(scene: Scene) -> Stage:
    steps, sign = scene.inside.steps, symbols(is_dark=scene.is_dark)
    products = steps.query * steps.keys[scene.shown]
    shown = steps.keys[scene.shown]
    hover = pairwise(np.broadcast_to(steps.query, shown.shape), shown, scene.shown_keys, "q[{place}] · k[{place}]")
    colours = [KEY] * len(products)
    figure = rows_figure(list(products), scene.shown_keys, hover, colours, x=_("dimension"))
    cells = tuple(("qk", index) for index in scene.shown)
    origins = [sum_words(row, f"q[{{i}}] · k[{index},{{i}}]") for index, row in zip(scene.shown, products, strict=True)]
    return Stage(
        name="scores",
        title=_("Scores"),
        formula=rf"s_j = {sign['q']} \cdot {sign['k']}_j = \sum_i {sign['q']}_i {sign['k']}_{{j,i}}",
        sentence=_("Above each product of query and key, number by number; below their sum, the score of each key."),
        pictures=(
            Picture(figure=figure, rows=len(products), label=_("Products of query and keys"), cells=cells),
            _strip(scene, "s", steps.products, origins, _("Score of each key")),
        ),
        code=("scores",),
    )


def _scaling(scene: Scene) -> Stage:
    steps = scene.inside.steps
    scaled = steps.products * steps.scaling
    is_capped = not np.allclose(scaled, steps.scores, rtol=1e-3, atol=1e-4)
    width = len(steps.query)
    is_root = abs(steps.scaling * width**0.5 - 1) < 1e-4
    origins = [f"{word(float(steps.products[i]))} · {word(steps.scaling)}" for i in scene.shown]
    if is_capped:
        origins = [origin + _(", softly capped") for origin in origins]
    root = rf"\frac{{s_j}}{{\sqrt{{{width}}}}}" if is_root else rf"{steps.scaling:.4g}\, s_j"
    return Stage(
        name="scaling",
        title=_("Scaling"),
        formula=rf"s'_j = {root}" if not is_capped else rf"s'_j = c\,\tanh\left(\frac1c {root}\right)",
        sentence=_("Each score times {scaling:.4g}, which keeps wide heads from being too sure.").format(
            scaling=steps.scaling
        ),
        pictures=(_strip(scene, "t", steps.scores, origins, _("Scaled score of each key")),),
        code=("scores",),
    )


def _mask(scene: Scene) -> Stage:
    steps = scene.inside.steps
    hidden = _hidden(steps.masked)
    shown = np.where(hidden, -np.inf, steps.masked)
    added = np.where(hidden, -np.inf, steps.masked - steps.scores)
    origins = [f"{word(float(steps.scores[i]))} + {word(float(added[i]))}" for i in scene.shown]
    biases = added[~hidden]
    has_bias = bool(biases.size and np.abs(biases).max() > 1e-5)
    sentence = _("The query may look at {seen:,} of {keys:,} keys. ").format(
        seen=int((~hidden).sum()), keys=len(hidden)
    )
    sentence += _("A bias by distance is added.") if has_bias else _("Nothing else is added.")
    return Stage(
        name="mask",
        title=_("Bias and mask"),
        formula=r"m_j = s'_j + b_j + \begin{cases}0\\-\infty\end{cases}",
        sentence=sentence,
        pictures=(_strip(scene, "m", shown, origins, _("Score of each key after bias and mask")),),
        code=("mask",),
    )


def _hidden(masked: np.ndarray) -> np.ndarray:
    """Keys that may not be seen: some families subtract a huge number instead of infinity."""
    return np.asarray(masked < -1e4)


def _softmax(scene: Scene) -> Stage:
    steps = scene.inside.steps
    seen = ~_hidden(steps.masked)
    largest = float(steps.masked[seen].max()) if seen.any() else 0.0
    exponentials = np.where(seen, np.exp(steps.masked - largest), 0.0)
    total = float(steps.weights.sum())
    weights = steps.weights
    denominator = float(exponentials.sum() / total) if total > 0 else 1.0
    origins = [
        f"exp({word(float(steps.masked[i]))} − {word(largest)}) / {word(denominator)}" if seen[i] else "exp(−∞)"
        for i in scene.shown
    ]
    sentence = _("All {keys:,} weights sum to {total:.6f}.").format(keys=len(weights), total=total)
    if total < 0.999:
        sentence += " " + _("The rest goes to a sink that the family has learned.")
    return Stage(
        name="softmax",
        title=_("Softmax"),
        formula=r"a_j = \frac{e^{m_j}}{\sum_i e^{m_i}}",
        sentence=sentence,
        pictures=(_strip(scene, "a", weights, origins, _("Weight of each key")),),
        code=("softmax",),
    )


def _strip(scene: Scene, symbol: str, numbers: np.ndarray, origins: list[str], label: str) -> Picture:
    """One number for each shown key."""
    values = numbers[scene.shown].astype(float)
    figure = rows_figure(
        [values],
        [""],
        [per_key(scene.shown_keys, values, origins)],
        [scene.colour],
        x=_("key"),
        columns=scene.shown_keys,
        shows_numbers=True,
    )
    return Picture(figure=figure, rows=3, label=label, cells=((symbol, 0),), keys=tuple(scene.shown))
