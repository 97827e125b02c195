"""Transformer Playground without the page: load a transformer, run a text through it, ask what happened.

from playground import catalogue, load, trace
model = load("books-decoder")                # or a hub id, or a folder
t = trace(model, "The cat sat on the mat")
t.attention(layer=3, head=1)                 # numpy float32 [query, key]

attention.py     the seam: how queries meet keys, in every model
transformer.py   our transformer, to be read in one sitting
models/          what can be loaded and how
lens/            run a text through a model and ask
tasks/           what a transformer can be trained on
training/        the trainer (an iterator) and its run folders
charts/          plain data in, plotly Figure out
"""

from typing import Any

__all__ = ["catalogue", "load", "trace"]


def __getattr__(name: str) -> Any:
    """Import the heavy parts only when somebody asks for them: `import playground` takes no time."""
    if name in ("catalogue", "load"):
        import playground.models

        return getattr(playground.models, name)
    if name == "trace":
        from playground.lens import trace

        return trace
    raise AttributeError(f"module 'playground' has no attribute {name!r}")
