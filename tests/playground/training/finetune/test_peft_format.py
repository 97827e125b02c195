"""Adapters in peft's files: peft loads ours, we load peft's, with the same logits."""

import json

import pytest
import torch

from playground.errors import UserError
from playground.models import load
from playground.models.adapters.finetuned import tunable
from playground.models.adapters.peft_adapter import CONFIG
from playground.training.finetune import TrainedParts
from playground.training.finetune.peft_format import merged_state, read_adapter
from playground.training.finetune.result import before_and_after, export_adapter
from playground.training.run.folder import run
from tests.helpers.small_finetuning import base_of, finetune_config

IDS = torch.tensor([[1, 6, 8, 5]])
ALL = ("query", "value", "output", "up", "down")


def run_of(folder, family, task):
    config = finetune_config(folder, family, task, parts=TrainedParts(rank=2, alpha=8.0, matrices=ALL))
    list(run(config, folder / "run"))
    return config, folder / "run"


def logits_of(folder, task):
    after = load(before_and_after(folder)[1])
    with torch.no_grad():
        if task == "labels":
            return after.head.answer(IDS, torch.zeros_like(IDS))
        output = after.module(IDS)
    return output if after.is_own else output.logits


def their_base(config, task):
    """The base as somebody loads it who has peft and not this project; ours is a module of torch."""
    import transformers

    base = load(config.base)
    if base.is_own:
        return tunable(base, ("cats", "dogs") if task == "labels" else (), 0).whole
    if task == "labels":
        return transformers.AutoModelForSequenceClassification.from_pretrained(config.base, num_labels=2)
    return transformers.AutoModelForCausalLM.from_pretrained(config.base)


@pytest.mark.parametrize(
    ("family", "task"), [("encoder", "labels"), ("decoder", "passages"), ("bert", "labels"), ("llama", "passages")]
)
def test_peft_loads_our_adapter(tmp_path, family, task):
    from peft import PeftModel

    config, folder = run_of(tmp_path, family, task)
    out = export_adapter(folder, tmp_path / "adapter")
    model = PeftModel.from_pretrained(their_base(config, task), out).eval()
    with torch.no_grad():
        if family in ("encoder", "decoder"):
            whole = model.base_model.model
            read = whole.read(IDS)
            actual = whole.classify(read) if task == "labels" else whole.head(read)
        else:
            actual = model(IDS).logits
    torch.testing.assert_close(actual, logits_of(folder, task), atol=1e-5, rtol=1e-5)
    assert (out / "card.md").read_text().startswith("# ")


@pytest.mark.parametrize("family", ["decoder", "gpt2", "llama"])
def test_we_load_what_peft_saved(tmp_path, family):
    from peft import LoraConfig, get_peft_model

    base = finetune_config(tmp_path, family).base
    targets = {"decoder": ["query_key_value"], "gpt2": ["c_attn", "c_fc"], "llama": ["q_proj", "v_proj"]}[family]
    theirs = get_peft_model(load(base).module, LoraConfig(r=3, lora_alpha=6, target_modules=targets)).eval()
    for name, parameter in theirs.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=0.1)
    theirs.save_pretrained(tmp_path / "saved")
    ours, plain = load(base).module, load(base).module
    paths = read_adapter(tmp_path / "saved", ours)
    assert all(path.rpartition(".")[2] in targets for path in paths)
    plain.load_state_dict(merged_state(ours), strict=False)
    with torch.no_grad():
        expected, actual, merged = (model(IDS) for model in (theirs.base_model.model, ours, plain))
        if family != "decoder":
            expected, actual, merged = expected.logits, actual.logits, merged.logits
    torch.testing.assert_close(actual, expected, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(merged, expected, atol=1e-5, rtol=1e-5)


def test_other_adapters_are_refused(tmp_path):
    config, folder = run_of(tmp_path, "decoder", "passages")
    out = export_adapter(folder, tmp_path / "adapter")
    other = load(finetune_config(tmp_path, "llama").base).module
    with pytest.raises(UserError, match="another base"):
        read_adapter(out, other)
    values = json.loads((out / CONFIG).read_text())
    for changes, sentence in (({"peft_type": "IA3"}, "IA3"), ({"use_dora": True}, "only plain LoRA")):
        (out / CONFIG).write_text(json.dumps(values | changes))
        with pytest.raises(UserError, match=sentence):
            read_adapter(out, load(config.base).module)
    (out / CONFIG).write_text("{")
    with pytest.raises(UserError, match="no adapter"):
        read_adapter(out, load(config.base).module)


@pytest.mark.parametrize(("family", "task"), [("encoder", "labels"), ("llama", "passages"), ("bert", "labels")])
def test_an_adapters_folder_is_a_model(tmp_path, family, task):
    """`load` of what was exported answers as the run itself, so that the model list opens an adapter, too."""
    _config, folder = run_of(tmp_path, family, task)
    adapter = load(str(export_adapter(folder, tmp_path / "adapter")))
    after = load(before_and_after(folder)[1])
    assert adapter.kind == after.kind
    with torch.no_grad():
        if task == "labels":
            assert adapter.head is not None
            assert adapter.head.labels == ("0", "1")
            answers = [model.head.answer(IDS, torch.zeros_like(IDS)) for model in (adapter, after)]
        else:
            answers = [model.module(IDS).logits for model in (adapter, after)]
    torch.testing.assert_close(*answers, atol=1e-6, rtol=1e-5)


def test_an_adapter_whose_base_is_elsewhere_is_refused(tmp_path):
    _config, folder = run_of(tmp_path, "encoder", "labels")
    out = export_adapter(folder, tmp_path / "adapter")
    values = json.loads((out / CONFIG).read_text())
    for base, sentence in (("owner/nowhere", "not on this machine"), ("", "not on this machine"), (str(out), "merge")):
        (out / CONFIG).write_text(json.dumps({**values, "base_model_name_or_path": base}))
        with pytest.raises(UserError, match=sentence):
            load(str(out))
    (out / CONFIG).write_text(json.dumps({**values, "base_model_name_or_path": _config.base, "lora_alpha": "much"}))
    with pytest.raises(UserError, match="no adapter that can be read"):
        load(str(out))


def saved_by_peft(folder, family, changes=None, **settings):
    """A base with random LoRA that peft saved, and the logits that peft computes when it opens both again."""
    from peft import LoraConfig, PeftModel, get_peft_model
    from transformers import AutoModelForCausalLM

    base = base_of(folder, family, **(changes or {}))
    theirs = get_peft_model(
        AutoModelForCausalLM.from_pretrained(base), LoraConfig(**{"r": 3, "lora_alpha": 6} | settings)
    )
    torch.manual_seed(1)
    for name, parameter in theirs.named_parameters():
        if "lora_" in name or "trainable_tokens" in name or (name.endswith("bias") and parameter.requires_grad):
            torch.nn.init.normal_(parameter, std=0.5)
    theirs.save_pretrained(folder / "saved")
    again = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base), folder / "saved").eval()
    with torch.no_grad():
        return folder / "saved", again(IDS).logits


def test_a_square_matrix_that_is_held_transposed_is_merged_transposed(tmp_path):
    """GPT-2's c_proj is 16 x 16, as inputs x outputs: its shape does not tell."""
    saved, expected = saved_by_peft(tmp_path, "gpt2", target_modules=["attn.c_proj"], fan_in_fan_out=True)
    with torch.no_grad():
        torch.testing.assert_close(load(str(saved)).module(IDS).logits, expected, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize(
    "settings",
    [
        {"alpha_pattern": {"q_proj": 32}},
        {"alpha_pattern": {r".*layers\.1\..*": 32, "q_proj": 2}},
        {"alpha_pattern": {"model.layers.0.self_attn.v_proj": 1}},
        {"rank_pattern": {"v_proj": 5}, "alpha_pattern": {"layers.1.self_attn.[qv]_proj": 9}},
        {"rank_pattern": {r"layers\.0\..*": 2}, "use_rslora": True},
    ],
    ids=["module", "expression", "path", "both", "rslora"],
)
def test_each_layer_has_the_alpha_and_rank_that_peft_gives_it(tmp_path, settings):
    saved, expected = saved_by_peft(tmp_path, "llama", target_modules=["q_proj", "v_proj"], **settings)
    with torch.no_grad():
        torch.testing.assert_close(load(str(saved)).module(IDS).logits, expected, atol=1e-4, rtol=1e-4)


def test_an_adapter_on_a_tied_head_leaves_the_embedding(tmp_path):
    saved, expected = saved_by_peft(tmp_path, "llama", {"tie_word_embeddings": True}, target_modules=["lm_head"])
    with torch.no_grad():
        torch.testing.assert_close(load(str(saved)).module(IDS).logits, expected, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize(
    "changes",
    [
        {"init_lora_weights": "pissa_niter_4"},
        {"init_lora_weights": "olora"},
        {"layer_replication": [[0, 1], [0, 2]]},
        {"alora_invocation_tokens": [5, 6]},
        {"use_qalora": True},
        {"use_dora": True},
        {"target_parameters": ["mlp.experts.gate_up_proj"]},
    ],
)
def test_what_is_more_than_a_low_rank_change_is_refused(tmp_path, changes):
    _config, folder = run_of(tmp_path, "llama", "passages")
    out = export_adapter(folder, tmp_path / "adapter")
    (out / CONFIG).write_text(json.dumps(json.loads((out / CONFIG).read_text()) | changes))
    [setting] = changes
    with pytest.raises(UserError, match=f"with {setting}.*only plain LoRA"):
        load(str(out))


@pytest.mark.parametrize(
    ("family", "changes", "settings"),
    [
        ("llama", {}, {"target_modules": ["embed_tokens", "q_proj"]}),
        ("gpt2", {}, {"target_modules": ["wte"], "use_rslora": True, "alpha_pattern": {"wte": 9}}),
        ("qwen2", {}, {"target_modules": ["q_proj"], "bias": "lora_only"}),
        ("qwen2", {}, {"target_modules": ["q_proj"], "bias": "all"}),
        ("qwen2", {}, {"target_modules": ["v_proj"], "lora_bias": True}),
        ("llama", {}, {"target_modules": ["v_proj"], "lora_bias": True}),
        ("llama", {}, {"target_modules": ["q_proj"], "trainable_token_indices": [8, 1, 5]}),
        ("llama", {}, {"target_modules": ["q_proj"], "trainable_token_indices": {"embed_tokens": [6]}}),
        ("gpt2", {}, {"target_modules": ["c_attn"], "trainable_token_indices": [8, 1, 5]}),
        ("llama", {"tie_word_embeddings": True}, {"target_modules": ["q_proj"], "trainable_token_indices": [5]}),
    ],
)
def test_embeddings_biases_and_tokens_are_changed_as_peft_changes_them(tmp_path, family, changes, settings):
    """Each of these was said to belong to another base, or to be no LoRA."""
    saved, expected = saved_by_peft(tmp_path, family, changes, **settings)
    with torch.no_grad():
        torch.testing.assert_close(load(str(saved)).module(IDS).logits, expected, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("tokens", [[5], [5, 10**6], "all", None])
def test_rows_of_other_tokens_than_the_adapter_holds_are_refused(tmp_path, tokens):
    saved, _logits = saved_by_peft(tmp_path, "llama", target_modules=["q_proj"], trainable_token_indices=[5, 6])
    values = json.loads((saved / CONFIG).read_text()) | {"trainable_token_indices": tokens}
    (saved / CONFIG).write_text(json.dumps(values))
    with pytest.raises(UserError, match="do not belong to this base"):
        load(str(saved))


@pytest.mark.parametrize("pattern", ["(", "(a+)+b", ".*.*.*.*.*x", "q" * 501])
def test_a_pattern_that_is_none_or_could_take_for_ever_is_refused(tmp_path, pattern):
    saved, _logits = saved_by_peft(tmp_path, "llama", target_modules=["q_proj"])
    (saved / CONFIG).write_text(json.dumps(json.loads((saved / CONFIG).read_text()) | {"alpha_pattern": {pattern: 3}}))
    with pytest.raises(UserError, match="no adapter that can be read"):
        load(str(saved))
