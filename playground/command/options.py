"""Command-line options made from config records: one per field, its type from the annotation.

An option that is not given is left out, so each default is defined once, in its record.
"""

import argparse
import dataclasses
import types
from collections.abc import Callable, Collection, Mapping
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from playground.legacy_names import Renaming
from playground.text import N_, _

_NAMES = {int: N_("COUNT"), float: N_("NUMBER"), str: N_("TEXT")}


def add_options(
    parser: argparse.ArgumentParser,
    record: type,
    *,
    prefix: str,
    without: Collection[str] = (),
    renaming: Renaming | None = None,
) -> None:
    """Declare an option for each field of the record but those in `without`; values arrive as PREFIX.FIELD.

    A flag that is declared already is the earlier record's; here it is then called --PREFIX-FIELD. Old flags and
    values of `renaming` are accepted too.
    """
    renaming = renaming or Renaming()
    hints = get_type_hints(record)
    for field in dataclasses.fields(record):
        accepted = _accepted(hints[field.name])
        if field.name in without or accepted is None:
            continue
        flags = _flags(field.name, hints[field.name])
        if any(flag in parser._option_string_actions for flag in flags):
            flags = [f"--{prefix}-{flag.removeprefix('--')}" for flag in flags]
        flags += ["--" + old.replace("_", "-") for old, new in renaming.keys.items() if new == field.name]
        accepted = {"help": _default(field), **accepted}
        if field.name in renaming.values:
            accepted["type"] = _modern(renaming.values[field.name])
        parser.add_argument(*flags, dest=f"{prefix}.{field.name}", default=argparse.SUPPRESS, **accepted)


def typed_options(arguments: argparse.Namespace, prefix: str) -> dict[str, Any]:
    """The fields of the record `prefix` that were given."""
    typed = {name: value for name, value in vars(arguments).items() if name.startswith(prefix + ".")}
    return {name.partition(".")[2]: tuple(v) if isinstance(v, list) else v for name, v in typed.items()}


def _flags(name: str, hint: Any) -> list[str]:
    """--warm-up; for several words also the singular, to be repeated: --sources a b, --source a --source b."""
    flag = "--" + name.replace("_", "-")
    is_many = get_origin(hint) is tuple and get_args(hint)[-1] is Ellipsis
    return [flag, flag.removesuffix("s")] if is_many and flag.endswith("s") else [flag]


def _modern(values: Mapping[str, str]) -> Callable[[str], str]:
    """A reader of a value in its old or today's spelling."""
    return lambda value: values.get(value, value)


def _accepted(hint: Any) -> dict[str, Any] | None:
    """What argparse is told about a type; None for a type that has no place on a command line."""
    origin, inner = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return _accepted(next(part for part in inner if part is not types.NoneType))
    if origin is Literal:
        return {"choices": inner, "type": type(inner[0])}
    if origin is tuple:
        accepted = _accepted(inner[0])
        many = {"nargs": "+", "action": "extend"} if inner[-1] is Ellipsis else {"nargs": len(inner)}
        return accepted and {**accepted, **many}
    if hint is bool:
        return {"action": argparse.BooleanOptionalAction}
    return {"type": hint, "metavar": _(_NAMES[hint])} if hint in _NAMES else None


def _default(field: dataclasses.Field[Any]) -> str:
    if field.default is dataclasses.MISSING:
        return _("has to be given")
    if field.default is None or field.default in ("", ()):
        return ""
    return _("default {value}").format(value=field.default).replace("%", "%%")
