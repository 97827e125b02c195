"""What each kind of transformer attends to, dropout, segments and classes; any configuration runs or is refused."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from playground.errors import UserError
from playground.transformer import Transformer, TransformerConfig

torch.set_num_threads(1)

SOURCE = torch.tensor([[3, 1, 4, 1, 5, 9, 2], [2, 7, 1, 8, 2, 8, 1]])
TARGET = torch.tensor([[0, 5, 3, 9], [0, 2, 7, 1]])
MASK = torch.tensor([[True] * 7, [True] * 5 + [False] * 2])
SMALL = {"vocabulary": 11, "context": 16, "width": 24, "layers": 2, "n_heads": 4, "hidden": 20}
POSITIONS = ["rotary", "learned", "sinusoidal", "none"]


def model_of(**changes) -> Transformer:
    torch.manual_seed(0)
    model = Transformer(TransformerConfig(**{**SMALL, **changes}))
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, mean=0.0 if parameter.ndim > 1 else 1.0, std=0.3)
    return model.eval().requires_grad_(False)


def changed_at(ids: torch.Tensor, position: int) -> torch.Tensor:
    ids = ids.clone()
    ids[:, position] = (ids[:, position] + 1) % 11
    return ids


def moved(before: torch.Tensor, after: torch.Tensor) -> list[bool]:
    """At which positions a change of the input moved the numbers of every row."""
    return [bool(distance > 1e-4) for distance in (before - after).abs().amax(-1).amin(0)]


# Who sees whom


@pytest.mark.parametrize("norm_position", ["pre", "post"])
@pytest.mark.parametrize("positions", POSITIONS)
def test_every_token_of_an_encoder_sees_every_other(positions, norm_position):
    model = model_of(kind="encoder", positions=positions, norm_position=norm_position)
    assert all(moved(model(SOURCE), model(changed_at(SOURCE, 6))))


@pytest.mark.parametrize("positions", POSITIONS)
def test_a_target_sees_the_source_and_its_own_past(positions):
    model = model_of(kind="encoder-decoder", positions=positions)
    before = model(SOURCE, TARGET)
    assert all(moved(before, model(changed_at(SOURCE, 6), TARGET)))
    assert moved(before, model(SOURCE, changed_at(TARGET, 2))) == [False, False, True, True]


@pytest.mark.parametrize("positions", POSITIONS)
@pytest.mark.parametrize("kind", ["decoder", "encoder", "encoder-decoder"])
def test_padding_changes_nothing(kind, positions):
    """A padded row gives what it gives alone and unpadded, whatever stands in the padding."""
    model = model_of(kind=kind, positions=positions, key_value_heads=2)
    target = TARGET if kind == "encoder-decoder" else None
    alone = model(SOURCE[1:, :5], None if target is None else target[1:])
    for ids in (SOURCE, changed_at(SOURCE, 6)):
        padded = model(ids, target, mask=MASK)
        torch.testing.assert_close(padded[1:, : alone.shape[1]], alone, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("kind", ["decoder", "encoder", "encoder-decoder"])
def test_a_mask_without_padding_is_no_mask(kind):
    model = model_of(kind=kind)
    target = TARGET if kind == "encoder-decoder" else None
    masked = model(SOURCE, target, mask=torch.ones_like(MASK))
    torch.testing.assert_close(masked, model(SOURCE, target), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("kind", ["decoder", "encoder", "encoder-decoder"])
def test_padding_anywhere_leaves_finite_numbers_and_gradients(kind):
    """In front, behind, and a row of nothing else."""
    model = model_of(kind=kind).requires_grad_(True)
    mask = torch.tensor([[False] * 3 + [True] * 4, [False] * 7])
    logits = model(SOURCE, TARGET if kind == "encoder-decoder" else None, mask=mask)
    logits.square().mean().backward()
    assert logits.isfinite().all()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())


def test_decoding_what_was_encoded_once_is_reading():
    model = model_of(kind="encoder-decoder")
    encoded = model.encode(SOURCE, mask=MASK)
    torch.testing.assert_close(model.decode(TARGET, encoded, MASK), model.read(SOURCE, TARGET, mask=MASK))
    torch.testing.assert_close(model.head(model.read(SOURCE, TARGET)), model(SOURCE, TARGET))


def test_an_encoder_decoder_without_a_target_is_refused():
    with pytest.raises(UserError, match="a source and a target"):
        model_of(kind="encoder-decoder")(SOURCE)


# Parts


def test_both_stacks_share_one_embedding():
    model = model_of(kind="encoder-decoder")
    assert model.encoder.embedding is model.embedding
    assert model.head.weight is model.embedding.weight
    names = [name for name, _ in model.named_parameters()]
    assert "encoder.embedding.weight" not in names
    assert "encoder.blocks.1.attention.output.weight" in names


def test_segments_tell_sentences_apart_and_default_to_the_first():
    model = model_of(kind="encoder", segments=2)
    first = torch.zeros_like(SOURCE)
    torch.testing.assert_close(model(SOURCE), model(SOURCE, segments=first))
    second = first.clone()
    second[:, 4:] = 1
    assert all(moved(model(SOURCE), model(SOURCE, segments=second)))


def test_the_classifier_by_hand():
    """The first token reads (1, 0): pooled (tanh 1, tanh 0) = (0.761594, 0), classes 2 * 0.761594 + 1 and 1."""
    model = model_of(kind="encoder", width=2, n_heads=1, classes=2)
    model.classifier.pool.weight.copy_(torch.eye(2))
    model.classifier.pool.bias.zero_()
    model.classifier.output.weight.copy_(torch.tensor([[2.0, 5.0], [0.0, 5.0]]))
    model.classifier.output.bias.fill_(1.0)
    read = torch.tensor([[[1.0, 0.0], [9.0, 9.0]]])
    torch.testing.assert_close(model.classify(read), torch.tensor([[2.523188, 1.0]]))


def test_classes_that_are_not_there_are_refused():
    model = model_of(kind="encoder")
    with pytest.raises(UserError, match="no classes"):
        model.classify(model.read(SOURCE))


def test_a_scaled_embedding_by_hand():
    """Width 4: every embedding is doubled; without positions and layers' writing, the first norm sees it."""
    plain, scaled = (model_of(width=4, n_heads=2, scaled_embedding=scaled) for scaled in (False, True))
    torch.testing.assert_close(scaled.embedding(SOURCE), 2 * plain.embedding(SOURCE))


def test_attention_only_has_no_weights_but_attention():
    model = model_of(feed_forward="none")
    parts = {name.split(".", 2)[2] for name, _ in model.named_parameters() if name.startswith("blocks")}
    assert parts == {"attention_norm.weight", "attention.query_key_value.weight", "attention.output.weight"}


@pytest.mark.parametrize(("kind", "dropped"), [("decoder", 5), ("encoder-decoder", 12)])
def test_dropout_acts_in_training_at_the_embeddings_and_each_layer(kind, dropped):
    """Two blocks of two layers and the embeddings: 5 places; with an encoder, 5 and 2 blocks of three layers and 1."""
    model = model_of(kind=kind, dropout=0.5)
    target = TARGET if kind == "encoder-decoder" else None
    seen = []
    places = {id(part): part for part in model.modules() if isinstance(part, torch.nn.Dropout)}
    for part in places.values():
        part.register_forward_hook(lambda _, inputs, result: seen.append(float((result == 0).float().mean())))
    assert torch.equal(model(SOURCE, target), model(SOURCE, target))
    seen.clear()
    model.train()
    assert not torch.equal(model(SOURCE, target), model(SOURCE, target))
    assert len(seen) == 2 * dropped
    assert sum(seen) / len(seen) == pytest.approx(0.5, abs=0.05)


# Residual connections and norms


@pytest.mark.parametrize("norm_position", ["pre", "post"])
def test_without_residual_connections_a_layer_takes_the_streams_place(norm_position):
    model = model_of(residual=False, norm_position=norm_position)
    block, x = model.blocks[0], torch.randn(2, 7, 24, generator=torch.Generator().manual_seed(1))
    if norm_position == "pre":
        attended = block.attention(block.attention_norm(x))
        expected = block.feed_forward(block.feed_forward_norm(attended))
    else:
        attended = block.attention_norm(block.attention(x))
        expected = block.feed_forward_norm(block.feed_forward(attended))
    torch.testing.assert_close(block(x), expected)


def test_without_norms_nothing_is_normed():
    model = model_of(norm="none")
    block, x = model.blocks[0], torch.randn(2, 7, 24, generator=torch.Generator().manual_seed(1))
    attended = x + block.attention(x)
    torch.testing.assert_close(block(x), attended + block.feed_forward(attended))
    assert not any("norm" in name for name, _parameter in model.named_parameters())


def test_a_configuration_from_before_these_options_has_both():
    values = TransformerConfig(vocabulary=11).to_dict()
    del values["residual"]
    config = TransformerConfig.from_dict(values)
    assert (config.residual, config.norm) == (True, "rms")
    torch.manual_seed(0)
    saved = Transformer(TransformerConfig(**SMALL)).state_dict()
    Transformer(TransformerConfig(**SMALL, residual=False)).load_state_dict(saved)  # the weights have the same shapes


# The configuration


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"kind": "both"}, "decoder, encoder or encoder-decoder"),
        ({"norm_position": "between"}, "pre or post"),
        ({"segments": -1, "kind": "encoder"}, "segments is -1"),
        ({"segments": 2}, "Segments are for encoders"),
        ({"classes": 2, "kind": "encoder-decoder"}, "set classes to 0"),
        ({"dropout": 1.0}, "from 0 up to but not including 1"),
        ({"dropout": float("nan")}, "dropout is nan"),
        ({"dropout": "much"}, "dropout is 'much'"),
        ({"bias": 1}, "bias is 1; choose true or false"),
        ({"tied": "yes"}, "choose true or false"),
        ({"residual": 0}, "residual is 0; choose true or false"),
        ({"norm": "batch"}, "rms, layer or none"),
    ],
)
def test_a_shape_that_cannot_be_is_refused(changes, sentence):
    with pytest.raises(UserError, match=sentence):
        TransformerConfig(**{"vocabulary": 10, **changes})


WILD = {
    "kind": st.sampled_from(["decoder", "encoder", "encoder-decoder"]),
    "width": st.sampled_from([0, 7, 8, 12, 12, 24, 24]),
    "layers": st.sampled_from([0, 1, 1, 2, 2]),
    "n_heads": st.sampled_from([1, 2, 2, 3, 4, 6]),
    "key_value_heads": st.sampled_from([None, None, None, 1, 2, 0]),
    "hidden": st.sampled_from([None, 1, 9, 0]),
    "feed_forward": st.sampled_from(["swiglu", "gelu", "relu", "none"]),
    "norm": st.sampled_from(["rms", "layer", "none"]),
    "norm_position": st.sampled_from(["pre", "post"]),
    "positions": st.sampled_from(POSITIONS),
    "segments": st.sampled_from([0, 0, 0, 1, 2]),
    "classes": st.sampled_from([0, 0, 0, 3]),
    "dropout": st.sampled_from([0.0, 0.0, 0.0, 0.1, 1.0]),
    **{name: st.booleans() for name in ("tied", "residual", "bias", "scaled_embedding", "embedding_norm")},
}


def built(changes) -> TransformerConfig | str:
    """The configuration, or why it cannot be."""
    try:
        return TransformerConfig(vocabulary=11, context=8, **changes)
    except UserError as error:
        return str(error)


@settings(max_examples=150)
@given(changes=st.fixed_dictionaries(WILD), padded=st.booleans())
def test_any_configuration_runs_or_is_refused_with_a_sentence(changes, padded):
    config = built(changes)
    if isinstance(config, str):
        assert config.endswith(".")
        return
    model = Transformer(config)
    mask = MASK if padded else None
    target = TARGET if config.kind == "encoder-decoder" else None
    logits = model(SOURCE, target, mask=mask)
    assert logits.shape == (2, 7 if target is None else 4, 11)
    logits.square().mean().backward()
    used = [p for name, p in model.named_parameters() if not name.startswith("classifier")]
    assert all(p.grad is not None and p.grad.isfinite().all() for p in used)
    assert TransformerConfig.from_dict(config.to_dict()) == config
