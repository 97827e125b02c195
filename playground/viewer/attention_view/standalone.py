"""The attention view as one HTML file that needs no server and no network."""

import base64
import html
from collections.abc import Sequence

from playground.viewer.attention_view.assets import CSS, view_module

# The page stands in for Streamlit: theme variables, a shadow root, and elements that hold the payloads.
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
:root {{
  color-scheme: light dark;
  --st-background-color: #ffffff;
  --st-secondary-background-color: #f0f2f6;
  --st-text-color: #31333f;
  --st-primary-color: #1c64d1;
  --st-red-text-color: #b3261e;
  --st-base-radius: 0.5rem;
  --st-font: system-ui, sans-serif;
  --st-code-font: ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace;
}}
@media (prefers-color-scheme: dark) {{
  :root {{
    --st-background-color: #0e1117;
    --st-secondary-background-color: #262730;
    --st-text-color: #fafafa;
    --st-primary-color: #7db3ff;
    --st-red-text-color: #ff8a80;
  }}
}}
body {{
  margin: 0 auto;
  max-width: 84rem;
  padding: 2rem 1.5rem;
  background: var(--st-background-color);
  color: var(--st-text-color);
  font: 16px/1.5 var(--st-font);
}}
footer {{ margin-top: 2rem; font-size: 0.8rem; opacity: 0.75; overflow-wrap: anywhere; }}
h1 {{ font-size: 1.25rem; font-weight: 600; margin: 0 0 1.25rem; }}
</style>
</head>
<body>
<h1>{title}</h1>
<div id="view"></div>
<footer>{provenance}</footer>
<template id="style"><style>{css}</style></template>
<script type="text/plain" id="grid">{grid}</script>
<script type="text/plain" id="head">{head}</script>
<script type="text/plain" id="scores">{scores}</script>
<script type="module">
{module}
function bytesOf(id) {{
  const text = document.getElementById(id).textContent;
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}}
const parentElement = document.getElementById("view").attachShadow({{ mode: "open" }});
parentElement.append(document.getElementById("style").content.cloneNode(true));
parentElement.append(element("div", {{ class: "root" }}));
const headBytes = bytesOf("head");
if (headBytes.length) {{
  const {{ header, arrays }} = decodePayload(headBytes);
  putHead(header.view, header, arrays.map);
}}
const scoresBytes = bytesOf("scores");
if (scoresBytes.length) {{
  const {{ header, arrays }} = decodePayload(scoresBytes);
  putScores(header.view, header, arrays.scores);
}}
const data = bytesOf("grid");
const show = () => attentionView({{ data, parentElement, setStateValue() {{}}, setTriggerValue() {{}} }});
show();
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", show);
</script>
</body>
</html>
"""


def standalone_html(
    grid_bytes: bytes, head_bytes: bytes, title: str, provenance: Sequence[str] = (), scores_bytes: bytes = b""
) -> str:
    """An HTML page that shows the payloads of `grid_payload`, `encode_head` and `encode_scores`; the last two may be
    empty.

    provenance: lines at the foot of the page.
    """
    return _PAGE.format(
        title=html.escape(title),
        provenance=html.escape(" · ".join(provenance)),
        css=CSS,
        grid=base64.b64encode(grid_bytes).decode(),
        head=base64.b64encode(head_bytes).decode(),
        scores=base64.b64encode(scores_bytes).decode(),
        module=view_module().replace("export default ", ""),
    )
