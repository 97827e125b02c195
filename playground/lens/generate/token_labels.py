"""Ask a token classifier: the label of each token, and the runs of tokens that name one thing.

The numbers are those of transformers' token-classification pipeline; runs are joined as with its strategy "simple".
Labels that begin with B- open a run, those with I- go on with it (Ramshaw and Marcus 1995; CoNLL-2003).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from playground.lens.capture.tokens import Token
from playground.lens.generate.classification import ask, require_head, scores_of
from playground.lens.generate.encoded_rows import EncodedRow, encode_row

if TYPE_CHECKING:
    from playground.models import LoadedModel

OUTSIDE = "O"
"""The label of a token that names nothing."""


@dataclass(frozen=True, kw_only=True)
class Entity:
    """Neighbouring tokens of one label."""

    label: str
    """Without B- and I-."""
    score: float
    """The mean of its tokens' highest probabilities."""
    first: int
    """Position of its first token."""
    last: int
    text: str
    """As it stands in the text, or in the tokens where their characters are unknown."""
    start: int | None
    """Its first character; None where the tokenizer reports none."""
    end: int | None


@dataclass(frozen=True, kw_only=True, eq=False)
class TokenLabels:
    """The labels of a text's tokens."""

    tokens: tuple[Token, ...]
    labels: tuple[str, ...]
    probabilities: Float[np.ndarray, "token label"]
    is_labelled: tuple[bool, ...]
    """False for tokens that the tokenizer added."""
    entities: tuple[Entity, ...]
    """Runs of one label, those outside of everything left out."""
    is_cut: bool = False

    def best(self, position: int) -> int:
        """The number of a token's most probable label."""
        return int(self.probabilities[position].argmax())


def label_tokens(model: "LoadedModel", text: str, *, truncate: bool = False) -> TokenLabels:
    """Label each token of a text. Raises UserError as `classify` does."""
    head = require_head(model, "token")
    row = encode_row(model, text, truncate=truncate)
    probabilities = scores_of(ask(model, head, [row])[0], "softmax")
    tokens = row.tokens(model)
    return TokenLabels(
        tokens=tuple(tokens),
        labels=head.labels,
        probabilities=probabilities,
        is_labelled=tuple(sequence is not None for sequence in row.sequences),
        entities=tuple(_entities(row, tokens, head.labels, probabilities)),
        is_cut=row.is_cut,
    )


def _entities(
    row: EncodedRow, tokens: Sequence[Token], labels: Sequence[str], probabilities: Float[np.ndarray, "token label"]
) -> list[Entity]:
    best = probabilities.argmax(-1)
    runs: list[list[int]] = []
    for position in (index for index, sequence in enumerate(row.sequences) if sequence is not None):
        opens, tag = split_tag(labels[best[position]])
        if runs and not opens and split_tag(labels[best[runs[-1][-1]]])[1] == tag:
            runs[-1].append(position)
        else:
            runs.append([position])
    named = [run for run in runs if labels[best[run[0]]] != OUTSIDE]
    return [_entity(row, tokens, labels[best[run[0]]], probabilities, run) for run in named]


def split_tag(label: str) -> tuple[bool, str]:
    """Whether a label opens a run, and its name.

    >>> split_tag("B-PER"), split_tag("I-PER"), split_tag("verb")
    ((True, 'PER'), (False, 'PER'), (False, 'verb'))
    """
    return label.startswith("B-"), label[2:] if label.startswith(("B-", "I-")) else label


def _entity(
    row: EncodedRow,
    tokens: Sequence[Token],
    label: str,
    probabilities: Float[np.ndarray, "token label"],
    run: Sequence[int],
) -> Entity:
    start, end = row.characters(run[0], run[-1]) if row.offsets else (None, None)
    joined = "".join(tokens[position].text for position in run)
    return Entity(
        label=split_tag(label)[1],
        score=float(probabilities[list(run)].max(-1).mean()),
        first=run[0],
        last=run[-1],
        text=joined if start is None else row.text[start:end],
        start=start,
        end=end,
    )
