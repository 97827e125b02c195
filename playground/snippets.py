"""Python snippets that reproduce what a page shows, with the provenance of its numbers."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from playground.provenance import VERSION, provenance

if TYPE_CHECKING:
    from playground.models import LoadedModel


def origin(
    model: "LoadedModel | None", seed: int | None = None, details: Mapping[str, object] | None = None
) -> list[str]:
    """Provenance as lines of "name: value"; without a model only the version.

    details: the text and the options, by name. Strings are quoted, so that line ends show.

    >>> origin(None, 3, {"text": "a\\nb", "layer": 2})[1:]
    ['seed: 3', "text: 'a\\\\nb'", 'layer: 2']
    """
    entries: dict[str, object] = {"transformer-playground": VERSION} if model is None else dict(provenance(model))
    if seed is not None:
        entries["seed"] = seed
    entries |= {name: repr(value) if isinstance(value, str) else value for name, value in (details or {}).items()}
    return [f"{name}: {value}" for name, value in entries.items()]


def program(
    model: "LoadedModel | None",
    imports: Sequence[str],
    lines: Sequence[str],
    *,
    seed: int | None = None,
    revision: str | None = None,
) -> str:
    """A complete program: provenance in comments, imports ("module import names" each), the model, and the lines.

    revision: the one that the user asked for.
    """
    if model is not None:
        imports = ["playground import load, trace", *imports]
    comments = [f"# {line}" for line in origin(model, seed)]
    load_call = [] if model is None else [loading(model, revision)]
    return "\n".join([*comments, *(f"from {names}" for names in imports), "", *load_call, *lines, ""])


def loading(model: "LoadedModel", revision: str | None = None) -> str:
    """The `load` call for a model; a model of the hub is pinned to its commit, others to what the user asked for."""
    from playground.models.cache import HUB_SOURCE
    from playground.models.catalogue import find

    if find(model.name) is None and model.source.startswith(HUB_SOURCE):
        revision = model.revision
    arguments = _keyword_arguments(revision=revision, device=model.device, dtype=model.dtype)
    return f"model = load({model.name!r}{arguments})"


def tracing(text: str, *, pair: str | None = None, target: str | None = None, truncate: bool = False) -> str:
    """The `trace` call for a text."""
    return f"traced = trace(model, {text!r}{_keyword_arguments(pair=pair, target=target, truncate=truncate or None)})"


def _keyword_arguments(**values: object) -> str:
    """The rest of a call; arguments that are None are left out."""
    return "".join(f", {name}={value!r}" for name, value in values.items() if value is not None)
