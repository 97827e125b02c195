"""What stands in the boxes of the drawing: titles, counts, shapes, and what is shared."""

from dataclasses import dataclass

from playground.architecture.architecture import Box, LayerGroup, ModelStack, Weight
from playground.text import N_, _, _n

TITLES = {
    "embedding": N_("Token embedding"),
    "position": N_("Position embedding"),
    "segment": N_("Segment embedding"),
    "projection": N_("Projection"),
    "norm": N_("Norm"),
    "attention": N_("Self-attention"),
    "cross_attention": N_("Cross-attention"),
    "mixer": N_("Mixer without attention"),
    "feed_forward": N_("MLP"),
    "head": N_("Unembedding"),
    "pooler": N_("Pooler"),
    "other": N_("Other weights"),
    "unused": N_("Other weights"),
}
MILLION, BILLION = 1e6, 1e9
LISTED_VECTORS = 2
SHORTENED = 10_000
"""Counts below are written out."""


@dataclass(frozen=True, kw_only=True)
class Caption:
    """The texts of a box."""

    title: str
    count: str
    """Its parameters, shortened."""
    lines: tuple[tuple[str, ...], ...]
    """Lines of pieces, which may be broken between two pieces."""
    names: tuple[str, ...]
    """Pieces in the model's own words: paths and shapes of its weights."""


def box_title(box: Box) -> str:
    """What a box is."""
    if box.role == "feed_forward" and box.experts:
        return _("MLP of {experts} experts").format(experts=box.experts)
    return box.norm or _(TITLES[box.role])


def box_caption(box: Box) -> Caption:
    """The texts of a box."""
    lines = [_heads(box), _experts(box)]
    path = (box.path,) if box.role == "unused" else ()
    if box.shared_with:
        lines.append((_("shared: {name}").format(name=short_name(box.shared_with[0])),))
    is_all_shared = bool(box.shared_with) and not box.parameters
    count = _("shared") if is_all_shared else short_count(box.parameters)
    names = (*path, *shapes(box.weights, box.path))
    return Caption(title=box_title(box), count=count, lines=tuple(line for line in lines if line), names=names)


def short_count(count: int) -> str:
    """A number of parameters, in at most six characters.

    >>> short_count(576), short_count(884_736), short_count(134_515_008), short_count(7_241_732_096)
    ('576', '885 K', '134.5 M', '7.24 B')
    """
    if count >= BILLION:
        return f"{count / BILLION:.2f} B"
    if count >= MILLION:
        return f"{count / MILLION:.1f} M"
    return f"{count / 1000:.0f} K" if count >= SHORTENED else f"{count:,}"


def _heads(box: Box) -> tuple[str, ...]:
    if not box.n_heads:
        return ()
    heads = _n("{n} head", "{n} heads", box.n_heads)
    width = f" × {box.head_width}" if box.head_width else ""
    if box.n_key_value_heads in (0, box.n_heads):
        return (heads + width,)
    shared = _("{n_key_value_heads} KV heads, each for {queries} query heads")
    queries = box.n_heads // box.n_key_value_heads
    return (heads + width, shared.format(n_key_value_heads=box.n_key_value_heads, queries=queries))


def _experts(box: Box) -> tuple[str, ...]:
    if not box.experts:
        return ()
    return (_("each token goes through {count} of {experts}").format(count=box.experts_per_token, experts=box.experts),)


def shapes(weights: tuple[Weight, ...], path: str) -> tuple[str, ...]:
    """A piece for each matrix, and for the vectors; more than two of them are counted."""
    names = weight_names(weights, path)
    matrices = [weight for weight in weights if len(weight.shape) > 1]
    vectors = [weight for weight in weights if len(weight.shape) <= 1]
    pieces = [f"{names[weight.name]} {' × '.join(map(str, weight.shape))}" for weight in matrices]
    if len(vectors) <= LISTED_VECTORS:
        return (*pieces, *(f"{names[weight.name]} {weight.numbers:,}" for weight in vectors))
    total = sum(weight.numbers for weight in vectors)
    return (*pieces, _("{n} vectors: {total:,}").format(n=len(vectors), total=total))


def weight_names(weights: tuple[Weight, ...], path: str) -> dict[str, str]:
    """Short names of a box's weights by their paths; as much of the path as tells them apart.

    >>> up = Weight(name="h.0.mlp.up.weight", shape=(2, 3))
    >>> weight_names((up, Weight(name="h.0.mlp.up.bias", shape=(2,))), "h.0.mlp")
    {'h.0.mlp.up.weight': 'up', 'h.0.mlp.up.bias': 'up.bias'}
    """
    below = path.rpartition(".")[0] if ", " in path else path
    rest = {weight.name: weight.name.removeprefix(below).lstrip(".") for weight in weights}
    short = {name: short_name(part) for name, part in rest.items()}
    repeated = {name for name in short.values() if list(short.values()).count(name) > 1}
    longer = {name: short_name(part, parts=2) for name, part in rest.items()}
    return {name: longer[name] if short[name] in repeated else short[name] for name in rest}


def short_name(name: str, parts: int = 1) -> str:
    """The last parts of a path that say something: "embed_tokens" of "model.embed_tokens.weight".

    >>> short_name("model.embed_tokens.weight"), short_name("weight"), short_name("self.query.bias")
    ('embed_tokens', 'weight', 'query.bias')
    """
    steps = name.split(".")
    if steps[-1] == "weight" and len(steps) > 1:
        return ".".join(steps[-1 - parts : -1])
    return ".".join(steps[-1 - parts :]) if steps[-1] == "bias" else ".".join(steps[-parts:])


def group_caption(group: LayerGroup) -> str:
    """Which layers a frame stands for."""
    if group.count == 1:
        return _("layer {layer}").format(layer=group.first)
    if group.shares_weights:
        return _("× {count} layers").format(count=group.count)
    last = group.first + group.count - 1
    return _("× {count} layers ({first}–{last})").format(count=group.count, first=group.first, last=last)


def group_count(group: LayerGroup) -> str:
    """The parameters of a frame's layers, and whether they are the same ones."""
    count = short_count(group.parameters)
    return _("one set of weights: {count}").format(count=count) if group.shares_weights else count


def stack_title(stack: ModelStack, *, has_source: bool) -> tuple[str, str]:
    """A stack's name, and what comes in at its top."""
    titles = {"encoder": _("Encoder"), "decoder": _("Decoder")}
    return titles[stack.kind], _("target tokens") if has_source else _("tokens")
