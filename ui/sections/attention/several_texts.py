"""The selected head's scores over a list of texts: mean and interval."""

import math

import streamlit as st

from playground.decoding import decode_upload
from playground.errors import UserError
from playground.lens.capture.site import SiteKind
from playground.lens.several_texts import MOST_TEXTS, interval, score_texts, split_texts
from playground.models import LoadedModel
from playground.text import _, _n
from ui.cache import results_of
from ui.components.attention_view import Selected, attention_view_labels
from ui.jobs import compute
from ui.state.address import replace_text
from ui.state.parameters import SEVERAL
from ui.text import error_sentence
from ui.widgets.text import address_text
from ui.widgets.upload import upload

UPLOAD_MEGABYTES = 1
ADOPTED = "several_adopted"


def _adopt_file() -> None:
    """Put the lines of an uploaded file into the field, once."""
    file = upload(
        _("A file with one text on each line"),
        type=["txt", "csv", "tsv"],
        max_upload_size=UPLOAD_MEGABYTES,
        key="several_file",
    )
    if file is None or st.session_state.get(ADOPTED) == file.file_id:
        return
    st.session_state[ADOPTED] = file.file_id
    try:
        replace_text(SEVERAL, "\n".join(split_texts(decode_upload(file.getvalue()))))
    except UserError as error:
        st.error(error_sentence(error), icon=":material/error:")


def show_several_texts(model: LoadedModel, kind: SiteKind, selected: Selected, row: int) -> None:
    """A field for the texts, one on each line, and the table of the head's scores. row: its layer's in a picture."""
    _adopt_file()
    label = _("One text on each line, at most {most}").format(most=MOST_TEXTS)
    texts = split_texts(address_text(SEVERAL, "", label=label, rows=4))
    if not texts:
        return
    if selected.combine != "head":
        st.info(_("Select a single head: means and maxima of heads have no scores."), icon=":material/info:")
        return
    scores = compute(
        ("several texts", tuple(texts), kind),
        lambda on_progress: score_texts(model, texts, kind, on_progress),
        title=_("Reading texts:"),
        cache=results_of(model),
    )
    if scores is None:
        return
    labels, rows = attention_view_labels(), []
    for name, table in scores.items():
        found = interval(table[:, row, selected.head])
        alone = found is None or math.isnan(found.low)
        rows.append(
            {
                _("Score"): labels[f"score_{name}"],
                _("Mean"): "–" if found is None else f"{found.mean:.3f}",
                _("95% interval"): "–" if found is None or alone else f"{found.low:.3f} … {found.high:.3f}",
                _("Texts"): 0 if found is None else found.count,
            }
        )
    count = _n("{n} text", "{n} texts", len(texts))
    st.markdown(_("Head {layer}.{head} over {texts}").format(layer=selected.layer, head=selected.head, texts=count))
    st.dataframe(rows, hide_index=True, key="several_rows", width="content")
    st.caption(
        _("Each text counts once, whatever its length; Student's t interval. A score counts where a text defines it.")
    )
