"""Heavy imports in the background, so that the first page is there at once and says what is happening."""

import ast
import gc
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Literal

from playground.jobs.malloc import give_back_freed_memory, share_arenas
from playground.settings import settings
from ui.static_files import publish_plotly

Stage = Literal["torch", "model", "transformers", "ready"]
ORDER: tuple[Stage, ...] = ("torch", "model", "transformers", "ready")
EMBEDDED = "books-decoder"
JANITOR_SECONDS = 60.0
PAGES = Path(__file__).resolve().parent.parent / "pages"
ASKED_FOR_LATE = (
    "pandas",
    "sklearn.decomposition",
    "sklearn.feature_extraction.text",
    "sklearn.linear_model",
    "sklearn.pipeline",
)
"""What no page imports before it is needed."""


@dataclass(kw_only=True)
class WarmUp:
    """How far the background thread is. `error` is the sentence that it ended with."""

    stage: Stage = "torch"
    error: str | None = None
    started: float = field(default_factory=time.monotonic)

    def has_passed(self, stage: Stage) -> bool:
        """Whether a stage is finished."""
        return ORDER.index(self.stage) > ORDER.index(stage)


def warm_up() -> WarmUp:
    """Start the thread, once in a server's life, and return its progress."""
    with _starting:
        return _started()


_starting = threading.Lock()


@cache
def _started() -> WarmUp:
    progress = WarmUp()
    share_arenas()
    threading.Thread(target=_run, args=(progress,), name="warm-up", daemon=True).start()
    return progress


def _run(progress: WarmUp) -> None:
    publish_plotly()
    try:
        _import_torch()
        progress.stage = "model"
        _load_embedded()
        progress.stage = "transformers"
        _import_transformers()
    except Exception as error:  # a broken installation must reach the page, whatever it raises
        progress.error = f"{type(error).__name__}: {error}"
        return
    progress.stage = "ready"
    if settings().hosted:
        import_pages()
    _freeze_imports()
    if settings().hosted:
        prepare_scaling()
    _collect_slowly()


def _import_torch() -> None:
    import torch  # noqa: F401


def _load_embedded() -> None:
    from playground.errors import UserError
    from playground.lens import trace
    from playground.models import default_registry

    try:
        trace(default_registry().get(EMBEDDED), "warm")
    except UserError:
        # The page reports it, with what to do, when the model is asked for.
        return


def _import_transformers() -> None:
    from playground import attention

    attention.register_with_transformers()
    from transformers import AutoModelForCausalLM, AutoTokenizer  # noqa: F401


def import_pages() -> None:
    """Import what the pages need: of many visitors at once the first would wait for it, and hold the others up."""
    for name in settings().shown_pages:
        for module in imports_of(PAGES / f"{name}.py"):
            import_module(module)
    for module in ASKED_FOR_LATE:
        import_module(module)


def prepare_scaling() -> None:
    """Fit the law that the page shows first: its resamples take as long as everything else of an opening together."""
    if "scaling" not in settings().shown_pages:
        return
    from playground.errors import UserError
    from ui.sections.scaling.data import first_study
    from ui.sections.scaling.fit import prepare_fit

    with suppress(UserError):  # the page says why, when it is opened
        prepare_fit(first_study())


def imports_of(script: Path) -> list[str]:
    """The modules from which a script imports; none where there is no such script."""
    if not script.is_file():
        return []
    tree = ast.parse(script.read_text(encoding="utf-8"))
    return [node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module]


def _freeze_imports() -> None:
    """Let no collection look at what is imported: it stays. Long work comes after, or what visitors make would stay."""
    gc.collect()
    gc.freeze()


def _collect_slowly() -> None:
    """Collect now and then: Streamlit's own collection after every run is switched off in its config.

    What was freed goes back to the system: else each of the threads that runs pages keeps the most it ever needed.
    """
    while True:
        time.sleep(JANITOR_SECONDS)
        gc.collect()
        give_back_freed_memory()
