"""`trace`: write every head's attention on a text to an NPZ file."""

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from playground.errors import UserError
from playground.text import _

if TYPE_CHECKING:
    import numpy as np

    from playground.lens import Trace

MAX_MAP_BYTES = 2 << 30


def declare(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = commands.add_parser("trace", help=_("write every head's attention to an NPZ file"))
    parser.add_argument("model", help=_("a name from `models`, a Hugging Face id or a folder"))
    parser.add_argument("text", help=_("the input text"))
    parser.add_argument("--target", help=_("the target text of an encoder-decoder"))
    parser.add_argument("--pair", help=_("a second sentence, for encoders"))
    parser.add_argument("--truncate", action="store_true", help=_("truncate the text to the model's context"))
    parser.add_argument("--revision", help=_("a branch, tag or commit of a Hugging Face model"))
    parser.add_argument("--device", default="auto", help=_("auto, cpu, cuda or mps"))
    parser.add_argument("--dtype", default="auto", help=_("auto, float32, bfloat16 or float16"))
    parser.add_argument("--out", type=Path, required=True, help=_("the .npz file to write"))
    parser.set_defaults(run=trace_text)


def trace_text(arguments: argparse.Namespace) -> None:
    """Load, trace, check, write, and print a summary."""
    _check_out(arguments.out)
    from playground.command.models import ProgressLine
    from playground.lens import trace
    from playground.models import load

    bar = ProgressLine()
    try:
        model = load(
            arguments.model,
            revision=arguments.revision,
            device=arguments.device,
            dtype=arguments.dtype,
            progress=bar.show,
        )
    finally:
        bar.end()
    traced = trace(model, arguments.text, arguments.target, pair=arguments.pair, truncate=arguments.truncate)
    if not traced.sites:
        raise UserError("The text has no tokens, so there is nothing to write. Use a longer one.")
    write_trace(traced, arguments.out)
    check = traced.check()
    verified = _("not recomputed")
    if check.difference is not None:
        verified = _("verified: max. error {difference:.1e}").format(difference=check.difference)
    sentence = _("{file}: {tokens} tokens, {layers} attention layers, {verified}")
    counts = {"tokens": len(traced.ids), "layers": len(traced.sites)}
    print(sentence.format(file=arguments.out, **counts, verified=verified))


def _check_out(out: Path) -> None:
    if not out.parent.is_dir():
        raise UserError(
            "There is no folder {parent} to write {name} into; create it first.", parent=out.parent, name=out.name
        )
    if out.is_dir():
        raise UserError("{out} is a folder; name a file to write.", out=out)


def save_arrays(stream: BinaryIO, **arrays: "np.ndarray") -> None:
    """Write an NPZ archive without any pickle."""
    import numpy as np

    np.savez_compressed(stream, allow_pickle=False, **arrays)


def write_trace(traced: "Trace", out: Path) -> None:
    """Write every map as KIND_LAYER [head, query, key], the tokens, the scores and the provenance.

    Raises UserError beyond 2 GB of maps, or where the disk is full.
    """
    import numpy as np

    from playground.provenance import provenance

    size = 4 * sum(site.n_heads * site.queries * site.keys for site in traced.sites)
    if size > MAX_MAP_BYTES:
        raise UserError(
            "All maps would take {size:.1f} GB; shorten the text (add --truncate).", size=size / 1000000000.0
        )
    arrays: dict[str, np.ndarray] = {
        f"{site.kind}_{site.layer}": np.stack(
            [traced.attention(site.layer, head, site.kind) for head in range(site.n_heads)]
        )
        for site in traced.sites
    }
    for kind in traced.kinds:
        arrays |= {f"{kind}_score_{name}": table for name, table in traced.head_scores(kind).scores.items()}
    arrays |= {"tokens": np.array(traced.tokens), "ids": np.array(traced.ids)}
    if traced.target:
        arrays |= {"target_tokens": np.array(traced.target_tokens), "target_ids": np.array(traced.target_ids)}
    arrays["provenance"] = np.array(json.dumps(provenance(traced.model), ensure_ascii=False))
    try:
        with out.open("wb") as stream:
            save_arrays(stream, **arrays)
    except OSError as error:
        out.unlink(missing_ok=True)
        raise UserError("{out} could not be written: {reason}.", out=out, reason=error.strerror or error) from error
