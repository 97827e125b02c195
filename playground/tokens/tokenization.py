"""A text as bytes, pieces and ids: what a tokenizer answers, and whether its steps, replayed, lead there."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

from tokenizers import Encoding, Tokenizer

from playground.decoding import well_formed
from playground.errors import UserError
from playground.lens.capture.alphabet import alphabet_of, piece_bytes
from playground.lens.capture.python_tokenizer import python_pieces
from playground.lens.capture.tokens import (
    Token,
    encode,
    input_tokens,
    literal_ids,
    rust_tokenizer,
)
from playground.models.rehearsal import encoding_of
from playground.tokens.pretokens import Pretoken, pretokens
from playground.tokens.segmentation import Algorithm, algorithm_of, segment
from playground.tokens.unigram import piece_scores

if TYPE_CHECKING:
    from playground.models import LoadedModel


@dataclass(frozen=True, kw_only=True)
class TextToken:
    """One token of a text, with where it comes from."""

    token: Token
    """Its id and readable label."""
    piece: str
    """As the vocabulary writes it."""
    content: bytes
    """The bytes that it stands for; empty for what the template adds."""
    start: int
    """The first of its characters in the text; equal to `end` where it has none, or where that is not known."""
    end: int
    pretoken: int | None
    """Which pre-token it belongs to; None for what the template adds, and where the tokenizer does not say."""
    is_template: bool = False
    """Whether the template added it: no character of the text stands behind it."""
    is_unknown: bool = False
    """Whether it stands for characters that the vocabulary lacks."""


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
    try:
        rust = rust_tokenizer(model.tokenizer)
        labelled = input_tokens(model, text, pair)
        if rust is None:
            return _tokenize_slowly(model, text, pair, labelled)
        return _tokenize_fast(rust, text, pair, labelled, replay=replay)
    except UserError:
        raise
    except Exception as error:  # Rust panics and tokenizers of strangers: anything
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise UserError(
            "The tokenizer of {name} fails on this text: {reason}", name=model.name, reason=reason[:200]
        ) from error


def _tokenize_fast(
    rust: Tokenizer, text: str, pair: str | None, labelled: list[Token], *, replay: bool
) -> Tokenization:
    encoding = encoding_of(rust, text, pair)
    stretches = pretokens(rust, text)
    second = () if pair is None else pretokens(rust, pair)
    tokens = tuple(_text_tokens(rust, encoding, labelled, len(stretches), (text, pair or "")))
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
        replayed=replayed,
        agreeing=agreeing,
    )


def _text_tokens(
    rust: Tokenizer, encoding: Encoding, labelled: list[Token], first_of_pair: int, texts: tuple[str, str]
) -> Iterator[TextToken]:
    """The tokens with pieces, bytes, spans and pre-tokens; what a decoder does not read is left out at the end."""
    alphabet, raw, unknown = alphabet_of(rust), literal_ids(rust), unknown_ids(rust)
    columns = zip(labelled, encoding.offsets, encoding.word_ids, encoding.sequence_ids, strict=False)
    for token, (start, end), word, sequence in columns:
        piece = rust.id_to_token(token.id) or f"#{token.id}"
        is_template, is_unknown = word is None, word is not None and token.id in unknown
        content = piece.encode() if token.id in raw else piece_bytes(_bare(rust, piece), alphabet)
        if is_template or is_unknown:
            # An unknown token is spelled alike whatever it stands for.
            content = b"" if is_template else texts[sequence or 0][start:end].encode()
        yield TextToken(
            token=token,
            piece=piece,
            content=content,
            start=start,
            end=end,
            pretoken=None if word is None else word + (first_of_pair if sequence == 1 else 0),
            is_template=is_template,
            is_unknown=is_unknown,
        )


def _bare(rust: Tokenizer, piece: str) -> str:
    """A piece without the mark of one that goes on with a word, or ends it."""
    prefix = getattr(rust.model, "continuing_subword_prefix", None) or ""
    return piece.removeprefix(prefix).removesuffix(getattr(rust.model, "end_of_word_suffix", None) or "")


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


def unknown_ids(rust: Tokenizer) -> set[int]:
    """The ids that stand for characters which the vocabulary lacks; at most one."""
    is_unigram = algorithm_of(rust) == "Unigram"
    name = piece_scores(rust).unknown if is_unigram else getattr(rust.model, "unk_token", None)
    unknown = None if name is None else rust.model.token_to_id(name)
    return set() if unknown is None else {int(unknown)}


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


def _tokenize_slowly(model: "LoadedModel", text: str, pair: str | None, labelled: list[Token]) -> Tokenization:
    """What a tokenizer written in Python tells: pieces and ids."""
    tokenizer = model.tokenizer
    unknown = getattr(tokenizer, "unk_token_id", None)
    pieces = python_pieces(tokenizer, [token.id for token in labelled], "source")
    edges, alphabet = _template_edges(tokenizer, labelled), alphabet_of(tokenizer)
    tokens = tuple(
        TextToken(
            token=token,
            piece=piece,
            content=b"" if position in edges else piece_bytes(piece, alphabet),
            start=0,
            end=0,
            pretoken=None,
            is_template=position in edges,
            is_unknown=token.id == unknown,
        )
        for position, (token, piece) in enumerate(zip(labelled, pieces, strict=True))
    )
    return Tokenization(
        text=text,
        pair=pair,
        algorithm=None,
        vocabulary=len(tokenizer),
        normalised=text,
        normaliser=(),
        pre_tokenizer=(),
        pretokens=(),
        tokens=tokens,
        replayed=0,
        agreeing=0,
    )


def _template_edges(tokenizer: Any, labelled: list[Token]) -> set[int]:
    """The positions of special tokens at either end: what an empty text would be read as."""
    empty = [token.id for token in encode(tokenizer, "")]
    front = next((n for n, token in enumerate(labelled) if token.id not in empty), len(labelled))
    behind = next((n for n, token in enumerate(reversed(labelled)) if token.id not in empty), len(labelled))
    return {*range(front), *range(len(labelled) - behind, len(labelled))}
