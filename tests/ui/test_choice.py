"""A choice among a few options: there is always one."""

import ast
import re
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

ROOT = Path(__file__).resolve().parents[2]


def page() -> None:
    import streamlit as st

    from ui.widgets.choice import choose_segment

    st.text(choose_segment("Example", ["3", "5"], "5", format_func=str, key="example"))


def test_the_default_stands_in_for_none():
    app = AppTest.from_function(page).run()
    assert app.text[0].value == "5"
    (control,) = app.get("button_group")
    control.set_value("3").run()
    assert app.text[0].value == "3"
    (control,) = app.get("button_group")
    control.set_value(None).run()
    assert not app.exception
    assert app.text[0].value == "5"


def test_no_page_asks_streamlit_itself():
    files = [path for folder in ("ui", "pages") for path in (ROOT / folder).rglob("*.py")]
    asking = [path.name for path in files if re.search(r"\bsegmented_control\(", path.read_text())]
    assert asking == ["choice.py"]


SEGMENTS = ("choose_option", "choose_segment")
Scope = ast.FunctionDef | ast.Module


def nodes_of(scope: Scope) -> list[ast.AST]:
    """Everything in a function, or what a module does outside its functions."""
    steps = (
        [scope] if isinstance(scope, ast.FunctionDef) else [s for s in scope.body if not isinstance(s, ast.FunctionDef)]
    )
    return [node for step in steps for node in ast.walk(step)]


def expressions_of(name: str, scope: Scope, tree: ast.Module) -> list[tuple[ast.AST, Scope]]:
    """What a name stands for, each with the scope that it stands in: a variable's values, what a function returns."""
    functions = [one for one in tree.body if isinstance(one, ast.FunctionDef) and one.name == name]
    found: list[tuple[ast.AST, Scope]] = [
        (node, one) for one in functions for node in nodes_of(one) if isinstance(node, ast.Return)
    ]
    for node in [*nodes_of(scope), *nodes_of(tree)]:
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            found += [(node.value, scope)] if ast.unparse(target) == name else []
    return found


def segment_arguments(tree: ast.Module) -> list[tuple[ast.AST, Scope]]:
    """What the segments of a module are given, beside their title."""
    scopes: list[Scope] = [tree, *(node for node in tree.body if isinstance(node, ast.FunctionDef))]
    return [
        (argument, scope)
        for scope in scopes
        for call in nodes_of(scope)
        if isinstance(call, ast.Call) and ast.unparse(call.func) in SEGMENTS
        for argument in (*call.args[2:], *(word.value for word in call.keywords))
    ]


def segment_labels(path: Path) -> set[str]:
    """The sentences on a module's segments, as far as it says them itself."""
    tree = ast.parse(path.read_text())
    waiting, seen, labels = segment_arguments(tree), set(), set()
    while waiting:
        expression, scope = waiting.pop()
        if (id(expression), id(scope)) in seen:
            continue
        seen.add((id(expression), id(scope)))
        for node in ast.walk(expression):
            waiting += expressions_of(node.id, scope, tree) if isinstance(node, ast.Name) else []
            said = node.values if isinstance(node, ast.Dict) else []
            sentences = [one for one in said if isinstance(one, ast.Call) and ast.unparse(one.func) in ("_", "N_")]
            labels |= {ast.literal_eval(one.args[0]) for one in sentences}
    return labels


MODULES = [path for folder in ("ui", "pages") for path in sorted((ROOT / folder).rglob("*.py"))]


def test_segments_begin_with_a_capital():
    said = [path for path in MODULES if "as_label(" not in path.read_text()]
    labels = {label for path in said for label in segment_labels(path)}
    assert {"Mean", "Residual stream", "Attention rollout", "Induction", "IsoFLOP", "Nats", "Two texts"} <= labels
    assert {label for label in labels if label[0].islower()} == set()


def test_names_that_stand_in_sentences_get_their_capital_on_a_segment():
    from ui.sections.ablate.options import kind_names, kind_titles
    from ui.sections.scaling.loss_curves import over_titles

    assert kind_names()["encoder"] == "encoder"
    assert kind_titles() == {"encoder": "Encoder", "decoder": "Decoder", "cross": "Cross-attention"}
    assert over_titles()["tokens"] == "Training tokens D"


@pytest.mark.parametrize(
    ("title", "label"), [("training tokens D", "Training tokens D"), ("Δ loss", "Δ loss"), ("F1", "F1"), ("", "")]
)
def test_a_label_is_its_title_with_a_capital(title, label):
    from ui.widgets.choice import as_label

    assert as_label(title) == label
