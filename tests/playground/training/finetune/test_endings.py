"""How a fine-tuning ends badly: a full disk, a deleted folder, a killed worker; what was learned is never lost."""

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from playground.errors import UserError
from playground.jobs.executor import LocalExecutor
from playground.tasks.finetune import rows
from playground.training.finetune import FinetuneConfig, TrainedParts
from playground.training.run import session
from playground.training.run.folder import run
from playground.training.run.metrics import last_recorded_step, read_metrics
from playground.training.run.runs import read_run
from playground.training.run.status import read_status
from tests.helpers.full_disk import FAILURES, FULL, fill_disk
from tests.helpers.small_finetuning import finetune_config
from tests.helpers.waiting import until

torch.set_num_threads(1)


def config_of(folder: Path, family: str = "encoder", task: str = "labels", **changes) -> FinetuneConfig:
    parts = TrainedParts(method=changes.pop("method", "lora"), layers=1, rank=2, alpha=4.0)
    return finetune_config(folder, family, task, parts=parts, **changes)


def trained(folder: Path, step: int = 4) -> dict[str, torch.Tensor]:
    return load_file(folder / "snapshots" / f"{step:06d}" / "trained.safetensors")


def assert_the_same(folder: Path, whole: Path, step: int = 4) -> None:
    """Every weight that learned, and every number on the way."""
    ours, theirs = trained(folder, step), trained(whole, step)
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)
    assert (folder / "metrics.jsonl").read_bytes() == (whole / "metrics.jsonl").read_bytes()


# A full disk


@pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: type(failure).__name__)
@pytest.mark.parametrize("which", ["trained.safetensors", "optimizer.safetensors"])
@pytest.mark.parametrize(("family", "task", "method"), [("encoder", "labels", "lora"), ("decoder", "prompts", "last")])
def test_a_full_disk_keeps_the_last_checkpoint(tmp_path, monkeypatch, failure, which, family, task, method):
    config, folder = config_of(tmp_path, family, task, method=method), tmp_path / "run"
    list(run(config, tmp_path / "whole"))

    fill_disk(monkeypatch, which, failure)
    with pytest.raises(UserError, match=r"checkpoint of step 4 .*No space left on device.*Make room"):
        list(run(config, folder))
    assert sorted(path.name for path in (folder / "snapshots").iterdir()) == ["000000", "000002"]
    status = read_status(folder)
    assert (status.state, status.checkpoint, status.step) == ("failed", 2, 4)
    assert "No space left on device" in status.sentence
    monkeypatch.undo()
    assert [step.step for step in run(config, folder)] == [3, 4]
    assert_the_same(folder, tmp_path / "whole")


def test_a_disk_that_is_full_before_the_first_step_leaves_a_run_that_starts_when_there_is_room(tmp_path, monkeypatch):
    """The texts are written first; half of them must not be taken for all."""
    config, folder = config_of(tmp_path), tmp_path / "run"
    list(run(config, tmp_path / "whole"))
    save = rows.save_rows

    def half(to: Path, split: rows.SplitRows) -> None:
        save(to, split)
        text = (to / rows.ROWS).read_text(encoding="utf-8")
        (to / rows.ROWS).write_text(text[: len(text) // 2], encoding="utf-8")
        raise FULL

    for module in ("labels", "encoded_rows", "rows"):
        monkeypatch.setattr(f"playground.tasks.finetune.{module}.save_rows", half, raising=False)
    with pytest.raises(UserError, match="cannot be read or written: No space left on device"):
        list(run(config, folder))
    assert read_status(folder).state == "failed"
    monkeypatch.undo()
    assert [step.step for step in run(config, folder)] == [1, 2, 3, 4]
    assert rows.read_split(folder) == rows.read_split(tmp_path / "whole")
    assert_the_same(folder, tmp_path / "whole")


def test_a_disk_that_is_full_for_the_samples_of_an_evaluation(tmp_path, monkeypatch):
    config, folder = config_of(tmp_path, "encoder-decoder", "pairs"), tmp_path / "run"
    list(run(config, tmp_path / "whole"))
    append = session.append_samples

    def full(*given, **more):
        if (folder / "snapshots" / "000002").exists():
            raise FULL
        append(*given, **more)

    monkeypatch.setattr(session, "append_samples", full)
    with pytest.raises(UserError, match="cannot be read or written: No space left on device"):
        list(run(config, folder))
    monkeypatch.undo()
    assert [step.step for step in run(config, folder)][-1] == 4
    assert_the_same(folder, tmp_path / "whole")
    assert (folder / "samples.jsonl").read_bytes() == (tmp_path / "whole" / "samples.jsonl").read_bytes()


# A deleted folder


def test_a_deleted_folder_ends_the_run_in_a_sentence_and_does_not_come_back(tmp_path):
    stream = run(config_of(tmp_path), tmp_path / "run")
    next(stream)
    shutil.rmtree(tmp_path / "run")
    with pytest.raises(UserError, match="was deleted, so the run has ended"):
        list(stream)
    assert not (tmp_path / "run").exists()


def test_a_deleted_base_is_a_sentence_and_the_run_is_kept(tmp_path):
    """The base lies elsewhere: a checkpoint holds only what learned."""
    config, folder = config_of(tmp_path), tmp_path / "run"
    stream = run(config, folder)
    [next(stream) for _ in range(2)]
    stream.close()
    kept = tmp_path / "aside"
    shutil.move(config.base, kept)
    with pytest.raises(UserError, match="There is no folder"):
        list(run(config, folder))
    assert sorted(path.name for path in (folder / "snapshots").iterdir())[:2] == ["000000", "000002"]
    shutil.move(kept, config.base)
    assert [step.step for step in run(config, folder)] == [3, 4]


# A killed worker


STEPS = 600
"""Seconds of them are left after the third checkpoint, in which the worker is killed."""


@pytest.fixture
def executor(tmp_path) -> Iterator[LocalExecutor]:
    executor = LocalExecutor(tmp_path / "runs", slots=1)
    yield executor
    executor.close()


@pytest.mark.slow
@pytest.mark.parametrize(("family", "task", "method"), [("encoder", "labels", "lora"), ("decoder", "prompts", "last")])
def test_a_killed_worker_goes_on_bit_for_bit(executor, tmp_path, family, task, method):
    config = config_of(
        tmp_path, family, task, method=method, steps=STEPS, evaluate_every=200, checkpoint_every=10, warm_up=5
    )
    folder = executor.root / executor.submit(config, name="killed")
    until(
        lambda: (read_status(folder).checkpoint or 0) >= 20 or not read_run(folder).status.is_live,
        "the third checkpoint",
    )
    pid = read_status(folder).pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    until(lambda: not read_run(folder).status.is_live, "the end")
    status = executor.read(folder.name).status
    assert status.state in ("failed", "interrupted")
    assert status.sentence
    assert last_recorded_step(folder) < STEPS
    executor.resume(folder.name)
    until(lambda: not read_run(folder).status.is_live, "the end")
    assert read_status(folder).state == "finished"
    list(run(config, tmp_path / "whole"))
    assert_the_same(folder, tmp_path / "whole", step=STEPS)
    assert list(read_metrics(folder)[0].columns["step"]) == list(range(1, STEPS + 1))


@pytest.mark.slow
def test_a_run_that_is_deleted_while_it_trains_takes_its_worker_along(executor, tmp_path):
    config = config_of(tmp_path, steps=20_000, evaluate_every=10_000, checkpoint_every=1_000)
    first = executor.submit(config, name="deleted")
    second = executor.submit(config_of(tmp_path), name="next")
    until(lambda: last_recorded_step(executor.root / first) > 3, "the first steps")
    executor.delete(first)
    until(lambda: not read_run(executor.root / second).status.is_live, "the next run")
    assert read_status(executor.root / second).state == "finished"
    assert [path.name for path in executor.root.iterdir()] == [second]
