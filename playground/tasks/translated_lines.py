"""The held-out sentences of the small world beside what a loaded translator makes of them."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from tokenizers import Tokenizer

from playground.errors import UserError
from playground.generation import greedy_answers
from playground.progress import OnProgress, no_progress
from playground.special_tokens import END_ID, START_ID
from playground.tasks.translation import CONTEXT, TranslationConfig, prepare_translation
from playground.transformer import Transformer

if TYPE_CHECKING:
    from playground.models import LoadedModel

ROWS_AT_ONCE = 32


@dataclass(frozen=True, kw_only=True)
class TranslatedLines:
    """As many sources, translations and references."""

    sources: tuple[str, ...]
    hypotheses: tuple[str, ...]
    references: tuple[str, ...]


@torch.inference_mode()
def translated_lines(model: "LoadedModel", rows: int, on_progress: OnProgress = no_progress) -> TranslatedLines:
    """Translate the first held-out sentences greedily.

    Raises UserError for a model that does not have the words of our translation task.
    """
    task = prepare_translation(TranslationConfig())
    tokenizer = model.tokenizer
    if not isinstance(tokenizer, Tokenizer) or tokenizer.get_vocab() != task.ids:
        raise UserError(
            "{name} was not trained on the translation task of this project, so it has no held-out sentences here; "
            "choose tales-translator, or a run of that task.",
            name=model.name,
        )
    assert isinstance(model.module, Transformer)
    batch = task.held_out(rows)
    assert batch.labels is not None
    answers: list[list[int]] = []
    for start in range(0, rows, ROWS_AT_ONCE):
        part = slice(start, start + ROWS_AT_ONCE)
        ids, mask = batch.ids[part].to(model.device), batch.mask[part].to(model.device)  # type: ignore[index]
        answers += greedy_answers(model.module, ids, mask, start=START_ID, end=END_ID, most=CONTEXT).tolist()
        on_progress(min(start + ROWS_AT_ONCE, rows), rows)
    return TranslatedLines(
        sources=_spelled(tokenizer, batch.ids.tolist()),
        hypotheses=_spelled(tokenizer, answers),
        references=_spelled(tokenizer, batch.labels.tolist()),
    )


def _spelled(tokenizer: Tokenizer, rows: list[list[int]]) -> tuple[str, ...]:
    """Each row up to its end token, without special and ignored ones."""
    ended = (row[: row.index(END_ID)] if END_ID in row else row for row in rows)
    return tuple(str(tokenizer.decode([index for index in row if index >= 0])) for row in ended)
