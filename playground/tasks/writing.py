"""Text from a model in training."""

import torch
from tokenizers import Tokenizer

from playground.errors import UserError
from playground.transformer import Transformer


@torch.no_grad()
def sample_text(
    model: Transformer,
    tokenizer: Tokenizer,
    *,
    prompt: str = "",
    tokens: int,
    temperature: float = 0.8,
    seed: int = 0,
) -> str:
    """Continue the prompt by drawing one token after another. The same seed draws the same text."""
    if not temperature > 0:
        raise UserError(
            "A temperature of {temperature} cannot be drawn at; choose a positive number.", temperature=temperature
        )
    generator = torch.Generator().manual_seed(seed)
    ids = torch.tensor([tokenizer.encode(prompt).ids])
    context = model.config.context
    for _ in range(tokens):
        logits = model(ids[:, -context:])[0, -1] / temperature
        chosen = torch.multinomial(logits.softmax(-1), 1, generator=generator)
        ids = torch.cat([ids, chosen[None]], dim=1)
    return str(tokenizer.decode(ids[0].tolist()))
