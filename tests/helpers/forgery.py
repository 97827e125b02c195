"""Messages that no browser of ours sends: values of every kind for every widget, texts for every parameter."""

import json
import random
import re
from collections.abc import Iterator, Mapping

from streamlit.proto.WidgetStates_pb2 import WidgetState

from benchmarks.seat import Seen

HOST = "evil.example"
MARKUP = (
    f"![i](http://{HOST}/i.png)",
    f"[Sign in](http://{HOST})",
    f"<img src=http://{HOST}/x onerror=alert(1)>",
    ":red[forged]",
    "$\\href{http://evil.example}{x}$",
)
TEXTS = (
    *MARKUP,
    *("", " ", "a", "0", "-1", "1e400", "nan", "inf", "9" * 400, "1.2.3", "0.0", "99999.99999", "yes", "none", "\x00"),
    *(
        "../../etc/passwd",
        "/etc/passwd",
        "run/../../x/1",
        "~",
        "~eJw",
        "é" * 300,
        "{}",
        "[",
        "[" * 3000,
        '{"a":1}',
        "𝔘",
    ),
    *("𝔘", "null", "[1e400]", '[["a"]]', '{"rows":["a"]}', "x" * 20_000, "1" * 5000, "%s%n{0}{name}", "\u202e\ud7ff"),
)
VALUES = (None, True, -1, 10**12, 1.5, 1e400, "a", "", MARKUP[0], [], [[]], {}, ["a"], [1e400], [-1, 99999], [0, 0, 0])
NAMES = (
    "rows",
    "selection",
    "picked",
    "text",
    "film",
    "threshold",
    "layer",
    "head",
    "token",
    "value",
    "number",
    "index",
)
PLAIN = re.compile(r"(value|default|placeholder|options|query_string|data|spec|json|id|key|url|src|config|mixed_data)$")
"""Fields that a browser shows as they are, or does not show."""
CODE = re.compile(r"(`+)(?!`).*?(?<!`)\1(?!`)", re.DOTALL)


def forged_states(widgets: Mapping[str, str], dice: random.Random, most: int = 3) -> list[WidgetState]:
    """A few widgets with a value of any kind."""
    chosen = dice.sample(sorted(widgets), min(len(widgets), dice.randint(1, most)))
    return [forged_state(name, dice) for name in chosen]


def forged_state(name: str, dice: random.Random) -> WidgetState:
    """A state of a widget."""
    state = WidgetState(id=name)
    kind = dice.choice(
        ["bool", "trigger", "double", "int", "string", "strings", "ints", "doubles", "json", "json", "json"]
    )
    if kind == "bool":
        state.bool_value = True
    elif kind == "trigger":
        state.trigger_value = True
    elif kind == "double":
        state.double_value = dice.choice([-1.0, 0.5, 1e308, float("nan"), float("inf"), 10**12])
    elif kind == "int":
        state.int_value = dice.choice([-(2**63), -1, 0, 1, 99_999, 2**63 - 1])
    elif kind == "string":
        state.string_value = dice.choice(TEXTS)
    elif kind == "strings":
        state.string_array_value.data.extend(dice.choices(TEXTS, k=dice.randint(0, 3)))
    elif kind == "ints":
        state.int_array_value.data.extend(dice.choices([-1, 0, 10**9], k=dice.randint(0, 3)))
    elif kind == "doubles":
        state.double_array_value.data.extend(dice.choices([-1.0, float("nan"), 1e308], k=dice.randint(0, 3)))
    else:
        state.json_value = forged_json(dice)
    return state


def forged_json(dice: random.Random) -> str:
    """A report of a component, or of a table, or nothing of the kind."""
    if dice.random() < 0.2:
        return dice.choice(['{"selection":{"rows":["a"]}}', '{"rows":["a"]}', "[", "1e400", "null", "[" * 5000, '"x"'])
    inner = {name: dice.choice(VALUES) for name in dice.sample(NAMES, 4)}
    return json.dumps({dice.choice(NAMES): dice.choice([inner, dice.choice(VALUES)]) for _ in range(3)})


def forged_parameter(dice: random.Random) -> tuple[str, str]:
    """A query parameter of the app with a text that it never has."""
    from ui.state.parameters import REGISTRY

    return str(dice.choice(REGISTRY)), dice.choice(TEXTS).replace("\ud7ff", "")


def active_markup(seen: Seen) -> Iterator[tuple[str, str]]:
    """The texts, and where they stand, in which a forged link, picture or tag would come alive."""
    for where, text in seen.texts:
        if not PLAIN.search(where) and HOST in text and is_active(text):
            yield where, text


def is_active(text: str) -> bool:
    """Whether something of ours is markup in a text: what stands in a code span is not."""
    outside = CODE.sub("", text)
    return HOST in outside or "onerror" in outside
