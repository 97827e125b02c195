"""Labelled texts from a table, from files that are named after their label, and from synthetic sentences."""

import csv
import re
import textwrap
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np

from playground.csv_table import skip_comments
from playground.decoding import decode_plainest
from playground.delimited import Record, likely_delimiter, plain_line_ends, read_records, refuse_swallowed
from playground.errors import UserError
from playground.tasks.sources import LARGEST_FILE, read_texts
from playground.tasks.tales.languages import Language, render_sentence
from playground.tasks.tales.scenes import Scenes
from playground.tasks.tales.tales_task import default_world, generate_stories
from playground.tasks.tales.world import uniforms

KINDS = ("statement", "question", "request")
LANGUAGES: tuple[Language, ...] = ("english", "french", "chinese")
TALES_WORDS = 120_000
TALES_SCENES = 4_000
SHORTEST_PASSAGE = 20
"""Shorter passages do not identify a language."""
MOST_LABELS = 1000
CANDIDATES = {
    "latin1": ("cp1252", "latin-1"),
    "latin2": ("cp1250", "iso8859-2"),
    "cyrillic": ("cp1251", "iso8859-5"),
    "arabic": ("cp1256",),
    "greek": ("iso8859-7",),
    "hebrew": ("iso8859-8",),
    "turkish": ("iso8859-9",),
    "baltic": ("iso8859-4",),
    "gb2312": ("gb2312",),
    "hz": ("hz",),
    "euc": ("euc-jp",),
    "jis": ("iso2022_jp",),
    "sjis": ("shift_jis",),
    "unicode": ("utf-16",),
}
"""The name of an encoding in a file's name, and the codecs that it can mean; without such a name it is UTF-8."""

_LABEL = re.compile(r"[^\W\d_]+")


@dataclass(frozen=True, kw_only=True)
class Group:
    """Texts of one label from one source, ordered so that the last ones can be held out."""

    label: str
    texts: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class LabelledTexts:
    """All groups, and the number of files that could not be read."""

    groups: tuple[Group, ...]
    skipped: int = 0


def read_labelled_table(text: str, *, text_column: str, label_column: str) -> list[tuple[str, str]]:
    """Read (text, label) from each row of a CSV table, delimited by , ; tab or |.

    Raises UserError for a table without these columns, and for a row in which one of them is empty.
    """
    skipped, lines = skip_comments(plain_line_ends(text.lstrip("\ufeff")))
    delimiter = likely_delimiter(lines)
    # Empty lines in place of the comments: a sentence names a line of the file.
    try:
        records = [record for record in read_records("\n" * skipped + lines, delimiter) if record.cells]
    except csv.Error as error:
        raise UserError("The table cannot be read as CSV ({error}); save it once more as CSV.", error=error) from error
    header = list(records[0].cells) if records else []
    _check_columns(header, text_column, label_column)
    refuse_swallowed(records, delimiter)
    first, second = header.index(text_column), header.index(label_column)
    examples = [(row.end, _cell_at(row, first), _cell_at(row, second)) for row in records[1:]]
    for line, example, label in examples:
        if not example:
            raise UserError("The row that ends in line {line} has no text; fill it in or delete the row.", line=line)
        if not label:
            raise UserError("The row that ends in line {line} has no label; fill it in or delete the row.", line=line)
    return [(example, label) for _, example, label in examples]


def _cell_at(record: Record, column: int) -> str:
    """A cell; empty where the row ends before it."""
    return record.cells[column].strip() if column < len(record.cells) else ""


def _check_columns(header: object, *wanted: str) -> None:
    columns = [str(name) for name in header] if isinstance(header, list | tuple) else []
    missing = [name for name in wanted if name not in columns]
    if not columns:
        raise UserError(
            "The table is empty; its first line has to name the columns {columns}.", columns=", ".join(wanted)
        )
    if missing:
        raise UserError(
            "The table has no column {missing!r}. Its columns are {columns}. Say which hold the text and the label.",
            missing=missing[0],
            columns=", ".join(columns),
        )


def table_groups(sources: tuple[str, ...], text: str, *, text_column: str, label_column: str) -> LabelledTexts:
    """The rows of all tables by label, shuffled by a fixed seed."""
    tables = read_texts(sources, text)
    rows = [
        row
        for table in tables
        for row in read_labelled_table(table, text_column=text_column, label_column=label_column)
    ]
    return _grouped(rows)


def _grouped(rows: list[tuple[str, str]]) -> LabelledTexts:
    """One group per label, without duplicate texts, shuffled by a fixed seed."""
    by_label: dict[str, dict[str, None]] = {}
    for text, label in rows:
        by_label.setdefault(label, {})[text] = None
    return LabelledTexts(
        groups=tuple(Group(label=label, texts=_shuffled([*by_label[label]])) for label in sorted(by_label))
    )


def _shuffled(texts: list[str]) -> tuple[str, ...]:
    return tuple(texts[index] for index in np.random.default_rng(0).permutation(len(texts)))


def archive_groups(sources: tuple[str, ...], *, passage: int) -> LabelledTexts:
    """Passages of the files in .zip archives, whose names begin with their label: Greek_Ellinika-Greek is Greek.

    Files that cannot be decoded are skipped. Raises UserError for an archive that cannot be opened.
    """
    decoded = [pair for source in sources for pair in _files_in(Path(source))]
    groups = [
        Group(label=label, texts=cut_passages(text, passage)) for label, text in decoded if label and text is not None
    ]
    kept = tuple(group for group in groups if group.texts)
    if not kept:
        raise UserError("No file in the archive could be read as text; each name has to begin with the label.")
    return LabelledTexts(groups=kept, skipped=len(decoded) - len(kept))


def _files_in(path: Path) -> list[tuple[str, str | None]]:
    """The label and the text of each file; None if it cannot be decoded."""
    if not path.is_file():
        raise UserError(
            "There is no file {path}. Name a .zip archive whose files are named after their label.", path=path
        )
    try:
        with zipfile.ZipFile(path) as archive:
            files = [info for info in archive.infolist() if not info.is_dir() and "__MACOSX" not in info.filename]
            if sum(info.file_size for info in files) > LARGEST_FILE:
                raise UserError(
                    "{path} holds more than {largest_file} MB; choose a smaller archive.",
                    path=path,
                    largest_file=LARGEST_FILE // 10**6,
                )
            names = [PurePosixPath(info.filename).name for info in files]
            return [(label_of(name), decode(archive.read(i), name)) for name, i in zip(names, files, strict=True)]
    except OSError as error:
        raise UserError("{path} cannot be read ({reason}).", path=path, reason=error.strerror) from error
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise UserError("{path} is not a .zip archive that can be opened; pack the files again.", path=path) from error


def label_of(name: str) -> str:
    """The leading letters of a file's name; "" without any."""
    letters = _LABEL.match(name)
    return letters[0] if letters else ""


def decode(content: bytes, name: str) -> str | None:
    """The text of a file in the encoding that its name ends with; None if the bytes are not."""
    word = PurePosixPath(name.removesuffix(".txt")).name.rpartition("-")[2].partition("+")[0].lower()
    return decode_plainest(content, CANDIDATES.get(word, ("utf-8-sig",)))


def cut_passages(text: str, length: int) -> tuple[str, ...]:
    """Split a text into passages of at most `length` characters; short and repeated ones are left out."""
    lines = textwrap.wrap(" ".join(text.split()), length, break_on_hyphens=False)
    return tuple(dict.fromkeys(line for line in lines if len(line) >= min(length, SHORTEST_PASSAGE)))


def tales_kinds() -> LabelledTexts:
    """Synthetic statements, questions and requests, without the final sign, which would give the class away."""
    return _grouped([pair for story in generate_stories(default_world(), words=TALES_WORDS) for pair in _kinds(story)])


def _kinds(story: list[str]) -> Iterator[tuple[str, str]]:
    for sentence in story:
        for sign, kind in zip("?!.", ("question", "request", "statement"), strict=True):
            if sign in sentence:
                yield sentence.partition(sign)[0], kind
                break


def tales_languages() -> LabelledTexts:
    """Synthetic sentences, each in one of the three languages."""
    scenes, random_numbers = Scenes(default_world()), uniforms(np.random.default_rng(0))
    scenes_to_render = [
        (scenes.sample(random_numbers), LANGUAGES[index % len(LANGUAGES)]) for index in range(TALES_SCENES)
    ]
    return _grouped(
        [(_text([word for word, _ in render_sentence(scene, lang)], lang), lang) for scene, lang in scenes_to_render]
    )


def _text(words: list[str], language: Language) -> str:
    return "".join(words) if language == "chinese" else re.sub(r" (?=[.,?!])|(?<=') ", "", " ".join(words))


def check_labels(names: Sequence[str]) -> None:
    """Raise UserError for fewer than two labels, or for so many that they are no labels."""
    if len(names) == 1:
        raise UserError("All texts have the label {name!r}; at least two labels are needed.", name=names[0])
    if len(names) > MOST_LABELS:
        raise UserError(
            "There are {n_names:,} different labels; at most {most_classes:,} are possible. Are the "
            "columns of text and label mixed up?",
            n_names=len(names),
            most_classes=MOST_LABELS,
        )
