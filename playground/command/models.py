"""`models`: list the models; `fetch`: download one."""

import argparse
import sys

from playground.models import DownloadProgress, catalogue, fetch, is_local


def declare(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add both commands."""
    models = commands.add_parser("models", help="list the models that can be loaded by name")
    models.set_defaults(run=list_models)
    fetcher = commands.add_parser("fetch", help="download a model")
    fetcher.add_argument("name", help="a name from `models`, or a Hugging Face id (owner/name)")
    fetcher.add_argument("--revision", help="a branch, tag or commit of a Hugging Face model")
    fetcher.set_defaults(run=fetch_model)


def list_models(arguments: argparse.Namespace) -> None:
    """Print the catalogue as a table."""
    print(f"{'name':<18} {'kind':<16} {'parameters':>12} {'download':>10}  {'licence':<12} on this machine")
    for entry in catalogue():
        size = f"{entry.download_bytes / 1e6:.0f} MB" if entry.download_bytes else "shipped"
        local = "yes" if is_local(entry) else "no"
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
                print(f"{progress.stage} {progress.source}".rstrip(), file=sys.stderr)
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
        left = "" if progress.seconds_left is None else f", {progress.seconds_left:.0f} s left"
        return f"{progress.stage}{bar}{size}{left}  {progress.source}"

    def end(self) -> None:
        """End the line."""
        if self._terminal and self._stage is not None:
            print(file=sys.stderr)
