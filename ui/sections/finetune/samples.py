"""What both models write after the same prompts, with the same seed."""

import streamlit as st

from playground.finetuning.findings import describe_samples
from playground.finetuning.general_texts import GENERAL_TEXTS
from playground.finetuning.sample_pairs import MOST_PROMPTS, SamplePair, sample_pairs
from playground.lens.generate.generation import GenerationConfig
from playground.text import _, _n
from ui.jobs import require
from ui.sections.evaluate.numbers import offer_results
from ui.sections.finetune.as_trained import held_out_rows, prompts_as_trained
from ui.sections.finetune.subject import FinetuneSubject
from ui.sections.generate.sampling_options import choose_sampling
from ui.state.parameters import NEW_TOKENS, PROMPTS, SEED
from ui.widgets.download import offer_snippet
from ui.widgets.findings import show_findings
from ui.widgets.text import address_text

FIRST_PROMPTS, PROMPT_WORDS = 3, 6
MOST_NEW = 200


def show_sample_pairs(subject: FinetuneSubject) -> None:
    """Prompts, sampling, and both continuations side by side."""
    label = _("One prompt on each line, at most {most}").format(most=MOST_PROMPTS)
    listing = address_text(PROMPTS, "\n".join(_first_prompts(subject)), label=label, rows=3)
    prompts = [line for line in listing.splitlines() if line.strip()]
    asked = prompts_as_trained(subject, prompts)
    config = _choose_config()
    found = require(
        subject.key("samples", tuple(asked), repr(config)),
        lambda on_progress: sample_pairs(subject.pair, asked, config, on_progress),
        title=_("Both models write:"),
        cache=subject.cache,
    )
    show_findings(describe_samples(found))
    for number, (prompt, pair) in enumerate(zip(prompts, found, strict=True)):
        _show_pair(number, prompt, pair)
    header = ["prompt", "before", "after", "shared_tokens"]
    details = {**subject.details, "seed": config.seed}
    rows = [[pair.prompt, pair.before, pair.after, pair.shared] for pair in found]
    offer_results(header, lambda: rows, name="samples.csv", details=details)
    imports, lines = subject.snippet
    imports = [*imports, "playground.finetuning.sample_pairs import sample_pairs"]
    imports += ["playground.lens.generate.generation import GenerationConfig"]
    imports += ["playground.lens.generate.predictions import Sampling"]
    sampling = config.sampling
    filters = f"top_k={sampling.top_k}, top_p={sampling.top_p}, min_p={sampling.min_p}"
    chosen = f"Sampling(temperature={sampling.temperature}, {filters})"
    given = f"GenerationConfig(max_new_tokens={config.max_new_tokens}, seed={config.seed}, sampling={chosen})"
    offer_snippet(None, imports, [*lines, f"print(sample_pairs(pair, {asked!r}, {given}))"])


def _first_prompts(subject: FinetuneSubject) -> list[str]:
    """The first held-out prompts or sources of a run, else the beginnings of general texts."""
    is_asked = subject.config is not None and subject.config.task_name in ("prompts", "pairs")
    rows = held_out_rows(subject) if is_asked else None
    if rows:
        return [" ".join(text.split()) for text in rows.texts[:FIRST_PROMPTS]]
    return [" ".join(text.split()[:PROMPT_WORDS]) for text in GENERAL_TEXTS[:FIRST_PROMPTS]]


def _choose_config() -> GenerationConfig:
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        seed = st.number_input(
            _("Seed"), min_value=0, max_value=99_999, value=0, key=SEED, bind="query-params", width=140
        )
        new = st.number_input(
            _("Max new tokens"),
            min_value=1,
            max_value=MOST_NEW,
            value=20,
            key=NEW_TOKENS,
            bind="query-params",
            width=160,
        )
    with st.expander(_("Sampling"), icon=":material/tune:"):
        sampling = choose_sampling(st.columns(4))
    return GenerationConfig(max_new_tokens=int(new), seed=int(seed), sampling=sampling)


def _show_pair(number: int, prompt: str, pair: SamplePair) -> None:
    with st.container(border=True, key=f"sample_pair_{number}"):
        st.text(prompt)
        left, right = st.columns(2, gap="medium")
        for column, title, text in ((left, _("before"), pair.before), (right, _("after"), pair.after)):
            with column:
                st.caption(title)
                st.text(text or "–")
        same = _n("The first new token is the same.", "The first {n} new tokens are the same.", pair.shared)
        st.caption(same if pair.shared else _("They differ from the first new token on."))
