"""A published law beside points of another corpus: its exponents as printed, everything else fitted to the points.

Losses of different corpora and tokenizers do not compare, and neither do E, A, B, N_c or D_c, which carry their units.
Exponents have no unit: they say how steeply the loss falls, and can be laid over anybody's points.
"""

import numpy as np

from playground.scaling.forms.form import Parameters
from playground.scaling.laws import law
from playground.scaling.minimise import minimise
from playground.scaling.points import Points

EXPONENTS = ("alpha", "beta", "gamma", "alpha_N", "alpha_D")


def aligned(name: str, published: Parameters, points: Points) -> Parameters:
    """The numbers of a law whose exponents are the published ones, and whose others fit the points best.

    Raises UserError for a law of another name.
    """
    form = law(name).form
    logs, log_losses = points.logs(form.columns), np.log(points.loss)
    centre = form.centre(logs)
    logs = logs - centre[:, None]
    held = {index: published[one] for index, one in enumerate(form.parameters) if one in EXPONENTS}
    starts = form.starts(logs, log_losses)
    for index, value in held.items():
        starts[:, index] = value
    found = minimise(form, logs, log_losses, np.unique(starts, axis=0), held)
    return form.published(form.moved(found.theta, -centre))
