"""ES modules joined into one, and style sheets: what a browser is given of a viewer's folder."""

import re
from collections.abc import Iterable
from pathlib import Path

VIEWER = Path(__file__).resolve().parent.parent

_IMPORT = re.compile(r"^import\b[^;]*;\n", re.MULTILINE)
_MARGIN = re.compile(r"^[ \t]+|^[ \t]*//.*\n", re.MULTILINE)
_EXPORT = re.compile(r"^export (?!default\b)", re.MULTILINE)
_NAME = re.compile(r"^(?:export )?(?:default )?(?:async )?(?:function\*?|class|const|let) (\w+)", re.MULTILINE)


def bundle(files: Iterable[Path]) -> str:
    """Concatenate modules in order, without imports, comment lines and indentation.

    Only `export default` survives. A module must not contain a string over several lines.

    Raises ValueError when two modules define the same top-level name, since they share one scope.
    """
    defined_in: dict[str, str] = {}
    parts = []
    for file in files:
        source = file.read_text(encoding="utf-8")
        for name in _NAME.findall(source):
            if name in defined_in:
                raise ValueError(f"{file.name} and {defined_in[name]} both define {name}.")
            defined_in[name] = file.name
        parts.append(_EXPORT.sub("", _IMPORT.sub("", _MARGIN.sub("", source))))
    return "\n".join(parts)


def joined_modules(folder: Path, own: str, shared: str = "") -> str:
    """Join modules of `shared/js` and of a folder's own `js` into one; list each after the modules it imports."""
    files = [VIEWER / "shared" / "js" / f"{name}.js" for name in shared.split()]
    return bundle([*files, *(folder / "js" / f"{name}.js" for name in own.split())])


def joined_sheets(*folders: Path) -> str:
    """Join style sheets: that of the folder `film_view` is film_view.css."""
    return "".join((folder / f"{folder.name}.css").read_text(encoding="utf-8") for folder in folders)
