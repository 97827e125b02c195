"""A text that can be read, selected, and copied with a button."""

from playground.text import _
from ui.components.shared.registration import module, register, style

__all__ = ["copy_field"]

HTML = """<div class="copy-field" inert><span class="label"></span><textarea readonly spellcheck="false"></textarea>
<span class="row"><button type="button"></button><span class="said" role="status"></span></span></div>
"""
_component = register("copy_field", module("copy_field", "copy_field"), html=HTML, css=style("copy_field"))


def copy_field(label: str, text: str, *, key: str, rows: int = 2) -> None:
    """Draw the field and its button; what they do happens in the browser. rows: lines in sight."""
    data = {
        "label": label,
        "text": text,
        "rows": rows,
        "copy": _("Copy"),
        "copied": _("Copied"),
        "failed": _("The browser refused; select the text and copy it."),
    }
    _component(key=key, data=data)
