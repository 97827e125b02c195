"""Which step the page shows: the map, the address, and what a step that a model lacks is replaced by."""

from collections.abc import Sequence

from playground.lens.inspect.steps.step import InsideStep
from playground.text import N_, _
from ui.components.step_map import StepBox, StepGroup, step_map
from ui.state.address import read_text, read_value, write_values
from ui.state.parameters import DERIVATIONS, STEP

ALL = "all"
SHORT = {
    "embedding": N_("Embedding"),
    "norm": N_("Norm"),
    "projection": N_("Q, K, V"),
    "rotation": N_("Rotary"),
    "scores": N_("Scores"),
    "scaling": N_("Scaling"),
    "mask": N_("Mask"),
    "softmax": N_("Softmax"),
    "mix": N_("Weighted sum"),
    "gate": N_("Gate"),
    "output": N_("Output"),
    "residual": N_("Residual"),
    "feed_forward_norm": N_("Norm"),
    "router": N_("Router"),
    "up": N_("Up"),
    "activation": N_("Activation"),
    "down": N_("Down"),
    "feed_forward_residual": N_("Residual"),
    "neurons": N_("Neurons"),
    "stream": N_("Residual stream"),
    "final_norm": N_("Final norm"),
    "output_head": N_("Head's layers"),
    "logit": N_("Logits"),
    "probabilities": N_("Probabilities"),
}
FEED_FORWARD = ("feed_forward_norm", "router", "up", "activation", "down", "feed_forward_residual", "neurons")
AFTERWARDS = ("stream", "final_norm", "output_head", "logit", "probabilities")
INSTEAD = {
    "rotation": "projection",
    "gate": "output",
    **dict.fromkeys(FEED_FORWARD, "stream"),
    "router": "up",
    "final_norm": "stream",
    "output_head": "logit",
    "logit": "stream",
    "probabilities": "stream",
}
"""The step that is nearest to one that a model lacks."""


def choose_step(head: Sequence[InsideStep], token: Sequence[InsideStep], layer: int) -> str:
    """Draw the map; the name of the step that is chosen, or that all are."""
    names = [step.name for step in (*head, *token)]
    current = nearest_step(_addressed(), names)
    numbers = {name: number for number, name in enumerate(names, start=1)}
    groups = (
        _group(_("Attention, layer {layer}").format(layer=layer), [step.name for step in head], numbers),
        _group(_("Feed-forward, layer {layer}").format(layer=layer), FEED_FORWARD, numbers),
        _group(_("All layers and output"), AFTERWARDS, numbers),
        StepGroup(title="", boxes=(StepBox(name=ALL, title=_("All steps"), number=0),)),
    )
    step_map(
        [group for group in groups if group.boxes],
        current,
        key="step_map",
        on_pick=lambda name: write_values({STEP: name}),
    )
    return current


def _group(title: str, wanted: Sequence[str], numbers: dict[str, int]) -> StepGroup:
    boxes = [StepBox(name=name, title=_(SHORT[name]), number=numbers[name]) for name in wanted if name in numbers]
    return StepGroup(title=title, boxes=tuple(boxes))


def _addressed() -> str:
    """The step of the address; in links from before there were steps, the one of the number that they name."""
    step = read_value(STEP)
    if step is not None:
        return step
    entries = (entry.partition(":")[0] for entry in read_text(DERIVATIONS).split(","))
    named = {name for name in entries if name in SHORT}
    return named.pop() if len(named) == 1 else ALL if named else ""


def nearest_step(name: str, names: Sequence[str]) -> str:
    """The step, or the nearest one that this model has; the first one for anything else."""
    if name == ALL:
        return ALL
    while name not in names and name in INSTEAD:
        name = INSTEAD[name]
    return name if name in names else names[0]
