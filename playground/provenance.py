"""Provenance of a result: model, revision, device and library versions. Every export carries it."""

import platform
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playground.models import LoadedModel

VERSION = "0.1.0"


def provenance(model: "LoadedModel") -> dict[str, str]:
    """Model, source, revision, dtype, device, and the versions of the libraries that computed with it."""
    import torch

    return {
        "model": model.name,
        "source": model.source if model.note == "" else f"{model.source}; {model.note}",
        "revision": model.revision or "none (local files)",
        "dtype": model.dtype,
        "device": model.device,
        "transformer-playground": VERSION,
        "torch": torch.__version__,
        "python": platform.python_version(),
        **model.adapter.versions(),
    }
