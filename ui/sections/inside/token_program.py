"""Python that makes the numbers of the steps after attention."""

from collections.abc import Sequence

from playground.lens.inspect.steps.token_inputs import TokenInputs
from ui.sections.inside.selection import SelectedHead

STEPS = "playground.lens.inspect.steps"
FEED_FORWARD = ("feed_forward_norm", "router", "up", "activation", "down", "feed_forward_residual", "neurons")

OUTPUT = ("final_norm", "output_head", "logit", "probabilities")


def token_imports(names: Sequence[str]) -> list[str]:
    """What the lines below need."""
    imports = []
    if any(name in FEED_FORWARD for name in names):
        imports.append(f"{STEPS}.neurons import feed_forward_of, rank_neurons")
    if "stream" in names:
        imports.append(f"{STEPS}.stream import contributions, read_stream")
    return imports


def token_lines(names: Sequence[str], selected: SelectedHead, inputs: TokenInputs) -> list[str]:
    """The token followed through the model, and the numbers of the steps that are shown."""
    kind = inputs.token.kind
    lines = [f"token = traced.whole_token({selected.query}, kind={kind!r})", "print(token.difference)"]
    if any(name in FEED_FORWARD for name in names):
        lines += [
            f"layer = feed_forward_of(token, {selected.layer})",
            "ranked = rank_neurons(layer)",
            "for neuron, activation, added in zip(ranked.names[:10], ranked.activations, ranked.added):",
            "    print(neuron, activation, added)",
        ]
    if "stream" in names:
        lines += ["stream = read_stream(token)", "print(stream.names, stream.norms, stream.cosines, stream.difference)"]
        if inputs.traced is not None:
            lines.append(f"print(contributions(token.ending.head, stream, {inputs.traced}).parts)")
    if inputs.traced is not None and any(name in OUTPUT for name in names):
        lines += [
            "logits = token.ending.head(token.recomputed)[0]",
            f"print(logits[{inputs.traced}], logits.softmax(-1)[{inputs.traced}])",
        ]
    return lines
