"""`neurons`: the neurons of a feed-forward layer that add most at a token, or that promote a text, as JSON."""

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from playground.command.report_json import report_json
from playground.errors import UserError
from playground.text import _

if TYPE_CHECKING:
    from playground.lens import Trace
    from playground.lens.inspect.steps.neurons import NeuronName, PromotedTokens
    from playground.lens.inspect.steps.whole_token import WholeToken

DEFAULT_COUNT, LARGEST_COUNT, PROMOTED = 10, 100_000, 10


def declare(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = commands.add_parser(
        "neurons", help=_("the neurons that add most at a token, and what they promote (JSON)")
    )
    parser.add_argument("model", help=_("a name from `models`, a Hugging Face id or a folder"))
    parser.add_argument("text", help=_("the input text"))
    parser.add_argument("--layer", type=int, default=0, help=_("the layer (0)"))
    parser.add_argument("--token", type=int, default=-1, help=_("the token's position (-1, the last one)"))
    parser.add_argument("--kind", choices=["encoder", "decoder"], help=_("the stack of an encoder-decoder"))
    parser.add_argument("--target", help=_("the target text of an encoder-decoder"))
    parser.add_argument("--pair", help=_("a second sentence, for encoders"))
    parser.add_argument("--count", type=int, default=DEFAULT_COUNT, help=_("how many neurons (10)"))
    parser.add_argument(
        "--search", metavar="TEXT", help=_("only neurons that promote or suppress a token with this text")
    )
    parser.add_argument("--truncate", action="store_true", help=_("truncate the text to the model's context"))
    parser.add_argument("--revision", help=_("a branch, tag or commit of a Hugging Face model"))
    parser.add_argument("--device", default="auto", help=_("auto, cpu, cuda or mps"))
    parser.add_argument("--dtype", default="auto", help=_("auto, float32, bfloat16 or float16"))
    parser.set_defaults(run=print_neurons)


def print_neurons(arguments: argparse.Namespace) -> None:
    """Load, trace, follow the token, and print. Raises UserError for what is not there."""
    if not 1 <= arguments.count <= LARGEST_COUNT:
        raise UserError("{count} neurons cannot be listed; choose 1 to 100,000.", count=arguments.count)
    from playground.command.models import ProgressLine
    from playground.lens import trace
    from playground.models import load

    bar = ProgressLine()
    try:
        model = load(
            arguments.model,
            revision=arguments.revision,
            device=arguments.device,
            dtype=arguments.dtype,
            progress=bar.show,
        )
    finally:
        bar.end()
    traced = trace(model, arguments.text, arguments.target, pair=arguments.pair, truncate=arguments.truncate)
    report = neuron_report(traced, arguments.layer, arguments.token, arguments.kind, arguments.count, arguments.search)
    print(report_json(report))


def neuron_report(
    traced: "Trace", layer: int, position: int, kind: Any = None, count: int = DEFAULT_COUNT, search: str | None = None
) -> dict[str, Any]:
    """What is printed: the token, how exact the recomputation is, and the neurons, those that add most first.

    search: only neurons among whose promoted or suppressed tokens this text occurs, the largest effect first.
    """
    from playground.lens.inspect.steps.neurons import feed_forward_of, rank_neurons
    from playground.provenance import provenance

    kinds = [one for one in traced.kinds if one != "cross"]
    kind = kind or ("decoder" if "decoder" in kinds else next(iter(kinds), None))
    token = traced.whole_token(position, kind=kind)
    feed_forward = feed_forward_of(token, layer)
    names = rank_neurons(feed_forward).names[:count]
    if search is not None:
        names = tuple(_searched(traced, token, layer, search)[:count])
    tokens = traced.query_tokens(kind)
    return {
        **provenance(traced.model),
        "tokens": [one.text for one in tokens],
        "position": token.rows.positions[0],
        "kind": kind,
        "layer": layer,
        "difference": token.difference,
        "neurons": _entries(traced, token, layer, names) if names else [],
    }


def _entries(traced: "Trace", token: "WholeToken", layer: int, names: Sequence["NeuronName"]) -> list[dict[str, Any]]:
    """One entry for each neuron."""
    import torch

    from playground.lens.inspect.steps.logit_slopes import logit_slopes
    from playground.lens.inspect.steps.neuron_text import activations_at, shares_at
    from playground.lens.inspect.steps.neurons import feed_forward_of, output_row, promoted_tokens, rank_neurons

    feed_forward, slopes = feed_forward_of(token, layer), logit_slopes(token, layer)
    ranked, body = rank_neurons(feed_forward), feed_forward.body
    places = {name: index for index, name in enumerate(ranked.names)}
    inputs = traced.feed_forward_inputs(token, layer)
    rows = torch.stack([output_row(body, one) for one in names])
    promoted = None if slopes is None else promoted_tokens(slopes, rows)
    entries = []
    for index, name in enumerate(names):
        place = places.get(name)
        entry: dict[str, Any] = {"neuron": name.number, "expert": name.expert if body.experts > 1 else None}
        entry |= {"length": float(output_row(body, name).norm())}
        columns = {"activation": ranked.activations, "share": ranked.shares, "added": ranked.added}
        entry |= {key: None if place is None else float(column[place]) for key, column in columns.items()}
        entry["activations"] = activations_at(body, inputs, name).tolist()
        entry |= {"shares": shares_at(body, inputs, name.expert).tolist()} if body.experts > 1 else {}
        entries.append(entry if promoted is None else {**entry, **_promoted(traced, promoted, index)})
    return entries


def _promoted(traced: "Trace", tokens: "PromotedTokens", index: int) -> dict[str, Any]:
    """The tokens that a neuron raises and lowers, each with its effect on the logit for each unit of activation."""
    from playground.lens.capture.tokens import label

    sides = {"promoted": (tokens.promoted, tokens.raised), "suppressed": (tokens.suppressed, tokens.lowered)}
    return {
        side: [
            {"token": token.text, "id": token.id, "effect": float(effect)}
            for token, effect in zip(label(traced.model.tokenizer, ids[index].tolist()), effects[index], strict=True)
        ]
        for side, (ids, effects) in sides.items()
    }


def _searched(traced: "Trace", token: "WholeToken", layer: int, text: str) -> list["NeuronName"]:
    """The neurons of the layer that promote or suppress a token with this text."""
    import torch

    from playground.lens.capture.tokens import label
    from playground.lens.inspect.steps.logit_slopes import logit_slopes
    from playground.lens.inspect.steps.neurons import (
        all_names,
        all_rows,
        feed_forward_of,
        promoted_tokens,
        search_neurons,
    )

    body, slopes = feed_forward_of(token, layer).body, logit_slopes(token, layer)
    if slopes is None:
        raise UserError("{name} has no output head, so that no neuron promotes a token.", name=traced.model.name)
    experts = range(body.experts)
    tokens = promoted_tokens(slopes, torch.cat([all_rows(body.expert(expert)) for expert in experts]), PROMOTED)
    found = search_neurons(all_names(body), tokens, lambda id: label(traced.model.tokenizer, [id])[0].text, text)
    return [one.name for one in found]
