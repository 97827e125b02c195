"""Text of a data set on the Hugging Face hub: the beginning of its training part, a bounded number of bytes.

Files are read by HTTP ranges, and no code of a data set is ever run: .parquet (the text column's pages
only), .jsonl, .csv, .tsv and .txt.
"""

import csv
import io
import json
import os
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from playground.errors import UserError

TEXT_BYTES = 4_000_000
"""The most text to take."""
READ_BYTES = 2 * TEXT_BYTES
"""The most to read of a file for it: field names and other columns take space, too."""
TIMEOUT = 15.0
"""Timeout of a request, in seconds."""
COLUMNS = ("text", "content", "story", "document", "article", "sentence", "dialogue", "review")
"""Usual names of the text column, in order of preference; else the first column of strings is taken."""
_OTHER_PARTS = re.compile(r"(^|[/_.-])(test|valid|validation|dev|eval|readme|licen[sc]e|requirements)", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class HubFile:
    """A file of a data set at a commit."""

    dataset: str
    url: str
    path: str
    size: int


class RangeFile(io.RawIOBase):
    """A seekable file object over HTTP ranges of a file on the hub."""

    def __init__(self, file: HubFile) -> None:
        super().__init__()
        self._file = file
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._file.size}[whence]
        self._position = base + offset
        return self._position

    def readinto(self, buffer: Any) -> int:
        count = min(len(buffer), self._file.size - self._position)
        if count <= 0:
            return 0
        content = _get(self._file, self._position, count)
        buffer[: len(content)] = content
        self._position += len(content)
        return len(content)


def read_hub(name: str) -> str:
    """The beginning of a data set's text. Raises UserError for every failure of the hub, the network or the files."""
    try:
        text = "\n\n".join(_until(_rows(training_files(name)), TEXT_BYTES))
    except UserError:
        raise
    except Exception as error:  # huggingface_hub's, the network's and the file formats' have no ancestor in common
        raise explain_dataset_error(error, name) from error
    if not text.strip():
        raise UserError("The data set {name} holds no text in its training part; choose another.", name=name)
    return text


def training_files(name: str) -> list[HubFile]:
    """The files of a data set's training part, in the most preferred format that it has."""
    from huggingface_hub import HfApi, hf_hub_url

    endpoint = os.environ.get("HF_ENDPOINT")
    info = HfApi(endpoint=endpoint).dataset_info(name, timeout=TIMEOUT, files_metadata=True)
    sizes = {item.rfilename: int(item.size or 0) for item in info.siblings or []}
    for ending in READERS:
        chosen = sorted(path for path in sizes if path.lower().endswith(ending) and not _OTHER_PARTS.search(path))
        # Files that are named as the training part come first.
        chosen.sort(key=lambda path: "train" not in path.lower())
        if chosen:
            return [
                HubFile(
                    dataset=name,
                    url=hf_hub_url(name, path, repo_type="dataset", revision=info.sha, endpoint=endpoint),
                    path=path,
                    size=sizes[path],
                )
                for path in chosen
            ]
    raise UserError(
        "The data set {name} has no {readers} file; choose one that does.", name=name, readers=", ".join(READERS)
    )


def _rows(files: list[HubFile]) -> Iterator[str]:
    for file in files:
        yield from READERS[next(ending for ending in READERS if file.path.lower().endswith(ending))](file)


def _until(rows: Iterable[str], limit: int) -> Iterator[str]:
    """Rows up to `limit` bytes; the last one is cut."""
    remaining = limit
    for row in rows:
        content = row.encode()[:remaining]
        remaining -= len(content)
        yield content.decode(errors="ignore")
        if remaining <= 0:
            return


def _read_parquet(file: HubFile) -> Iterator[str]:
    import pyarrow
    import pyarrow.parquet

    # Buffered, so that the many small reads of a footer are one request.
    parquet = pyarrow.parquet.ParquetFile(io.BufferedReader(RangeFile(file), 1 << 20))
    schema = parquet.schema_arrow
    text_columns = [field.name for field in schema if field.type in (pyarrow.string(), pyarrow.large_string())]
    column = text_column(text_columns, file)
    for batch in parquet.iter_batches(batch_size=256, columns=[column]):
        yield from (row for row in batch.column(0).to_pylist() if row)


def _read_json_lines(file: HubFile) -> Iterator[str]:
    column = ""
    for line in _lines(file):
        record = json.loads(line)
        if not isinstance(record, dict):
            raise ValueError("a line is no record")
        column = column or text_column([key for key, value in record.items() if isinstance(value, str)], file)
        yield str(record.get(column) or "")


def _read_table(file: HubFile) -> Iterator[str]:
    delimiter = "\t" if file.path.lower().endswith(".tsv") else ","
    csv.field_size_limit(TEXT_BYTES)
    table = csv.DictReader(_lines(file), delimiter=delimiter)
    column = text_column(list(table.fieldnames or ()), file)
    yield from (row[column] or "" for row in table)


def _read_lines(file: HubFile) -> Iterator[str]:
    yield _beginning(file)


def _lines(file: HubFile) -> Iterator[str]:
    """Non-empty lines of the beginning of a file, without the last one if the limit cuts it."""
    text = _beginning(file)
    # Not splitlines: it also cuts at separators inside a record.
    lines = [line + "\n" for line in text.split("\n")]
    whole = lines if file.size <= READ_BYTES or len(lines) == 1 else lines[:-1]
    yield from (line for line in whole if line.strip())


def _beginning(file: HubFile) -> str:
    return _get(file, 0, min(file.size, READ_BYTES)).decode("utf-8-sig", errors="replace")


def text_column(names: list[str], file: HubFile) -> str:
    """The column that holds the text. Raises UserError if there is none."""
    if not names:
        raise UserError(
            "{path} of {dataset} has no column of text; choose another data set.", path=file.path, dataset=file.dataset
        )
    lower = {name.lower(): name for name in reversed(names)}
    return next((lower[name] for name in COLUMNS if name in lower), names[0])


def _get(file: HubFile, begin: int, count: int) -> bytes:
    """A range of a file's bytes."""
    from huggingface_hub.utils import build_hf_headers, get_session, hf_raise_for_status  # type: ignore[attr-defined]

    headers = {**build_hf_headers(), "Range": f"bytes={begin}-{begin + count - 1}"}
    # Streamed: a server that knows no ranges would send all of it.
    with get_session().stream("GET", file.url, headers=headers, timeout=TIMEOUT, follow_redirects=True) as answer:
        hf_raise_for_status(answer)
        if begin and answer.status_code != 206:
            raise UserError(
                "The hub does not let {path} of {dataset} be read in part; choose another.",
                path=file.path,
                dataset=file.dataset,
            )
        content = bytearray()
        for chunk in answer.iter_bytes():
            content += chunk
            if len(content) >= count:
                break
    return bytes(content[:count])


def explain_dataset_error(error: Exception, name: str) -> UserError:
    """The UserError for an error of huggingface_hub, of the network below it, or of a damaged file."""
    from huggingface_hub import errors

    if isinstance(error, errors.GatedRepoError):
        return UserError(
            "The data set {name} is gated: accept its terms on its hub page, then run `hf auth login`.", name=name
        )
    if isinstance(error, errors.RepositoryNotFoundError):
        return UserError(
            "The hub has no data set {name}, or it is private: check the spelling (owner/name).", name=name
        )
    if isinstance(error, errors.HFValidationError):
        return UserError("{name!r} is not the id of a data set; one looks like owner/name.", name=name)
    if isinstance(error, errors.OfflineModeIsEnabled):
        return UserError("The hub is switched off by HF_HUB_OFFLINE, so the data set {name} cannot be read.", name=name)
    status = getattr(getattr(error, "response", None), "status_code", None)
    if status == 429:
        return UserError("The hub refuses more requests for now (rate limit); wait a few minutes, or log in.")
    if status is not None:
        return UserError(
            "The hub answered with status {status} when asked for the data set {name}; try again later.",
            status=status,
            name=name,
        )
    if isinstance(error, ValueError | KeyError | csv.Error) or type(error).__module__.startswith("pyarrow"):
        return UserError(
            "The data set {name} has a file that cannot be read as what its name says; choose another.", name=name
        )
    return UserError("The hub cannot be reached to ask for the data set {name}; check the network.", name=name)


READERS: dict[str, Callable[[HubFile], Iterator[str]]] = {
    ".parquet": _read_parquet,
    ".jsonl": _read_json_lines,
    ".csv": _read_table,
    ".tsv": _read_table,
    ".txt": _read_lines,
}
"""The reader of each format, in order of preference."""
