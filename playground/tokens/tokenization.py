"""A text as bytes, pieces and ids: what a tokenizer answers, and whether its steps, replayed, lead there."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

from tokenizers import Tokenizer

from playground.decoding import well_formed
from playground.lens.capture.text_tokens import TextToken, text_tokens, tokenizer_errors
from playground.lens.capture.tokens import rust_tokenizer
from playground.lens.capture.typed_bytes import TypedBytes, typed_contents
from playground.tokens.pretokens import Pretoken, pretokens
from playground.tokens.segmentation import Algorithm, algorithm_of, segment

if TYPE_CHECKING:
    from playground.models import LoadedModel


@dataclass(frozen=True, kw_only=True)
class Tokenization:
    """What a tokenizer makes of a text, or of a pair of texts."""

    text: str
    pair: str | None
    algorithm: Algorithm | None
    """None for a tokenizer that is written in Python, whose steps it keeps to itself."""
    vocabulary: int
    """How many tokens there are."""
    normalised: str
    """The text after the normaliser."""
    normaliser: tuple[str, ...]
    """The names of its parts, in order."""
    pre_tokenizer: tuple[str, ...]
    pretokens: tuple[Pretoken, ...]
    """Of the text, then of the pair."""
    tokens: tuple[TextToken, ...]
    typed: tuple[TypedBytes, ...]
    """Of each token what a person typed: a normaliser may have written something else in its place."""
    replayed: int
    """How many pre-tokens were cut again by our own code."""
    agreeing: int
    """In how many of them that led to the tokenizer's own ids."""

    @property
    def template(self) -> str:
        """What the template makes of every text, such as "[CLS] … [SEP]"; empty where it adds nothing."""
        parts = [(token.token.text if token.is_template else "…", token.token.segment) for token in self.tokens]
        kept = [key for key, _group in groupby(parts, key=lambda part: part)]
        return " ".join(text for text, _segment in kept) if any(token.is_template for token in self.tokens) else ""

    @property
    def content(self) -> tuple[TextToken, ...]:
        """The tokens that stand for characters: without the template's."""
        return tuple(token for token in self.tokens if not token.is_template)

    @property
    def unknown(self) -> int:
        """How many tokens stand for characters that the vocabulary lacks."""
        return sum(token.is_unknown for token in self.tokens)

    def tokens_of(self, pretoken: int) -> tuple[TextToken, ...]:
        """The tokens of a pre-token."""
        return tuple(token for token in self.tokens if token.pretoken == pretoken)


def tokenize(model: "LoadedModel", text: str, pair: str | None = None, *, replay: bool = True) -> Tokenization:
    """What a model reads of a text; replay: cut every pre-token again with our own code, and compare.

    Raises UserError where the tokenizer fails.
    """
    text, pair = well_formed(text), None if pair is None else well_formed(pair)
    with tokenizer_errors(model):
        rust = rust_tokenizer(model.tokenizer)
        if rust is None:
            return _tokenize_slowly(model, text, pair)
        return _tokenize_fast(model, rust, text, pair, replay=replay)


def _tokenize_fast(model: "LoadedModel", rust: Tokenizer, text: str, pair: str | None, *, replay: bool) -> Tokenization:
    stretches = pretokens(rust, text)
    second = () if pair is None else pretokens(rust, pair)
    tokens = text_tokens(model, text, pair, first_of_pair=len(stretches))
    both = (*stretches, *second)
    replayed, agreeing = _replay(rust, both, tokens) if replay else (0, 0)
    return Tokenization(
        text=text,
        pair=pair,
        algorithm=algorithm_of(rust),
        vocabulary=rust.get_vocab_size(),
        normalised=text if rust.normalizer is None else rust.normalizer.normalize_str(text),
        normaliser=_part_names(rust.normalizer),
        pre_tokenizer=_part_names(rust.pre_tokenizer),
        pretokens=both,
        tokens=tokens,
        typed=typed_contents(model.tokenizer, [text] if pair is None else [text, pair], tokens),
        replayed=replayed,
        agreeing=agreeing,
    )


def _replay(rust: Tokenizer, stretches: tuple[Pretoken, ...], tokens: tuple[TextToken, ...]) -> tuple[int, int]:
    """How many pre-tokens were cut again, and how many of them as the tokenizer cuts them."""
    answers: dict[int, list[int]] = {}
    for token in tokens:
        if token.pretoken is not None:
            answers.setdefault(token.pretoken, []).append(token.token.id)
    known: dict[str, tuple[int, ...]] = {}
    replayed = agreeing = 0
    for index, stretch in enumerate(stretches):
        if stretch.is_added:
            continue
        if stretch.text not in known:
            known[stretch.text] = segment(rust, stretch.text).ids
        replayed += 1
        agreeing += list(known[stretch.text]) == answers.get(index, [])
    return replayed, agreeing


def _part_names(part: Any) -> tuple[str, ...]:
    """The names of a normaliser's or pre-tokenizer's parts, those of a sequence one by one."""
    if part is None:
        return ()
    return tuple(_names_in(json.loads(part.__getstate__())))


def _names_in(setting: dict[str, Any]) -> Iterator[str]:
    nested = setting.get("normalizers") or setting.get("pretokenizers")
    if isinstance(nested, list):
        for part in nested:
            yield from _names_in(part)
    else:
        yield str(setting["type"])


def _tokenize_slowly(model: "LoadedModel", text: str, pair: str | None) -> Tokenization:
    """What a tokenizer written in Python tells: pieces and ids."""
    tokens = text_tokens(model, text, pair)
    return Tokenization(
        text=text,
        pair=pair,
        algorithm=None,
        vocabulary=len(model.tokenizer),
        normalised=text,
        normaliser=(),
        pre_tokenizer=(),
        pretokens=(),
        tokens=tokens,
        typed=typed_contents(model.tokenizer, [text] if pair is None else [text, pair], tokens),
        replayed=0,
        agreeing=0,
    )
