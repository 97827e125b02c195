"""What can be asked of each kind of model, and the part of the page that is shown."""

from collections.abc import Callable
from dataclasses import dataclass

from playground.errors import UserError
from playground.lens.generate.predictions import require_output_head
from playground.models import LoadedModel
from playground.models.catalogue import Kind
from playground.text import _
from ui import state
from ui.jobs import refuse
from ui.sections.generate.logit_lens import show_logit_lens
from ui.sections.generate.masked import show_filling
from ui.sections.generate.next_token import show_next_token
from ui.sections.generate.sampling_text import show_writing
from ui.sections.generate.surprisal import show_surprise
from ui.sections.generate.translation import show_translating
from ui.widgets.choice import choose_word
from ui.widgets.text import Texts


@dataclass(frozen=True, kw_only=True)
class Section:
    """A part of the page: its word in the address, its title, the kinds of models it is for."""

    word: str
    title: str
    kinds: tuple[Kind, ...]
    show: Callable[[LoadedModel, Texts], None]


WRITERS: tuple[Kind, ...] = ("decoder", "encoder-decoder")
ALL: tuple[Kind, ...] = ("decoder", "encoder", "encoder-decoder")
SECTIONS = (
    Section(word="next", title=_("Next token"), kinds=WRITERS, show=show_next_token),
    Section(word="write", title=_("Write"), kinds=WRITERS, show=show_writing),
    Section(word="fill", title=_("Fill in"), kinds=("encoder",), show=show_filling),
    Section(word="translate", title=_("Translate"), kinds=("encoder-decoder",), show=show_translating),
    Section(word="surprise", title=_("Surprise"), kinds=ALL, show=show_surprise),
    Section(word="lens", title=_("Logit lens"), kinds=ALL, show=show_logit_lens),
)


def require_predictions(model: LoadedModel) -> None:
    """End the run with a sentence where the model predicts no tokens."""
    try:
        require_output_head(model)
    except UserError as error:
        refuse(error)


def choose_section(model: LoadedModel) -> Section:
    """The part that the address names, among those for this kind of model; the first otherwise."""
    fitting = {section.word: section for section in SECTIONS if model.kind in section.kinds}
    titles = {word: section.title for word, section in fitting.items()}
    word = choose_word(state.GENERATE, _("What to show"), titles, key=f"{state.GENERATE}_{model.kind}", hidden=True)
    return fitting[word]


def show_section(section: Section, model: LoadedModel, texts: Texts) -> None:
    """Draw the part; what the model refuses is said in its own sentence."""
    try:
        section.show(model, texts)
    except UserError as error:
        refuse(error)
