"""How text becomes tokens: vocabularies trained on the spot with the tokenizers library."""

from collections.abc import Iterable
from typing import Literal

from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

VocabularyKind = Literal["bpe", "characters"]
START = "<|start|>"


def train_vocabulary(kind: VocabularyKind, texts: Iterable[str], size: int) -> Tokenizer:
    """A tokenizer with at most `size` tokens; every encoding begins with the start token."""
    tokenizer = _BUILDERS[kind](texts, size)
    start = tokenizer.token_to_id(START)
    tokenizer.post_processor = processors.Sequence(
        [
            *([processors.ByteLevel(trim_offsets=False)] if kind == "bpe" else []),
            processors.TemplateProcessing(single=f"{START} $A", special_tokens=[(START, start)]),
        ]
    )
    return tokenizer


def _train_bpe(texts: Iterable[str], size: int) -> Tokenizer:
    """Byte-level BPE (Radford et al. 2019, section 2.2): any text in any script has tokens."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.Sequence(
        [
            normalizers.Replace(Regex("[\u2018\u2019]"), "'"),
            normalizers.Replace(Regex("[\u201c\u201d]"), '"'),
        ]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        special_tokens=[START],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def _train_characters(texts: Iterable[str], size: int) -> Tokenizer:
    """One token for each of the most frequent characters, and one for all others."""
    counts: dict[str, int] = {}
    for text in texts:
        for character in text:
            counts[character] = counts.get(character, 0) + 1
    kept = sorted(sorted(counts), key=lambda character: -counts[character])[: max(1, size - 2)]
    vocabulary = {token: index for index, token in enumerate([START, "<|unknown|>", *kept])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<|unknown|>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(r"[\s\S]"), "isolated")
    tokenizer.decoder = decoders.Fuse()
    tokenizer.add_special_tokens([START])
    return tokenizer


_BUILDERS = {"bpe": _train_bpe, "characters": _train_characters}
