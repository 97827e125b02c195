"""What our own models read: segments, and a target that begins with START; or what they write themselves."""

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from playground.errors import UserError
from playground.generation import greedy_answers
from playground.lens.capture.tokens import Token

if TYPE_CHECKING:
    from playground.models import LoadedModel

START, END = "<|start|>", "<|end|>"


def arguments(model: "LoadedModel", ids: Tensor, source: list[Token], target_ids: Tensor | None) -> dict[str, Any]:
    """The keyword arguments of one forward pass."""
    given: dict[str, Any] = {"ids": ids}
    module: Any = model.module
    if module.config.segments:
        segments = torch.tensor([[token.segment for token in source]], device=ids.device)
        given["segments"] = segments.clamp(max=module.config.segments - 1)
    if target_ids is not None:
        given["target_ids"] = target_ids
    return given


def target_ids(model: "LoadedModel", target: str) -> list[int]:
    """What the decoder reads of a target: START and its tokens, without the frame that a source has."""
    encoding = model.tokenizer.encode(target, add_special_tokens=False)
    return [_id_of(model, START), *encoding.ids]


def write(model: "LoadedModel", ids: Tensor, most: int) -> Tensor:
    """What the decoder reads while it writes greedily: START and its own tokens, without END; at most `most`."""
    module: Any = model.module
    start, end = _id_of(model, START), _id_of(model, END)
    answer = greedy_answers(module, ids, None, start=start, end=end, most=most - 1)
    written = answer[:, :-1] if answer.numel() and int(answer[0, -1]) == end else answer
    return torch.cat([torch.full_like(ids[:, :1], start), written], dim=1)


def _id_of(model: "LoadedModel", token: str) -> int:
    """The id of a special token. Raises UserError for a vocabulary without it."""
    found = model.tokenizer.token_to_id(token)
    if found is None:
        raise UserError(
            "The vocabulary of {name} has no token {token}, so its decoder cannot be run.", name=model.name, token=token
        )
    return int(found)
