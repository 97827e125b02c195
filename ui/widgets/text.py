"""What the model reads: one text, a sentence pair, or a source and its target."""

import zlib
from dataclasses import dataclass, replace

from playground.models import LoadedModel
from playground.text import _
from ui.components.live_text import live_text
from ui.sections.attention.examples import other_text
from ui.state.address import read_text, write_text
from ui.state.parameters import OTHER_TEXT, PAIR, TARGET
from ui.state.parameters import Text as TextParameter
from ui.state.revisions import revision

TEXT_LENGTH = 40_000
TARGET_LENGTH = 4_000


@dataclass(frozen=True, kw_only=True)
class Texts:
    """The input of one pass; pair is a second sentence, target what a decoder reads (None: the model writes it)."""

    text: str
    pair: str | None = None
    target: str | None = None


def choose_second(model: LoadedModel, text: str, target: str = "") -> Texts:
    """The text with what an encoder-decoder's decoder reads, or with an encoder's second sentence."""
    if model.kind == "encoder-decoder":
        return Texts(text=text, target=choose_target(target))
    return Texts(text=text, pair=choose_pair(model) if model.kind == "encoder" else None)


def choose_pair(model: LoadedModel) -> str | None:
    """An encoder's second sentence, or the passage that answers a question; None while it is empty."""
    if model.head is not None and model.head.task == "span":
        return _second(PAIR, _("Passage that holds the answer"))
    return _second(PAIR, _("Second sentence (optional)"))


def choose_target(default: str = "") -> str | None:
    """What an encoder-decoder's decoder reads; None where the model writes it."""
    return _second(TARGET, _("Target text (leave empty: model's own translation)"), default)


def choose_other_text(model: LoadedModel, texts: Texts) -> Texts:
    """A second text to compare with the first, to begin with a copy of it with one word changed."""
    default, label = other_text(model, texts.text), _("Other text")
    text = address_text(OTHER_TEXT, default, label=label, rows=1, placeholder=label, hidden=True)
    return replace(texts, text=text)


def address_text(
    name: TextParameter,
    default: str,
    *,
    label: str,
    rows: int,
    placeholder: str = "",
    limit: int | None = None,
    hidden: bool = False,
) -> str:
    """A live text area whose content stands in the address under `name`. hidden: its label is for screen readers."""
    limit = name.limit if limit is None else limit
    text = live_text(
        read_text(name, default)[:limit],
        label=label,
        placeholder=placeholder,
        max_chars=limit,
        rows=rows,
        label_hidden=hidden,
        key=f"{name}_area",
        # Another model may begin with another text; what was typed stands in the address and stays.
        revision=f"{revision(name)}.{zlib.crc32(default.encode())}",
    )
    write_text(name, None if text == default else text)
    return text


def _second(name: TextParameter, label: str, default: str = "") -> str | None:
    """An optional second text; None while it is empty."""
    text = address_text(name, default, label=label, rows=1, placeholder=label, hidden=True)
    return text if text.strip() else None
