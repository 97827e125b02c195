"""Downloads that run on when the page is left: one thread each, shared by everybody who wants the same model."""

import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from functools import cache

from playground.errors import UserError
from playground.models import DownloadProgress, fetch, find
from playground.models.download_progress import CancelledError
from playground.settings import settings
from ui.text import error_sentence, inert

KEPT = 16
RUNNING = 2


@dataclass(kw_only=True, eq=False)
class Download:
    """One download. `error` is the sentence that it ended with; `done` means that the model is on this machine."""

    name: str
    revision: str | None
    owner: str | None = None
    """The visitor who began it, and alone may cancel it."""
    progress: DownloadProgress = field(default_factory=lambda: DownloadProgress(stage="connecting"))
    error: str | None = None
    done: bool = False
    _stop: threading.Event = field(default_factory=threading.Event)

    @property
    def running(self) -> bool:
        """Whether the thread is still at it."""
        return not self.done and self.error is None

    def cancel(self) -> None:
        """Ask the thread to stop; it leaves nothing behind."""
        self._stop.set()

    def run(self) -> None:
        """Fetch, and keep the outcome."""
        try:
            fetch(self.name, revision=self.revision, progress=self._report, cancelled=self._stop.is_set)
        except CancelledError:
            self.error = ""
        except UserError as error:
            self.error = error_sentence(error)
        except Exception as error:  # whatever a library raises must end as a sentence on the page
            self.error = inert(f"{type(error).__name__}: {error}")
        else:
            self.done = True

    def _report(self, progress: DownloadProgress) -> None:
        self.progress = progress
        most = settings().download_megabytes
        if most and progress.bytes_total is not None and progress.bytes_total > most * 1e6:
            raise UserError(
                "{name} is a download of {size:,.0f} MB, and this server fetches at most {most:,} MB; choose a smaller "
                "model.",
                name=self.name,
                size=progress.bytes_total / 1e6,
                most=most,
            )


class Downloads:
    """The server's downloads by model; a few at a time, and the last outcomes."""

    def __init__(self) -> None:
        self._downloads: OrderedDict[tuple[str, str | None], Download] = OrderedDict()
        self._guard = threading.Lock()

    def get(self, name: str, revision: str | None) -> Download | None:
        """The download of that model that runs, or the last one that ended."""
        with self._guard:
            return self._downloads.get((name, revision))

    def start(self, name: str, revision: str | None, *, owner: str | None = None) -> Download:
        """The running download of that model, or a new one.

        Raises UserError where too many run, and for a model that this server does not fetch.
        """
        check_download(name)
        with self._guard:
            known = self._downloads.get((name, revision))
            if known is not None and known.running:
                return known
            if sum(download.running for download in self._downloads.values()) >= RUNNING:
                raise UserError(
                    "{running} downloads are already running on this server. Try again in a moment.", running=RUNNING
                )
            download = Download(name=name, revision=revision, owner=owner)
            self._downloads[name, revision] = download
            self._forget_old()
        threading.Thread(target=download.run, name=f"download {name}", daemon=True).start()
        return download

    def _forget_old(self) -> None:
        ended = [key for key, download in self._downloads.items() if not download.running]
        for key in ended[: max(0, len(self._downloads) - KEPT)]:
            del self._downloads[key]


def check_download(name: str) -> None:
    """Raise UserError for a model that this server does not fetch."""
    allowed = settings().downloads
    if allowed == "none" or (allowed == "catalogue" and find(name) is None):
        raise not_fetched(name)


def not_fetched(name: str) -> UserError:
    """The answer to a model that a shared server neither fetches nor opens."""
    return UserError(
        "This shared server opens no folders and fetches only models of the list; run the app on your own machine for "
        "{name}.",
        name=name,
    )


@cache
def downloads() -> Downloads:
    """The server's downloads."""
    return Downloads()
