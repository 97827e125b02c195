"""Views on one HTML page that needs no server and no network, and runs only its own scripts."""

import base64
import hashlib
import html
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

Theme = Literal["auto", "light", "dark"]
STYLE = Path(__file__).with_name("page.css")


@dataclass(frozen=True, kw_only=True)
class PlacedView:
    """One view of a page."""

    module: str
    """Its ES module, `shared/js/placed.js` included."""
    function: str
    """The module's default export, by its name in the module."""
    css: str
    data: bytes | Mapping[str, Any]
    """What the view shows: a payload, or values for JSON."""
    also: Sequence[bytes] = ()
    """Payloads of exact maps and scores that follow."""
    takers: str = "{}"
    """Who takes these, by the `kind` in their headers, as an expression of the module."""
    title: str = ""
    """Above the view; on its tab where the page shows one view at a time."""


def html_page(
    views: Sequence[PlacedView],
    *,
    title: str,
    provenance: Sequence[str] = (),
    theme: Theme = "auto",
    heading: bool = True,
    tabs: bool = False,
) -> str:
    """The whole document. Its Content-Security-Policy names the digests of its scripts, and lets it load nothing.

    provenance: lines at the foot. heading: whether the title stands above the views. tabs: one view at a time.
    """
    scripts = [_script(view, f"view-{index}") for index, view in enumerate(views)]
    digests = " ".join(map(_digest, scripts))
    policy = f"default-src 'none'; style-src 'unsafe-inline'; img-src data: blob:; script-src {digests}"
    head = [
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{html.escape(title)}</title>\n<style>\n{_theme_style(theme)}</style>\n</head>\n<body>",
        *([f"<h1>{html.escape(title)}</h1>"] if heading else []),
    ]
    body = [_tabs(views) if tabs and len(views) > 1 else "", *map(_place, views, range(len(views)))]
    foot = [f"<footer>{html.escape(' · '.join(provenance))}</footer>"] if provenance else []
    run = [f'<script type="module">{script}</script>' for script in scripts]
    return "\n".join([*head, *filter(None, body), *foot, *run, "</body>\n</html>\n"])


def _script(view: PlacedView, place: str) -> str:
    module = view.module.replace("export default ", "")
    return f'{module}\nplaceView({view.function}, "{place}", {view.takers});\n'


def _digest(script: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"


def _theme_style(theme: Theme) -> str:
    """The page's colours: the reader's preference, or one theme for good."""
    light, dark, rest = STYLE.read_text(encoding="utf-8").split("/* next */\n")
    if theme != "auto":
        return f":root {{ color-scheme: {theme}; {light if theme == 'light' else dark}}}\n{rest}"
    preferred = f"@media (prefers-color-scheme: dark) {{ :root {{ {dark}}} }}\n"
    return f":root {{ color-scheme: light dark; {light}}}\n{preferred}{rest}"


def _tabs(views: Sequence[PlacedView]) -> str:
    """One radio button for each view; the style sheet hides the views whose button is not checked."""
    buttons = [
        f'<input type="radio" name="view" id="tab-{index}"{" checked" if index == 0 else ""}>'
        f'<label for="tab-{index}">{html.escape(view.title)}</label>'
        for index, view in enumerate(views)
    ]
    shown = ", ".join(f"body:has(#tab-{index}:checked) #section-{index}" for index in range(len(views)))
    rule = f"body:has(.tabs) section {{ display: none; }} {shown} {{ display: block; }} section h2 {{ display: none; }}"
    return f'<style>{rule}</style>\n<div class="tabs">{"".join(buttons)}</div>'


def _place(view: PlacedView, index: int) -> str:
    place = f"view-{index}"
    if isinstance(view.data, bytes):
        data = [_payload(view.data, place, "data")]
    else:
        text = json.dumps(view.data, ensure_ascii=False, allow_nan=False).replace("<", "\\u003c")
        data = [f'<script type="application/json" data-of="{place}" data-kind="values">{text}</script>']
    lines = [
        f'<section id="section-{index}">',
        *([f"<h2>{html.escape(view.title)}</h2>"] if view.title else []),
        f'<div id="{place}"></div>\n</section>',
        f'<template id="{place}-style"><style>{view.css}</style></template>',
        *data,
        *(_payload(payload, place, "also") for payload in view.also),
    ]
    return "\n".join(lines)


def _payload(payload: bytes, place: str, kind: str) -> str:
    text = base64.b64encode(payload).decode()
    return f'<script type="text/plain" data-of="{place}" data-kind="{kind}">{text}</script>'
