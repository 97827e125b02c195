"""Classifiers of ours for transformers: a decoder's within the model, an encoder's beside it as layers of torch.nn.

A decoder's reads its last token, as transformers' do. An encoder's pools with tanh as BERT's does; EuroBERT, which has
our encoder's layers, pools with GELU: its states are equal, and `classify.py` puts our three layers behind them.
"""

import copy
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from playground.transformer import Transformer

CLASSIFIER, SCRIPT = "classifier.safetensors", "classify.py"
CODE = """\
# python classify.py "a text" "another": the labels with their probabilities. Needs torch, safetensors, transformers.
import json
import sys
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import nn
from transformers import AutoModel, AutoTokenizer

FOLDER = Path(__file__).parent
LABELS = json.loads((FOLDER / "labels.json").read_text(encoding="utf-8"))
weights = load_file(FOLDER / "classifier.safetensors")
width, classes = len(weights["0.bias"]), len(weights["2.bias"])
classifier = nn.Sequential(nn.Linear(width, width), nn.Tanh(), nn.Linear(width, classes))
classifier.load_state_dict(weights)
tokenizer, encoder = AutoTokenizer.from_pretrained(FOLDER), AutoModel.from_pretrained(FOLDER).eval()


@torch.no_grad()
def logits(text: str) -> torch.Tensor:
    ids = tokenizer(text, truncation=True, return_tensors="pt")["input_ids"]
    return classifier(encoder(ids).last_hidden_state[:, 0])[0]


if __name__ == "__main__":
    for text in sys.argv[1:]:
        probabilities = logits(text).softmax(-1).tolist()
        print(json.dumps(dict(zip(LABELS, probabilities)), ensure_ascii=False))
"""
"""What uses an encoder's classifier without this package."""


@torch.no_grad()
def decoder_classifier(module: Any, model: Transformer, labels: Sequence[str]) -> Any:
    """A decoder of transformers as its classifier: the same layers, and our output layer at the last token."""
    from transformers import AutoModelForSequenceClassification

    config = copy.deepcopy(module.config)
    config.id2label, config.label2id = dict(enumerate(labels)), {name: index for index, name in enumerate(labels)}
    new: Any = AutoModelForSequenceClassification.from_config(config)
    new.base_model.load_state_dict(module.base_model.state_dict())
    part: Any = model
    new.score.weight.copy_(part.classifier.output.weight)
    return new.float().eval()


def write_encoder_classifier(out: Path, model: Transformer, labels: Sequence[str]) -> None:
    """Write the layers, their labels, and a script of a few lines that uses both."""
    part: Any = model
    layers = {"0": part.classifier.pool, "2": part.classifier.output}
    tensors = {
        f"{place}.{name}": tensor.detach().float().contiguous()
        for place, layer in layers.items()
        for name, tensor in layer.named_parameters()
    }
    save_file(tensors, out / CLASSIFIER, metadata={"format": "pt"})
    (out / "labels.json").write_text(json.dumps(list(labels), ensure_ascii=False) + "\n", encoding="utf-8")
    (out / SCRIPT).write_text(CODE, encoding="utf-8")
