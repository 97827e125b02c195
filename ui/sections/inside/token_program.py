"""Python that makes the numbers of the steps after attention."""

from collections.abc import Sequence

from playground.lens.inspect.steps.token_inputs import TokenInputs
from ui.sections.inside.selection import SelectedHead

STEPS = "playground.lens.inspect.steps"
FEED_FORWARD = ("feed_forward_norm", "router", "up", "activation", "down", "feed_forward_residual", "neurons")

OUTPUT = ("final_norm", "output_head", "logit", "probabilities")


def token_imports(names: Sequence[str], *, search: str = "") -> list[str]:
    """What the lines below need."""
    imports = []
    if any(name in FEED_FORWARD for name in names):
        imports.append(f"{STEPS}.neurons import feed_forward_of, rank_neurons")
    if "neurons" in names:
        imports += [
            "torch import cat, stack",
            f"{STEPS}.logit_slopes import logit_slopes",
            f"{STEPS}.neuron_text import activations_at, shares_at",
            f"{STEPS}.neurons import NeuronName, output_row, promoted_tokens",
        ]
    if "neurons" in names and search:
        imports.append(f"{STEPS}.neurons import all_names, all_rows, search_neurons")
    if "stream" in names:
        imports.append(f"{STEPS}.stream import contributions, read_stream")
    return imports


def token_lines(names: Sequence[str], selected: SelectedHead, inputs: TokenInputs, *, search: str = "") -> list[str]:
    """The token followed through the model, and the numbers of the steps that are shown.

    search: the text that neurons are searched for, if any.
    """
    kind = inputs.token.kind
    lines = [f"token = traced.whole_token({selected.query}, kind={kind!r})", "print(token.difference)"]
    if any(name in FEED_FORWARD for name in names):
        lines += [
            f"layer = feed_forward_of(token, {selected.layer})",
            "ranked = rank_neurons(layer)",
            "for neuron, activation, added in zip(ranked.names[:10], ranked.activations, ranked.added):",
            "    print(neuron, activation, added)",
        ]
    if "router" in names:
        lines += [
            "routing = layer.body.router(layer.input)",
            "print(routing.scores, routing.chosen, routing.shares)",
        ]
    if "neurons" in names:
        lines += _neuron_lines(selected, inputs, search)
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


def _neuron_lines(selected: SelectedHead, inputs: TokenInputs, search: str) -> list[str]:
    """The traced neuron along the text, the tokens that the listed neurons promote, and the search."""
    if inputs.neuron is None:
        return []
    lines = [
        f"neuron = NeuronName{tuple(inputs.neuron)}",
        f"received = traced.feed_forward_inputs(token, {selected.layer})",
        "print(activations_at(layer.body, received, neuron) * shares_at(layer.body, received, neuron.expert))",
    ]
    if inputs.slopes is None:
        return lines
    lines += [
        f"slopes = logit_slopes(token, {selected.layer})",
        "rows = [output_row(layer.body, name) for name in (neuron, *ranked.names[:10])]",
        "tokens = promoted_tokens(slopes, stack(rows))",
        "print(tokens.promoted, tokens.raised, tokens.suppressed, tokens.lowered)",
    ]
    if search:
        lines += [
            "rows = cat([all_rows(layer.body.expert(number)) for number in range(layer.body.experts)])",
            "tokens = promoted_tokens(slopes, rows)",
            "spelling = lambda id: traced.model.tokenizer.decode([id], skip_special_tokens=False)",
            f"print(search_neurons(all_names(layer.body), tokens, spelling, {search!r}))",
        ]
    return lines
