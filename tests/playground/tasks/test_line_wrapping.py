"""Lines of wrapped prose are joined, and verse, code, lists, tables and logs stay as they are unless somebody asks."""

import json
import textwrap

import numpy as np
import pytest

from playground.errors import UserError
from playground.tasks.line_wrapping import check_joining, is_wrapped_prose, join_lines
from playground.tasks.masked import MaskedConfig
from playground.tasks.sources import unwrap
from playground.tasks.text import TextTaskConfig, prepare_text

WORDS = (*("the", "of", "a", "keeper", "lamp", "harbour", "window", "evening", "boat", "turned", "home"), "slowly")
WORDS += ("with", "her", "old", "stone", "and", "lit", "it", "again")


def sentence(generator):
    """Words with a comma among them now and then."""
    words = [str(generator.choice(WORDS)) + ("," if generator.random() < 0.08 else "") for _ in range(14)]
    return " ".join(words).rstrip(",").capitalize() + "."


def paragraphs(count=12, sentences=6, seed=0):
    """Each in one line."""
    generator = np.random.default_rng(seed)
    return [" ".join(sentence(generator) for _ in range(sentences)) for _ in range(count)]


VERSE = "\n".join(textwrap.wrap(" ".join(paragraphs()), 46)).title()
SONNET = """Shall I compare thee to a summer's day?
Thou art more lovely and more temperate:
Rough winds do shake the darling buds of May,
And summer's lease hath all too short a date;
Sometime too hot the eye of heaven shines,
And often is his gold complexion dimm'd;
And every fair from fair sometime declines,
By chance or nature's changing course untrimm'd;
"""
FREE_VERSE = "\n".join(line[: 12 + 9 * (index % 5)] for index, line in enumerate(paragraphs(40)))
CODE = "import os\nimport sys\nx = _private_\nprint(x)\nfor _ in range(10):\n    y = _x_ + 1\n\nz = 2\n" * 20
DRAMA = "ROMEO:\nBut soft, what light through yonder window breaks?\nJULIET:\nAy me!\n\n" * 20
LIST = "\n".join(f"- {line[: 10 + 7 * (index % 6)]}" for index, line in enumerate(paragraphs(40)))
NUMBERED = "\n".join(f"{index}. {line[:60]}" for index, line in enumerate(paragraphs(40)))
CSV = "a,b,c\n" + "\n".join(f"{index},{line[:40]},{index % 2}" for index, line in enumerate(paragraphs(40)))
LOG = "\n".join(f"info: step {index:05} of the run has a loss of 3.21 and a rate of 0.001" for index in range(200))
TABLE = "\n".join(f"{index:05} {index * 7:07} {index * 11:09} 0.123456 0.654321 0.777777" for index in range(100))
JSON_LINES = "\n".join(json.dumps({"text": line[:80]}) for line in paragraphs(40))
SENTENCES = "\n".join(sentence(np.random.default_rng(seed)) for seed in range(60))
MARKDOWN = "| a | b |\n| --- | --- |\n" + "\n".join(f"| {line[:30]} | {line[30:60]} |" for line in paragraphs(30))
POEM = "床前明月光\n疑是地上霜\n舉頭望明月\n低頭思故鄉\n" * 20
DOCSTRINGS = "\n\n".join(
    f'def f{index}(_a):\n    """{textwrap.fill(line, 70)}"""\n    b = 1\n    return _a_'
    for index, line in enumerate(paragraphs(6, 1))
)
KEPT = {
    "verse": VERSE,
    "sonnet": SONNET,
    "free verse": FREE_VERSE,
    "code": CODE,
    "docstrings": DOCSTRINGS,
    "drama": DRAMA,
    "list": LIST,
    "numbered": NUMBERED,
    "csv": CSV,
    "log": LOG,
    "table": TABLE,
    "json lines": JSON_LINES,
    "sentences": SENTENCES,
    "markdown": MARKDOWN,
    "chinese": POEM,
    "long lines": "\n".join(paragraphs()),
    "short": "one\ntwo\n",
}


@pytest.mark.parametrize("name", KEPT)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_what_is_no_wrapped_prose_stays_letter_for_letter(name, end):
    text = KEPT[name].replace("\n", end)
    assert join_lines(text, "prose") == text


@pytest.mark.parametrize("width", [60, 72, 80, 100])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_wrapped_prose_is_joined_to_the_paragraphs_that_were_wrapped(width, end):
    """The reference is textwrap's own input."""
    wrapped = "\n\n".join(textwrap.fill(paragraph, width) for paragraph in paragraphs()).replace("\n", end)
    assert join_lines(wrapped, "prose") == "\n".join(paragraphs())


def test_prose_with_a_ragged_margin_is_joined():
    wrapped = "\n\n".join(textwrap.fill(each, 66 + index % 5) for index, each in enumerate(paragraphs(sentences=9)))
    assert is_wrapped_prose(wrapped)


@pytest.mark.parametrize(
    "inset", ["x = _private_\ny = 2", "x = _private_", SONNET.strip(), "- milk\n- eggs", "a,b\n1,2"]
)
def test_what_stands_between_wrapped_paragraphs_keeps_its_lines(inset):
    before, after = paragraphs(6), paragraphs(6, seed=1)
    wrapped = [textwrap.fill(paragraph, 72) for paragraph in before] + [inset]
    wrapped += [textwrap.fill(paragraph, 72) for paragraph in after]
    assert join_lines("\n\n".join(wrapped), "prose") == "\n".join([*before, inset, *after])


def test_italics_of_prose_lose_their_marks_in_paragraphs_of_any_length():
    wrapped = [textwrap.fill(paragraph, 72) for paragraph in paragraphs()]
    joined = join_lines("\n\n".join([*wrapped, "“_What_!” said he."]), "prose")
    assert joined.endswith("\n“What!” said he.")


@pytest.mark.parametrize("name", KEPT)
def test_whoever_asks_gets_every_paragraph_joined_and_whoever_declines_none(name):
    assert join_lines(KEPT[name], True) == unwrap(KEPT[name])
    assert join_lines(KEPT[name], False) == KEPT[name]


@pytest.mark.parametrize("config", [TextTaskConfig, MaskedConfig])
def test_prose_alone_is_joined_unless_a_config_says_otherwise(config):
    assert config(text="x").unwrap == "prose"
    assert config(text="x", unwrap=True).unwrap is True
    for joining in ("yes", 1, None):
        with pytest.raises(UserError, match="choose true, false or prose"):
            config(text="x", unwrap=joining)
        with pytest.raises(UserError, match="choose true, false or prose"):
            check_joining(joining)


def test_a_task_learns_verse_with_its_lines():
    task = prepare_text(TextTaskConfig(text=SONNET * 20, vocabulary="characters", vocabulary_size=128))
    learned = task.tokenizer.decode([*task.train_ids.tolist(), *task.held_out_ids.tolist()])
    assert learned == SONNET * 20
