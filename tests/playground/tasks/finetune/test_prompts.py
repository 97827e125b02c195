"""Prompts and answers against transformers' own `apply_chat_template`, and what of them counts."""

import dataclasses

import pytest

from playground.errors import UserError
from playground.models import load
from playground.models.adapters.finetuned import ONE_STACK
from playground.tasks.finetune.pairs import NEEDS_BOTH
from playground.tasks.finetune.prompts import (
    PromptsConfig,
    asked_text,
    encode_prompts,
    frame_of,
    pair_texts,
    read_prompts,
)
from playground.tasks.finetune.reader import reader_for
from playground.tasks.finetune.registry import FINETUNE_TASKS
from playground.tasks.finetune.rows import Rows, SplitRows
from playground.training.finetune import TrainedParts
from tests.helpers.chat_tokenizer import CHATML, save_chat_model
from tests.helpers.own_models import random_model, save_model
from tests.helpers.small_finetuning import finetune_config

SMOLLM2 = (
    "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}{{ '<|im_start|>system\n"
    "You are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>\n' }}{% endif %}{{'<|im_start|>' + "
    "message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}{% endfor %}{% if add_generation_prompt %}"
    "{{ '<|im_start|>assistant\n' }}{% endif %}"
)
"""SmolLM2-135M-Instruct's own, letter by letter: a system turn of its own where the conversation has none."""
PAIRS = [("What is blue?", "The sky."), ("é and 猫", "naïve\n\nlines"), ("two", "\nbegins with a line end".strip())]


@pytest.fixture(scope="module", params=[CHATML, SMOLLM2], ids=["plain", "SmolLM2"])
def reader(request, tmp_path_factory):
    return reader_for(load(str(save_chat_model(tmp_path_factory.mktemp("chat"), request.param))))


@pytest.mark.parametrize(("prompt", "answer"), PAIRS)
def test_a_row_is_what_the_template_makes_of_it(reader, prompt, answer):
    row = frame_of(reader).row(reader, prompt, answer)
    turns = [{"role": "user", "content": prompt}, {"role": "assistant", "content": answer}]
    whole = reader.tokenizer.apply_chat_template(turns)["input_ids"]
    asked = reader.tokenizer.apply_chat_template(turns[:1], add_generation_prompt=True)["input_ids"]
    assert row.ids == whole[: len(row.ids)]
    assert reader.tokenizer.decode(whole[len(row.ids) :]).strip() == ""
    assert row.ids[: row.first] == asked
    assert reader.tokenizer.decode(row.ids[row.first :]) == answer + "<|im_end|>"
    assert row.n_bytes == len(answer.encode())
    assert reader.encode(asked_text(reader.model, prompt)) == asked


def test_pages_read_a_pair_as_training_does(reader):
    rows = Rows(texts=tuple(prompt for prompt, _ in PAIRS), labels=tuple(answer for _, answer in PAIRS))
    frame = frame_of(reader)
    read = [reader.encode(text) for text in pair_texts(reader.model, rows)]
    assert read == [frame.row(reader, prompt, answer).ids for prompt, answer in PAIRS]


def test_only_the_answer_and_its_end_are_labels(reader):
    table = "prompt,answer\nWhat?,That.\nWho?,She.\nWhere?,Here.\n"
    task = encode_prompts(read_prompts(PromptsConfig(text=table)), reader, 128)
    batch = task.training_batch([0])
    counted = batch.labels[0][batch.labels[0] >= 0].tolist()
    assert reader.tokenizer.decode(counted) == task.split.train.labels[0] + "<|im_end|>"


@pytest.mark.parametrize("short", ["train", "held_out"])
def test_a_part_of_which_nothing_fits_is_named(reader, short):
    few, long = Rows(texts=("Who?",), labels=("She.",)), Rows(texts=("Who?",) * 2, labels=("She. " * 60,) * 2)
    parts = {"train": long, "held_out": long, short: few}
    refused = "that are held out" if short == "train" else "to train on"
    with pytest.raises(UserError, match=f"None of the 2 pairs {refused} fits into 200 tokens"):
        encode_prompts(SplitRows(**parts), reader, 200)


def test_an_answer_keeps_its_lines(reader):
    table = 'prompt,answer\na,"one\ntwo"\nb,"three\nfour"\n'
    task = encode_prompts(read_prompts(PromptsConfig(text=table)), reader, 128)
    assert {*task.split.train.labels, *task.split.held_out.labels} == {"one\ntwo", "three\nfour"}


def test_without_a_template_a_blank_line_parts_them(tmp_path):
    reader = reader_for(load(str(save_model(random_model(kind="decoder"), tmp_path / "own"))))
    row = frame_of(reader).row(reader, "the cat", "sat on")
    ends = list(reader.ends[:1])
    assert row.ids == [*reader.encode("the cat\n\nsat on"), *ends]
    assert row.ids[row.first :] == [*reader.encode("the cat\n\nsat on")[row.first :], *ends]
    assert row.first == len(reader.encode("the cat\n\n"))
    assert row.ids[: row.first] == reader.encode(asked_text(reader.model, "the cat"))
    [text] = pair_texts(reader.model, Rows(texts=("the cat",), labels=("sat on",)))
    assert reader.encode(text) == row.ids[:-1]


def test_the_lines_of_the_template_part_a_sample_from_its_prompt(tmp_path):
    base = str(save_chat_model(tmp_path / "chat", SMOLLM2))
    given = {"parts": TrainedParts(method="all"), "length": 200}
    config = dataclasses.replace(finetune_config(tmp_path, "decoder", "prompts"), base=base, **given)
    task = config.prepare_task()
    written = task.samples(config.start("cpu", task).model)
    assert [sample.prompt for sample in written] == [
        f"system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face\nuser\n{prompt}\nassistant\n"
        for prompt in task.split.held_out.texts[: len(written)]
    ]


@pytest.mark.parametrize("name", sorted(FINETUNE_TASKS))
def test_each_task_says_which_models_it_takes(name):
    kind = FINETUNE_TASKS[name]
    assert set(kind.takes) <= {"encoder", "decoder", "encoder-decoder"}
    assert "M " in str(UserError(kind.refusal, name="M"))
    assert (kind.refusal == ONE_STACK) == (name == "labels")
    assert (kind.refusal == NEEDS_BOTH) == (name == "pairs")
    assert dataclasses.is_dataclass(kind.config)
