"""Prompts and answers, of which only the answer counts: the prompt is masked out of the loss (Wei et al. 2022).

Where the tokenizer brings a chat template, both stand in it as turns, and the answer's end token counts, too.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from playground.errors import UserError
from playground.lens.capture.tokens import label
from playground.lens.generate.chat_template import (
    ChatTurn,
    chat_template_of,
    encode_rendered,
    page_text_of,
    render_chat,
)
from playground.tasks.finetune.next_token import NextTokenTask, TokenRow, require_next_token
from playground.tasks.finetune.reader import Reader, reader_for
from playground.tasks.finetune.rows import Rows, SplitRows
from playground.tasks.finetune.tables import split_answers
from playground.tasks.sources import check_held_out
from playground.text import N_

if TYPE_CHECKING:
    from playground.models import LoadedModel

BLANK_LINE = "\n\n"
"""Parts a prompt from its answer where there is no template."""
NOTHING_TO_LEARN = N_(
    "None of the {n:,} pairs to train on fits into {length} tokens; choose longer rows, or shorter pairs."
)
NOTHING_TO_MEASURE = N_(
    "None of the {n:,} pairs that are held out fits into {length} tokens; choose longer rows, or shorter pairs."
)
PROMPT_MARK, ANSWER_MARK = "PROMPT-OF-THE-ROW", "ANSWER-OF-THE-ROW"


@dataclass(frozen=True, kw_only=True)
class PromptsConfig:
    """A table of prompts and answers."""

    sources: tuple[str, ...] = ()
    text: str = ""
    """A table that was typed in."""
    prompt_column: str = "prompt"
    answer_column: str = "answer"
    held_out: float = 0.1

    def __post_init__(self) -> None:
        check_held_out(self.held_out)
        if not self.sources and not self.text.strip():
            raise UserError("Name a table with prompts and answers, or type one in.")


@dataclass(frozen=True, kw_only=True)
class PromptFrame:
    """What stands around a prompt and its answer."""

    before: str
    between: str
    after: str
    """Behind the answer, up to the token that ends it."""
    first_ids: tuple[int, ...] = ()
    """What the model reads in front of every text, where no template writes it."""
    last_ids: tuple[int, ...] = ()
    """The end, where no template writes it."""

    def around(self, prompt: str, answer: str) -> tuple[str, str]:
        """What is asked, up to where the answer begins, and what is answered."""
        return self.before + prompt + self.between, answer + self.after

    def row(self, reader: Reader, prompt: str, answer: str) -> TokenRow:
        """The tokens of a pair, read as one text; what counts begins with the token that holds the answer's first."""
        asked, answered = self.around(prompt, answer)
        ids, places = encode_rendered(reader.model, asked + answered)
        if places:
            first = next((number for number, (_begin, end) in enumerate(places) if end > len(asked)), len(ids))
        else:  # a tokenizer that tells no places
            front, back = (encode_rendered(reader.model, part)[0] for part in (asked, answered))
            ids, first = front + back, len(front)
        # The end token has no bytes of text.
        row = [*self.first_ids, *ids, *self.last_ids]
        return TokenRow(ids=row, first=max(1, len(self.first_ids) + first), n_bytes=len(answer.encode()))


def frame_of(reader: Reader) -> PromptFrame:
    """The chat template around marks, cut there; a blank line where there is no template."""
    if chat_template_of(reader.model) is None:
        ends = reader.ends[:1]
        return PromptFrame(before="", between=BLANK_LINE, after="", first_ids=tuple(reader.prefix()), last_ids=ends)
    turns = (ChatTurn(role="user", content=PROMPT_MARK), ChatTurn(role="assistant", content=ANSWER_MARK))
    asked = render_chat(reader.model, turns[:1]).text
    text = render_chat(reader.model, [*turns, ChatTurn(role="user", content="?")]).text
    before, found, between = asked.partition(PROMPT_MARK)
    _, answered, rest = text.partition(ANSWER_MARK)
    if not found or not answered:
        raise UserError("The chat template of {name} does not show its turns as they are.", name=reader.name)
    return PromptFrame(before=before, between=between, after=_up_to_the_end(reader, rest))


def asked_text(model: "LoadedModel", prompt: str) -> str:
    """The text whose tokens, as every page reads a text, are a prompt's in training, up to where its answer begins."""
    if chat_template_of(model) is None:
        return prompt + BLANK_LINE
    return render_chat(model, (ChatTurn(role="user", content=prompt),)).page_text


def pair_texts(model: "LoadedModel", rows: Rows) -> list[str]:
    """The texts whose tokens, as every page reads a text, are pairs in training; without the end that no text writes.

    Raises UserError for a template that does not show its turns.
    """
    frame = frame_of(reader_for(model))
    texts = ["".join(frame.around(prompt, answer)) for prompt, answer in zip(rows.texts, rows.labels, strict=True)]
    if chat_template_of(model) is None:
        return texts
    return [page_text_of(model, text, encode_rendered(model, text)[0])[0] for text in texts]


def _up_to_the_end(reader: Reader, rest: str) -> str:
    """What stands behind an answer up to its first special token: `<|im_end|>` of `<|im_end|>\n<|im_start|>user …`."""
    ids, places = encode_rendered(reader.model, rest)
    special = [number for number, token in enumerate(label(reader.tokenizer, ids)) if token.special]
    if not special:
        return ""
    return rest[: places[special[0]][1]] if places else str(reader.tokenizer.decode(ids[: special[0] + 1]))


def read_prompts(config: PromptsConfig) -> SplitRows:
    """The pairs in two parts. Raises UserError for a table that cannot be read."""
    columns = config.prompt_column, config.answer_column
    return split_answers(config.sources, config.text, columns, held_out=config.held_out)


def encode_prompts(split: SplitRows, reader: Reader, length: int) -> NextTokenTask:
    """Prompts and answers. Raises UserError for a base that predicts no next token, or answers that do not fit."""
    require_next_token(reader)
    frame, longest = frame_of(reader), min(length, reader.context)
    train = _fitting(frame, reader, split.train, longest, NOTHING_TO_LEARN)
    held_out = _fitting(frame, reader, split.held_out, longest, NOTHING_TO_MEASURE)
    left_out = len(split.train) + len(split.held_out) - len(train) - len(held_out)
    return NextTokenTask(reader=reader, split=split, train=train, held_out=held_out, left_out=left_out)


def _fitting(frame: PromptFrame, reader: Reader, rows: Rows, longest: int, refusal: str) -> list[TokenRow]:
    """The pairs that are read in so many tokens, and one more to predict. Raises UserError where there are none."""
    encoded = (frame.row(reader, prompt, answer) for prompt, answer in zip(rows.texts, rows.labels, strict=True))
    kept = [row for row in encoded if len(row.ids) <= longest + 1]
    if not kept:
        raise UserError(refusal, n=len(rows), length=longest)
    return kept
