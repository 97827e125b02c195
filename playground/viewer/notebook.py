"""A page as the output of a notebook's cell: in a frame of its own, so that several stand side by side."""

import html
from dataclasses import dataclass
from pathlib import Path

from playground.errors import UserError
from playground.text import _
from playground.viewer.shared.page import Theme

# A frame without an origin prefers the scheme of the element that it stands in. Notebooks say which theme is on
# in ways of their own: JupyterLab and Notebook, VS Code, marimo, Colab.
_DARK = ('[data-jp-theme-light="false"]', ".vscode-dark", "body.dark", "html.dark", 'html[theme="dark"]')
_LIGHT = ('[data-jp-theme-light="true"]', ".vscode-light", "body.light", "html.light", 'html[theme="light"]')


@dataclass(frozen=True, kw_only=True, eq=False)
class NotebookView:
    """A picture that Jupyter, VS Code, marimo and Colab show as it is, and that can be saved as a file."""

    html: str
    """The whole page: no server, no network."""
    title: str
    height: int
    """Of the frame, in pixels; it can be dragged."""
    theme: Theme = "auto"

    def _repr_html_(self) -> str:
        """The page in a sandboxed frame. An untrusted notebook drops the frame, and the sentence below it shows."""
        hint = _("{title}: trust this notebook to see the picture, or run the cell again.").format(title=self.title)
        page = html.escape(self.html).encode("ascii", "xmlcharrefreplace").decode()
        return (
            f'<div class="playground-view" style="height:{self.height}px;resize:vertical;overflow:hidden;'
            f'position:relative">{self._scheme()}<p style="position:absolute;margin:1em">{html.escape(hint)}</p>'
            f'<iframe sandbox="allow-scripts allow-downloads" title="{html.escape(self.title)}" '
            f'style="position:absolute;inset:0;width:100%;height:100%;border:0" srcdoc="{page}"></iframe>'
            "</div>"
        )

    def _scheme(self) -> str:
        """A rule that hands the notebook's theme to the frame; none where the theme is the caller's."""
        if self.theme != "auto":
            return ""
        rules = (("dark", _DARK), ("light", _LIGHT))
        text = "".join(
            f":is({','.join(places)}) .playground-view iframe{{color-scheme:{scheme}}}" for scheme, places in rules
        )
        return f"<style>{text}</style>"

    def save(self, path: str | Path) -> Path:
        """Write the page as an HTML file. Raises UserError where that fails."""
        target = Path(path).expanduser()
        try:
            target.write_text(self.html, encoding="utf-8")
        except OSError as error:
            raise UserError(
                "{out} could not be written: {reason}.", out=target, reason=error.strerror or error
            ) from error
        return target

    def __repr__(self) -> str:
        return f"<{self.title}: {len(self.html.encode()) / 1e6:.1f} MB of HTML; save('page.html') writes a file>"
