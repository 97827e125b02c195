"""What a drawing shows, in sentences with the numbers that were counted."""

from collections import Counter

from playground.architecture.architecture import Architecture, Role
from playground.lens.finding import Finding
from playground.text import N_

KINDS: dict[Role, str] = {
    "attention": "attention",
    "cross_attention": "attention",
    "mixer": "rest",
    "feed_forward": "feed_forward",
    "embedding": "embedding",
    "position": "embedding",
    "segment": "embedding",
    "head": "head",
}


def architecture_findings(architecture: Architecture) -> list[Finding]:
    """How many parameters there are and where; what is shared; where a connection is missing or not known."""
    total = architecture.parameters
    counts = Counter[str]()
    for placed in architecture.placed():
        counts[KINDS.get(placed.box.role, "rest")] += placed.parameters
    layers = " + ".join(str(stack.n_layers) for stack in architecture.stacks)
    shares = {name: counts[name] / max(1, total) for name in ("attention", "feed_forward", "embedding", "head")}
    found = [
        Finding(
            template=N_("{total:,} parameters in one layer.")
            if layers == "1"
            else N_("{total:,} parameters in {layers} layers."),
            values={"total": total, "layers": layers},
        ),
        Finding(
            template=N_(
                "MLPs hold {feed_forward:.0%}, attention {attention:.0%}, embeddings {embedding:.0%}, "
                "the output matrix {head:.0%}."
            )
            if counts["head"]
            else N_("MLPs hold {feed_forward:.0%}, attention {attention:.0%}, embeddings {embedding:.0%}."),
            values=shares,
        ),
    ]
    return [*found, *_shared(architecture), *_connections(architecture)]


def _shared(architecture: Architecture) -> list[Finding]:
    found = []
    heads = [box for stack in architecture.stacks for box in stack.after if box.role == "head" and box.shared_with]
    if heads:
        found.append(Finding(template=N_("The output matrix is the token embedding: one matrix, counted once.")))
    if any(group.shares_weights for stack in architecture.stacks for group in stack.groups):
        found.append(Finding(template=N_("All layers are one layer that runs several times.")))
    grouped = [entry.box for entry in architecture.placed() if 0 < entry.box.n_key_value_heads < entry.box.n_heads]
    if grouped:
        queries = grouped[0].n_heads // grouped[0].n_key_value_heads
        template = N_("{queries} query heads share each key and value head.")
        found.append(Finding(template=template, values={"queries": queries}))
    return found


def _connections(architecture: Architecture) -> list[Finding]:
    stages = [stage for stack in architecture.stacks for group in stack.groups for stage in group.stages]
    layers = [stage for stage in stages if any(box.role in KINDS for box in stage.boxes)]
    found = []
    if any(stage.adds is False for stage in layers):
        found.append(Finding(template=N_("It has layers without a residual connection: each replaces the stream.")))
    if any(stage.adds is None for stage in stages):
        template = N_("Dotted: the numbers of a pass do not tell how these boxes are connected.")
        found.append(Finding(template=template))
    return found
