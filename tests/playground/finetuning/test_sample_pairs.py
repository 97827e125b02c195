"""The same prompt and seed: a copy writes the same, a changed model parts at a stated token."""

import pytest

from playground.errors import UserError
from playground.finetuning.sample_pairs import sample_pairs
from playground.lens.generate.generation import GenerationConfig, generate
from tests.helpers.model_pairs import pair_of

CONFIG = GenerationConfig(max_new_tokens=8, seed=3)


def test_a_copy_writes_the_same():
    (found,) = sample_pairs(pair_of(rank=0), ["The cat"], CONFIG)
    assert found.before == found.after
    assert found.shared == found.lengths[0] == found.lengths[1]


def test_each_side_is_what_that_model_generates():
    pair = pair_of(scale=9.0)
    found = sample_pairs(pair, ["The cat", "Who"], CONFIG)
    for sample in found:
        ids = [[new.token.id for new in generate(model, sample.prompt, CONFIG)] for model in (pair.before, pair.after)]
        assert sample.lengths == (len(ids[0]), len(ids[1]))
        assert ids[0][: sample.shared] == ids[1][: sample.shared]
        assert ids[0][sample.shared : sample.shared + 1] != ids[1][sample.shared : sample.shared + 1]


def test_prompts_are_bounded():
    with pytest.raises(UserError, match="1 to 12 prompts"):
        sample_pairs(pair_of(), [])
