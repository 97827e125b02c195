"""Render a chat template in a process of its own: a template is a stranger's program, and may never end.

Run by its path, so that nothing of the app is imported: reads a task {"template", "values", "seconds", "megabytes",
"characters"} from its input and writes {"text"} or {"error"}. The template runs in jinja's sandbox, which lets it
change nothing and reach no attribute of Python's own; the limits of the process end what the sandbox cannot: loops in
loops, and strings that double.
"""

import json
import sys
from datetime import datetime
from typing import Any

from jinja2 import TemplateError, nodes
from jinja2.ext import Extension
from jinja2.parser import Parser
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import Namespace

SHOWN_LETTERS = 300


class GenerationBlock(Extension):
    """`{% generation %} … {% endgeneration %}` marks what the assistant writes; here it is only its contents."""

    tags = {"generation"}  # noqa: RUF012 - jinja's own declaration

    def parse(self, parser: Parser) -> nodes.Node:
        """The block as a scope of its own."""
        line = next(parser.stream).lineno
        body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
        return nodes.Scope(body, lineno=line)


class PlainNamespace(Namespace):
    """jinja's namespace, without names that begin with an underscore."""

    def __setitem__(self, name: str, value: Any) -> None:
        if name.startswith("_"):
            raise TemplateError(f"A namespace has no place for {name!r}.")
        super().__setitem__(name, value)


def render(template: str, values: dict[str, Any]) -> str:
    """The text that a template makes of its values, in the environment that transformers gives it."""
    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[GenerationBlock, "jinja2.ext.loopcontrols"]
    )
    environment.filters["tojson"] = _to_json
    environment.globals |= {"raise_exception": _refuse, "strftime_now": _now, "namespace": PlainNamespace}
    return environment.from_string(template).render(**values)


def _to_json(
    value: Any, ensure_ascii: bool = False, indent: int | None = None, separators: Any = None, sort_keys: bool = False
) -> str:
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)


def _refuse(message: str) -> None:
    raise TemplateError(str(message))


def _now(form: str) -> str:
    return datetime.now().strftime(form)


def limit_process(seconds: int, megabytes: int) -> None:
    """Let the system end this process beyond so much time and memory; it may write no file."""
    try:
        import resource
    except ImportError:  # Windows has no such limits; the waiting process ends this one in time
        return
    for name, most in (("RLIMIT_CPU", seconds), ("RLIMIT_AS", megabytes << 20), ("RLIMIT_FSIZE", 0)):
        resource.setrlimit(getattr(resource, name), (most, most))


def answer(task: dict[str, Any]) -> dict[str, str]:
    """What is written back: the text, or why there is none, cut to a length that a sentence can hold."""
    try:
        text = render(task["template"], task["values"])
        is_too_long = len(text) > task["characters"]
        return {"error": f"it makes {len(text):,} characters of it"} if is_too_long else {"text": text}
    except MemoryError:
        return {"error": "out of memory"}
    except Exception as error:  # whatever a stranger's template raises
        return {"error": (str(error).strip() or type(error).__name__)[:SHOWN_LETTERS]}


def main() -> None:
    """Read the task, bound this process, answer."""
    task = json.loads(sys.stdin.buffer.read())
    limit_process(task["seconds"], task["megabytes"])
    sys.stdout.buffer.write(json.dumps(answer(task)).encode())


if __name__ == "__main__":
    main()
