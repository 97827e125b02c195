import os
import subprocess
import sys

import pytest

from playground.settings import PAGES as NAMES
from ui.warm import PAGES, imports_of

OPEN_THE_PAGES = """
import sys
from streamlit.testing.v1 import AppTest
from ui.warm import PAGES, import_pages

import_pages()
before = set(sys.modules)
script = "from ui import shell\\nshell._navigating.set(True)\\nexec(open({path!r}).read())"
for name in ("finetune", "scaling", "evaluate"):
    AppTest.from_string(script.format(path=str(PAGES / f"{name}.py")), default_timeout=120).run()
late = [name for name in set(sys.modules) - before if name.partition(".")[0] in ("ui", "sklearn", "scipy", "pandas")]
print(len(late), *late)
"""


@pytest.mark.parametrize("name", NAMES)
def test_the_imports_of_a_page_are_found(name):
    assert "ui" in imports_of(PAGES / f"{name}.py")
    assert any(module.startswith(("ui.sections.", "ui.widgets.")) for module in imports_of(PAGES / f"{name}.py"))


def test_a_page_that_is_not_there_imports_nothing(tmp_path):
    assert imports_of(tmp_path / "nowhere.py") == []


def test_imported_pages_find_their_modules_at_hand():
    done = subprocess.run([sys.executable, "-c", OPEN_THE_PAGES], capture_output=True, text=True, check=True)
    count, *names = done.stdout.splitlines()[-1].split()
    assert int(count) <= 3, names  # some five hundred where nothing was imported before


PREPARE_THEN_OPEN = """
import os
from streamlit.testing.v1 import AppTest
from ui.cache import scaling_results
from ui.warm import PAGES, prepare_scaling

prepare_scaling()
dear = lambda: {key for key in scaling_results()._values if key[0] in ("fit", "bootstrap")}
prepared = dear()
script = "from ui import shell\\nshell._navigating.set(True)\\nexec(open({path!r}).read())"
AppTest.from_string(script.format(path=str(PAGES / "scaling.py")), default_timeout=120).run()
print(len(prepared), len(dear()), flush=True)
os._exit(0)  # the page began to load torch in a thread, which an orderly end would break off with a crash
"""


@pytest.mark.parametrize(("shown", "counts"), [("", "2 2"), ("scaling, train", "2 2"), ("train", "0 2")])
def test_whoever_opens_scaling_first_finds_its_law_fitted(shown, counts):
    command = [sys.executable, "-c", PREPARE_THEN_OPEN]
    environment = {**os.environ, "PLAYGROUND_PAGES": shown}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    assert done.stdout.splitlines()[-1] == counts
