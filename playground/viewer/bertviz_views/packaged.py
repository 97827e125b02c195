"""The scripts that BertViz would load from a CDN, from installed Python packages."""

from functools import cache
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path

from playground.errors import UserError

HERE = Path(__file__).parent
LIBRARIES = (("XStatic-jQuery", "jquery.min.js"), ("XStatic-D3", "d3.js"))


@cache
def libraries() -> str:
    """jQuery, D3 and the stand-in for require.js, as one script."""
    loader = (HERE / "loader.js").read_text(encoding="utf-8")
    return "\n".join([*(_packaged(*library) for library in LIBRARIES), loader])


def _packaged(distribution: str, name: str) -> str:
    """The text of a file of an installed package. Raises UserError where it is not installed."""
    try:
        paths = [Path(str(file.locate())) for file in files(distribution) or () if file.name == name]
        return paths[0].read_text(encoding="utf-8")
    except (PackageNotFoundError, IndexError, OSError) as error:
        raise UserError(
            "BertViz's views need {name} of the package {distribution}: run pip install {distribution}.",
            name=name,
            distribution=distribution,
        ) from error
