"""BertViz's HTML fragment as a whole document that loads nothing and runs only its own two scripts."""

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from playground.viewer.bertviz_views.packaged import libraries

STYLE = Path(__file__).parent / "page.css"
ROOT = "bertviz"
_SCRIPT = '<script type="text/javascript">'
_CONFIGURATION = re.compile(r"require\.config\(\{.*?\n\}\);\n", re.DOTALL)
_PARAMETERS = re.compile(r"(?:const params|window\.bertviz_params) = (?=\{)")
_BETWEEN_SCRIPTS = f"</script>\n\n{_SCRIPT}"
_LAYER_OPTION = 'layerSelect.append($("<option />").val(i).text(i))'


def offline_document(page: str, view: str, changes: Mapping[str, Any], *, dark: bool) -> str:
    """Build a document from BertViz's fragment, with some of its parameters changed.

    No token can become markup or a script: the data cannot end its script element, and the document's
    Content-Security-Policy runs only the two scripts whose digests it names, and loads nothing.
    """
    _, page = page.split("</script>", 1)
    body, script = page.split(_SCRIPT, 1)
    script = script.strip().removesuffix("</script>")
    script, root = _with_data_once(script, {**changes, "root_div_id": ROOT}, trim=view == "model")
    # The neuron view consists of two scripts, and numbers its layers from 0 whichever they are.
    script = script.replace(_BETWEEN_SCRIPTS, "")
    script = script.replace(_LAYER_OPTION, _LAYER_OPTION.replace("text(i)", "text(params.include_layers[i])"))
    return _document(body.replace(root, ROOT), [libraries(), _CONFIGURATION.sub("", script)], view, dark)


def _document(body: str, scripts: list[str], view: str, dark: bool) -> str:
    policy = f"default-src 'none'; style-src 'unsafe-inline'; script-src {' '.join(map(_digest, scripts))}"
    lines = [
        f'<!doctype html>\n<html lang="en" class="{"dark" if dark else "light"}">\n<head>\n<meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n<title>BertViz</title>',
        f"<style>\n{STYLE.read_text(encoding='utf-8')}</style>\n</head>",
        f'<body class="{view}">\n{body.strip()}',
        *(f"<script>{script}</script>" for script in scripts),
        "</body>\n</html>\n",
    ]
    return "\n".join(lines)


def _digest(script: str) -> str:
    digest = hashlib.sha256(script.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def _with_data_once(script: str, changes: Mapping[str, Any], *, trim: bool) -> tuple[str, str]:
    """Replace BertViz's parameters by one compact copy; return the script and the former id of its root.

    BertViz fills in its placeholder wherever it occurs, also in a comment on the same line.
    """
    start = _PARAMETERS.search(script)
    if start is None:
        raise RuntimeError("This version of BertViz writes its parameters where we do not look for them.")
    parameters, end = json.JSONDecoder().raw_decode(script, start.end())
    if trim:
        _trim_rows(parameters["attention"])
    if isinstance(parameters["attention"], dict):  # the neuron view's, whose script asks below what layers are called
        parameters["include_layers"] = list(range(len(parameters["attention"]["all"]["attn"])))
    data = json.dumps({**parameters, **changes}, separators=(",", ":")).replace("<", "\\u003c")
    rest = script[script.index("\n", end) :]
    return f"{script[: start.end()]}{data};{rest}", parameters["root_div_id"]


def _trim_rows(blocks: list[dict[str, Any]]) -> None:
    """Drop the zeros at the end of each row, half of a causal map: BertViz would draw them as invisible lines."""
    for block in blocks:
        for row in (row for layer in block["attn"] for head in layer for row in head):
            while row and row[-1] == 0:
                row.pop()
