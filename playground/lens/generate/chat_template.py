"""A conversation as a model reads it: its turns through the chat template that the tokenizer brings.

The ids are those of transformers' `apply_chat_template`. The template is rendered in a process of its own, bounded in
time, memory and length (`template_worker`).
"""

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import BoundedSemaphore
from typing import TYPE_CHECKING, Any, Literal

from playground.decoding import well_formed
from playground.errors import UserError
from playground.lens.capture.tokens import Token, input_tokens, label, rust_tokenizer
from playground.models.rehearsal import encoding_of

if TYPE_CHECKING:
    from playground.models import LoadedModel

Role = Literal["system", "user", "assistant"]
MOST_TURNS = 40
LONGEST_TEMPLATE = 200_000
LONGEST_TEXT = 400_000
"""Characters that a template may make of a conversation."""
CPU_SECONDS, WALL_SECONDS, MEGABYTES = 3, 10, 512
"""What a template may take. The templates in use take some milliseconds."""
WORKER = Path(__file__).with_name("template_worker.py")
POLL_SECONDS = 0.1
_PLACES = BoundedSemaphore(2)
"""Templates that are rendered at once."""
OPEN_END = "OPEN_END_OF_THE_LAST_TURN "
"""Stands behind a turn that is to be continued while the template is rendered; the text is cut there."""


@dataclass(frozen=True, kw_only=True)
class ChatTurn:
    """One turn of a conversation."""

    role: Role
    content: str


@dataclass(frozen=True, kw_only=True)
class RenderedChat:
    """A conversation as the model reads it."""

    text: str
    """What the template makes of the turns."""
    tokens: tuple[Token, ...]
    turns: tuple[int | None, ...]
    """Which turn's own words each token is of; None for the template's."""
    page_text: str
    """The text whose tokens, as every page reads a text, are these."""
    is_exact: bool
    """Whether there is such a text; otherwise the pages read `page_text` otherwise."""
    extra: tuple[str, ...]
    """Tokens that the pages read in front of it, where that is how they read it otherwise."""
    forged: tuple[int, ...]
    """Turns whose own words hold special tokens, which the model cannot tell from the template's."""

    @property
    def ids(self) -> list[int]:
        """The token ids."""
        return [token.id for token in self.tokens]


def chat_template_of(model: "LoadedModel") -> str | None:
    """The tokenizer's chat template, of several the default; None where it brings none."""
    template = getattr(model.tokenizer, "chat_template", None)
    if isinstance(template, dict):
        template = template.get("default")
    return template if isinstance(template, str) and template.strip() else None


def render_chat(
    model: "LoadedModel", turns: Sequence[ChatTurn], is_abandoned: Callable[[], bool] = lambda: False
) -> RenderedChat:
    """The conversation as the model reads it, ready for the assistant's next turn; an assistant's last one stays open.

    Raises UserError for a tokenizer without a template, for no turns or too many, and for a template that refuses the
    conversation, takes too long or makes too much of it. is_abandoned: asked while the template is rendered.
    """
    template = chat_template_of(model)
    if template is None:
        raise UserError("The tokenizer of {name} brings no chat template, so it reads no turns.", name=model.name)
    if not turns or len(turns) > MOST_TURNS:
        raise UserError(
            "A conversation has 1 to {most} turns; this one has {count}.", most=MOST_TURNS, count=len(turns)
        )
    if len(template) > LONGEST_TEMPLATE:
        raise UserError(
            "The chat template of {name} has {count:,} characters; at most {most:,} are rendered.",
            name=model.name,
            count=len(template),
            most=LONGEST_TEMPLATE,
        )
    turns = [ChatTurn(role=turn.role, content=well_formed(turn.content)) for turn in turns]
    text = _rendered(model, template, turns, is_abandoned)
    return _as_read(model, text, turns)


def _rendered(model: "LoadedModel", template: str, turns: Sequence[ChatTurn], is_abandoned: Callable[[], bool]) -> str:
    messages = [{"role": turn.role, "content": turn.content} for turn in turns]
    is_open = turns[-1].role == "assistant"
    if is_open:
        messages[-1]["content"] += OPEN_END
    special = {name: _plain(token) for name, token in model.tokenizer.special_tokens_map.items()}
    # What transformers hands to a template besides: no tools, no documents.
    values = {"messages": messages, "tools": None, "documents": None, "add_generation_prompt": not is_open, **special}
    text = _render_apart(model.name, template, values, is_abandoned)
    return _cut_open(model.name, text) if is_open else text


def _plain(token: Any) -> str | list[str]:
    """A special token, or several, as a template reads them."""
    return [str(one) for one in token] if isinstance(token, list | tuple) else str(token)


def _cut_open(name: str, text: str) -> str:
    """The text up to the open end; a template that trims its turns has dropped the space behind the mark."""
    at = text.rfind(OPEN_END.rstrip())
    if at < 0:
        raise UserError(
            "The chat template of {name} does not show the last turn, so it cannot be continued.", name=name
        )
    return text[:at] if text.startswith(OPEN_END, at) else text[:at].rstrip()


def _render_apart(name: str, template: str, values: dict[str, Any], is_abandoned: Callable[[], bool]) -> str:
    """Render in a process, which is ended where it takes too long or nobody waits for it any more."""
    bounds = {"seconds": CPU_SECONDS, "megabytes": MEGABYTES, "characters": LONGEST_TEXT}
    task = {"template": template, "values": values, **bounds}
    output = _run_worker(json.dumps(task).encode(), is_abandoned)
    if output is None:
        raise UserError(
            "The chat template of {name} takes more than {seconds} seconds or {megabytes} MB; it was stopped.",
            name=name,
            seconds=CPU_SECONDS,
            megabytes=MEGABYTES,
        )
    answer = json.loads(output)
    if "error" in answer:
        raise UserError(
            "The chat template of {name} refuses this conversation: {reason}", name=name, reason=answer["error"]
        )
    return well_formed(str(answer["text"]))


def _run_worker(task: bytes, is_abandoned: Callable[[], bool]) -> bytes | None:
    """What the process answers; None where it was stopped. Few run at once, however many people compose a turn."""
    while not _PLACES.acquire(timeout=POLL_SECONDS):
        if is_abandoned():
            return None
    try:
        # Without the environment, whose secrets a template has no business with.
        command = [sys.executable, "-I", "-X", "utf8", str(WORKER)]
        pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
        with subprocess.Popen(command, env={}, **pipes) as process:
            try:
                output = _communicate(process, task, is_abandoned)
            finally:
                process.kill()
        return None if process.returncode else output
    finally:
        _PLACES.release()


def _communicate(process: "subprocess.Popen[bytes]", task: bytes, is_abandoned: Callable[[], bool]) -> bytes | None:
    """The process's output; None where it takes too long, or nobody waits for it."""
    pending: bytes | None = task
    for _look in range(int(WALL_SECONDS / POLL_SECONDS)):
        try:
            return process.communicate(pending, timeout=POLL_SECONDS)[0]
        except subprocess.TimeoutExpired:
            pending = None
            if is_abandoned():
                return None
    return None


def _as_read(model: "LoadedModel", text: str, turns: Sequence[ChatTurn]) -> RenderedChat:
    ids, offsets = encode_rendered(model, text)
    tokens = tuple(label(model.tokenizer, ids))
    spans = _own_words(text, turns)
    owners = tuple(_owner(spans, *place) for place in offsets) if offsets else (None,) * len(ids)
    forged = {owner for token, owner in zip(tokens, owners, strict=True) if token.special and owner is not None}
    page_text, read = page_text_of(model, text, ids)
    return RenderedChat(
        text=text,
        tokens=tokens,
        turns=owners,
        page_text=page_text,
        is_exact=read == ids,
        extra=_tokens_ahead(model, read, ids),
        forged=tuple(sorted(forged)),
    )


def encode_rendered(model: "LoadedModel", text: str) -> tuple[list[int], list[tuple[int, int]]]:
    """Ids and characters of a rendered text: the template has written all special tokens itself.

    No characters where the tokenizer is pure Python.
    """
    rust = rust_tokenizer(model.tokenizer)
    if rust is None:
        return [int(id) for id in model.tokenizer(text, add_special_tokens=False)["input_ids"]], []
    encoding = encoding_of(rust, text, add_special_tokens=False)
    return list(encoding.ids), list(encoding.offsets)


def _own_words(text: str, turns: Sequence[ChatTurn]) -> list[tuple[int, int, int]]:
    """Where each turn's own words stand: first character, end, turn. What a template has changed is not found."""
    spans, position = [], 0
    for number, turn in enumerate(turns):
        words = turn.content.strip()
        at = text.find(words, position) if words else -1
        if at >= 0:
            position = at + len(words)
            spans.append((at, position, number))
    return spans


def _owner(spans: Sequence[tuple[int, int, int]], first: int, end: int) -> int | None:
    """The turn that a token lies in; None for a token that is the template's, in part or whole."""
    return next((turn for begin, stop, turn in spans if begin <= first < end <= stop), None)


def page_text_of(model: "LoadedModel", text: str, ids: list[int]) -> tuple[str, list[int]]:
    """The text that every page reads as these ids, and what they read: the rendered one, or without its first token.

    A tokenizer that begins every text with a token would read it twice where the template writes it, too.
    """
    first = str(getattr(model.tokenizer, "bos_token", None) or "")
    candidates = dict.fromkeys([text, text.removeprefix(first)] if first else [text])
    readings = {one: [token.id for token in input_tokens(model, one)] for one in candidates}
    exact = next((one for one, read in readings.items() if read == ids), text)
    return exact, readings[exact]


def _tokens_ahead(model: "LoadedModel", read: list[int], ids: list[int]) -> tuple[str, ...]:
    """The labels of the tokens that the pages read in front of these ids; empty where the readings differ otherwise."""
    ahead = len(read) - len(ids)
    is_prefixed = ahead > 0 and read[ahead:] == ids
    return tuple(token.text for token in label(model.tokenizer, read[:ahead])) if is_prefixed else ()
