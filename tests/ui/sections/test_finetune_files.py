"""The ZIPs of a fine-tuning's result answer as the run does, in a process that has never seen it."""

import io
import json
import subprocess
import sys
import zipfile

import pytest
import torch

from playground.models import load
from playground.training.finetune import TrainedParts
from playground.training.finetune.result import before_and_after, export_adapter, export_for_hub, export_merged
from playground.training.run.folder import run
from tests.helpers.small_finetuning import finetune_config
from ui.sections.finetune.files import _zipped

IDS = [[1, 6, 8, 5]]
IN_A_FRESH_PROCESS = """
import json, sys
import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM
from playground import load
from playground.models.adapters.finetuned import tunable

base, folder, ids = sys.argv[1], sys.argv[2], torch.tensor(json.loads(sys.argv[3]))
with torch.no_grad():
    answers = {
        "peft": PeftModel.from_pretrained(tunable(load(base), (), 0).whole, folder + "/adapter").eval()(ids),
        "load adapter": load(folder + "/adapter").module(ids),
        "load merged": load(folder + "/merged").module(ids),
        "transformers": AutoModelForCausalLM.from_pretrained(folder + "/transformers").eval()(ids).logits,
    }
print(json.dumps({name: logits.tolist() for name, logits in answers.items()}))
"""


@pytest.mark.parametrize("task", ["prompts", "passages"])
def test_what_is_downloaded_answers_as_the_run_does(tmp_path, task):
    parts = TrainedParts(rank=2, alpha=8.0, matrices=("query", "value", "up"))
    config = finetune_config(tmp_path, "decoder", task, parts=parts)
    for _step in run(config, tmp_path / "run"):
        pass
    exports = {"adapter": export_adapter, "merged": export_merged, "transformers": export_for_hub}
    for name, export in exports.items():
        with zipfile.ZipFile(io.BytesIO(_zipped(export, tmp_path / "run"))) as archive:
            archive.extractall(tmp_path / "out" / name)
    command = [sys.executable, "-c", IN_A_FRESH_PROCESS, config.base, str(tmp_path / "out"), json.dumps(IDS)]
    answers = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[-1])
    with torch.no_grad():
        before, after = (load(name).module(torch.tensor(IDS)) for name in before_and_after(tmp_path / "run"))
    assert (after - before).abs().max() > 1e-3
    assert set(answers) == {"peft", "load adapter", "load merged", "transformers"}
    for logits in answers.values():
        torch.testing.assert_close(torch.tensor(logits), after, atol=1e-5, rtol=1e-5)
