"""Every link from before the renaming opens, shows what it showed, and loses nothing of what its address says."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from playground.jobs import executor
from playground.legacy_names import MODEL_CONFIG, modernise_address, modernise_run_config
from tests.e2e.components.test_payload import decode
from tests.helpers.old_links import FACTS, GONE, LABELS, TEXTS
from tests.helpers.page_script import run_page, words
from ui.sections.train.config_form import FROM_TASK
from ui.state.address import unpack
from ui.warm import EMBEDDED

BEFORE = Path(__file__).parents[1] / "data" / "before-renaming"
LINKS: list[dict[str, Any]] = json.loads((BEFORE / "addresses.json").read_text(encoding="utf-8"))
WIDGETS = (
    *("selectbox", "multiselect", "button_group", "radio", "toggle"),
    *("number_input", "text_input", "text_area", "slider", "select_slider"),
)


@pytest.fixture(scope="module", autouse=True)
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The runs and the sweep that links name, where a page may write."""
    folder = shutil.copytree(BEFORE / "runs", tmp_path_factory.mktemp("before") / "runs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PLAYGROUND_RUNS", str(folder))
        patch.setattr(executor.LocalExecutor, "_keep_spare", lambda self: None)
        executor.default_executor.cache_clear()
        yield
        executor.default_executor().close()
        executor.default_executor.cache_clear()


@pytest.mark.parametrize("link", LINKS, ids=lambda link: f"{link['page']}: {link['shows']}")
def test_an_old_link_shows_what_it_showed(link):
    link = _with_all_steps(link)
    app = run_page(link["page"], **link["query"])
    assert [error.message for error in app.exception] == []
    assert [error.value for error in app.error] == []
    _check_words(app, link["expects"])
    _check_widgets(app, link.get("widgets", {}))
    _check_components(app, link)
    _check_address(app, link)


def _with_all_steps(link: dict[str, Any]) -> dict[str, Any]:
    """A link to the steps inside a head opens the first; "All steps" shows them under each other, as it did."""
    if link["page"] != "inside" or "section" in link["query"]:
        return link
    return {**link, "query": {**link["query"], "step": "all"}}


ADDED = {"units": "tokens", "gather": "auto", "also": []}
"""Settings of a view that there were none of, at their defaults."""


def _as_then(state: Any) -> Any:
    """A view's state without what was added since, as long as that does nothing."""
    if not isinstance(state, dict):
        return state
    return {key: _as_then(value) for key, value in state.items() if key not in ADDED or value != ADDED[key]}


def _check_words(app: AppTest, texts: list[str]) -> None:
    kinds: list[Any] = [app.success, app.code]
    said = "\n".join([words(app), *(str(part.value) for parts in kinds for part in parts)])
    said = "\n".join([said, *(part.label for part in (*app.metric, *app.button))])
    for text in texts:
        assert text in said or TEXTS.get(text, text) in said


def _check_widgets(app: AppTest, widgets: dict[str, Any]) -> None:
    held = [(widget.label, str(_shortened(widget.value))) for kind in WIDGETS for widget in app.get(kind)]
    for label, value in widgets.items():
        today = str(MODEL_CONFIG.values["norm_position"].get(value) if "Norm before" in label else value)
        if label == "Layer":
            today = today.rpartition(".")[2]  # a section's own layer had its kind before it
        assert label in GONE or (LABELS.get(label, label), today) in held or (label, today) in held


def _check_components(app: AppTest, link: dict[str, Any]) -> None:
    """What the browser is sent: texts in areas, the first state of views and films, what pictures say of themselves."""
    areas, facts = {}, set()
    views: list[Any] = []
    films: list[Any] = []
    for part in app.get("bidi_component"):
        proto = part.proto
        if proto.component_name == "playground_live_text":
            area = json.loads(proto.json)
            areas[area["label"]] = _shortened(area["value"])
        elif proto.bytes:
            header = decode(proto.bytes)[0]
            facts |= set(header.get("provenance") or ())
            states = {"playground_attention": views, "playground_film": films}.get(proto.component_name)
            if states is not None:
                states.append(header["initial"])
    assert areas.items() >= link.get("texts", {}).items()
    assert [_as_then(view) for view in views] == link.get("views", [])
    assert films == link.get("films", [])
    for fact in link.get("facts", []):
        assert facts & {fact, *_todays(fact)}


def _check_address(app: AppTest, link: dict[str, Any]) -> None:
    """What the address says afterwards is what it said then, in today's spelling."""
    then = link["query"] | link.get("address changes", {})
    params = dict(app.query_params).items()
    now = {key: value if isinstance(value, str) else ",".join(value) for key, value in params}
    if "changes" in now:
        assert modernise_run_config(_changes(now)) == _changes(now)
    assert modernise_address(now) == now
    assert _modern(now) == _modern({key: value for key, value in then.items() if value is not None})


def _modern(address: dict[str, str]) -> dict[str, Any]:
    changes = {"changes": _own_changes(modernise_run_config(_changes(address)))} if "changes" in address else {}
    today: dict[str, Any] = modernise_address(address) | changes
    return {key: value for key, value in today.items() if (key, value) != ("model", EMBEDDED)}


def _own_changes(changes: dict[str, Any]) -> dict[str, Any]:
    """The changes to a preset without what follows from its task, which links no longer repeat."""
    model = {name: value for name, value in changes.get("model", {}).items() if name not in FROM_TASK}
    return {name: fields for name, fields in {**changes, "model": model}.items() if fields}


def _changes(address: dict[str, str]) -> dict[str, Any]:
    changes: dict[str, Any] = json.loads(unpack(address["changes"], "", 40_000))
    return changes


def _todays(fact: str) -> list[str]:
    """The line as it may stand today."""
    fact = fact.replace("a table of one's own", TEXTS["a table of one's own"])
    fact = fact.replace("Repeated data", "Data-constrained (repeated data)")
    beginnings = next(((old, new) for old, new in FACTS.items() if fact.startswith(old)), ("", ""))
    todays = beginnings[1] if isinstance(beginnings[1], tuple) else (beginnings[1],)
    return [today + fact.removeprefix(beginnings[0]) for today in todays]


def _shortened(value: Any) -> Any:
    """A long text by its beginning and its length."""
    return f"{value[:40]}… ({len(value)} characters)" if isinstance(value, str) and len(value) > 100 else value
