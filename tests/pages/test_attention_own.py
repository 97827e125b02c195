"""The attention page with our own models: checkpoints of training runs, of every kind, and names that are no paths."""

from pathlib import Path

import pytest

from tests.helpers.own_models import random_model, save_model
from tests.pages.test_attention import run, words

RUN = "Zx81-kqV_w7TfA2bGm9cHd"


@pytest.mark.parametrize("hosted", ["", "1"])
@pytest.mark.parametrize("kind", ["decoder", "encoder", "encoder-decoder"])
def test_a_runs_checkpoint_opens_on_every_server(tmp_path: Path, monkeypatch, kind, hosted):
    monkeypatch.setenv("PLAYGROUND_RUNS", str(tmp_path))
    monkeypatch.setenv("PLAYGROUND_HOSTED", hosted)
    save_model(random_model(kind=kind), tmp_path / RUN / "snapshots" / "000500")
    app = run(model=f"run/{RUN}/500", text="the cat")
    assert not app.exception
    assert not app.error
    assert "Verified: max. error" in words(app)
    assert f"playground {kind}" in words(app)


def test_a_run_that_is_gone_is_answered_with_a_sentence(tmp_path: Path, monkeypatch):
    monkeypatch.setenv("PLAYGROUND_RUNS", str(tmp_path))
    app = run(model=f"run/{RUN}/500")
    assert not app.exception
    assert "no training run" in words(app)


def test_a_hub_id_without_an_owner_is_offered_for_download(own_cache):
    app = run(model="gpt2")
    assert not app.exception
    assert "gpt2 is not on this machine" in words(app)
    assert [button.label for button in app.button if button.key == "fetch_gpt2"] == ["Download"]
