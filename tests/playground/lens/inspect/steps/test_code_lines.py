"""Every step's lines are there, and do what the step says."""

from pathlib import Path

import pytest

import playground
from playground.lens.inspect.steps.code_lines import code_lines, in_attention, in_transformer
from tests.helpers.own_models import own_model, random_model
from tests.playground.lens.inspect.steps.test_derivations import steps_of
from tests.playground.lens.inspect.steps.test_layer import traced

ROOT = Path(playground.__file__).parent.parent
CODE = {
    "embedding": "self.embedding(ids)",
    "norm": "layer(norm(residual)",
    "projection": "self.query_key_value(x)",
    "rotation": "self.rotate)",
    "scores": "@ key.transpose(-1, -2)",
    "scaling": "@ key.transpose(-1, -2)",
    "mask": "scores(call) + mask",
    "softmax": ".softmax(-1)",
    "mix": "@ value",
    "output": "self.output(z",
    "residual": "residual + drop(",
}
POST_NORM = {"norm": "norm(residual + drop(", "residual": "norm(residual + drop("}


def code_of(kind, site, norm_position="pre"):
    """Each step's name with its lines, as a head of such a model shows them."""
    model = own_model(kind)
    if norm_position == "post":
        object.__setattr__(model, "module", random_model(kind=kind, norm_position="post", positions="learned"))
    steps = steps_of(traced(model).inside(0, site).head(0, 1))
    return {step.name: [code_lines(reference) for reference in step.code] for step in steps}


@pytest.mark.parametrize(
    ("kind", "site", "norm_position", "changes"),
    [
        ("decoder", "decoder", "pre", {}),
        ("encoder", "encoder", "post", {"rotation": None, **POST_NORM}),
        ("encoder-decoder", "cross", "pre", {"rotation": None, "projection": "self.key_value(encoded)"}),
    ],
)
def test_every_step_shows_lines_that_do_what_it_says(kind, site, norm_position, changes):
    code = code_of(kind, site, norm_position)
    assert set(code) == {name for name in CODE if changes.get(name, "") is not None}
    for name, shown in code.items():
        assert {**CODE, **changes}[name] in shown[0].text
        for lines in shown:
            file = (ROOT / lines.path).read_text().splitlines()[lines.first - 1 : lines.last]
            assert [line.strip() for line in file] == [line.strip() for line in lines.text.splitlines()]
            assert lines.path in ("playground/transformer.py", "playground/attention.py")
            assert lines.last - lines.first < 6


@pytest.mark.parametrize(
    "reference", [in_transformer("Attention.forward", "dreams"), in_attention("dreams", "query"), in_attention("z.x")]
)
def test_refuses_what_is_not_there(reference):
    with pytest.raises(LookupError):
        code_lines(reference)
