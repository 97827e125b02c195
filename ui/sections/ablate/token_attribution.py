"""Token attribution: attention rollout, attention flow and integrated gradients."""

from collections.abc import Sequence
from typing import cast

import numpy as np
import streamlit as st
from torch import Tensor

from playground.charts.bars import named_bars_figure
from playground.charts.heatmap import heatmap_figure
from playground.lens.attribute.findings import carrying_tokens, completeness
from playground.lens.attribute.integrated_gradients import Baseline, TokenAttribution, integrated_gradients
from playground.lens.attribute.rollout import attention_flow, attention_rollout
from playground.lens.capture.site import SiteKind
from playground.lens.intervene.ablation import TargetToken
from playground.progress import OnProgress
from playground.text import _, fill
from ui.jobs import AT_ONCE, compute
from ui.sections.ablate.figure import numbered, show_figure, table_rows
from ui.sections.ablate.heads import offer_token_doors
from ui.sections.ablate.options import (
    Subject,
    choose_target_token,
    encode_again,
    kind_titles,
    target_details,
)
from ui.state.attention import read_token
from ui.state.parameters import BASELINE, FLOW_KIND, METHOD
from ui.text import inert
from ui.widgets.choice import choose_option
from ui.widgets.download import encoding_line, offer_snippet, traced
from ui.widgets.findings import show_findings

ROLLOUT, FLOW, GRADIENTS = "rollout", "flow", "gradients"


def show_token_attribution(subject: Subject) -> None:
    """Choose a method; see each input token's part."""
    titles = {ROLLOUT: _("Attention rollout"), FLOW: _("Attention flow"), GRADIENTS: _("Integrated gradients")}
    method = choose_option(METHOD, _("Method"), titles)
    _show_method(subject, method)
    offer_token_doors()


def _show_method(subject: Subject, method: str) -> None:
    if method == GRADIENTS:
        _show_gradients(subject)
        return
    kinds = [kind for kind in subject.traced.trace.kinds if kind != "cross"][::-1]
    titles = {kind: kind_titles()[kind] for kind in kinds}
    kind = cast(SiteKind, choose_option(FLOW_KIND, _("In"), titles) if kinds[1:] else kinds[0])
    if subject.traced.trace.other_blocks:
        sentence = _(
            "Rollout and flow follow tokens through attention alone; in {name} blocks without attention mix them too. "
            "Choose integrated gradients."
        )
        st.info(sentence.format(name=inert(subject.model.name)), icon=":material/info:")
        return
    tokens = numbered(subject.traced.trace.query_tokens(kind))
    if method == ROLLOUT:
        _show_rollout(subject, kind, tokens)
    else:
        _show_attention_flow(subject, kind, tokens)


def _attention_maps(subject: Subject, kind: SiteKind) -> list[Tensor]:
    return [site.pattern(slice(None), slice(None)) for site in subject.traced.trace.layers(kind)]


def _maps_lines(subject: Subject, kind: SiteKind) -> list[str]:
    """`_attention_maps` in Python."""
    maps = f"maps = [site.pattern(slice(None), slice(None)) for site in traced.layers({kind!r})]"
    return [traced(subject.texts), maps]


def _show_rollout(subject: Subject, kind: SiteKind, tokens: list[str]) -> None:
    def make(_on_progress: OnProgress) -> np.ndarray:
        return attention_rollout(_attention_maps(subject, kind))

    layers = compute(("rollout", kind), make, title=_("Multiplying the layers …"), cache=subject.traced)
    if layers is not None:
        query = read_token(len(tokens))
        _say_rollout(tokens, layers[-1], query)
        st.caption(
            _(
                "Weight of each input token in each token after the last layer; every layer counts as half attention, "
                "half residual connection."
            )
        )
        figure = heatmap_figure(
            layers[-1], rows=tokens, columns=tokens, y=_("token"), x=_("input token"), meaning=_("weight"), signed=False
        )
        rows, label = table_rows("token", tokens, tokens, layers[-1]), _("Attention rollout through all layers")
        details: dict[str, object] = {"method": ROLLOUT, "attention": kind}
        show_figure(subject, figure, rows, name=f"rollout-{kind}", label=label, details=details)
    imports = ["playground.lens.attribute.rollout import attention_rollout"]
    offer_snippet(subject.model, imports, [*_maps_lines(subject, kind), "print(attention_rollout(maps)[-1])"])


def _say_rollout(tokens: list[str], weights: np.ndarray, query: int) -> None:
    finding = carrying_tokens(tokens, weights[query])
    if finding is not None:
        st.text(_("Token {token}. {finding}").format(token=tokens[query], finding=finding))


def _show_attention_flow(subject: Subject, kind: SiteKind, tokens: list[str]) -> None:
    query = read_token(len(subject.traced.trace.query_tokens(kind)))

    def make(on_progress: OnProgress) -> np.ndarray:
        return attention_flow(_attention_maps(subject, kind), query, on_progress)

    flows = compute(("flow", kind, query), make, title=_("Computing maximum flows:"), cache=subject.traced)
    if flows is not None:
        show_findings(carrying_tokens(tokens, flows))
        st.caption(
            _("Maximum flow from this token in the last layer to each input token, with the weights as capacities.")
        )
        details: dict[str, object] = {"method": FLOW, "attention": kind, "from": query}
        _show_bars(subject, tokens, flows, x=_("maximum flow"), name=f"flow-{kind}-{query}", details=details)
    imports = ["playground.lens.attribute.rollout import attention_flow"]
    offer_snippet(subject.model, imports, [*_maps_lines(subject, kind), f"print(attention_flow(maps, {query}))"])


def choose_baseline() -> Baseline:
    """What integrated gradients begin at."""
    titles = {"filler": _("Padding/neutral token"), "mean": _("Mean embedding"), "zero": _("Zero")}
    return cast(Baseline, choose_option(BASELINE, _("Baseline"), titles))


def _show_gradients(subject: Subject) -> None:
    target_token = choose_target_token(subject)
    if target_token is None:
        return
    baseline = choose_baseline()

    def make(on_progress: OnProgress) -> TokenAttribution:
        return integrated_gradients(
            subject.model,
            encode_again(subject),
            position=target_token.position,
            token=target_token.token,
            baseline=baseline,
            on_progress=on_progress,
        )

    key = ("gradients", target_token, baseline)
    attribution = compute(key, make, title=_("Integrating gradients, at most:"), cache=subject.traced, patience=AT_ONCE)
    if attribution is not None:
        _draw_gradients(subject, target_token, baseline, attribution)
    options = f"position={target_token.position}, token={target_token.token}, baseline={baseline!r}"
    lines = [encoding_line(subject.texts), f"attribution = integrated_gradients(model, encoded, {options})"]
    imports = ["playground.lens.capture.activations import encode_text"]
    imports += ["playground.lens.attribute.integrated_gradients import integrated_gradients"]
    lines += ["print(attribution.attributions, attribution.completeness_gap)"]
    offer_snippet(subject.model, imports, lines)


def _draw_gradients(subject: Subject, target_token: TargetToken, baseline: str, attribution: TokenAttribution) -> None:
    tokens = numbered(subject.clean.source or subject.clean.tokens)
    show_findings(
        carrying_tokens(tokens, attribution.attributions),
        completeness(attribution.completeness_gap, attribution.logit - attribution.baseline_logit),
    )
    sentence = _("Logit from {baseline:+.3f} at the baseline to {logit:+.3f} at the text; completeness gap {gap:.3f}.")
    st.caption(
        fill(sentence, baseline=attribution.baseline_logit, logit=attribution.logit, gap=attribution.completeness_gap)
    )
    if not attribution.is_converged:
        warning = _("The attributions do not add up to the logit's change; read them with care.")
        st.warning(warning, icon=":material/warning:")
    details: dict[str, object] = {"method": GRADIENTS, "baseline": baseline} | target_details(target_token)
    x, name = _("attribution (logits)"), f"gradients-{baseline}"
    _show_bars(subject, tokens, attribution.attributions, x=x, name=name, details=details)


def _show_bars(
    subject: Subject, tokens: list[str], values: np.ndarray, *, x: str, name: str, details: dict[str, object]
) -> None:
    rows: list[Sequence[object]] = [("token", x), *zip(tokens, values.tolist(), strict=True)]
    figure = named_bars_figure(tokens, values.tolist(), x=x)
    show_figure(subject, figure, rows, name=name, label=_("Attribution of each token"), details=details)
