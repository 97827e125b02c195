"""`models`: list the models; `fetch`: download one."""

import argparse
import sys

from playground.models import DownloadProgress, catalogue, fetch, is_local
from playground.text import N_, _

STAGES = {
    "connecting": N_("connecting"),
    "downloading": N_("downloading"),
    "checking": N_("checking"),
    "unpacking": N_("unpacking"),
    "converting": N_("converting"),
    "loading": N_("loading"),
    "done": N_("done"),
}
"""The stages of a download."""


def declare(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add both commands."""
    models = commands.add_parser("models", help=_("list the models that can be loaded by name"))
    models.set_defaults(run=list_models)
    fetcher = commands.add_parser("fetch", help=_("download a model"))
    fetcher.add_argument("name", help=_("a name from `models`, or a Hugging Face id (owner/name)"))
    fetcher.add_argument("--revision", help=_("a branch, tag or commit of a Hugging Face model"))
    fetcher.set_defaults(run=fetch_model)


def list_models(arguments: argparse.Namespace) -> None:
    """Print the catalogue as a table."""
    headings = [_("name"), _("kind"), _("parameters"), _("download"), _("licence"), _("on this machine")]
    print("{:<18} {:<16} {:>12} {:>10}  {:<12} {}".format(*headings))
    for entry in catalogue():
        size = f"{entry.download_bytes / 1e6:.0f} MB" if entry.download_bytes else _("shipped")
        local = _("yes") if is_local(entry) else _("no")
        print(f"{entry.name:<18} {entry.kind:<16} {entry.parameters:>12,} {size:>10}  {entry.licence:<12} {local}")


def fetch_model(arguments: argparse.Namespace) -> None:
    """Download with a progress line, and print the folder."""
    bar = ProgressLine()
    try:
        folder = fetch(arguments.name, revision=arguments.revision, progress=bar.show)
    finally:
        bar.end()
    print(folder)


class ProgressLine:
    """A progress bar on one line of a terminal; elsewhere one line per stage."""

    def __init__(self) -> None:
        self._stage: str | None = None
        self._terminal = sys.stderr.isatty()

    def show(self, progress: DownloadProgress) -> None:
        """Show a report."""
        if not self._terminal:
            if progress.stage != self._stage:
                print(f"{_(STAGES[progress.stage])} {progress.source}".rstrip(), file=sys.stderr)
            self._stage = progress.stage
            return
        self._stage = progress.stage
        print(f"\r\033[K{self._line(progress)}", end="", file=sys.stderr, flush=True)

    def _line(self, progress: DownloadProgress) -> str:
        fraction = progress.fraction
        bar = "" if fraction is None else f" [{'#' * int(fraction * 30):<30}]"
        size = (
            "" if not progress.bytes_total else f" {progress.bytes_done / 1e6:.0f}/{progress.bytes_total / 1e6:.0f} MB"
        )
        left = ""
        if progress.seconds_left is not None:
            left = ", " + _("{seconds:.0f} s left").format(seconds=progress.seconds_left)
        return f"{_(STAGES[progress.stage])}{bar}{size}{left}  {progress.source}"

    def end(self) -> None:
        """End the line."""
        if self._terminal and self._stage is not None:
            print(file=sys.stderr)
