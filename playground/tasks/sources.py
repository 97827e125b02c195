"""Read text: typed in, from files, from the documentation of the running Python, from the Hugging Face hub.

A source is one string: the path of a .txt file or of a .zip of them, `python-documentation`, or
`hub:owner/name` for a data set.
"""

import re
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path

from playground.errors import UserError
from playground.tasks.hub_text import read_hub

PYTHON_DOCUMENTATION = "python-documentation"
HUB = "hub:"
LARGEST_TEXT = 4_000_000
"""Characters that may be typed in: they are saved in the run's config.json."""
LARGEST_FILE = 256_000_000
"""Bytes of text from one file; encoded, they take a few times as much memory."""

Stamp = tuple[int, int, int, int] | None
"""A file's modification and change times in nanoseconds, size in bytes and inode; None for other sources."""


def stamp_of(source: str) -> Stamp:
    """Identify the version of a source; it changes when its file is written, also by what keeps its time."""
    try:
        status = Path(source).stat()
    except (OSError, ValueError):
        return None
    return status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino


def check_sources(sources: tuple[str, ...], text: str) -> None:
    """Raise UserError if there is nothing to read, or if the text typed in is longer than LARGEST_TEXT."""
    if isinstance(sources, str) or not all(isinstance(source, str) for source in sources):
        raise UserError("The sources are a list: name at least one text file in it.")
    if not isinstance(text, str) or len(text) > LARGEST_TEXT:
        raise UserError(
            "The text typed in is longer than {largest_text:,} characters; put it into a file.",
            largest_text=LARGEST_TEXT,
        )
    if not sources and not text.strip():
        raise UserError("Name at least one text file to train on, or type a text in.")


def check_held_out(share: float) -> None:
    """Raise UserError unless some of each text is held out, and not all."""
    if not 0 < share < 1:
        raise UserError("The held-out share is {held_out}; choose a number between 0 and 1.", held_out=share)


def read_texts(sources: tuple[str, ...], text: str = "") -> list[str]:
    """The text typed in, then the texts of all sources. Raises UserError for one that cannot be read."""
    return ([text] if text.strip() else []) + read_sources(sources)


def read_sources(sources: tuple[str, ...]) -> list[str]:
    """The texts of all sources, in order. Raises UserError for one that is missing, unreadable, empty or not UTF-8."""
    return [text for source in sources for text in _read_source(source)]


def missing_files(sources: tuple[str, ...]) -> list[str]:
    """The names of the files among the sources that are not here."""
    files = [source for source in sources if source != PYTHON_DOCUMENTATION and not source.startswith(HUB)]
    return [source_name(source) for source in files if not Path(source).is_file()]


def source_name(source: str) -> str:
    """A source's name for display: a file without its folder."""
    return source if source.startswith(HUB) else Path(source).name


def unwrap(text: str) -> str:
    """Join the lines of each paragraph, one paragraph a line, and drop the underscores that mark _italics_.

    A paragraph with an indented line below its first is verse or code, and stays as it is.
    """
    return "\n".join(join_paragraph(lines) for lines in paragraph_lines(text))


def paragraph_lines(text: str) -> list[list[str]]:
    """The lines of each paragraph."""
    # Ends of lines in old Mac and Windows files, and of pages.
    plain = re.sub(r"\r\n?|\f", "\n", text)
    paragraphs = re.split(r"\n[^\S\n]*(?:\n[^\S\n]*)*\n", plain)
    return [paragraph.strip("\n").split("\n") for paragraph in paragraphs if paragraph.strip()]


def join_paragraph(lines: Sequence[str]) -> str:
    """A paragraph in one line, without the marks of italics; as it is where a line below its first is indented."""
    first, *others = lines
    if any(line[:1].isspace() for line in others):
        return "\n".join([first, *others])
    words = " ".join(" ".join(lines).split())
    return re.sub(r"(?<!\w)_([^_]+)_(?!\w)", r"\1", words)


def python_documentation() -> list[str]:
    """The language reference that `help()` shows: one text for each topic, about half a megabyte of English."""
    try:
        from pydoc_data.topics import topics
    except ImportError as error:  # some distributions leave it out
        raise UserError("This Python came without its documentation; choose another source.") from error
    return [topics[name] for name in sorted(topics)]


def _read_source(source: str) -> list[str]:
    if source == PYTHON_DOCUMENTATION:
        return python_documentation()
    if source.startswith(HUB):
        return [read_hub(source.removeprefix(HUB))]
    path = Path(source)
    if not path.is_file():
        raise UserError("There is no file {source}. Name a .txt file or a .zip of .txt files.", source=source)
    return _read_file(path)


def _read_file(path: Path) -> list[str]:
    try:
        texts = _read_zip(path) if path.suffix.lower() == ".zip" else [_read_text(path)]
    except OSError as error:
        raise UserError("{path} cannot be read ({reason}).", path=path, reason=error.strerror) from error
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        # RuntimeError is zipfile's word for an archive with a password.
        raise UserError(
            "{path} is not a .zip archive that can be opened; pack the .txt files again.", path=path
        ) from error
    if not texts:
        raise UserError("There is no .txt file in {path}; put at least one into it.", path=path)
    if not any(text.strip() for text in texts):
        raise UserError("{path} holds no text; choose another file.", path=path)
    return texts


def _read_text(path: Path) -> str:
    _check_bytes(path, path.stat().st_size)
    return _decode(path.read_bytes(), str(path))


def _read_zip(path: Path) -> list[str]:
    with zipfile.ZipFile(path) as archive:
        texts = [info for info in archive.infolist() if info.filename.endswith(".txt")]
        texts = [info for info in texts if not info.filename.startswith("__MACOSX/")]
        _check_bytes(path, sum(info.file_size for info in texts))
        return [_decode(archive.read(info), f"{info.filename} in {path}") for info in texts]


def _check_bytes(path: Path, size: int) -> None:
    if size > LARGEST_FILE:
        most = LARGEST_FILE // 10**6
        raise UserError(
            "{path} holds {size:,.0f} MB of text; choose a part of at most {most} MB.",
            path=path,
            size=size / 1000000.0,
            most=most,
        )


def _decode(content: bytes, name: str) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UserError(
            "{name} is not UTF-8 text (byte {start}). Save it as UTF-8 and try again.", name=name, start=error.start
        ) from error
