"""The residual stream, and what the layer's norm makes of it, number by number."""

import numpy as np

from playground.charts.inside import Said
from playground.charts.palette import TRAIN
from playground.lens.capture.norm_step import NormStep
from playground.lens.inspect.steps.layer import HeadInside
from playground.text import _
from ui.sections.inside.origins import PLACE, VALUE, blank, normed_numbers, normed_words, values_of
from ui.sections.inside.scene import Scene, vectors
from ui.sections.inside.step_parts import Stage


def normed(scene: Scene) -> Stage:
    found = scene.inside
    mean, root = float(found.residual.mean()), float(np.sqrt(np.square(found.residual).mean()))
    said = _origins(found)
    is_same = np.array_equal(found.residual, found.given)
    sentence = _(
        "The residual stream before layer {layer} (mean {mean:.3g}, root mean square {root:.3g}), and "
    ).format(layer=found.layer, mean=mean, root=root)
    sentence += (
        _("the same as the layer reads it: this family norms after the layer, not before.")
        if is_same
        else _("what the layer reads of it after its norm.")
    )
    if found.norm is not None:
        words = _("Its mean {mean:.4g} is taken away, it is divided by {root:.4g} and multiplied by the weights.")
        if found.norm.kind != "layer":
            words = _("It is divided by its root mean square, {root:.4g}, and multiplied by the norm's weights.")
        sentence += " " + words.format(mean=found.norm.mean, root=found.norm.root)
    hover = [values_of("r", found.residual, _("what the blocks before have left")), said]
    cells = [("r", 0), ("n", 0)]
    rows, values = [_("residual stream"), _("what the layer reads")], [found.residual, found.given]
    if found.norm is not None:
        cells.insert(1, ("g", 0))
        rows.insert(1, _("the norm's weights"))
        values.insert(1, found.norm.weight)
        hover.insert(1, values_of("w", found.norm.weight, _("learned")))
    label = _("The residual stream, and what the layer reads of it")
    return Stage(
        name="norm",
        title=_("Normalised input"),
        formula=_formula(found.norm, is_same=is_same),
        sentence=sentence,
        pictures=(vectors(values, rows, hover, TRAIN, label, cells=cells, by_row=True),),
        code=("norm",),
    )


def _formula(norm: NormStep | None, *, is_same: bool) -> str:
    if norm is None:
        return r"\hat{x} = r" if is_same else r"\hat{x} = \mathrm{norm}(r)"
    if norm.kind == "layer":
        bias = "" if norm.bias is None else " + b_i"
        return r"\hat{x}_i = \frac{r_i - \mu}{\sqrt{\sigma^2 + \epsilon}}\, w_i" + bias
    return r"\hat{x}_i = \frac{r_i}{\sqrt{\overline{r^2} + \epsilon}}\, w_i"


def _origins(found: HeadInside) -> Said:
    """Of each number that the layer reads: the quotient and the product it came from."""
    norm, value = found.norm, f"x̂[{PLACE}] = {VALUE}<br>"
    if norm is None:
        return Said(sentence=value + f"r[{PLACE}] = {blank(0)}", numbers=found.residual[:, None])
    numbers = np.stack(normed_numbers(norm, found.residual), axis=1)
    return Said(sentence=value + normed_words(norm, 0), numbers=numbers)
