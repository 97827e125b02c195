"""True and predicted labels: columns of a table, or what a loaded classifier answers about its texts."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import streamlit as st

from playground.errors import UserError
from playground.evaluation.text_table import TextTable
from playground.evaluation.thresholds import numbers_of
from playground.lens.generate.classification import Classification, classify, require_head
from playground.models import LoadedModel
from playground.progress import OnProgress
from playground.text import _
from playground.training.finetune.example import EXAMPLE
from ui.cache import results_of
from ui.jobs import require
from ui.sections.evaluate.examples import ASKED_EXAMPLES, TABLE_EXAMPLES, TableExample
from ui.sections.evaluate.table_source import Role, adopt_table, choose_columns, choose_table, shown_table
from ui.state.address import write_values
from ui.state.parameters import GENERATE as GENERATE_SECTION
from ui.state.parameters import MODEL as MODEL_NAME
from ui.state.parameters import PREDICTED_BY
from ui.widgets.choice import choose_option
from ui.widgets.context_bar import bar_model, open_bar
from ui.widgets.doors import GENERATE, door

COLUMN, MODEL = "column", "model"
MOST_ASKED = 5_000
"""A loaded model is asked about so many rows at most: a small one reads some hundred in a second."""


@dataclass(frozen=True, kw_only=True, eq=False)
class LabelSet:
    """What is to be measured."""

    table: TextTable
    columns: dict[str, str]
    true: tuple[str, ...]
    predicted: tuple[str, ...]
    scores: dict[str, np.ndarray]
    """Score of each positive class that can be chosen: a model's probabilities by label, or the column's under ""."""
    details: dict[str, object]

    @property
    def texts(self) -> tuple[str, ...] | None:
        """The classified texts, where the table has them."""
        return self.table.columns[self.columns["text"]] if "text" in self.columns else None

    @cached_property
    def key(self) -> tuple[object, ...]:
        """What results are kept under: everything that one may depend on, the other columns and the scores too."""
        digest = hashlib.sha256(repr((self.true, self.predicted, self.columns, self.table.columns)).encode())
        for label, scores in self.scores.items():
            digest.update(repr(label).encode() + scores.tobytes())
        return ("labels", digest.hexdigest())


def choose_labels() -> LabelSet | None:
    """The labels of the chosen source; None where the table cannot be read. Raises UserError that names the line."""
    source = choose_option(PREDICTED_BY, _("Predictions"), {COLUMN: _("In the table"), MODEL: _("A loaded classifier")})
    model = None
    if source == MODEL:
        _choice, model = bar_model(open_bar())
        if model.head is None:
            _offer_classifier()
        require_head(model, "text")
    shown = TABLE_EXAMPLES if model is None else ASKED_EXAMPLES
    _offer_table_examples(shown)
    table = choose_table(shown[0].table)
    if table is None:
        return None
    columns = choose_columns(table, label_roles(asks_model=model is not None))
    true = table.filled(columns["label"])
    if model is not None:
        return _asked_model(model, table, columns, true)
    scores = {"": numbers_of(table.column(columns["score"]), table.rows)} if "score" in columns else {}
    return LabelSet(
        table=table,
        columns=columns,
        true=true,
        predicted=table.filled(columns["prediction"]),
        scores=scores,
        details={"columns": columns, "rows": len(table)},
    )


def label_roles(*, asks_model: bool) -> list[Role]:
    """The columns of a table of labels."""
    prediction = Role(
        word="prediction", title=_("Predicted label"), names=("prediction", "predicted", "pred", "answer")
    )
    score = Role(word="score", title=_("Score"), names=("score", "probability", "prob", "confidence"), optional=True)
    return [
        Role(word="label", title=_("True label"), names=("label", "true", "class", "gold", "target", "y")),
        *(() if asks_model else (prediction, score)),
        Role(word="text", title=_("Text"), names=("text", "sentence", "input"), optional=not asks_model),
        Role(word="part", title=_("Part (train, test)"), names=("part", "split", "fold"), optional=True),
    ]


def _offer_classifier() -> None:
    st.button(
        _("Take {name}").format(name=EXAMPLE),
        key="take_classifier",
        icon=":material/deployed_code:",
        on_click=write_values,
        args=({MODEL_NAME: EXAMPLE},),
    )


def _offer_table_examples(examples: Sequence[TableExample]) -> None:
    lesson, shown = "", shown_table(examples[0].table)
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        st.caption(_("What measures miss:"), width="content")
        for number, example in enumerate(examples):
            is_shown = shown == example.table
            lesson = _(example.lesson) if is_shown else lesson
            st.button(
                _(example.title),
                key=f"table_example_{number}",
                type="secondary" if is_shown else "tertiary",
                on_click=adopt_table,
                args=(example.table,),
            )
    if lesson:
        st.info(lesson, icon=":material/lightbulb:")


def _asked_model(model: LoadedModel, table: TextTable, columns: dict[str, str], true: Sequence[str]) -> LabelSet:
    """Ask the model about every text."""
    texts = table.filled(columns["text"])
    if len(texts) > MOST_ASKED:
        raise UserError(
            "The table has {n:,} rows; a loaded model is asked about up to {most:,}.", n=len(texts), most=MOST_ASKED
        )
    head = require_head(model, "text")
    _check_labels(head.labels, true, model.name)

    def ask(on_progress: OnProgress) -> tuple[Classification, ...]:
        return classify(model, texts, truncate=True, on_progress=on_progress)

    key = ("classified", hashlib.sha256(repr(texts).encode()).hexdigest())
    answers = require(key, ask, title=_("Classifying, text:"), cache=results_of(model))
    if head.untrained:
        st.warning(
            _("This head was never trained: its weights are random, and so are its labels."), icon=":material/casino:"
        )
    door(_("Ask it about one text"), GENERATE, {str(GENERATE_SECTION): "classify", str(MODEL_NAME): model.name})
    scores = np.array([answer.scores for answer in answers])
    return LabelSet(
        table=table,
        columns=columns,
        true=tuple(true),
        predicted=tuple(head.labels[answer.best] for answer in answers),
        scores={label: scores[:, number] for number, label in enumerate(head.labels)},
        details={"model": model.name, "columns": columns, "rows": len(table)},
    )


def _check_labels(known: Sequence[str], true: Sequence[str], name: str) -> None:
    """A model whose labels are called otherwise would be wrong in every row."""
    if not set(known) & set(true):
        raise UserError(
            "{name} answers {known}; the table's labels are {true}. Rename them in the table.",
            name=name,
            known=", ".join(list(known)[:6]),
            true=", ".join(sorted(set(true))[:6]),
        )
