"""Prompts and answers, of which only the answer counts: the prompt is masked out of the loss (Wei et al. 2022).

Where the tokenizer brings a chat template, both stand in it as turns, and the answer's end token counts, too.
"""

from dataclasses import dataclass
from pathlib import Path

from playground.errors import UserError
from playground.lens.capture.tokens import encode
from playground.lens.generate.chat_template import Turn, chat_template_of, render_chat
from playground.tasks.finetune.next_token import NextTokenTask, TokenRow
from playground.tasks.finetune.reader import Reader
from playground.tasks.finetune.rows import SplitRows, read_rows, without_leaks
from playground.tasks.finetune.tables import split_tables
from playground.tasks.sources import check_held_out

PROMPT_MARK, ANSWER_MARK = "PROMPT-OF-THE-ROW", "ANSWER-OF-THE-ROW"
MOST_HELD_OUT = 200


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
class Frame:
    """What stands around a prompt and its answer."""

    before: str
    between: str
    after: list[int]
    """Tokens behind the answer: its end."""

    def row(self, reader: Reader, prompt: str, answer: str) -> TokenRow:
        """The tokens of a pair; what counts begins with the answer."""
        asked = reader.encode(self.before + prompt + self.between)
        answered = [token.id for token in encode(reader.tokenizer, answer)]
        answered = answered[len(reader.prefix()) :] if reader.prefix() else answered
        # The end token has no bytes of text.
        return TokenRow(ids=[*asked, *answered, *self.after], first=len(asked), n_bytes=len(answer.encode()))


def frame_of(reader: Reader) -> Frame:
    """The chat template around marks, cut there; a blank line where there is no template."""
    if chat_template_of(reader.model) is None:
        return Frame(before="", between="\n\n", after=list(reader.ends[:1]))
    turns = (Turn(role="user", content=PROMPT_MARK), Turn(role="assistant", content=ANSWER_MARK))
    asked = render_chat(reader.model, turns[:1]).text
    text = render_chat(reader.model, [*turns, Turn(role="user", content="?")]).text
    before, found, between = asked.partition(PROMPT_MARK)
    _, answered, rest = text.partition(ANSWER_MARK)
    if not found or not answered:
        raise UserError("The chat template of {name} does not show its turns as they are.", name=reader.name)
    behind = encode(reader.tokenizer, rest)
    ends = [place for place, token in enumerate(behind) if token.special and token.id not in reader.prefix()]
    return Frame(before=before, between=between, after=[token.id for token in behind[: ends[0] + 1]] if ends else [])


def prepare_prompts(config: PromptsConfig, reader: Reader, length: int) -> NextTokenTask:
    """Read and encode the pairs. Raises UserError for a table that cannot be read, or answers that do not fit."""
    columns = config.prompt_column, config.answer_column
    split = split_tables(config.sources, config.text, columns, held_out=config.held_out, most_held_out=MOST_HELD_OUT)
    return _encoded(without_leaks(split), reader, length)


def restore_prompts(config: PromptsConfig, reader: Reader, folder: Path, length: int) -> NextTokenTask:
    """The task of a run folder. Raises UserError if its texts are damaged."""
    return _encoded(read_rows(folder), reader, length)


def _encoded(split: SplitRows, reader: Reader, length: int) -> NextTokenTask:
    if reader.kind != "decoder":
        raise UserError("{name} does not predict the next token; choose a decoder.", name=reader.name)
    frame, longest = frame_of(reader), min(length, reader.context) + 1
    train, held_out = (
        [
            row
            for prompt, answer in zip(rows.texts, rows.labels, strict=True)
            if len((row := frame.row(reader, prompt, answer)).ids) <= longest
        ]
        for rows in (split.train, split.held_out)
    )
    if not train or not held_out:
        raise UserError(
            "No pair of prompt and answer fits into {length} tokens; choose longer rows, or shorter pairs.",
            length=length,
        )
    return NextTokenTask(reader=reader, split=split, train=train, held_out=held_out)
