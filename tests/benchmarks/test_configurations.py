"""A sample of transformers' configurations, small and random, against the model; and the document of all of them."""

import json
import re

import pytest
import transformers

from benchmarks.configurations.__main__ import DOCUMENT, RESULT, run_one
from benchmarks.configurations.building import Configuration, all_configurations
from benchmarks.configurations.report import NAMES, report
from benchmarks.configurations.shrinking import LAYERS, VOCABULARY, shrunk

EQUAL = {
    "causal": [
        *("gpt2", "granite", "cohere2", "olmo2", "gemma3_text", "gpt_oss", "mixtral", "deepseek_v3", "qwen3"),
        *("lfm2", "nemotron_h"),
    ],
    "masked": ["eurobert"],
    "sequence-to-sequence": ["t5", "pegasus", "switch_transformers", "seamless_m4t"],
}
"""Everything equals the model."""
REFUSED = {
    ("masked", "bert"): {"parts": "norm it after each layer"},
    ("masked", "albert"): {"stream": "calls one attention module several times"},
    ("causal", "bitnet"): {"stream": "changes what its heads mixed"},
    ("causal", "diffllama"): {"lens": "calls one attention module several times"},
    ("causal", "hy_v4"): {"stream": "4 residual streams side by side"},
    ("causal", "bloom"): {"parts": "does not go through the seam"},
    ("causal", "mamba"): {"maps": "has no attention that can be shown"},
    ("masked", "fnet"): {"maps": "has no attention that can be shown"},
    ("sequence-to-sequence", "longt5"): {"maps": "only 6 of 9 attention layers"},
}
"""Something is refused with its reason; the rest equals the model."""


@pytest.mark.parametrize(("task", "family"), [(task, family) for task in EQUAL for family in EQUAL[task]])
def test_everything_equals_the_model(task, family):
    result = run_one(Configuration(task=task, family=family))
    assert {name: outcome["detail"] for name, outcome in result.items() if outcome["verdict"] != "equal"} == {}
    assert tuple(result) == NAMES


@pytest.mark.parametrize(("task", "family"), REFUSED)
def test_what_cannot_be_shown_is_refused_with_its_reason(task, family):
    result = run_one(Configuration(task=task, family=family))
    assert {outcome["verdict"] for outcome in result.values()} <= {"equal", "refused", "no reference"}
    for name, reason in REFUSED[task, family].items():
        assert reason in result[name]["detail"]


@pytest.mark.parametrize("family", ["llama", "gemma3", "lfm2", "t5"])
def test_any_configuration_is_shrunk(family):
    config = shrunk(transformers.CONFIG_MAPPING[family])
    text = config.get_text_config()
    assert text.hidden_size == 32
    assert text.num_hidden_layers == LAYERS
    assert text.vocab_size == VOCABULARY


def test_the_document_shows_the_results():
    results = json.loads(RESULT.read_text())
    version = re.search(r"transformers (\S+) lists", DOCUMENT.read_text())
    assert version is not None
    assert DOCUMENT.read_text() == report(results, version[1])


def test_nothing_in_the_document_is_wrong():
    results = json.loads(RESULT.read_text())
    assert len(results) >= len(all_configurations()) - 5
    built = [result for result in results.values() if "not built" not in result]
    assert len(built) > 0.9 * len(results)
    assert not [name for result in built for name in NAMES if result[name]["verdict"] == "wrong"]
