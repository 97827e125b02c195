"""What a server of the app allows: read from a TOML file, with overrides from the environment. Needs no torch.

The file is `playground.toml` in the working folder, or $PLAYGROUND_SETTINGS. Each key may also be given as
$PLAYGROUND_<KEY>. A hosted server (`asgi.py`, or `hosted = true`) begins with tighter defaults than a laptop.
"""

import dataclasses
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from playground.errors import UserError
from playground.once import once

FILE = "playground.toml"
PREFIX = "PLAYGROUND_"
MAY_BE_ZERO = ("all_megabytes", "retention_days", "download_megabytes", "cache_megabytes", "loaded_megabytes")
SHORTEST_TOKEN = 16
DOWNLOADS = ("hub", "catalogue", "none")
PAGES = (
    *("attention", "inside", "tokens", "train", "finetune", "generate", "ablate", "evaluate", "scaling", "emergence"),
    "glossary",
)
"""The pages in the menu's order."""
YES, NO = ("1", "true", "yes", "on"), ("", "0", "false", "no", "off")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The limits of one server."""

    hosted: bool = False
    """Whether strangers visit: folders stay closed, runs are listed and steered by whoever started them."""
    slots: int = os.cpu_count() or 1
    """Trainings at once."""
    queued: int = 30
    """Runs that may wait, of all visitors."""
    runs_each: int = 30
    """Runs of one visitor that may wait or train."""
    steps: int = 100_000
    """Of a run."""
    parameters: int = 30_000_000
    """Of a model that is trained."""
    minutes: float = 120.0
    """Training time after which a run is stopped."""
    paused_minutes: float = 30.0
    """Minutes after which a paused run gives its slot back."""
    run_megabytes: int = 2048
    """Size of a run's folder at which the run is stopped."""
    all_megabytes: int = 0
    """Size of the folder of runs at which none can be started; 0: no limit."""
    retention_days: float = 0.0
    """Days after which a run that nobody continues is deleted; 0: never."""
    downloads: str = "hub"
    """Which models may be fetched: hub (any), catalogue (those that the app knows) or none."""
    download_megabytes: int = 0
    """Size of the largest download; 0: no limit."""
    cache_megabytes: int = 0
    """Size of the folder of fetched models above which those that were not used for longest go; 0: no limit."""
    loaded_models: int = 4
    """Models in memory at once; the one that was not used for longest goes."""
    loaded_megabytes: int = 0
    """Their size together; 0: half of the machine's memory."""
    uploads: bool = True
    """Whether files may be uploaded; texts and tables can be pasted all the same."""
    pages: str = ""
    """The pages that are shown, with commas between them; empty: all."""
    frame_ancestors: str = "'self'"
    """Sites that may embed the app, as in Content-Security-Policy's frame-ancestors."""
    status_token: str = dataclasses.field(default="", repr=False)
    """What opens the operator's status page; empty: there is none."""

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            smallest = 0 if field.name in MAY_BE_ZERO else 1
            if isinstance(value, int | float) and not isinstance(value, bool) and not smallest <= value < float("inf"):
                raise UserError(
                    "The setting {name} is {value}; it must be at least {smallest}.",
                    name=field.name,
                    value=value,
                    smallest=smallest,
                )
        if unknown := sorted(set(self.shown_pages) - set(PAGES)):
            raise UserError(
                "The setting pages names {unknown!r}, which is no page; choose among {pages}.",
                unknown=unknown[0],
                pages=", ".join(PAGES),
            )
        if self.status_token and len(self.status_token) < SHORTEST_TOKEN:
            raise UserError("The setting status_token needs at least {least} characters.", least=SHORTEST_TOKEN)
        if self.downloads not in DOWNLOADS:
            raise UserError(
                "The setting downloads is {value!r}; choose {choices}.",
                value=self.downloads,
                choices=", ".join(DOWNLOADS),
            )

    @property
    def shown_pages(self) -> tuple[str, ...]:
        """The names of the pages that are shown, in the menu's order."""
        wanted = [name.strip() for name in self.pages.split(",") if name.strip()]
        known = tuple(name for name in PAGES if name in wanted or not wanted)
        return (*known, *(name for name in wanted if name not in PAGES))


VARIABLES = tuple(PREFIX + field.name.upper() for field in dataclasses.fields(Settings))
"""The settings' names in the environment."""
HOSTED: Mapping[str, Any] = {
    "hosted": True,
    "runs_each": 3,
    "minutes": 30.0,
    "paused_minutes": 5.0,
    "run_megabytes": 512,
    "all_megabytes": 20_480,
    "retention_days": 7.0,
    "downloads": "catalogue",
    "download_megabytes": 1000,
    "cache_megabytes": 5_000,
    "frame_ancestors": "'self' https://huggingface.co https://*.hf.space",
}
"""What a hosted server begins with."""


def read_settings(path: Path | None, environ: Mapping[str, str]) -> Settings:
    """The settings of a file and an environment, which wins.

    Raises UserError for a file that is no TOML, for an unknown key, and for a value of another kind, with its name.
    """
    values = {} if path is None else _read_file(path)
    fields = {field.name: field for field in dataclasses.fields(Settings)}
    if unknown := sorted(values.keys() - fields.keys()):
        raise UserError(
            "The settings file has an unknown key {key!r}; the keys are {keys}.", key=unknown[0], keys=", ".join(fields)
        )
    values |= {name: environ[PREFIX + name.upper()] for name in fields if environ.get(PREFIX + name.upper())}
    parsed = {name: _parse(name, value, type(fields[name].default)) for name, value in values.items()}
    return Settings(**{**(HOSTED if parsed.get("hosted") else {}), **parsed})


@once
def settings() -> Settings:
    """The settings of this server, as its file and environment say now."""
    environ = tuple((name, os.environ[name]) for name in VARIABLES if name in os.environ)
    custom = os.environ.get(PREFIX + "SETTINGS")
    path = Path(custom or FILE)
    if not custom and not path.is_file():
        return _read_once(None, None, environ)
    return _read_once(path.absolute(), _state(path), environ)


@lru_cache(maxsize=4)
def _read_once(path: Path | None, _state: tuple[int, int] | None, environ: tuple[tuple[str, str], ...]) -> Settings:
    return read_settings(path, dict(environ))


def _state(path: Path) -> tuple[int, int] | None:
    """What changes when a file does; None for one that cannot be read."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size


def _read_file(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(
            "The settings file {path} cannot be read: {reason}.", path=path, reason=error.strerror
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UserError("The settings file {path} is no TOML: {reason}.", path=path, reason=str(error)) from error


def _parse(name: str, value: object, kind: type) -> object:
    """A value of the file or of the environment as the setting's type; raises UserError, naming the setting."""
    if kind is bool and isinstance(value, str) and value.lower() in (*YES, *NO):
        return value.lower() in YES
    if isinstance(value, bool) == (kind is bool) and isinstance(value, kind | str if kind is float else kind):
        return value if kind is not float else _number(name, value, float)
    if isinstance(value, int | str) and not isinstance(value, bool) and kind in (int, float):
        return _number(name, value, kind)
    raise _wrong(name, value, kind)


def _number(name: str, value: Any, kind: type) -> object:
    try:
        return kind(value)
    except (ValueError, OverflowError) as error:
        raise _wrong(name, value, kind) from error


def _wrong(name: str, value: object, kind: type) -> UserError:
    expected = {bool: "true or false", int: "a whole number", float: "a number", str: "a text"}[kind]
    return UserError(
        "The setting {name} is {value!r}; it must be {expected}.", name=name, value=value, expected=expected
    )
