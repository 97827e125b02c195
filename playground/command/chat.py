"""`chat`: render a conversation through a model's chat template, and let the model reply."""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from playground.command.model_options import add_model_options, load_named
from playground.errors import UserError
from playground.text import _

if TYPE_CHECKING:
    from playground.lens.generate.chat_template import ChatTurn, RenderedChat
    from playground.lens.generate.generation import GeneratedToken
    from playground.models import LoadedModel

LARGEST_CONVERSATION = 1 << 20


def declare(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = commands.add_parser("chat", help=_("a conversation as the model reads it, and its reply"))
    parser.add_argument("model", help=_("a name from `models`, a Hugging Face id or a folder"))
    parser.add_argument("text", nargs="?", help=_("what the user says"))
    parser.add_argument("--system", help=_("the system prompt"))
    parser.add_argument("--turns", type=Path, help=_('a JSON file of turns: [{"role": "user", "content": "…"}, …]'))
    parser.add_argument("--max-new-tokens", type=int, default=100, help=_("tokens of the reply, 0 for none (100)"))
    parser.add_argument("--temperature", type=float, default=1.0, help=_("0 takes the most probable token (1)"))
    parser.add_argument("--top-p", type=float, default=1.0, help=_("keep the tokens that together reach p (1)"))
    parser.add_argument("--top-k", type=int, default=0, help=_("keep the k most probable tokens, 0 for all (0)"))
    parser.add_argument("--seed", type=int, default=0, help=_("of the sampled tokens (0)"))
    add_model_options(parser)
    parser.add_argument("--json", action="store_true", help=_("print everything as JSON"))
    parser.set_defaults(run=hold_chat)


def hold_chat(arguments: argparse.Namespace) -> None:
    """Read the turns, render them, reply, print. Raises UserError for what cannot be read or rendered."""
    turns = _turns(arguments)
    config = _config(arguments)
    model = load_named(arguments)
    from playground.lens.generate.chat_template import render_chat
    from playground.lens.generate.generation import generate

    chat = render_chat(model, turns)
    tokens: list[GeneratedToken] = []
    if config is not None:
        for token in generate(model, chat.page_text, config):
            tokens.append(token)
    reply = _reply(model, chat, tokens)
    if arguments.json:
        print(json.dumps(_chat_report(model, chat, tokens, reply), indent=2, ensure_ascii=False, allow_nan=False))
    else:
        print(reply if tokens else chat.text)


def _config(arguments: argparse.Namespace) -> Any:
    """How to sample; None for no reply. Raises UserError for numbers out of bounds."""
    from playground.lens.generate.generation import GenerationConfig
    from playground.lens.generate.predictions import Sampling

    if arguments.max_new_tokens == 0:
        return None
    sampling = Sampling(temperature=arguments.temperature, top_k=arguments.top_k, top_p=arguments.top_p)
    return GenerationConfig(max_new_tokens=arguments.max_new_tokens, sampling=sampling, seed=arguments.seed)


def _turns(arguments: argparse.Namespace) -> list["ChatTurn"]:
    """The turns of the file, or the two that were given. Raises UserError for neither, both or a damaged file."""
    from playground.lens.generate.chat_template import ChatTurn, Role

    if (arguments.turns is None) == (arguments.text is None):
        raise UserError("Give what the user says, or a file with --turns; not both.")
    if arguments.turns is None:
        first = [] if arguments.system is None else [ChatTurn(role="system", content=arguments.system)]
        return [*first, ChatTurn(role="user", content=arguments.text)]
    turns = []
    for number, entry in enumerate(_listed(arguments.turns), start=1):
        stated, content = (entry.get("role"), entry.get("content")) if isinstance(entry, dict) else (None, None)
        role: Role | None = next((known for known in get_args(Role) if known == stated), None)
        if role is None or not isinstance(content, str):
            raise UserError(
                "Turn {number} is none: it needs a role ({roles}) and a content.",
                number=number,
                roles=", ".join(get_args(Role)),
            )
        turns.append(ChatTurn(role=role, content=content))
    return turns


def _listed(path: Path) -> Sequence[object]:
    try:
        if path.stat().st_size > LARGEST_CONVERSATION:
            raise UserError("{path} has more than 1 MB; a conversation has less.", path=path)
        listed = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError("{path} cannot be read: {reason}.", path=path, reason=error.strerror or error) from error
    except (ValueError, RecursionError) as error:
        raise UserError("{path} is no JSON.", path=path) from error
    if not isinstance(listed, list):
        raise UserError("{path} holds no list of turns.", path=path)
    return listed


def _reply(model: "LoadedModel", chat: "RenderedChat", tokens: Sequence["GeneratedToken"]) -> str:
    """What was generated, without special tokens."""
    ids = [token.token.id for token in tokens]
    before = str(model.tokenizer.decode(chat.ids, skip_special_tokens=True, clean_up_tokenization_spaces=False))
    whole = model.tokenizer.decode([*chat.ids, *ids], skip_special_tokens=True, clean_up_tokenization_spaces=False)
    return str(whole)[len(before) :]


def _chat_report(
    model: "LoadedModel", chat: "RenderedChat", tokens: Sequence["GeneratedToken"], reply: str
) -> dict[str, Any]:
    """Everything as JSON takes it."""
    from playground.provenance import provenance

    generated = [
        {"id": token.token.id, "text": token.token.text, "probability": token.probability, "rank": token.rank}
        for token in tokens
    ]
    return {
        "provenance": dict(provenance(model)),
        "text": chat.text,
        "ids": chat.ids,
        "tokens": [token.text for token in chat.tokens],
        "page_text": chat.page_text,
        "is_exact": chat.is_exact,
        "forged_turns": [number + 1 for number in chat.forged],
        "reply": reply,
        "stop": tokens[-1].stop_reason if tokens else None,
        "new_tokens": generated,
    }
