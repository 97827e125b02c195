"""Python that computes what a page shows, without the page: where the numbers come from, the model, the call."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from playground.provenance import VERSION, provenance

if TYPE_CHECKING:
    from playground.models import LoadedModel


def origin(
    model: "LoadedModel | None", seed: int | None = None, facts: Mapping[str, object] | None = None
) -> list[str]:
    """One line for each fact about where numbers come from; without a model only the version.

    facts: what was read and chosen, by name. A text stands in quotes, so that its line ends are seen.

    >>> origin(None, 3, {"text": "a\\nb", "layer": 2})[1:]
    ['seed: 3', "text: 'a\\\\nb'", 'layer: 2']
    """
    known: dict[str, object] = {"transformer-playground": VERSION} if model is None else dict(provenance(model))
    if seed is not None:
        known["seed"] = seed
    chosen = {name: repr(value) if isinstance(value, str) else value for name, value in (facts or {}).items()}
    return [f"{name}: {value}" for name, value in {**known, **chosen}.items()]


def program(
    model: "LoadedModel | None", imports: Sequence[str], lines: Sequence[str], *, seed: int | None = None
) -> str:
    """A whole program: comments with the origin, imports ("module import names"), the loaded model, and the lines."""
    found = [f"# {line}" for line in origin(model, seed)]
    if model is not None:
        imports = ["playground import load, trace", *imports]
    found += [f"from {one}" for one in imports]
    if model is not None:
        found += ["", loading(model)]
    return "\n".join([*found, *([] if model is not None else [""]), *lines, ""])


def loading(model: "LoadedModel") -> str:
    """The call that loads the same model; only a hub has revisions to choose from."""
    from playground.models import find

    is_from_hub = find(model.name) is None and model.source == "Hugging Face hub"
    revision = f", revision={model.revision!r}" if is_from_hub else ""
    return f"model = load({model.name!r}{revision}, device={model.device!r}, dtype={model.dtype!r})"


def tracing(text: str, *, pair: str | None = None, target: str | None = None, truncate: bool = False) -> str:
    """The call that reads the texts."""
    named = {"pair": pair, "target": target, "truncate": truncate or None}
    more = "".join(f", {name}={value!r}" for name, value in named.items() if value is not None)
    return f"traced = trace(model, {text!r}{more})"
