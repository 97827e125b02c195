"""A model's held-out text, read again from its sources: is it the text that its card was measured on?

How the lines of a paragraph are joined has changed over time, and with it every token after the first difference. An
exported model keeps what its held-out text was, and each way of joining is tried until the same tokens come out.
"""

import dataclasses
import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from tokenizers import Tokenizer

from playground.errors import UserError
from playground.tasks.line_wrapping import Joining, join_lines
from playground.tasks.sources import read_texts, unwrap
from playground.tasks.text import TextTask, TextTaskConfig, cut_text, encode_texts

if TYPE_CHECKING:
    from playground.models import LoadedModel

FACTS_FILE = "held_out.json"


@dataclass(frozen=True, kw_only=True)
class HeldOutFacts:
    """What a held-out text was, without the text."""

    fraction: float
    """The last share of each text."""
    unwrap: Joining
    """Whether the lines of paragraphs were joined."""
    tokens: int
    bytes: int
    sha256: str
    """Of the token ids, two bytes each, the lower one first."""
    measures: Mapping[str, float]
    """As the card states them."""


def facts_of(task: TextTask, measures: Mapping[str, float]) -> HeldOutFacts:
    """What a task's held-out text is."""
    return HeldOutFacts(
        fraction=task.config.held_out,
        unwrap=task.config.unwrap,
        tokens=len(task.held_out_ids),
        bytes=task.held_out_bytes,
        sha256=_digest(task.held_out_ids),
        measures=dict(measures),
    )


def write_facts(folder: Path, facts: HeldOutFacts) -> None:
    """Keep the facts in a model's folder."""
    text = json.dumps(dataclasses.asdict(facts), indent=2)
    (folder / FACTS_FILE).write_text(text + "\n", encoding="utf-8")


def read_facts(folder: Path, name: str) -> HeldOutFacts:
    """The facts in a model's folder. Raises UserError where there are none, or they are damaged."""
    try:
        values: dict[str, Any] = json.loads((folder / FACTS_FILE).read_text(encoding="utf-8"))
        return HeldOutFacts(**values)
    except FileNotFoundError as error:
        raise UserError(
            "{name} does not say what its held-out text was; export its run again, or choose books-decoder.", name=name
        ) from error
    except (OSError, ValueError, TypeError, RecursionError) as error:
        raise UserError("{file} of {name} is damaged: {error}.", file=FACTS_FILE, name=name, error=error) from error


def read_held_out(facts: HeldOutFacts, sources: tuple[str, ...], tokenizer: Tokenizer) -> TextTask:
    """The held-out text in its sources, as a task without a training part.

    Raises UserError where no way of joining lines gives the tokens that the facts state.
    """
    config = TextTaskConfig(sources=sources, held_out=facts.fraction, unwrap=facts.unwrap)
    texts = read_texts(sources)
    for join in JOININGS if facts.unwrap is True else (partial(join_lines, joining=facts.unwrap),):
        joined = [join(text) for text in texts]
        held_out = [text[cut_text(text, facts.fraction) :] for text in joined]
        ids = encode_texts(tokenizer, held_out)
        if _digest(ids) == facts.sha256:
            return TextTask(
                config=config,
                tokenizer=tokenizer,
                train_ids=ids[:0],
                held_out_ids=ids,
                held_out_bytes=sum(len(text.encode()) for text in held_out),
            )
    raise UserError(
        "These sources hold another text than the {tokens:,} tokens ({n_bytes:,} bytes) on which the card was "
        "measured; name the files that the model was trained on.",
        tokens=facts.tokens,
        n_bytes=facts.bytes,
    )


def measure_held_out(model: "LoadedModel", sources: tuple[str, ...]) -> dict[str, float]:
    """Loss in nats per token and bits per byte of one of our decoders on its held-out text, as its card has them.

    Each window of one context is read alone, after the start token. Raises UserError as `read_held_out` does.
    """
    facts = read_facts(model.folder, model.name)
    task = read_held_out(facts, sources, model.tokenizer)
    return task.evaluate(model.module, rows=None, length=model.context)  # type: ignore[arg-type]


def _digest(ids: np.ndarray) -> str:
    return hashlib.sha256(ids.astype("<u2").tobytes()).hexdigest()


def _joined_without_underscores(text: str) -> str:
    """Until 24 November 2026: every underscore dropped, verse joined, too.

    >>> _joined_without_underscores("a _b\\n  c_ d_e\\n\\n\\nf")
    'a b c de\\nf'
    """
    return _joined_everywhere(text.replace("_", ""))


def _joined_without_italics(text: str) -> str:
    """Until 27 November 2026: the underscores of italics dropped, over paragraphs, too.

    >>> _joined_without_italics("a _b\\n  c_ d_e\\n\\nf")
    'a b c d_e\\nf'
    """
    return _joined_everywhere(re.sub(r"(?<!\w)_([^_]+)_(?!\w)", r"\1", text))


def _joined_everywhere(text: str) -> str:
    paragraphs = re.split(r"\n\s*\n", text.replace("\r\n", "\n"))
    return "\n".join(" ".join(paragraph.split()) for paragraph in paragraphs if paragraph.strip())


JOININGS: tuple[Callable[[str], str], ...] = (unwrap, _joined_without_italics, _joined_without_underscores)
"""How lines were joined, today's way first."""
