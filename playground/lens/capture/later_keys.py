"""Whether a decoder's tokens see those behind them: its head then knows the answer that it is asked for."""

from typing import TYPE_CHECKING

from jaxtyping import Int
from torch import Tensor

from playground.attention import handling
from playground.lens.capture.recorder import recorder_for
from playground.lens.capture.visibility import sees_later_keys

if TYPE_CHECKING:
    from playground.models import LoadedModel


def reads_both_ways(model: "LoadedModel", ids: Int[Tensor, "1 token"]) -> bool:
    """Whether a decoder's tokens see later ones of these ids, as its masks or the weights it reports say."""
    recorder = recorder_for(model.module, "decoder", None)
    with handling(recorder):
        reported = model.adapter.next_token(ids, patterns=model.attention == "eager").patterns
    layers = [layer[0, 0] for layer in reported.get("decoder", ())]
    return any(map(sees_later_keys, recorder.sites)) or any(bool(layer.triu(1).any()) for layer in layers)
