"""Options that name a model, and the model that they name."""

import argparse
from typing import TYPE_CHECKING

from playground.text import _

if TYPE_CHECKING:
    from playground.models import LoadedModel


def add_model_options(parser: argparse.ArgumentParser) -> None:
    """The options that say how a model is loaded."""
    parser.add_argument("--revision", help=_("a branch, tag or commit of a Hugging Face model"))
    parser.add_argument("--device", default="auto", help=_("auto, cpu, cuda or mps"))
    parser.add_argument("--dtype", default="auto", help=_("auto, float32, bfloat16 or float16"))


def load_named(arguments: argparse.Namespace) -> "LoadedModel":
    """The model that the arguments name, with a line of progress."""
    from playground.command.models import ProgressLine
    from playground.models import load

    bar = ProgressLine()
    try:
        return load(
            arguments.model,
            revision=arguments.revision,
            device=arguments.device,
            dtype=arguments.dtype,
            progress=bar.show,
        )
    finally:
        bar.end()
