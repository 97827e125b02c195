"""A page of the app as a script of its own, and everything that it says."""

from html import unescape
from pathlib import Path
from typing import Any

from streamlit.testing.v1 import AppTest

from tests.e2e.components.test_payload import decode
from tests.helpers.warm import wait_until_warm

ROOT = Path(__file__).resolve().parents[2]


def run_page(name: str, **parameters: str) -> AppTest:
    """Run pages/<name>.py as app.py would, with these parameters in the address."""
    wait_until_warm()
    path = str(ROOT / "pages" / f"{name}.py")
    app = AppTest.from_string(
        f"""
import runpy
from ui import shell
with shell.opened({name!r}):
    runpy.run_path({path!r})
""",
        default_timeout=120,
    )
    for parameter, value in parameters.items():
        app.query_params[parameter] = value
    return app.run()


def address(app: AppTest) -> dict[str, str]:
    """The parameters that stand in the page's address."""
    # Those that the page wrote come back in lists, those that it was opened with as they were given.
    return {name: value if isinstance(value, str) else value[0] for name, value in app.query_params.items()}


def charts(app: AppTest) -> list[dict[str, Any]]:
    """What each chart on the page was sent: figure, label, provenance."""
    sent = [part.proto for part in app.get("bidi_component") if part.proto.component_name == "playground_live_chart"]
    return [decode(part.bytes)[0] for part in sent]


def words(app: AppTest) -> str:
    """Everything that the page says."""
    kinds: list[Any] = [app.error, app.warning, app.info, app.markdown, app.caption, app.title, app.subheader, app.text]
    return "\n".join([*(str(element.value) for elements in kinds for element in elements), *plain_captions(app)])


def plain_captions(app: AppTest) -> list[str]:
    """The captions that are shown as they stand (`ui.widgets.findings.show_caption`)."""
    bodies = [str(element.proto.body) for element in app.get("html")]
    return [unescape(body.split(">", 1)[1].removesuffix("</p>")) for body in bodies if "plain-caption" in body[:40]]


def preset_field(app: AppTest) -> Any:
    """The train page's choice of a preset, whose key changes where something else chooses one."""
    return next(field for field in app.selectbox if field.label == "Task / preset")
