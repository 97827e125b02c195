"""Joins small ES modules into the one module string that `st.components.v2.component` takes."""

import re
from collections.abc import Iterable
from pathlib import Path

_IMPORT = re.compile(r"^import\b[^;]*;\n", re.MULTILINE)
_MARGIN = re.compile(r"^[ \t]+|^[ \t]*//.*\n", re.MULTILINE)
_EXPORT = re.compile(r"^export (?!default\b)", re.MULTILINE)
_NAME = re.compile(r"^(?:export )?(?:default )?(?:async )?(?:function\*?|class|const|let) (\w+)", re.MULTILINE)


def bundle(files: Iterable[Path]) -> str:
    """Concatenate modules in the order given, without imports, comment lines and indentation.

    Only `export default` survives. A module must not hold a string that goes over several lines.

    Raises ValueError when two modules use the same top-level name, since they come to share one scope.
    """
    seen: dict[str, str] = {}
    parts = []
    for file in files:
        source = file.read_text(encoding="utf-8")
        for name in _NAME.findall(source):
            if name in seen:
                raise ValueError(f"{file.name} and {seen[name]} both define {name}.")
            seen[name] = file.name
        parts.append(_EXPORT.sub("", _IMPORT.sub("", _MARGIN.sub("", source))))
    return "\n".join(parts)
