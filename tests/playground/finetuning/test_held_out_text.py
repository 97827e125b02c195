"""Held-out measures of models that write: those of the task itself and of sacrebleu, 0 apart for a copy."""

import math
from dataclasses import replace

import numpy as np
import pytest
import sacrebleu
import torch
from torch.nn import functional

from playground.errors import UserError
from playground.finetuning import held_out_text
from playground.finetuning.findings import describe_held_out_answers, describe_held_out_text
from playground.finetuning.held_out_text import HeldOutAnswers, HeldOutText, compare_held_out
from playground.finetuning.model_pair import ModelPair
from playground.models import load
from playground.tasks.finetune.rows import read_split
from playground.training.finetune import TrainedParts
from playground.training.finetune.result import before_and_after
from playground.training.run.folder import run
from tests.helpers.small_finetuning import TASKS, finetune_config

FAMILY = {"passages": "decoder", "prompts": "decoder", "pairs": "encoder-decoder", "labels": "encoder"}


def trained(folder, task, *, family=None, **changes):
    """A run of four steps with half of its rows held out: its models, rows and config."""
    data = TASKS[task] if task == "labels" else replace(TASKS[task], held_out=0.5)
    if task == "passages":
        data = replace(data, text=4 * data.text)
    config = replace(finetune_config(folder, family or FAMILY[task], task, **changes), task=data)
    for _step in run(config, folder / "run"):
        pass
    before, after = (load(name) for name in before_and_after(folder / "run"))
    return ModelPair(before=before, after=after), read_split(folder / "run"), config


@pytest.mark.parametrize(
    ("task", "family"), [("prompts", "decoder"), ("passages", "decoder"), ("prompts", "llama"), ("passages", "gpt2")]
)
def test_bits_and_perplexity_are_those_of_the_counted_tokens(tmp_path, task, family):
    pair, rows, config = trained(tmp_path, task, family=family, parts=TrainedParts(method="all"))
    found = compare_held_out(pair, rows, config)
    assert isinstance(found, HeldOutText)
    held_out = config.prepare_task().held_out
    assert len(found.texts) == found.n_rows == len(held_out)
    for model, nats, spread in zip((pair.before, pair.after), found.nats, found.perplexities, strict=True):
        wanted = [sum_of(model, row) for row in held_out]
        assert nats == pytest.approx(wanted, abs=1e-4)
        assert spread.value == pytest.approx(math.exp(sum(wanted) / sum(len(row.ids) - row.first for row in held_out)))
        assert spread.low <= spread.value <= spread.high
    assert found.bits.first.value == pytest.approx(
        found.nats[0].sum() / math.log(2) / sum(row.n_bytes for row in held_out)
    )
    assert found.bits.difference.value < 0
    assert "A byte of held-out text costs" in str(describe_held_out_text(found))


def sum_of(model, row) -> float:
    """The nats of a row's counted tokens, from the plain logits of the row alone."""
    with torch.no_grad():
        output = model.module(torch.tensor([row.ids[:-1]]))
    logits = getattr(output, "logits", output)[0, row.first - 1 :].double()
    return float(functional.cross_entropy(logits, torch.tensor(row.ids[row.first :]), reduction="sum"))


def test_the_measures_after_are_the_last_of_the_run(tmp_path):
    pair, rows, config = trained(tmp_path, "prompts", evaluate_rows=50)
    task = config.prepare_task()
    last = task.evaluate(pair.after.module, rows=50, length=config.length)
    assert compare_held_out(pair, rows, config).bits.second.value == pytest.approx(last["bits_per_byte"])


def test_answers_have_the_bleu_of_sacrebleu(tmp_path):
    pair, rows, config = trained(tmp_path, "pairs", steps=30, learning_rate=0.01, parts=TrainedParts(method="all"))
    found = compare_held_out(pair, rows, config)
    assert isinstance(found, HeldOutAnswers)
    for written, spread in ((found.before, found.bleu.first), (found.after, found.bleu.second)):
        assert spread.value == pytest.approx(sacrebleu.corpus_bleu(list(written), [list(found.references)]).score)
    assert found.references == rows.held_out.labels
    assert "held-out sources reach BLEU" in str(describe_held_out_answers(found))


@pytest.mark.parametrize("task", ["prompts", "pairs"])
def test_a_copy_is_not_told_apart(tmp_path, task):
    pair, rows, config = trained(tmp_path, task)
    found = compare_held_out(ModelPair(before=pair.before, after=pair.before), rows, config)
    paired = found.bits if isinstance(found, HeldOutText) else found.bleu
    assert paired.difference.value == 0
    assert not paired.is_told_apart
    assert not np.any(paired.gains)


def test_of_many_rows_the_first_are_read(tmp_path, monkeypatch):
    pair, rows, config = trained(tmp_path, "prompts")
    monkeypatch.setattr(held_out_text, "MOST_ROWS", 5)
    found = compare_held_out(pair, rows, config)
    assert (len(found.texts), found.n_rows) == (5, len(rows.held_out))
    wanted = rows.held_out.texts[0] + rows.held_out.labels[0]
    assert found.texts[0].replace(" ", "") == wanted.replace(" ", "")


def test_few_rows_make_no_interval(tmp_path):
    pair, rows, config = trained(tmp_path, "prompts")
    few = replace(rows, held_out=rows.held_out.only(range(3)))
    with pytest.raises(UserError, match="at least 5 rows; this run has 3"):
        compare_held_out(pair, few, config)


def test_labels_are_a_classifiers(tmp_path):
    pair, rows, config = trained(tmp_path, "labels")
    with pytest.raises(UserError, match="learned labels"):
        compare_held_out(pair, rows, config)
