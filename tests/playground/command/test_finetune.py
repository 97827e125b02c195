"""`python -m playground finetune`, as a person calls it: every task and what is trained, as JSON, ended and resumed."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from playground import load
from playground.__main__ import main
from playground.training.finetune.result import before_and_after
from playground.training.run.folder import read_run_config
from playground.training.run.paths import checkpoint_folders
from tests.helpers.small_finetuning import PAIRS, PROMPTS, TABLE, TEXT, base_of

torch.set_num_threads(1)
SMALL = ["--steps", "4", "--batch", "2", "--warm-up", "1", "--evaluate-every", "2", "--evaluate-rows", "6"]
SMALL += ["--checkpoint-every", "2", "--frames", "3", "--length", "60"]
CONTENTS = {"labels": TABLE, "prompts": PROMPTS, "pairs": PAIRS, "passages": TEXT}
LORA = ["--method", "lora", "--rank", "2", "--alpha", "4"]
CASES = [
    ("encoder", "labels", ["--method", "head"]),
    ("encoder", "labels", ["--method", "last", "--layers", "1"]),
    ("encoder", "labels", LORA),
    ("bert", "labels", ["--method", "biases"]),
    ("decoder", "passages", LORA),
    ("decoder", "prompts", ["--method", "last", "--layers", "1"]),
    ("encoder-decoder", "pairs", LORA),
]


def call(folder: Path, out: str, family: str = "encoder", task: str = "labels", options: list[str] = LORA) -> list[str]:
    """The words of a command on a file of the person's own."""
    source = folder / ("text.txt" if task == "passages" else f"{task}.csv")
    source.write_text(CONTENTS[task], encoding="utf-8")
    given = ["--source", "table", "--task-sources"] if task == "labels" else ["--sources"]
    base = folder / family
    name = str(base) if base.is_dir() else base_of(folder, family)
    return ["finetune", name, "--task", task, *given, str(source), "--out", str(folder / out), *SMALL, *options]


@pytest.mark.parametrize(("family", "task", "options"), CASES)
def test_every_task_and_method_as_json(tmp_path, capsys, family, task, options):
    assert main([*call(tmp_path, "run", family, task, options), "--json", "--merged", str(tmp_path / "merged")]) == 0
    estimate, *steps, merged = map(json.loads, capsys.readouterr().out.splitlines())
    trained = load_file(tmp_path / "run" / "snapshots" / "000004" / "trained.safetensors")
    assert estimate["estimate"]["trainable"] == sum(tensor.numel() for tensor in trained.values())
    assert [step["step"] for step in steps] == [0, 1, 2, 3, 4]
    assert [step["evaluation"] is not None for step in steps] == [True, False, True, False, True]
    assert all(steps[at]["evaluation"]["held_out_loss"] > 0 for at in (0, -1))
    assert merged == {"merged": str(tmp_path / "merged")}
    assert read_run_config(tmp_path / "run" / "config.json").parts.method == options[1]
    ids = torch.tensor([[1, 6, 8, 2]])
    if task == "passages":
        whole, part = (load(name).module(ids) for name in (merged["merged"], before_and_after(tmp_path / "run")[1]))
        torch.testing.assert_close(whole, part, atol=1e-5, rtol=1e-5)


def test_progress_is_one_line_for_an_evaluation_and_the_adapter_is_named(tmp_path, capsys):
    assert main([*call(tmp_path, "run"), "--adapter", str(tmp_path / "adapter")]) == 0
    said = capsys.readouterr().out
    assert "parameters are trained; about" in said
    assert "before the first step  held_out_loss" in said
    assert "step 4/4" in said
    assert said.splitlines()[-1] == str(tmp_path / "adapter")
    assert (tmp_path / "adapter" / "adapter_config.json").is_file()


def test_an_interrupted_run_goes_on_from_its_last_checkpoint(tmp_path, capsys, monkeypatch):
    from playground.command import finetune

    def interrupt(step, *_):
        if step.step == 3:
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(finetune, "print_step", interrupt)
        assert main(call(tmp_path, "run")) == 130
    kept = [path.name for path in checkpoint_folders(tmp_path / "run")]
    assert kept[:2] == ["000000", "000002"]
    capsys.readouterr()
    assert main([*call(tmp_path, "run"), "--json"]) == 0
    steps = [json.loads(line)["step"] for line in capsys.readouterr().out.splitlines()[1:]]
    assert steps[0] in (3, 4)
    assert steps[-1] == 4
    assert main(call(tmp_path, "whole")) == 0
    ended, whole = (load_file(tmp_path / n / "snapshots" / "000004" / "trained.safetensors") for n in ("run", "whole"))
    assert all(torch.equal(ended[name], whole[name]) for name in whole)


def test_only_the_cost_is_said_and_nothing_written(tmp_path, capsys):
    assert main([*call(tmp_path, "run"), "--dry-run", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["estimate"]["total"] > 0
    assert not (tmp_path / "run").exists()


def test_what_is_left_out_is_said_with_the_cost(tmp_path, capsys):
    words = [*call(tmp_path, "run", "decoder", "prompts"), "--dry-run"]
    (tmp_path / "prompts.csv").write_text(f"{PROMPTS}lonely,\nlong,{'the cat ' * 90}\n", encoding="utf-8")
    notes = ["Rows without a text, a label or an answer are left out: 1, the first in line 18."]
    notes += ["Pairs longer than a row are left out: 1 of the 17 looked at."]
    assert main(words) == 0
    assert capsys.readouterr().out.splitlines()[1:] == notes
    assert main([*words, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["estimate"]["notes"] == notes


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["finetune", "--out", "x"], "Name the model that is to learn on"),
        (["finetune", "/no/such", "--out", "x"], "There is no folder /no/such"),
        (
            ["finetune", "books-decoder", "--task", "passages", "--sources", "/no/such.txt", "--out", "x"],
            "/no/such.txt",
        ),
    ],
)
def test_what_cannot_be_is_a_sentence(words, sentence, capsys):
    assert main(words) == 2
    assert sentence in capsys.readouterr().err
