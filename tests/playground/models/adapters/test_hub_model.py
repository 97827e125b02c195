"""A module of transformers as a task calls it: what fills a row changes nothing that is learnt of it."""

import pytest
import torch
import transformers

from playground.models.adapters.hub_model import HubModel, HubShape, classifier_of
from playground.models.loading import load
from tests.helpers.pretrained_folders import save_tokenizer

XLM = {"vocab_size": 64, "emb_dim": 16, "n_layers": 2, "n_heads": 4}
XLNET = {"vocab_size": 64, "d_model": 16, "n_layer": 2, "n_head": 4, "d_inner": 32}
ROWS = [[4, 5, 6], [7, 8, 9, 5, 6], [8], [6, 5, 4], [9, 9, 9, 9, 9, 9]]


@pytest.mark.parametrize(
    ("family", "settings"),
    [
        ("xlnet", XLNET),
        ("xlnet", {**XLNET, "summary_type": "mean"}),
        ("xlm", {**XLM, "summary_type": "last"}),
        ("xlm", {**XLM, "summary_type": "first"}),
        ("flaubert", {**XLM, "summary_type": "mean"}),
        ("flaubert", {**XLM, "summary_type": "cls_index"}),
    ],
)
def test_a_padded_row_is_classified_as_it_is_alone(tmp_path, family, settings):
    """XLNet answers from a row's last place, where the padding stood: it learnt to classify that."""
    torch.manual_seed(0)
    module = transformers.AutoModel.from_config(transformers.AutoConfig.for_model(family, **settings))
    module.save_pretrained(tmp_path)
    save_tokenizer(tmp_path)
    whole, _is_head = classifier_of(load(str(tmp_path)), ("cats", "dogs", "mats"), 0)
    for parameter in whole.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    model = HubModel(whole.eval(), HubShape(kind="encoder", context=64, classes=3))
    width = max(map(len, ROWS))
    ids = torch.tensor([row + [0] * (width - len(row)) for row in ROWS])
    mask = torch.tensor([[place < len(row) for place in range(width)] for row in ROWS])
    together = model.classify(model.read(ids, mask=mask))
    with torch.no_grad():
        alone = torch.cat([whole(torch.tensor([row])).logits for row in ROWS])
    torch.testing.assert_close(together.detach(), alone, atol=1e-4, rtol=1e-4)
    together.sum().backward()
    assert any(parameter.grad is not None and bool(parameter.grad.any()) for parameter in whole.parameters())
