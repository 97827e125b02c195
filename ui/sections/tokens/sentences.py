"""Sentence similarity: lines ranked by their similarity to a query, and every pair of them."""

import streamlit as st

from playground.charts.bars import named_bars_figure
from playground.charts.heatmap import heatmap_figure
from playground.decoding import decode_upload
from playground.errors import UserError
from playground.models import LoadedModel
from playground.models.catalogue import MINILM
from playground.text import _, _n, fill
from playground.tokens.sentences import (
    MOST_LINES,
    SentenceRecipe,
    SentenceVectors,
    lines_that_fit,
    recipe_of,
    sentence_vectors,
)
from ui.cache import results_of
from ui.jobs import require
from ui.sections.tokens.shares import show_shares
from ui.sections.tokens.subject import offer_csv, offer_text_doors, show_chart
from ui.state.address import replace_text, write_values
from ui.state.parameters import MODEL, SENTENCE_QUERY, SENTENCES
from ui.text import error_sentence, inert
from ui.widgets.download import offer_snippet
from ui.widgets.number_columns import decimals
from ui.widgets.text import address_text
from ui.widgets.upload import upload

QUERY_EXAMPLE = "How can I learn to cook?"
LINES_EXAMPLE = "\n".join(
    [
        "A course for people who have never made a meal themselves.",
        "The train to the coast leaves at nine.",
        "Recipes that need four ingredients and one pan.",
        "My sister has been learning the violin for a year.",
        "The kitchen is closed on Mondays.",
        "Rain is expected in the mountains tonight.",
    ]
)
"""Model input is not translated."""
MOST_RANKED, MOST_CELLS = 20, 40
UPLOAD_MEGABYTES = 1
ADOPTED = "sentences_adopted"


def show_sentences(model: LoadedModel) -> None:
    """A query, lines, the ranking, what each word adds, and the matrix of all pairs."""
    recipe = recipe_of(model)
    form, ranking = st.columns([2, 3], gap="medium")
    with form:
        _say_recipe(model, recipe)
        query, lines = _choose_lines()
    if not query or not lines:
        st.info(_("Type a search text and at least one line."), icon=":material/keyboard:")
        return
    vectors = require(
        ("sentences", query, tuple(lines)),
        lambda on_progress: sentence_vectors(model, [query, *lines], on_progress),
        title=_("Reading lines:"),
        cache=results_of(model),
    )
    order = (-vectors.cosines[0, 1:]).argsort(kind="stable").tolist()
    with ranking:
        _show_ranking(model, vectors, order, recipe)
    offer_text_doors(query, lines[order[0]])
    show_shares(model, query, lines, order)
    _show_matrix(model, vectors)
    _offer_python(model, query, lines)


def _choose_lines() -> tuple[str, list[str]]:
    """The search text, and the lines to be ranked."""
    query = address_text(SENTENCE_QUERY, QUERY_EXAMPLE, label=_("Search text"), rows=1).strip()
    label = _("Lines to be ranked, at most {most}").format(most=MOST_LINES)
    field = st.container()
    # The file stands below the field, and is read before it, so that this run ranks its lines already.
    _adopt_file()
    with field:
        lines = [line.strip() for line in address_text(SENTENCES, LINES_EXAMPLE, label=label, rows=6).splitlines()]
    return query, [line for line in lines if line]


def _say_recipe(model: LoadedModel, recipe: SentenceRecipe) -> None:
    """Whether the model was trained for this, and what its vector is."""
    if recipe.is_published:
        sentence = _(
            "The mean of the last states of all tokens, special ones too, brought to length 1; longer texts are cut at "
            "{most:,} tokens: the recipe that {name} was published with."
        )
        st.caption(sentence.format(most=recipe.most_tokens, name=inert(model.name)))
        return
    sentence = _(
        "{name} was not trained to compare sentences. The mean of its last states is a vector all the same, but its "
        "cosines say much less than those of a sentence encoder."
    )
    st.warning(sentence.format(name=inert(model.name)), icon=":material/info:")
    # A link to the page itself would leave the browser's address as it was.
    st.button(
        _("Open with {name}").format(name=MINILM.name),
        key="open_sentence_encoder",
        icon=":material/deployed_code:",
        on_click=write_values,
        args=({MODEL: MINILM.name},),
    )


def _adopt_file() -> None:
    """Put the lines of an uploaded file into the field, once."""
    with st.popover(_("Upload lines"), icon=":material/upload_file:"):
        file = upload(
            _("A file with one text on each line"),
            type=["txt", "csv", "tsv"],
            max_upload_size=UPLOAD_MEGABYTES,
            key="sentences_file",
        )
    if file is None:
        return
    try:
        lines = [line.strip() for line in decode_upload(file.getvalue()).splitlines() if line.strip()]
    except UserError as error:
        st.error(error_sentence(error), icon=":material/error:")
        return
    taken = lines_that_fit(lines, SENTENCES.limit)
    if st.session_state.get(ADOPTED) != file.file_id and taken:
        replace_text(SENTENCES, "\n".join(taken))
    st.session_state[ADOPTED] = file.file_id
    _say_taken(len(taken), len(lines))


def _say_taken(taken: int, count: int) -> None:
    """How much of a file is left out."""
    if not taken:
        st.error(
            _("The file is empty, or its first line has more than {characters:,} characters: nothing is taken.").format(
                characters=SENTENCES.limit
            ),
            icon=":material/error:",
        )
    elif taken < count:
        st.warning(
            _(
                "The file has {count:,} lines; the first {taken:,} are taken: at most {most} lines of {characters:,} "
                "characters in all."
            ).format(count=count, taken=taken, most=MOST_LINES, characters=SENTENCES.limit)
        )


def _show_ranking(model: LoadedModel, vectors: SentenceVectors, order: list[int], recipe: SentenceRecipe) -> None:
    query, *lines = vectors.texts
    values = vectors.cosines[0, 1:].tolist()
    sentence = _("Nearest to the search text is line {number}, cosine {cosine:.3f}: “{line}”")
    st.text(fill(sentence, number=order[0] + 1, cosine=values[order[0]], line=lines[order[0]]))
    names = [f"{index + 1} {lines[index]}" for index in order[:MOST_RANKED]]
    details = {"query": query, "lines": len(lines)}
    figure = named_bars_figure(names, [values[index] for index in order[:MOST_RANKED]], x=_("cosine"))
    show_chart(
        model, figure, key="ranking_chart", label=_("Lines by their cosine with the search text"), details=details
    )
    ranked = [(rank, index + 1, values[index], lines[index]) for rank, index in enumerate(order, 1)]
    titles = (_("rank"), _("line"), _("cosine"), _("text"))
    rows = [dict(zip(titles, row, strict=True)) for row in ranked]
    st.dataframe(rows, hide_index=True, key="ranking_rows", column_config=decimals(_("cosine")))
    if any(vectors.cut):
        sentence = _("Cut after {most:,} tokens: {texts}.")
        st.caption(sentence.format(texts=_n("{n} text", "{n} texts", sum(vectors.cut)), most=recipe.most_tokens))
    offer_csv(model, [("rank", "line", "cosine", "text"), *ranked], name="ranking", details=details)


def _show_matrix(model: LoadedModel, vectors: SentenceVectors) -> None:
    """Every text with every other one, the search text first."""
    st.subheader(_("All pairs"), anchor=False)
    cosines, count = vectors.cosines, min(len(vectors.texts), MOST_CELLS + 1)
    names = [_("search text"), *(f"{n} {text}" for n, text in enumerate(vectors.texts[1:count], 1))]
    ticks = [_("search text"), *map(str, range(1, count))]
    shown = cosines[:count, :count]
    figure = heatmap_figure(shown, rows=names, columns=ticks, y=_("text"), x=_("text"), meaning=_("cosine"))
    details = {"query": vectors.texts[0], "lines": len(vectors.texts) - 1}
    show_chart(model, figure, key="matrix_chart", label=_("Cosine of every pair of texts"), details=details)
    if count < len(vectors.texts):
        st.caption(_("The search text and the first {shown} lines; the CSV has all.").format(shown=MOST_CELLS))
    rows: list[tuple[object, ...]] = [("text", "query", *range(1, len(vectors.texts)))]
    rows += [(text, *row) for text, row in zip(vectors.texts, cosines.tolist(), strict=True)]
    offer_csv(model, rows, name="similarities", details=details)


def _offer_python(model: LoadedModel, query: str, lines: list[str]) -> None:
    program = [f"vectors = sentence_vectors(model, {[query, *lines]!r})", "print(vectors.cosines)"]
    program += ["line, query = (embed_sentence(model, vectors.texts[index]) for index in (1, 0))"]
    program += ["print(word_shares(line, query))"]
    imports = ["playground.tokens.sentences import embed_sentence, sentence_vectors, word_shares"]
    offer_snippet(model, imports, program)
