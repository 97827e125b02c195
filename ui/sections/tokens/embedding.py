"""Embedding space: nearest tokens, the text's tokens in a projection, sums of vectors."""

from collections.abc import Sequence

import streamlit as st

from playground.charts.bars import named_bars_figure
from playground.charts.layout import mark_spaces
from playground.charts.tokens import projection_figure
from playground.errors import UserError
from playground.models import LoadedModel
from playground.text import _
from playground.tokens.analogies import EXAMPLES, VectorSum, VectorTerm, add_vectors, example_sum, read_terms
from playground.tokens.findings import describe_projection, describe_sum
from playground.tokens.matrices import (
    EmbeddingMatrix,
    MatrixKind,
    Neighbour,
    embedding_matrices,
    label_alone,
    nearest_tokens,
    row_of,
)
from playground.tokens.projection import Projection, project
from ui.cache import results_of
from ui.jobs import compute, require
from ui.sections.tokens.subject import TokenSubject, answered, offer_csv, show_chart
from ui.state.address import read_text
from ui.state.parameters import MATRIX, VECTOR_SUM
from ui.text import error_sentence, inert
from ui.widgets.choice import choose_option
from ui.widgets.download import offer_snippet
from ui.widgets.findings import show_findings
from ui.widgets.mirror import mirrored

NEAREST = 12
MOST_MARKED = 60
"""Names in one picture; more would hide each other."""
_IMPORTS = ["playground.tokens.matrices import embedding_matrices, nearest_tokens, row_of"]


def show_embedding(subject: TokenSubject) -> None:
    """The chosen token's neighbours in both matrices; then the projection and sums, in one of them."""
    model = subject.model
    matrices = embedding_matrices(model)
    token = subject.cut.tokens[subject.position].token
    name = _title(token.text)
    st.subheader(_("Nearest to {token}").format(token=inert(name)), anchor=False)
    _say_matrices(model, matrices)
    shown = [matrix for kind, matrix in matrices.items() if kind == "input" or not matrix.is_tied]
    for column, matrix in zip(st.columns(len(shown)), shown, strict=True):
        with column:
            _show_neighbours(subject, matrix, token.id, name)
    offer_snippet(model, _IMPORTS, [line for each in shown for line in _nearest_lines(each.kind, token.id)])
    matrix = matrices["input"]
    if len(shown) > 1:
        titles = {"input": _("Input embedding"), "output": _("Output embedding")}
        matrix = shown[int(choose_option(MATRIX, _("Below: vectors of the"), titles) == "output")]
    _show_projection(subject, matrix)
    _show_sum(subject, matrix)


def _nearest_lines(kind: MatrixKind, id: int) -> list[str]:
    """The lines of Python that print what one column of bars shows."""
    nearest = f"nearest_tokens(model, matrix, row_of(matrix, {id}), {NEAREST}, exclude=({id},))"
    return [
        f"matrix = embedding_matrices(model)[{kind!r}]",
        f"print({kind!r}, [(near.token.text, near.cosine) for near in {nearest}])",
    ]


def _title(text: str) -> str:
    return f"“{mark_spaces(text)}”"


def _say_matrices(model: LoadedModel, matrices: dict[MatrixKind, EmbeddingMatrix]) -> None:
    rows, width = matrices["input"].weight.shape
    values = {"rows": rows, "width": width}
    if "output" not in matrices:
        sentence = _("Input embedding: {rows:,} tokens, {width:,} dimensions. This model has no output matrix.")
    elif matrices["output"].is_tied:
        sentence = _("{rows:,} tokens, {width:,} dimensions. Input and output embedding are one matrix (tied).")
    else:
        sentence = _("{rows:,} tokens, {width:,} dimensions; the output embedding is a matrix of its own.")
    st.caption(sentence.format(**values))


def _show_neighbours(subject: TokenSubject, matrix: EmbeddingMatrix, id: int, name: str) -> None:
    """Bars of the nearest tokens, the token itself left out."""
    is_output = matrix.kind == "output"
    try:
        vector = row_of(matrix, id)
        found = require(
            ("nearest", matrix.kind, id),
            lambda _on_progress: nearest_tokens(subject.model, matrix, vector, NEAREST, exclude=(id,)),
            title=_("Comparing with every token …"),
            cache=results_of(subject.model),
        )
    except UserError as error:
        answered(error)
        return
    label = _("Nearest tokens, output embedding") if is_output else _("Nearest tokens, input embedding")
    if matrix.is_tied:
        label = _("Nearest tokens, input and output embedding")
    st.caption(label)
    details = {"token": name, "id": id, "matrix": matrix.kind}
    figure = named_bars_figure(distinct_names(found), [each.cosine for each in found], x=_("cosine"))
    show_chart(subject.model, figure, key=f"nearest_{matrix.kind}", label=label, details=details)


def distinct_names(found: Sequence[Neighbour]) -> list[str]:
    """Labels, each another: equal ones with their ids."""
    labels = [mark_spaces(each.token.text) for each in found]
    return [
        label if labels.count(label) == 1 else f"{label} #{each.token.id}"
        for label, each in zip(labels, found, strict=True)
    ]


def _show_projection(subject: TokenSubject, matrix: EmbeddingMatrix) -> None:
    st.subheader(_("The text in the embedding space"), anchor=False)
    ids = list(dict.fromkeys(token.token.id for token in subject.cut.tokens))[:MOST_MARKED]
    try:
        projection: Projection | None = compute(
            ("projection", matrix.kind, tuple(ids)),
            lambda _on_progress: project(matrix, ids),
            title=_("Finding the principal components …"),
            cache=results_of(subject.model),
        )
    except UserError as error:
        answered(error)
        return
    if projection is None:
        return
    show_findings(describe_projection(projection))
    labels = [token.text for token in label_alone(subject.model, projection.ids.tolist())]
    figure = projection_figure(projection.points, labels, projection.marked, projection.explained)
    label = _("Principal components of the embedding")
    details = {**subject.details, "matrix": matrix.kind, "rows fitted": projection.fitted}
    show_chart(subject.model, figure, key="projection_chart", label=label, details=details, height=520)
    st.caption(
        _(
            "Principal components of {fitted:,} rows; {others:,} other tokens, evenly spaced over the vocabulary."
        ).format(fitted=projection.fitted, others=len(projection.ids) - projection.marked)
    )
    rows: list[tuple[object, ...]] = [("token", "id", "component 1", "component 2", "in the text")]
    for index, (id, text, point) in enumerate(
        zip(projection.ids.tolist(), labels, projection.points.tolist(), strict=True)
    ):
        rows.append((text, id, *point, int(index < projection.marked)))
    offer_csv(subject.model, rows, name="projection", details=details)
    imports = [*_IMPORTS, "playground.tokens.projection import project"]
    lines = [f"matrix = embedding_matrices(model)[{matrix.kind!r}]", f"projection = project(matrix, {ids})"]
    offer_snippet(subject.model, imports, [*lines, "print(projection.explained, projection.points)"])


def _show_sum(subject: TokenSubject, matrix: EmbeddingMatrix) -> None:
    model = subject.model
    st.subheader(_("Sums of vectors"), anchor=False)
    default = results_of(model).remember("example sum", lambda: example_sum(model))
    shown = read_text(VECTOR_SUM, default)
    typed = st.text_input(
        _("Tokens with + and - between them"),
        shown,
        **mirrored(VECTOR_SUM, shown, default),
        max_chars=VECTOR_SUM.limit,
        placeholder=EXAMPLES[0],
        help=_(
            "Each word has to be one token. In quotes a word is taken to the letter, spaces too; #42 is the token "
            "with that id. Every vector is brought to length 1 first."
        ),
        width=480,
    )
    if not typed.strip():
        st.caption(_("This vocabulary has none of the usual examples as tokens. Type a sum of its tokens."))
        return
    try:
        terms = read_terms(model, typed)
    except UserError as error:
        st.info(error_sentence(error), icon=":material/info:")
        return
    answer = compute(
        ("sum", matrix.kind, tuple((term.sign, term.token.id) for term in terms)),
        lambda _on_progress: add_vectors(model, matrix, terms, NEAREST),
        title=_("Comparing with every token …"),
        cache=results_of(model),
    )
    if answer is not None:
        _show_answer(subject, matrix, answer, typed)


def _signed(terms: Sequence[VectorTerm]) -> list[str]:
    words = [f"{'−' if term.sign < 0 else '+'} {mark_spaces(term.token.text)}" for term in terms]
    return [words[0].removeprefix("+ "), *words[1:]]


def _show_answer(subject: TokenSubject, matrix: EmbeddingMatrix, answer: VectorSum, typed: str) -> None:
    """Both rankings beside each other."""
    if not answer.all or not answer.others:
        st.info(_("This vocabulary has no other token to compare with."))
        return
    labels = (_title(answer.all[0].token.text), _title(answer.others[0].token.text))
    show_findings(describe_sum(_signed(answer.terms), answer, labels))
    titles = {"all": _("Of all tokens"), "others": _("Without the sum's own tokens")}
    details = {"sum": typed, "matrix": matrix.kind}
    for column, (name, title) in zip(st.columns(2), titles.items(), strict=True):
        found: tuple[Neighbour, ...] = getattr(answer, name)
        with column:
            st.caption(title)
            figure = named_bars_figure(distinct_names(found), [each.cosine for each in found], x=_("cosine"))
            label = _("Nearest tokens to a sum of vectors")
            show_chart(subject.model, figure, key=f"sum_{name}", label=label, details={**details, "counted": name})
    imports = [
        "playground.tokens.analogies import add_vectors, read_terms",
        "playground.tokens.matrices import embedding_matrices",
    ]
    lines = [f"matrix = embedding_matrices(model)[{matrix.kind!r}]"]
    lines += [f"answer = add_vectors(model, matrix, read_terms(model, {typed!r}))", "print(answer.all, answer.others)"]
    offer_snippet(subject.model, imports, lines)
