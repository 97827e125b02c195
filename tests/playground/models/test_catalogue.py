"""The catalogue: what it says, and that looking at it costs nothing."""

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest

from playground.models import cache
from playground.models.catalogue import SHIPPED, catalogue, find, is_local
from playground.models.loading import load


def test_names_are_the_public_ones():
    names = [entry.name for entry in catalogue()]
    shipped = [name for name in SHIPPED if cache.is_complete(cache.shipped_folder(name))]
    assert names == [*shipped, "smollm2-135m", "all-minilm-l6-v2"]
    assert names[0] == "books-decoder"


@pytest.mark.parametrize("entry", catalogue(), ids=lambda entry: entry.name)
def test_every_source_outside_the_app_can_be_checked(entry):
    for source in entry.sources:
        if source.kind == "wheel":
            assert len(source.sha256 or "") == len(source.member_sha256 or "") == 64
            assert "==" in source.reference
    assert entry.licence == "Apache-2.0"
    assert entry.download_bytes == entry.sources[0].download_bytes


def test_a_name_is_found_in_any_case():
    entry = find(" SmolLM2-135M ")
    assert entry is not None
    assert (entry.layers, entry.n_heads, entry.kind) == (30, 9, "decoder")
    assert find("gpt2") is None


def test_is_local_once_folder_is_whole(own_cache: Path):
    entry = find("all-minilm-l6-v2")
    assert entry is not None
    assert not is_local(entry)
    folder = cache.folder_of(entry.name)
    folder.mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    assert not is_local(entry)
    (folder / "model.safetensors").write_bytes(b"")
    assert is_local(entry)


def test_the_embedded_model_is_there_and_loads():
    entry = find("books-decoder")
    assert entry is not None
    assert is_local(entry)
    model = load("books-decoder")
    weights = (model.folder / "model.safetensors").read_bytes()
    assert len(weights) <= 16_000_000
    assert (model.layers, model.n_heads, model.source) == (entry.layers, entry.n_heads, "shipped with the app")
    assert model.revision == f"sha256:{hashlib.sha256(weights).hexdigest()}"
    # Tied weights count once in the module and once in the file.
    assert model.parameters == entry.parameters


def test_a_shipped_fine_tuning_is_a_model_like_the_others():
    entry = find("books-encoder-sentiment")
    assert entry is not None
    assert is_local(entry)
    model = load(entry.name)
    assert (model.name, model.source, model.kind) == (entry.name, "shipped with the app", entry.kind)
    assert (model.layers, model.n_heads, model.parameters) == (entry.layers, entry.n_heads, entry.parameters)
    assert model.head is not None
    assert model.head.labels == ("negative", "positive")


def test_importing_the_catalogue_imports_nothing_heavy():
    code = (
        "import sys; from playground.models import catalogue; catalogue();"
        "print([m for m in ('torch','transformers','huggingface_hub','numpy','psutil') if m in sys.modules])"
    )
    root = Path(__file__).parents[3]
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=root, check=True)
    assert result.stdout.strip() == "[]"
