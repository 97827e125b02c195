"""Which model, on which device; fetched first where it is not on this machine."""

from dataclasses import dataclass

import streamlit as st

from playground.errors import UserError
from playground.lens.capture.tokens import can_read
from playground.models import (
    DownloadProgress,
    Entry,
    LoadedModel,
    catalogue,
    default_registry,
    find,
    is_local,
    is_run_name,
    local_folder,
    looks_like_path,
)
from playground.settings import settings
from playground.text import _, _n
from ui import shell
from ui.downloads import check_download, downloads, not_fetched
from ui.jobs import run_job
from ui.state.address import read_choice, read_text
from ui.state.parameters import DEVICE, DTYPE, MODEL, OTHER_MODEL, REVISION, Choice, Text
from ui.state.trained import listed_models
from ui.state.visitor import may_steer, visitor
from ui.text import error_sentence, inert
from ui.warm import EMBEDDED
from ui.widgets.mirror import mirrored

NAME_LENGTH = 200


@dataclass(frozen=True, kw_only=True)
class ModelChoice:
    """A model as it was asked for; revision None is the source's newest."""

    name: str
    revision: str | None = None
    device: str = "auto"
    dtype: str = "auto"


def choose_model() -> ModelChoice:
    """A name from the catalogue, a hub id or a folder, with revision, device and dtype."""
    name = _choose_name(_("Model"), MODEL, EMBEDDED)
    revision = st.text_input(
        _("Revision"),
        read_text(REVISION),
        **mirrored(REVISION, read_text(REVISION)),
        max_chars=REVISION.limit,
        placeholder="main",
        help=_("A branch, tag or commit of a Hugging Face model. Empty is the newest."),
    )
    device = _choose_setting(DEVICE, _("Device"))
    dtype = _choose_setting(DTYPE, _("Precision"), _("auto is float32 on the CPU, where half precision is slower."))
    named = (revision or "").strip() or None
    return ModelChoice(name=name, revision=None if find(name) else named, device=device, dtype=dtype)


def chosen_name() -> str:
    """The name of the model in the address."""
    return read_text(MODEL, EMBEDDED).strip()[:NAME_LENGTH] or EMBEDDED


def choose_other_model(first: str, default: str = "") -> ModelChoice:
    """A second model to compare with the first, with default settings; at first the default, or the next one."""
    names = [entry.name for entry in catalogue()]
    following = default or (names[(names.index(first) + 1) % len(names)] if first in names else names[0])
    return ModelChoice(name=_choose_name(_("Other model"), OTHER_MODEL, following))


def next_reader(first: str, text: str) -> str:
    """The shipped model after the first in the list whose vocabulary and context hold the text; else the first's next.

    Only shipped ones are tried: they load in a moment, and none has to be fetched.
    """
    names = [entry.name for entry in catalogue()]
    start = names.index(first) + 1 if first in names else 0
    following = [name for name in names[start:] + names[:start] if name != first]
    readers = (name for name in following if is_own(name) and can_read(default_registry().get(name), text))
    return next(readers, following[0])


def _choose_name(label: str, parameter: Text, default: str) -> str:
    chosen = read_text(parameter, default)
    titles = listed_models(chosen)
    name = st.selectbox(
        label,
        list(titles),
        index=list(titles).index(chosen),
        format_func=lambda name: titles.get(name, name),
        **mirrored(parameter, chosen, default),
        accept_new_options=True,
        help=_("Choose one, or type a Hugging Face model id (owner/name) or the path of a local folder."),
    )
    return (name or default).strip()[:NAME_LENGTH]


def _choose_setting(parameter: Choice, label: str, help_text: str | None = None) -> str:
    chosen, options = read_choice(parameter), list(parameter.values)
    value: str = st.selectbox(
        label, options, index=options.index(chosen), help=help_text, **mirrored(parameter, chosen, options[0])
    )
    return value


def obtain_model(choice: ModelChoice) -> LoadedModel:
    """The model, loaded and shared; where it must be fetched first, offer that and end the run here."""
    registry = default_registry()
    wanted = (choice.name, choice.revision, choice.device, choice.dtype)
    place = st.empty()  # in later runs too: what comes below stands where it stood while the model was loaded
    if registry.peek(*wanted) is not None:
        return registry.get(*wanted)
    with place.container():
        loaded = _load(choice, wanted)
    place.empty()
    return loaded


def _load(choice: ModelChoice, wanted: tuple[str, str | None, str, str]) -> LoadedModel:
    """Load the model, with progress; end the run with a sentence or a card where that cannot be."""
    _require_local(choice)
    if not is_own(choice.name):
        # Two threads in transformers' lazy imports break each other: let the background one finish.
        shell.wait_for("transformers")
    try:
        title = _("Loading {name} …").format(name=inert(choice.name))
        loaded = run_job(
            ("load", *wanted),
            lambda progress: default_registry().get(*wanted, cancelled=lambda: progress.is_abandoned),
            title=title,
        )
    except UserError as error:
        st.error(error_sentence(error), icon=":material/error:")
        st.stop()
    if loaded is None:
        st.stop()
    return loaded


def is_own(name: str) -> bool:
    """Whether it is a model of our own, shipped or from a training run, which needs no transformers."""
    entry = find(name)
    return is_run_name(name) or (entry is not None and entry.is_own)


def _require_local(choice: ModelChoice) -> None:
    """End the run with a card where the model has to be fetched first."""
    if is_run_name(choice.name):
        return
    entry = find(choice.name)
    try:
        if entry is None and is_hosted() and looks_like_path(choice.name):
            # The same answer for a folder that is there and one that is not.
            raise not_fetched(choice.name)
        missing = not is_local(entry) if entry else not looks_like_path(choice.name) and _is_elsewhere(choice)
    except UserError as error:
        st.error(error_sentence(error), icon=":material/error:")
        st.stop()
    if missing:
        _offer_download(choice, entry)
        st.stop()


def is_hosted() -> bool:
    """Whether strangers share this server."""
    return settings().hosted


def _is_elsewhere(choice: ModelChoice) -> bool:
    return local_folder(choice.name, choice.revision) is None


def _offer_download(choice: ModelChoice, entry: Entry | None) -> None:
    download = downloads().get(choice.name, choice.revision)
    with st.container(border=True):
        st.markdown(f"**{entry.title if entry else inert(choice.name)}**")
        if download is not None and download.running:
            _follow(choice)
            return
        if download is not None and download.error:
            st.error(download.error, icon=":material/error:")
        try:
            check_download(choice.name)
        except UserError as error:
            st.error(error_sentence(error), icon=":material/error:")
            return
        st.write(_describe(choice, entry))
        if st.button(_("Download"), icon=":material/download:", type="primary", key=f"fetch_{choice.name}"):
            _start(choice)


def _start(choice: ModelChoice) -> None:
    try:
        downloads().start(choice.name, choice.revision, owner=visitor())
    except UserError as error:
        st.error(error_sentence(error), icon=":material/error:")
        return
    st.rerun()


def _describe(choice: ModelChoice, entry: Entry | None) -> str:
    if entry is None:
        return _(
            "{name} is not on this machine. It would be fetched from the Hugging Face hub (safetensors only)."
        ).format(name=inert(choice.name))
    sources = _(", otherwise from the ").join(str(source) for source in entry.sources)
    megabytes = entry.download_bytes / 1e6
    return _("This model is not on this machine yet: {size:.0f} MB from the {sources}. Licence: {licence}.").format(
        size=megabytes, sources=sources, licence=entry.licence
    )


@st.fragment(run_every=0.5)
def _follow(choice: ModelChoice) -> None:
    """Show a running download; when it has ended, run the page again."""
    download = downloads().get(choice.name, choice.revision)
    if download is None or not download.running:
        st.rerun()
        return
    progress = download.progress
    st.progress(progress.fraction or 0.0, text=progress_line(progress))
    is_own = may_steer(download.owner)
    if is_own and st.button(_("Cancel"), icon=":material/close:", key=f"cancel_{choice.name}"):
        download.cancel()


def progress_line(progress: DownloadProgress) -> str:
    """A download's progress in one line: stage, megabytes, time left, source."""
    stages = {
        "connecting": _("Connecting"),
        "downloading": _("Downloading"),
        "checking": _("Checking"),
        "unpacking": _("Unpacking"),
        "converting": _("Converting"),
        "loading": _("Loading"),
        "done": _("Done"),
    }
    parts = [stages[progress.stage]]
    if progress.bytes_total:
        parts.append(f"{progress.bytes_done / 1e6:.0f} / {progress.bytes_total / 1e6:.0f} MB")
    if progress.seconds_left is not None:
        parts.append(_("{seconds:.0f} s left").format(seconds=progress.seconds_left))
    if progress.source:
        parts.append(progress.source)
    return " · ".join(parts)


def describe_model(model: LoadedModel) -> None:
    """Kind, size, licence and source of the model, small."""
    kinds = {
        "decoder": _("decoder"),
        "encoder": _("encoder"),
        "encoder-decoder": _("encoder-decoder"),
    }
    entry = find(model.name)
    st.caption(
        _("{family} {kind} · {layers} × {heads} · {parameters:,} parameters · up to {context:,} tokens").format(
            family=inert(model.family),
            kind=kinds[model.kind],
            layers=_n("{n} layer", "{n} layers", model.layers),
            heads=_n("{n} head", "{n} heads", model.n_heads),
            parameters=model.parameters,
            context=model.context,
        )
    )
    origin = [entry.licence] if entry else []
    origin += [inert(_(model.source)), inert(_(model.note)) if model.note else "", f"{model.dtype}, {model.device}"]
    st.caption(" · ".join(part for part in origin if part))
