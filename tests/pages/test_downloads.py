"""What a page gives to take home: the Python under a picture runs as it stands and names its origin."""

import ast
import re
from pathlib import Path

import pytest

from tests.helpers.page_script import ROOT, charts, run_page, words

TALE = "french: Anna gives the red ball to Ben."


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("inside", {"text": "The cat", "head": "0.1"}),
        ("ablate", {"text": "The cat", "by": "mean"}),
        ("ablate", {"text": "The cat", "parts": "decoder.0.1,decoder.1.layer", "smallest": "yes", "limit": "3"}),
        ("ablate", {"section": "writes", "text": "The cat"}),
        ("ablate", {"section": "patch"}),
        ("ablate", {"section": "patch", "patch": "head_position", "patch_layer": "1", "model": "tales-translator"}),
        ("ablate", {"section": "flow", "text": "The cat"}),
        ("ablate", {"section": "flow", "text": "The cat", "method": "flow"}),
        ("ablate", {"section": "flow", "text": "The cat", "method": "gradients", "baseline": "mean"}),
        ("ablate", {"section": "whole", "text": "The cat", "parts": "decoder.0.0,decoder.1.feed_forward"}),
        ("ablate", {"section": "heads", "text": "The cat"}),
        ("ablate", {"section": "heads", "text": "The cat", "pattern": "painted", "painted": "1-0"}),
        ("inside", {"section": "many", "text": "The cat"}),
        ("inside", {"section": "positions"}),
        ("inside", {"section": "positions", "scheme": "relative", "length": "9", "heads": "2"}),
        ("inside", {"section": "hand"}),
        ("tokens", {"text": "An unbelievable cat", "query": "2"}),
        ("tokens", {"section": "models", "text": "The cat", "other_model": "induction"}),
        ("tokens", {"section": "languages", "sentence": "Ein Satz."}),
        ("tokens", {"section": "embedding", "text": "The cat"}),
        ("tokens", {"section": "meaning", "model": "books-encoder"}),
        ("tokens", {"section": "sentences", "model": "books-encoder"}),
        ("generate", {"text": "The cat", "top_k": "5"}),
        ("generate", {"text": "The cat", "generate": "write", "seed": "3"}),
        ("generate", {"text": "The cat", "generate": "surprise"}),
        ("generate", {"text": "The cat", "generate": "lens", "answer": " sat"}),
        ("generate", {"model": "books-encoder", "text": "The <|mask|> sat", "pair": "It slept."}),
        ("generate", {"model": "tales-translator", "text": TALE, "generate": "translate", "beams": "2"}),
    ],
)
def test_the_python_under_a_picture_runs_and_names_its_origin(name, parameters, capsys):
    app = run_page(name, **parameters)
    assert not app.exception
    assert not app.error, words(app)
    programs = [code.value for code in app.code if "# transformer-playground: " in code.value]
    assert programs
    for program in programs:
        if "hand" not in parameters.values() and "relative" not in parameters.values():
            assert "# revision: sha256:" in program
            assert "# dtype: float32" in program
        exec(program, {})
        assert capsys.readouterr().out.strip()
        if "seed" in parameters:
            assert "# seed: 3" in program


@pytest.mark.parametrize(
    ("name", "parameters", "facts"),
    [
        ("inside", {"head": "0.1", "query": "1"}, ["layer: 0", "head: 1", "query: 1"]),
        ("inside", {"section": "many", "head": "1.2"}, ["layer: 1"]),
        ("inside", {"section": "positions"}, ["scheme: 'rotary'"]),
        ("inside", {"section": "hand"}, ["temperature: 1.0", "words: 'The cat sat on the mat'"]),
        ("generate", {"top_k": "5"}, ["top_k: 5"]),
        ("generate", {"generate": "surprise"}, []),
        ("generate", {"generate": "lens", "answer": " sat"}, ["target token: ' sat'"]),
        (
            "ablate",
            {"by": "mean", "judge": "logit"},
            ["ablation: 'mean'", "metric: 'logit'", "attention: 'decoder'"],
        ),
        ("ablate", {"section": "writes"}, []),
        ("ablate", {"section": "flow", "method": "flow", "flow_query": "0"}, ["from: 0"]),
        ("ablate", {"section": "heads"}, ["pattern: 'previous'"]),
    ],
)
def test_every_picture_that_is_saved_says_what_was_read_and_how_it_was_set(name, parameters, facts):
    app = run_page(name, text="The cat\nsat", **parameters)
    assert not app.exception
    drawn = charts(app)
    assert drawn
    is_of_a_text = parameters.get("section") not in ("hand", "positions")
    for chart in drawn:
        assert any(line.startswith("transformer-playground: ") for line in chart["provenance"])
        assert parameters.get("section") == "hand" or "model: books-decoder" in chart["provenance"]
        assert not is_of_a_text or "text: 'The cat\\nsat'" in chart["provenance"]
    assert all(any(fact in chart["provenance"] for chart in drawn) for fact in facts)


def download_labels(module: Path) -> list[str]:
    """The sentences that stand on the download buttons of a module, as far as it says them itself."""
    named = {"download_button", "_button", "_offer"} if "download_button" in module.read_text() else set()
    calls = [node for node in ast.walk(ast.parse(module.read_text())) if isinstance(node, ast.Call) and node.args]
    firsts = [node.args[0] for node in calls if (ast.unparse(node.func).split(".")[-1]) in named]
    said = [first.args[0] if isinstance(first, ast.Call) and first.args else first for first in firsts]
    return [one.value for one in said if isinstance(one, ast.Constant) and isinstance(one.value, str)]


def component_labels(module: Path) -> list[str]:
    """The sentences that a module gives its JavaScript for what a press saves: those under `save…` keys."""
    tables = [node for node in ast.walk(ast.parse(module.read_text())) if isinstance(node, ast.Dict)]
    pairs = [pair for table in tables for pair in zip(table.keys, table.values, strict=True)]
    said = [value for key, value in pairs if isinstance(key, ast.Constant) and str(key.value).startswith("save")]
    return [ast.literal_eval(one.args[0]) for one in said if isinstance(one, ast.Call)]


DOWNLOAD = re.compile("Download (PNG|SVG|CSV|NPZ|HTML|JSON|ZIP)(: [^:]+)?")


def test_every_download_has_one_name_and_says_its_format():
    labels = {label for module in (ROOT / "ui").rglob("*.py") for label in download_labels(module)}
    assert len(labels) >= 10
    assert {label for label in labels if not DOWNLOAD.fullmatch(label)} == set()


def test_what_a_component_saves_is_named_as_the_downloads_beside_it():
    modules = [*(ROOT / "ui" / "components").rglob("*.py"), *(ROOT / "playground" / "viewer").rglob("*.py")]
    labels = {label for module in modules for label in component_labels(module)}
    assert {"Download PNG", "Download SVG", "Download CSV: visible values", "Download CSV: curves"} <= labels
    assert {label for label in labels if not DOWNLOAD.fullmatch(label)} == set()
    words = re.compile(r"_\(\s*[\"'](Save (?:as|the|picture)[^\"']*)")
    assert {match for module in modules for match in words.findall(module.read_text())} == set()


def test_a_script_takes_the_names_of_what_it_saves_from_its_labels():
    scripts = [*(ROOT / "ui" / "components").rglob("*.js"), *(ROOT / "playground" / "viewer").rglob("*.js")]
    assert {script.name for script in scripts if re.search(r"[\"'`](Save|Download)\b", script.read_text())} == set()
