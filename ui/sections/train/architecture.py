"""The drawing of the model that is about to be trained: it follows the fields, and nothing is built for it."""

import streamlit as st

from playground.architecture import planned_architecture
from playground.architecture.findings import architecture_findings
from playground.snippets import origin
from playground.text import _
from playground.training import TrainConfig
from ui.components.architecture_view import architecture_view
from ui.widgets.download import offer_snippet
from ui.widgets.findings import show_findings


def show_planned_architecture(config: TrainConfig, title: str) -> None:
    """The drawing of a configuration's model, folded away."""
    with st.expander(_("Architecture"), icon=":material/schema:", key="planned_architecture"):
        architecture = planned_architecture(config.model, title)
        show_findings(*architecture_findings(architecture))
        changed = {name: value for name, value in config.model.to_dict().items() if value is not None}
        architecture_view(
            architecture,
            key="planned_drawing",
            label=_("Architecture of {name}").format(name=title),
            provenance=origin(None, details=changed),
        )
        shape = {name: value for name, value in changed.items() if name != "model_type"}
        fields = ", ".join(f"{name}={value!r}" for name, value in shape.items())
        imports = [
            "pathlib import Path",
            "playground.architecture import architecture_svg, planned_architecture",
            "playground.transformer_config import TransformerConfig",
        ]
        lines = [f"architecture = planned_architecture(TransformerConfig({fields}), {title!r})"]
        save = "Path('architecture.svg').write_text(architecture_svg(architecture), encoding='utf-8')"
        offer_snippet(None, imports, [*lines, "print(architecture.parameters)", save])
