"""The only file that spells session keys, query parameters or caches.

Everything a person can set is in the address, so that a link brings the same picture back; what is heavy
(models, traces) lives in bounded registries of the server and is found again by what it was made from.
"""

import base64
import binascii
import hashlib
import json
import os
import zlib
from collections.abc import Callable, Hashable, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

import streamlit as st

from playground.jobs.turns import Turns
from ui.components.attention_view import Pin, ViewState
from ui.components.attention_view.view_state import read_view_state
from ui.readings import Readings
from ui.run_logs import RunLogs

if TYPE_CHECKING:
    from playground.models import LoadedModel
    from playground.training import TrainConfig
    from playground.training.calibration import Speeds
    from playground.training.finder import Trial
    from ui.components.film_view import FilmState
    from ui.controls.texts import Texts

MODEL, REVISION, DEVICE, DTYPE = "model", "revision", "device", "dtype"
MODE, KIND, HIDE_SPECIAL, SET_ASIDE = "mode", "kind", "hide_special", "set_aside"
OTHER_MODEL, SAME_HEAD = "other_model", "same_head"
BERTVIZ_VIEW, BERTVIZ_LAYER = "bertviz", "bertviz_layer"
PRESET, CHANGES, RUN, RUNS, COMPARE = "preset", "changes", "run", "runs", "compare"
TEXT, PAIR, TARGET, OTHER_TEXT, CUT = "text", "pair", "target", "other_text", "cut"

Finding = TypeVar("Finding")
PLAIN_LENGTH = 600
"""Longer texts travel compressed: an address much longer than this is cut by mail programs and proxies."""
LOG_AXES, LOG_STEPS, LOG_LOSS = "log_axes", "steps", "loss"
SECTION, FILM = "section", "film"
CHANGES_LENGTH = 200_000
KNOWN_RUNS = 12
_COMPRESSED = "~"
TRACE_BYTES = 2 << 30
FORWARD_SLOTS = max(1, (os.cpu_count() or 1) // 4)
"""Passes at once: each one uses all of torch's threads, and two on two cores are slower than one after the other."""


@cache
def readings() -> Readings:
    """The server's traces, bounded in bytes."""
    return Readings(max_bytes=TRACE_BYTES)


@cache
def run_logs() -> RunLogs:
    """What the server's runs have written, bounded in bytes."""
    return RunLogs()


@cache
def torch_threads() -> int:
    """How many threads torch was given when the server started."""
    import torch

    return torch.get_num_threads()


@cache
def speeds() -> "Speeds":
    """How fast this machine trains."""
    from playground.training.calibration import Speeds

    return Speeds()


@cache
def turns() -> Turns:
    """Whose forward pass is next on this server."""
    return Turns(FORWARD_SLOTS)


def read_text(name: str, otherwise: str, *, limit: int) -> str:
    """A text from the address, or the other one. A damaged one counts as absent."""
    value = st.query_params.get(name)
    if value is None:
        return otherwise
    return unpack(value, otherwise, limit)[:limit]


def write_text(name: str, text: str | None) -> None:
    """Put a text into the address; None takes it out."""
    if text is None:
        st.query_params.pop(name, None)
    elif st.query_params.get(name) != pack(text):
        st.query_params[name] = pack(text)


def replace_text(name: str, text: str) -> None:
    """Put a text into the address and into its area, whatever was typed there."""
    write_text(name, text)
    st.session_state[f"{name}_revision"] = text_revision(name) + 1


def text_revision(name: str) -> int:
    """How often the text of that name was replaced: a live text area takes a new value only with a new number."""
    return int(st.session_state.get(f"{name}_revision", 0))


def pack(text: str) -> str:
    """A text as it stands in an address: as it is, or compressed behind a tilde where it is long."""
    if len(text) <= PLAIN_LENGTH and not text.startswith(_COMPRESSED):
        return text
    return _COMPRESSED + base64.urlsafe_b64encode(zlib.compress(text.encode(), 9)).decode().rstrip("=")


def unpack(value: str, otherwise: str, limit: int) -> str:
    """What `pack` packed; at most `limit` characters are decompressed, so that a short link cannot be a bomb."""
    if not value.startswith(_COMPRESSED):
        return value
    body = value[len(_COMPRESSED) :]
    try:
        content = base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))
        return zlib.decompressobj().decompress(content, 4 * limit).decode(errors="ignore")
    except (binascii.Error, zlib.error, ValueError):
        return otherwise


_VIEW_WORDS = ("combine", "scale", "range", "palette", "view", "filter", "pairs")


def read_view(prefix: str, otherwise: ViewState) -> ViewState:
    """What an attention view shows, from the address; whatever is missing or wrong there is the other's."""
    values = {word: st.query_params.get(prefix + word) for word in _VIEW_WORDS}
    place = _numbers(st.query_params.get(prefix + "head", ""))
    selected = {"layer": place[0], "head": place[1]} if len(place) == 2 else {}
    axis, _separator, index = st.query_params.get(prefix + "pin", "").partition(".")
    pin = {"axis": axis, "index": int(index)} if index.isdecimal() and len(index) < 7 else None
    given = {word: value for word, value in values.items() if value is not None}
    report = {
        "selected": {**selected, **given},
        "settings": {**given, **({"pin": pin} if pin else {})},
    }
    return read_view_state(report, layers=10_000, heads=10_000, otherwise=otherwise)


def _numbers(text: str) -> list[int]:
    parts = text.split(".")
    return [int(part) for part in parts] if all(part.isdecimal() and len(part) < 6 for part in parts) else []


def write_view(prefix: str, view: ViewState) -> None:
    """Put what an attention view shows into the address; what is as usual stays out of it."""
    usual = ViewState()
    values: dict[str, str | None] = {
        word: _unless(getattr(view.settings, word), getattr(usual.settings, word))
        for word in _VIEW_WORDS
        if word != "combine"
    }
    values["combine"] = _unless(view.selected.combine, usual.selected.combine)
    values["head"] = f"{view.selected.layer}.{view.selected.head}"
    values["pin"] = _pin_word(view.settings.pin)
    _write({prefix + word: value for word, value in values.items()})


def _pin_word(pin: Pin | None) -> str | None:
    return None if pin is None else f"{pin.axis}.{pin.index}"


def _unless(value: str, usual: str) -> str | None:
    return None if value == usual else value


def _write(values: Mapping[str, str | None]) -> None:
    for name, value in values.items():
        if value is None:
            st.query_params.pop(name, None)
        elif st.query_params.get(name) != value:
            st.query_params[name] = value


def reading_key(model: "LoadedModel", texts: "Texts", truncate: bool) -> str:
    """What a reading is found by: the model as it was loaded, and everything it read."""
    place = (model.name, model.revision, model.device, model.dtype, str(model.folder))
    made_from = (*place, texts.text, texts.pair, texts.target, truncate)
    return hashlib.sha256(repr(made_from).encode()).hexdigest()[:24]


def wants_cut(texts: "Texts") -> bool:
    """Whether the person has agreed that these texts are cut to what fits; a link carries that along."""
    return _mark(texts) in st.query_params.get_all(CUT)


def agree_to_cut(texts: "Texts") -> None:
    """Put into the address that these texts, and no others, may be cut."""
    st.query_params[CUT] = [*st.query_params.get_all(CUT)[-1:], _mark(texts)]


def _mark(texts: "Texts") -> str:
    """A few letters that stand for these texts."""
    return hashlib.sha256(repr((texts.text, texts.pair, texts.target)).encode()).hexdigest()[:8]


def read_word(name: str, choices: Sequence[str]) -> str:
    """A choice from the address, in a word that no language changes; the first choice where it says none of them."""
    value = st.query_params.get(name)
    return value if value is not None and value in choices else choices[0]


def write_word(name: str, value: str, usual: str) -> None:
    """Put a choice into the address; the usual one stays out of it."""
    _write({name: _unless(value, usual)})


def read_changes() -> dict[str, Any]:
    """What the address changes in a preset; empty where it is damaged."""
    try:
        values = json.loads(read_text(CHANGES, "{}", limit=CHANGES_LENGTH))
    except ValueError:
        return {}
    return values if isinstance(values, dict) else {}


def write_changes(changes: Mapping[str, Any]) -> None:
    """Put what was changed in a preset into the address."""
    write_text(CHANGES, json.dumps(changes, ensure_ascii=False) if changes else None)


def draft_revision() -> int:
    """How often the fields of a new run were filled from elsewhere: widgets take new values only under new keys."""
    return int(st.session_state.get("draft_revision", 0))


def keep_draft(config: "TrainConfig") -> None:
    """Remember what the fields of a new run say, for a fork."""
    st.session_state["draft_config"] = config


def draft_config() -> "TrainConfig | None":
    """What the fields of a new run said last."""
    config: TrainConfig | None = st.session_state.get("draft_config")
    return config


def kept_trials(config: "TrainConfig") -> "list[Trial] | None":
    """What the learning-rate finder found for these very settings, if that was the last search."""
    kept: tuple[TrainConfig, list[Trial]] | None = st.session_state.get("trials")
    return kept[1] if kept is not None and kept[0] == config else None


def keep_trials(config: "TrainConfig", trials: "list[Trial]") -> None:
    """Remember the last search."""
    st.session_state["trials"] = (config, trials)


def adopt_draft(preset: str, changes: Mapping[str, Any]) -> None:
    """Fill the fields of a new run from elsewhere."""
    st.session_state[PRESET] = preset
    write_word(PRESET, preset, "")
    write_changes(changes)
    st.session_state["draft_revision"] = draft_revision() + 1


def read_run() -> str | None:
    """The run that the address shows."""
    return st.query_params.get(RUN) or None


def write_run(run: str | None) -> None:
    """Show a run, and remember it among the runs of this address; None shows no run."""
    if run is None:
        st.query_params.pop(RUN, None)
        return
    st.query_params[RUN] = run
    known = known_runs()
    if run not in known:
        st.query_params[RUNS] = ",".join([*known, run][-KNOWN_RUNS:])


def known_runs() -> list[str]:
    """The runs that this address may see on a shared server: an id is long and random, so it is also the key."""
    listed = st.query_params.get(RUNS, "").split(",")
    shown = read_run()
    return list(dict.fromkeys(run for run in (*listed, shown or "") if run))


def read_film() -> "FilmState | None":
    """What a film shows, from the address; None where it says nothing."""
    from ui.components.film_view import FilmState

    words = st.query_params.get(FILM, "").split(".")
    if len(words) != 5 or words[0] not in ("encoder", "decoder", "cross"):
        return None
    step, layer, head = ([*_numbers(word), None][0] for word in words[1:4])
    return FilmState(kind=words[0], step=step, layer=layer or 0, head=head or 0, score=words[4])  # type: ignore[arg-type]


def write_film(film: "FilmState") -> None:
    """Put what a film shows into the address: kind, step (empty: the newest), layer, head, score."""
    step = "" if film.step is None else film.step
    _write({FILM: f"{film.kind}.{step}.{film.layer}.{film.head}.{film.score}"})


GENERATE, BRANCH = "generate", "branch"
TEMPERATURE, TOP_K, TOP_P, MIN_P, SEED, NEW_TOKENS = "temperature", "top_k", "top_p", "min_p", "seed", "new_tokens"
BEAMS, LENGTH_PENALTY, WATCHED_HEAD, COLOUR_BY = "beams", "length_penalty", "watch", "colour"
KEPT_FINDINGS = 12


def remember(question: Hashable, compute: Callable[[], Finding]) -> Finding:
    """A session's answer to a question, computed when it is first asked; only the last few are kept."""
    kept: dict[Hashable, Finding] = st.session_state.setdefault("findings", {})
    found = kept.pop(question) if question in kept else compute()
    kept[question] = found
    while len(kept) > KEPT_FINDINGS:
        kept.pop(next(iter(kept)))
    return found


def knows(question: Hashable) -> bool:
    """Whether `remember` would answer without computing."""
    return question in st.session_state.get("findings", {})


def replace_finding(question: Hashable, finding: object) -> None:
    """Put another answer in a question's place, such as a tree that has grown."""
    st.session_state.setdefault("findings", {}).pop(question, None)
    remember(question, lambda: finding)


def read_branch() -> list[int]:
    """The token ids of the branch that a link brought; none once the session has asked, or where it is damaged."""
    if st.session_state.get("branch_read"):
        return []
    st.session_state["branch_read"] = True
    return _ids_of(st.query_params.get(BRANCH, ""))


def write_branch(ids: Sequence[int]) -> None:
    """Put a branch's token ids into the address; a very long one stays out of it."""
    _write({BRANCH: ".".join(map(str, ids)) if 0 < len(ids) <= 300 else None})


def _ids_of(text: str) -> list[int]:
    parts = text.split(".")
    return [int(part) for part in parts] if all(part.isdecimal() and len(part) < 8 for part in parts) else []


BY, JUDGE, PARTS, POSITION, ANSWER = "by", "judge", "parts", "position", "answer"


def cancel(work: str) -> None:
    """Remember that a person wants no answer to this question now; the next run begins nothing for it."""
    st.session_state["cancelled"] = work


def is_cancelled(work: str) -> bool:
    """Whether the work on this question was cancelled last."""
    return bool(st.session_state.get("cancelled") == work)


def resume() -> None:
    """Begin again what was cancelled."""
    st.session_state.pop("cancelled", None)


INSIDE, QUERY, SCALED, CAUSAL, HAND_TEMPERATURE, WORDS, VECTORS = (
    "inside",
    "query",
    "scaled",
    "causal",
    "hand_temperature",
    "words",
    "vectors",
)
SCHEME, LENGTH, WIDTH, HEADS = "scheme", "length", "width", "heads"


def read_head(otherwise: tuple[int, int], layers: int, heads: int) -> tuple[int, int]:
    """The layer and head of the address, in the attention page's words; the other one where they are not there."""
    place = _numbers(st.query_params.get("head", ""))
    return (place[0], place[1]) if len(place) == 2 and place[0] < layers and place[1] < heads else otherwise


def write_head(layer: int, head: int) -> None:
    """Put a layer and a head into the address."""
    _write({"head": f"{layer}.{head}"})


def read_number(name: str, otherwise: int, most: int) -> int:
    """A whole number from the address; the other one where it is none, or above the most."""
    value = _numbers(st.query_params.get(name, ""))
    return value[0] if len(value) == 1 and value[0] <= most else otherwise


def write_number(name: str, value: int, usual: int) -> None:
    """Put a whole number into the address; the usual one stays out of it."""
    write_word(name, str(value), str(usual))


def first_value(name: str, make: Callable[[], Finding]) -> Finding:
    """What an editable table began with in this session: it must not change under the person's hand."""
    if name not in st.session_state:
        st.session_state[name] = make()
    first: Finding = st.session_state[name]
    return first


MASKED = "masked"


def read_masked() -> list[int]:
    """The places of a text that a person has masked; none where the address is damaged."""
    return _ids_of(st.query_params.get(MASKED, ""))


def write_masked(places: Sequence[int]) -> None:
    """Put the masked places into the address."""
    _write({MASKED: ".".join(map(str, places)) or None})
