"""The architecture that a configuration of ours asks for, before any model is built."""

from collections.abc import Iterator
from dataclasses import replace

from playground.architecture.architecture import (
    Architecture,
    Box,
    LayerGroup,
    ModelStack,
    NormKind,
    Role,
    Stage,
    Weight,
)
from playground.transformer_config import TransformerConfig

MATRICES = {
    "swiglu": ("gate", "up", "output"),
    "gelu": ("up", "output"),
    "relu": ("up", "output"),
    "none": (),
}
"""The matrices of an MLP; all but SwiGLU's have biases."""
NORM_KINDS: dict[str, NormKind] = {"rms": "RMSNorm", "layer": "LayerNorm"}
NORM_WEIGHTS = {"rms": ("weight",), "layer": ("weight", "bias"), "none": ()}


def planned_architecture(config: TransformerConfig, name: str = "") -> Architecture:
    """The architecture of the transformer that `Transformer(config)` would build, computed from the fields alone."""
    encoder = _encoder(config) if config.kind == "encoder-decoder" else None
    kind = "encoder" if config.kind == "encoder" else "decoder"
    head = Box(role="head", path="head", weights=(_weight("head.weight", config.vocabulary, config.width),))
    if config.tied:
        head = _tied(head)
    embedding = next(_before(config, ""))
    before = tuple(_before(config, ""))
    if encoder is not None:
        before = (_tied(embedding), *before[1:])  # one vocabulary, one embedding: the encoder's is counted
    main = ModelStack(
        kind=kind,  # type: ignore[arg-type]
        before=before,
        groups=(_layers(config, "blocks", has_cross=encoder is not None),),
        after=(*_final_norm(config, ""), head),
    )
    return Architecture(
        name=name,
        width=config.width,
        stacks=(main,) if encoder is None else (encoder, main),
        unused=tuple(_classifier(config)),
    )


def _encoder(config: TransformerConfig) -> ModelStack:
    return ModelStack(
        kind="encoder",
        before=tuple(_before(config, "encoder.")),
        groups=(_layers(config, "encoder.blocks", has_cross=False),),
        after=tuple(_final_norm(config, "encoder.")),
    )


def _weight(name: str, *shape: int) -> Weight:
    return Weight(name=name, shape=shape)


def _table(name: str, *shape: int) -> Weight:
    return Weight(name=name, shape=shape, is_table=True)


def _tied(box: Box) -> Box:
    """The box with the embedding's matrix for its own."""
    return replace(box, weights=tuple(replace(weight, shared_with="embedding.weight") for weight in box.weights))


def _before(config: TransformerConfig, prefix: str) -> Iterator[Box]:
    """The embeddings, and their norm."""
    embedding = _table("embedding.weight", config.vocabulary, config.width)
    yield Box(role="embedding", path="embedding", weights=(embedding,))
    if config.segments:
        segment = _table(f"{prefix}segment.embedding.weight", config.segments, config.width)
        yield Box(role="segment", path=f"{prefix}segment.embedding", weights=(segment,))
    if config.positions == "learned":
        position = _table(f"{prefix}position.embedding.weight", config.context, config.width)
        yield Box(role="position", path=f"{prefix}position", weights=(position,))
    if config.embedding_norm:
        yield from _norm(config, f"{prefix}embedding_norm")


def _norm(config: TransformerConfig, path: str) -> Iterator[Box]:
    weights = tuple(_weight(f"{path}.{name}", config.width) for name in NORM_WEIGHTS[config.norm])
    if weights:
        yield Box(role="norm", path=path, weights=weights, norm=NORM_KINDS[config.norm])


def _final_norm(config: TransformerConfig, prefix: str) -> Iterator[Box]:
    if config.norm_position == "pre":
        yield from _norm(config, f"{prefix}norm")


def _layers(config: TransformerConfig, path: str, *, has_cross: bool) -> LayerGroup:
    """All layers of a stack: they are alike."""
    layer = f"{path}.0"
    stages: list[Stage] = [*_stages(config, f"{layer}.attention_norm", _attention(config, f"{layer}.attention"))]
    if has_cross:
        stages += _stages(config, f"{layer}.cross_attention_norm", _cross(config, f"{layer}.cross_attention"))
    if config.feed_forward != "none":
        stages += _stages(config, f"{layer}.feed_forward_norm", _feed_forward(config, f"{layer}.feed_forward"))
    if not config.residual:
        # No stream leads around anything: all boxes of the layer are one chain.
        stages = [Stage(branches=(tuple(box for stage in stages for box in stage.boxes),), adds=False)]
    return LayerGroup(first=0, count=config.layers, stages=tuple(stages))


def _stages(config: TransformerConfig, norm_path: str, layer: Box) -> Iterator[Stage]:
    """One layer with its norm, before or after it."""
    norm = tuple(_norm(config, norm_path))
    if config.norm_position == "pre":
        yield Stage(branches=((*norm, layer),), adds=True)
    else:
        yield Stage(branches=((layer,),), adds=True)
        if norm:
            yield Stage(branches=(norm,), adds=False)


def _linear(path: str, rows: int, columns: int, *, bias: bool) -> Iterator[Weight]:
    yield _weight(f"{path}.weight", rows, columns)
    if bias:
        yield _weight(f"{path}.bias", rows)


def _heads(config: TransformerConfig, role: Role, path: str, weights: tuple[Weight, ...]) -> Box:
    return Box(
        role=role,
        path=path,
        weights=weights,
        n_heads=config.n_heads,
        n_key_value_heads=config.n_key_value_heads,
        head_width=config.head_width,
        value_width=config.head_width,
    )


def _attention(config: TransformerConfig, path: str) -> Box:
    shared = config.n_key_value_heads * config.head_width
    inward = _linear(f"{path}.query_key_value", config.width + 2 * shared, config.width, bias=config.bias)
    outward = _linear(f"{path}.output", config.width, config.width, bias=config.bias)
    return _heads(config, "attention", path, (*inward, *outward))


def _cross(config: TransformerConfig, path: str) -> Box:
    shared = config.n_key_value_heads * config.head_width
    query = _linear(f"{path}.query", config.width, config.width, bias=config.bias)
    key_value = _linear(f"{path}.key_value", 2 * shared, config.width, bias=config.bias)
    output = _linear(f"{path}.output", config.width, config.width, bias=config.bias)
    return _heads(config, "cross_attention", path, (*query, *key_value, *output))


def _feed_forward(config: TransformerConfig, path: str) -> Box:
    weights: list[Weight] = []
    for name in MATRICES[config.feed_forward]:
        shape = (config.hidden_width, config.width)
        rows, columns = reversed(shape) if name == "output" else shape
        weights += _linear(f"{path}.{name}", rows, columns, bias=config.feed_forward != "swiglu")
    return Box(role="feed_forward", path=path, weights=tuple(weights))


def _classifier(config: TransformerConfig) -> Iterator[Box]:
    """An encoder's classifier: a prediction of tokens does not run through it."""
    if config.classes:
        pool = _linear("classifier.pool", config.width, config.width, bias=True)
        output = _linear("classifier.output", config.classes, config.width, bias=True)
        yield Box(role="unused", path="classifier", weights=(*pool, *output))
