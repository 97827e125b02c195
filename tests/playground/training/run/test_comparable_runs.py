"""Which losses stand on one axis."""

from pathlib import Path

from playground.training.run.comparable_runs import loss_basis, split_comparable
from playground.training.run.runs import Run
from playground.training.run.status import Status


def run(name: str, task: dict, *, vocabulary: int = 10, **model: int) -> Run:
    config = {"task": task, "model": {"kind": "decoder", "vocabulary": vocabulary, "classes": 0, **model}}
    return Run(id=name, folder=Path(name), name=name, task=task["name"], config=config, status=Status(), created=0.0)


def finetuning(task: dict, base: str, **settings: object) -> Run:
    config = {"task": task, "base": base, "revision": None, "length": 128, **settings}
    return Run(id=base, folder=Path(base), name=base, task=task["name"], config=config, status=Status(), created=0.0)


PROMPTS = {"name": "prompts", "sources": ["qa.jsonl"], "text": "", "held_out": 0.1}
LABELS = {"name": "labels", "source": "sentiment", "labels": 0, "held_out": 0.2}
TEXT = {"name": "text", "text": "a b", "repeats": 0.0}


def test_size_and_training_mixture_leave_losses_comparable():
    wide, mixed = run("wide", TEXT, width=64), run("mixed", {**TEXT, "repeats": 0.5})
    assert loss_basis(wide.config) == loss_basis(mixed.config)
    assert split_comparable([wide, mixed]) == ([wide, mixed], [])


def test_another_text_task_or_vocabulary_is_left_out():
    first, second = run("first", TEXT), run("second", TEXT, width=8)
    other_text, other_task = run("third", {**TEXT, "text": "c"}), run("fourth", {"name": "tales"})
    larger = run("fifth", TEXT, vocabulary=11)
    kept, left_out = split_comparable([other_task, first, larger, second, other_text])
    assert kept == [first, second]
    assert left_out == [other_task, larger, other_text]


def test_of_two_that_differ_the_first_is_kept_and_of_none_none():
    first, second = run("first", TEXT), run("second", {"name": "tales"})
    assert split_comparable([first, second]) == ([first], [second])
    assert split_comparable([]) == ([], [])


def test_losses_per_token_of_another_base_are_left_out():
    # 10 words are 10 tokens of one tokenizer and 20 of the other: the same text has half the nats per token.
    ours, theirs = finetuning(PROMPTS, "books-decoder"), finetuning(PROMPTS, "smollm2-135m")
    slower = finetuning(PROMPTS, "books-decoder", learning_rate=1e-4, parts={"method": "lora"})
    assert split_comparable([ours, theirs, slower]) == ([ours, slower], [theirs])


def test_another_revision_or_length_of_rows_is_left_out():
    run, later = finetuning(PROMPTS, "a"), finetuning(PROMPTS, "a", revision="main")
    longer = finetuning(PROMPTS, "a", length=256)  # pairs of 200 tokens are measured, too
    assert len({loss_basis(each.config) for each in (run, later, longer)}) == 3


def test_losses_per_text_do_not_depend_on_the_base_nor_on_how_many_labels_are_trained_on():
    encoder, other = finetuning(LABELS, "books-encoder"), finetuning({**LABELS, "labels": 20}, "all-minilm-l6-v2")
    assert split_comparable([encoder, other]) == ([encoder, other], [])
    languages = finetuning({**LABELS, "source": "languages"}, "books-encoder")
    assert loss_basis(languages.config) != loss_basis(encoder.config)
