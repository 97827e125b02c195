"""The film: when a frame is taken, and that it shows the attention that the lens shows."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from playground import load, trace
from playground.training.run.film import (
    alignment_scores,
    encode_weights,
    film_steps,
    frame_steps,
    read_frame,
    read_frames,
    read_probe,
    take_frame,
)
from playground.training.run.folder import run
from playground.training.trainer import start_state
from tests.helpers.small_training import task_of, train_config

torch.set_num_threads(1)


@given(st.integers(1, 100_000), st.integers(0, 300))
def test_the_first_and_the_last_step_are_filmed_and_early_ones_more_densely(steps, frames):
    chosen_steps = film_steps(steps, frames)
    if frames == 0:
        assert chosen_steps == ()
        return
    assert (chosen_steps[0], chosen_steps[-1]) == (0, steps)
    assert len(chosen_steps) <= max(frames, 3)
    assert list(chosen_steps) == sorted(set(chosen_steps))
    half = sum(step <= steps / 2 for step in chosen_steps)
    assert half >= len(chosen_steps) / 2


@given(st.floats(0, 1))
def test_a_weight_survives_the_code_to_within_its_rounding(weight):
    code = int(encode_weights(torch.tensor([weight]))[0])
    assert abs((code / 255) ** 2 - weight) <= 1 / 255


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("film")
    config = train_config(folder, {"layers": 2}, checkpoint_every=3, frames=6)
    list(run(config, folder / "run"))
    return folder / "run"


def test_a_frame_is_what_the_lens_shows_of_the_checkpoint(folder):
    """The same row through the loaded checkpoint: maps to within the code, scores to float32."""
    probe, frame = read_probe(folder), read_frame(folder, 6)
    model = load(str(folder / "snapshots" / "000006"))
    traced = trace(model, "".join(probe.tokens[1:]))
    assert tuple(traced.tokens) == probe.tokens
    for layer in range(2):
        shown = (frame.maps["decoder"][layer].astype(float) / 255) ** 2
        for head in range(2):
            np.testing.assert_allclose(shown[head], traced.attention(layer=layer, head=head), atol=1 / 255)
    np.testing.assert_allclose(frame.scores["decoder"]["previous"], traced.head_scores()["previous"], atol=1e-5)


def test_the_frames_of_a_run_are_read_in_order_and_from_any_step(folder):
    assert frame_steps(folder)[0] == 0
    assert frame_steps(folder)[-1] == 6
    assert [frame.step for frame in read_frames(folder)] == list(frame_steps(folder))
    assert [frame.step for frame in read_frames(folder, after_step=2)] == [s for s in frame_steps(folder) if s > 2]
    first, last = read_frame(folder, 0), read_frame(folder, 6)
    assert first.maps["decoder"].shape == (2, 2, 15, 15)
    assert (first.maps["decoder"] != last.maps["decoder"]).any()
    assert set(first.scores["decoder"]) >= {"previous", "induction", "entropy"}


def test_a_damaged_frame_is_left_out(folder, tmp_path):
    import shutil

    shutil.copytree(folder, tmp_path / "run")
    (tmp_path / "run" / "film" / "000006.npz").write_bytes(b"PK\x03\x04 half")
    (tmp_path / "run" / "film" / "probe.json").write_text('{"tokens": 3}')
    assert 6 not in [frame.step for frame in read_frames(tmp_path / "run")]
    assert read_probe(tmp_path / "run") is None
    assert read_frames(tmp_path / "nowhere") == []


def test_a_later_position_is_never_looked_at_by_a_decoder(tmp_path):
    config = train_config(tmp_path)
    task = task_of(config)
    frame = take_frame(start_state(config).model, task.probe(16))
    maps = frame["maps.decoder"]
    assert (np.triu(maps, k=1) == 0).all()
    np.testing.assert_allclose(((maps / 255.0) ** 2).sum(-1), 1, atol=0.05)


def test_the_alignment_score_is_the_mean_weight_on_the_gold_sources():
    # Two heads, two targets, three sources; target 0 has the gold sources 0 and 2, target 1 the source 1.
    weights = np.array([[[[0.5, 0.25, 0.25], [0.0, 1.0, 0.0]], [[0.0, 1.0, 0.0], [0.75, 0.25, 0.0]]]])
    maps = encode_weights(torch.tensor(weights))
    scores = alignment_scores(maps, [(0, 0), (0, 2), (1, 1), (7, 0)])
    np.testing.assert_allclose(scores, [[(0.75 + 1.0) / 2, (0.0 + 0.25) / 2]], atol=0.005)
    over_time = alignment_scores(np.stack([maps, maps]), [(0, 0), (0, 2), (1, 1)])
    np.testing.assert_allclose(over_time, np.stack([scores, scores]))
    assert np.isnan(alignment_scores(maps, [])).all()
