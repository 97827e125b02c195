"""Where sentences end, and what the flat row of ids holds."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.tasks.sentences import AT_ONCE, encode_flat, encode_sentences, split_sentences
from playground.tasks.vocabulary import train_vocabulary


@pytest.mark.parametrize(
    ("paragraph", "sentences"),
    [
        ("The cat sat. It slept.", ["The cat sat.", "It slept."]),
        ("Mr. Hyde and Dr. Lanyon met. St. Paul's is near.", ["Mr. Hyde and Dr. Lanyon met.", "St. Paul's is near."]),
        ("J. S. Bach wrote it. So did I. You know.", ["J. S. Bach wrote it.", "So did I.", "You know."]),
        ('"Who is it?" said he. "I!" She came.', ['"Who is it?" said he.', '"I!"', "She came."]),
        ("“Stop!” “Why?” (He ran.) Well…", ["“Stop!”", "“Why?”", "(He ran.)", "Well…"]),
        ("It cost 3.50 in 1890. 12 came.", ["It cost 3.50 in 1890.", "12 came."]),
        ("Wait... what? oh", ["Wait... what? oh"]),
        ("猫在睡觉。狗在哪里？在家！", ["猫在睡觉。", "狗在哪里？", "在家！"]),
        ("  no stop at all ", ["no stop at all"]),
        ("", []),
    ],
)
def test_sentences_by_hand(paragraph, sentences):
    assert split_sentences(paragraph) == sentences


@given(st.text("aB.!? \"'”。Mr", max_size=60))
def test_nothing_but_spaces_is_lost(paragraph):
    sentences = split_sentences(paragraph)
    assert "".join("".join(sentences).split()) == "".join(paragraph.split())
    assert all(sentence == sentence.strip() != "" for sentence in sentences)


def test_offsets_by_hand():
    """Two documents of characters; the empty one is left out, and a second sentence keeps its space."""
    tokenizer = train_vocabulary("characters", ["Ab. Hc"], 20, model="encoder")
    encoded = encode_sentences(tokenizer, ["Ab. Hb.\nc.", " \n", "b."])
    texts = [
        tokenizer.decode(encoded.ids[a:b].tolist()) for a, b in zip(encoded.starts, encoded.starts[1:], strict=False)
    ]
    assert texts == ["Ab.", " Hb.", "c.", "b."]
    assert encoded.starts.tolist() == [0, 3, 7, 9, 11]
    assert encoded.documents.tolist() == [0, 3, 4]
    assert len(encoded) == 4
    assert encoded.ids.dtype == np.uint16


def test_many_texts_are_encoded_as_few_are():
    tokenizer = train_vocabulary("characters", ["ab"], 20, model="encoder")
    ids, starts = encode_flat(tokenizer, ["ab"] * (AT_ONCE + 3))
    assert ids.tolist() == tokenizer.encode("ab", add_special_tokens=False).ids * (AT_ONCE + 3)
    assert starts.tolist() == list(range(0, 2 * AT_ONCE + 7, 2))
    assert encode_flat(tokenizer, [])[1].tolist() == [0]
