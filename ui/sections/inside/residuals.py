"""What residual connections and norms are for: four runs that were trained here, and the way to train one's own."""

import streamlit as st

from playground.charts.series import Series
from playground.charts.train import overlay_figure
from playground.text import _
from playground.training.residual_study import ResidualStudy, describe_residual_study, read_residual_study
from ui.cache import results
from ui.jobs import require
from ui.state.parameters import PRESET
from ui.widgets.chart import draw
from ui.widgets.doors import TRAIN, door
from ui.widgets.download import offer_snippet
from ui.widgets.findings import show_findings

HEIGHT = 380


def show_residuals() -> None:
    """The formulas, the four runs, and the door to the preset."""
    st.latex(
        r"\text{with: } x + f(\mathrm{norm}(x)) \qquad \text{without residual connection: } f(\mathrm{norm}(x)) \qquad "
        r"\text{without norm: } x + f(x)"
    )
    study: ResidualStudy = require(
        ("residual study",), lambda _on_progress: read_residual_study(), title=_("Reading the runs …"), cache=results()
    )
    show_findings(describe_residual_study(study))
    names = {
        (True, True): _("with both"),
        (True, False): _("without norms"),
        (False, True): _("without residual connections"),
        (False, False): _("without either"),
    }
    losses = {name: study.run(residual=residual, norm=norm).losses for (residual, norm), name in names.items()}
    curves = [Series(name=name, steps=range(1, len(loss) + 1), values=loss) for name, loss in losses.items()]
    label = _("Training loss (nats)")
    figure = overlay_figure(curves, y=label)
    details = {"preset": "no-residuals", "layers": study.layers, "trained with torch": study.torch}
    draw(None, figure, key="residuals", height=HEIGHT, label=label, details=details, seed=study.seed)
    st.caption(
        _(
            "Actual runs: the preset “Without residuals and norms”, and the same with each part switched on. Without a "
            "residual connection a gradient has to pass every matrix of every layer; without norms signals shrink or "
            "grow from layer to layer."
        )
    )
    door(_("Train it"), TRAIN, {str(PRESET): "no-residuals"})
    imports = ["playground.training.residual_study import describe_residual_study, read_residual_study"]
    lines = ["study = read_residual_study()", "print(describe_residual_study(study))"]
    offer_snippet(None, imports, lines)
