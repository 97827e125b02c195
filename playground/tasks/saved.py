"""What a task saved in a run's folder, read back with a sentence where it is damaged."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playground.errors import UserError


@contextmanager
def reading_saved(folder: Path, *names: str) -> Iterator[None]:
    """Within the block, damage of the files of these names raises a UserError; an error of the disk stays its own."""
    try:
        yield
    except OSError:
        raise
    except Exception as error:  # tokenizers raises a bare Exception
        files = f"{', '.join(names[:-1])} or {names[-1]}"
        raise UserError(
            "{files} in {folder} is damaged; start anew in another folder.", files=files, folder=folder
        ) from error
