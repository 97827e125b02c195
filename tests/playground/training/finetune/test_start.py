"""What a base measures before the first step stands in the run's metrics, once, and is the base's own."""

import json
import math

import pytest
import torch
from torch.nn import functional

from playground.models import load
from playground.training.finetune import TrainedParts
from playground.training.run.control import Command, send
from playground.training.run.folder import run
from playground.training.run.metrics import read_metrics
from playground.training.run.samples import read_samples
from tests.helpers.small_finetuning import finetune_config

TASKS = [("encoder", "labels"), ("decoder", "passages"), ("decoder", "prompts"), ("encoder-decoder", "pairs")]


def metrics_of(folder):
    return read_metrics(folder)[0]


def starts_in(folder) -> int:
    return sum(json.loads(line)["step"] == 0 for line in (folder / "metrics.jsonl").read_text().splitlines())


@pytest.mark.parametrize(("family", "task"), TASKS)
def test_every_task_is_measured_before_the_first_step(tmp_path, family, task):
    config = finetune_config(tmp_path, family, task, parts=TrainedParts(method="all"))
    prepared = config.prepare_task()
    own = prepared.evaluate(config.start("cpu", prepared).model, rows=config.evaluate_rows, length=config.length)
    for _step in run(config, tmp_path / "run"):
        pass
    metrics = metrics_of(tmp_path / "run")
    assert list(metrics.evaluation_steps) == [0, 2, 4]
    assert list(metrics.columns["step"]) == [1, 2, 3, 4]
    assert {name: values[0] for name, values in metrics.evaluations.items()} == own
    assert [entry["step"] for entry in read_samples(tmp_path / "run")] == [0, 2, 4]
    assert metrics.evaluations["held_out_loss"][0] != metrics.evaluations["held_out_loss"][-1]


def test_the_first_perplexity_of_prompts_is_the_base_s_of_the_answers(tmp_path):
    config = finetune_config(tmp_path, "decoder", "prompts")
    rows = config.prepare_task().held_out[: config.evaluate_rows]
    module, nats = load(config.base).module, []
    for row in rows:
        with torch.no_grad():
            logits = module(torch.tensor([row.ids[:-1]]))[0, row.first - 1 :]
        nats += functional.cross_entropy(logits, torch.tensor(row.ids[row.first :]), reduction="none").tolist()
    for _step in run(config, tmp_path / "run"):
        pass
    first = {name: float(values[0]) for name, values in metrics_of(tmp_path / "run").evaluations.items()}
    assert first["held_out_loss"] == pytest.approx(sum(nats) / len(nats), abs=1e-5)
    assert first["perplexity"] == pytest.approx(math.exp(sum(nats) / len(nats)), rel=1e-5)


def test_a_run_that_goes_on_or_back_is_not_measured_again(tmp_path):
    config, folder = finetune_config(tmp_path, "decoder", "prompts"), tmp_path / "run"
    steps = run(config, folder)
    next(steps)
    steps.close()
    before = metrics_of(folder).evaluations["held_out_loss"][0]
    for number, step in enumerate(run(config, folder)):
        if number == 1 and step.step == 2:
            send(folder, Command(action="rewind"))
            send(folder, Command(action="resume"))
    metrics = metrics_of(folder)
    assert starts_in(folder) == 1
    assert list(metrics.evaluation_steps) == [0, 2, 4]
    assert metrics.evaluations["held_out_loss"][0] == before


def test_a_start_that_was_cut_short_is_measured_anew(tmp_path):
    config, folder = finetune_config(tmp_path, "decoder", "prompts"), tmp_path / "run"
    steps = run(config, folder)
    next(steps)
    steps.close()
    whole = (folder / "metrics.jsonl").read_text()
    (folder / "metrics.jsonl").write_text(whole.splitlines()[0][:20])
    for _step in run(config, folder):
        pass
    assert starts_in(folder) == 1
    assert [entry["step"] for entry in read_samples(folder)] == [0, 2, 4]
