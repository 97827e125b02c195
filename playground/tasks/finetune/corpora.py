"""The archives that the built-in tasks read, if they are on this machine: public-domain books, declarations of rights.

They are not shipped: what ships is weights and this project's own lines.
"""

import os
import zipfile
from pathlib import Path

from playground.errors import UserError
from playground.folders import cache_root
from playground.tasks.finetune.rows import Rows, SplitRows
from playground.tasks.labelled_text import archive_groups, cut_passages
from playground.tasks.sources import unwrap

ARCHIVES = {"authors": "books.zip", "languages": "udhr.zip"}
"""The archive of a source, by its file's name."""
FOLDER = "PLAYGROUND_TEXTS"
"""The variable that names the folder with archives; without it `texts` in the cache."""
BOOKS = {
    "Jane Austen": ("pride_and_prejudice",),
    "Charlotte Brontë": ("jane_eyre",),
    "Charles Dickens": ("great_expectations", "tale_of_two_cities"),
    "Arthur Conan Doyle": ("sherlock_holmes", "study_in_scarlet"),
    "Herman Melville": ("moby_dick",),
    "Louisa May Alcott": ("little_women",),
    "Mark Twain": ("tom_sawyer", "huckleberry_finn"),
    "Bram Stoker": ("dracula",),
}
"""Authors, and the files in books.zip that they wrote."""
LANGUAGES = (
    *("Afrikaans", "Basque", "Catalan", "Czech", "Danish", "Dutch", "English", "Finnish", "French", "German"),
    *("Hungarian", "Icelandic", "Indonesian", "Italian", "Latvian", "Polish", "Spanish", "Swahili", "Turkish", "Welsh"),
)
"""The twenty languages, as udhr.zip's file names begin."""


def found_corpora() -> dict[str, Path]:
    """The archives on this machine, by the name of the source that reads them."""
    folder = Path(os.environ.get(FOLDER) or cache_root() / "texts")
    return {source: folder / name for source, name in ARCHIVES.items() if (folder / name).is_file()}


def archive_for(source: str, sources: tuple[str, ...]) -> str:
    """The archive to read: the one that was named, or the one found here. Raises UserError without one."""
    if sources:
        return sources[0]
    found = found_corpora().get(source)
    if found is None:
        raise UserError(
            "The texts of this task are not shipped; put {file} into the folder that {variable} names, or give its "
            "path.",
            file=ARCHIVES[source],
            variable=FOLDER,
        )
    return str(found)


def author_rows(archive: str, *, passage: int, share: float) -> SplitRows:
    """Passages of eight authors; the last share of each book is held out. Raises UserError for another archive."""
    groups = []
    try:
        with zipfile.ZipFile(archive) as books:
            for author, names in BOOKS.items():
                for name in names:
                    text = books.read(f"{name}.txt").decode("utf-8-sig")
                    groups.append((author, cut_passages(unwrap(text), passage)))
    except (OSError, zipfile.BadZipFile, KeyError, UnicodeDecodeError) as error:
        raise UserError("{path} is not the archive of books that this task reads.", path=Path(archive).name) from error
    return ordered_split(groups, share)


def language_rows(archive: str, *, passage: int, share: float) -> SplitRows:
    """Passages in twenty languages; the last share of each language is held out."""
    found = archive_groups((archive,), passage=passage).groups
    texts: dict[str, dict[str, None]] = {name: {} for name in LANGUAGES}
    for group in found:
        if group.label in texts and not texts[group.label]:  # one encoding of several
            texts[group.label] = dict.fromkeys(group.texts)
    lacking = [name for name, kept in texts.items() if not kept]
    if lacking:
        raise UserError("{path} has no file in {language}.", path=Path(archive).name, language=lacking[0])
    return ordered_split([(name, tuple(kept)) for name, kept in texts.items()], share)


def ordered_split(groups: list[tuple[str, tuple[str, ...]]], share: float) -> SplitRows:
    """Hold out the last share of each group: its end is not trained on."""
    train: list[tuple[str, str]] = []
    held_out: list[tuple[str, str]] = []
    for label, texts in groups:
        cut = len(texts) - min(len(texts) - 1, max(1, round(share * len(texts))))
        train += [(text, label) for text in texts[:cut]]
        held_out += [(text, label) for text in texts[cut:]]
    return SplitRows(train=_rows(train), held_out=_rows(held_out))


def _rows(pairs: list[tuple[str, str]]) -> Rows:
    return Rows(texts=tuple(text for text, _ in pairs), labels=tuple(label for _, label in pairs))
