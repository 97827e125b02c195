"""A draft drawn: its text coloured by where the model looked, the alternatives of a token, all branches."""

import numpy as np
import streamlit as st

from playground.charts.generate import Twig, tree_figure
from playground.lens.capture.site import SiteKind
from playground.lens.capture.tokens import Token, encode
from playground.lens.generate.branches import ROOT
from playground.lens.generate.generation import Alternative, GeneratedToken, GenerationConfig
from playground.models import LoadedModel
from playground.snippets import origin
from playground.text import _
from ui.components.token_view import TokenItem, token_view
from ui.sections.generate.draft import Draft
from ui.state.parameters import SAMPLED_HEAD, SAMPLED_LAYER
from ui.widgets.chart import draw
from ui.widgets.download import text_facts
from ui.widgets.text import Texts

BRANCH_LENGTH = 60


def choose_head(model: LoadedModel) -> None:
    """The head whose looks colour the text."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.number_input(_("Layer"), 0, model.layers - 1, 0, key=SAMPLED_LAYER, bind="query-params", width=140)
        st.number_input(_("Head"), 0, model.n_heads - 1, 0, key=SAMPLED_HEAD, bind="query-params", width=140)
        st.caption(_("The colour says where this head looked when the outlined token was predicted."))


def show_text(model: LoadedModel, texts: Texts, draft: Draft) -> None:
    """The text and what is written after it; a click on a new token looks at it."""
    path = draft.tree.path(draft.node)
    prompt = encode(model.tokenizer, texts.text)
    generated = draft.tree.nodes[draft.looked].generated if draft.looked != ROOT else None
    items = _prompt_items(prompt, _look(generated, "cross" if model.kind == "encoder-decoder" else "decoder"))
    own = _look(generated, "decoder")
    offset = 1 if model.kind == "encoder-decoder" else len(prompt)
    for place, number in enumerate(path):
        items.append(_written_item(draft.tree.nodes[number].generated, own, offset + place, number == draft.looked))
    label, notes = _("The text and what the model wrote"), origin(model, facts=text_facts(texts))
    picked = token_view(items, layout="text", label=label, key="written", provenance=notes)
    if picked is not None and picked >= len(prompt):
        draft.looked = path[picked - len(prompt)]
        st.rerun()


def _look(generated: GeneratedToken | None, kind: SiteKind) -> np.ndarray:
    """Where the chosen head looked; nothing before the first token, or where the family reports no maps."""
    if generated is None or kind not in generated.looks:
        return np.zeros(0)
    looks: np.ndarray = generated.looks[kind]
    layer, head = int(st.session_state.get(SAMPLED_LAYER, 0)), int(st.session_state.get(SAMPLED_HEAD, 0))
    weights: np.ndarray = looks[min(layer, looks.shape[0] - 1), min(head, looks.shape[1] - 1)]
    return weights


def _prompt_items(prompt: list[Token], weights: np.ndarray) -> list[TokenItem]:
    return [
        TokenItem(
            text=token.text,
            special=token.special,
            value=_weight(weights, place),
            lines=_weight_lines(weights, place),
        )
        for place, token in enumerate(prompt)
    ]


def _written_item(generated: GeneratedToken, weights: np.ndarray, place: int, chosen: bool) -> TokenItem:
    return TokenItem(
        text=generated.token.text,
        special=generated.token.special,
        value=_weight(weights, place),
        lines=(
            _("probability {value:.6g}").format(value=generated.probability),
            _("rank {rank:,}").format(rank=generated.rank + 1),
            _("surprise {value:.4f} nats").format(value=generated.surprise),
            _("entropy before it {value:.4f} nats").format(value=generated.entropy),
            *_weight_lines(weights, place),
        ),
        chosen=chosen,
        clickable=True,
    )


def _weight(weights: np.ndarray, place: int) -> float | None:
    return float(weights[place]) if place < len(weights) else None


def _weight_lines(weights: np.ndarray, place: int) -> tuple[str, ...]:
    weight = _weight(weights, place)
    return () if weight is None else (_("attention weight {value:.4g}").format(value=weight),)


def show_alternatives(model: LoadedModel, draft: Draft) -> None:
    """What else could have stood in the outlined token's place; a click branches there."""
    generated = draft.tree.nodes[draft.looked].generated
    st.caption(_("What could stand there: as the model says → as it is drawn. Click one to branch."))
    items = [alternative_item(other, other.token.id == generated.token.id) for other in generated.alternatives]
    label, notes = _("Alternatives of the outlined token"), origin(model, facts={"text": draft.tree.text})
    picked = token_view(items, layout="bars", label=label, key="alternatives", provenance=notes)
    if picked is not None:
        draft.branch(draft.looked, generated.alternatives[picked].token.id)
        st.rerun()


def alternative_item(other: Alternative, chosen: bool) -> TokenItem:
    """An alternative as a row with its bar; a click can choose it."""
    return TokenItem(
        text=other.token.text,
        special=other.token.special,
        value=other.probability,
        number=f"{other.probability:.2%} → {other.sampled:.2%}",
        lines=(_("rank {rank:,}").format(rank=other.rank + 1),),
        chosen=chosen,
        clickable=True,
    )


def show_branches(model: LoadedModel, draft: Draft, config: GenerationConfig) -> None:
    """All branches as a tree; a click on one in the list shows it."""
    leaves = draft.tree.leaves()
    if len(leaves) < 2:
        return
    path = draft.tree.path(draft.node)
    twigs = [
        Twig(
            parent=node.parent,
            step=node.generated.number,
            text=node.generated.token.text,
            note=f"{node.generated.probability:.4g}",
            state="written",
        )
        for node in draft.tree.nodes
    ]
    figure = tree_figure(twigs, path, {"written": _("token")})
    height = 140 + 40 * min(len(leaves), 12)
    label, facts = _("The tree of everything that was written"), {"text": draft.tree.text, **vars(config.sampling)}
    draw(model, figure, key="tree_chart", height=height, label=label, facts=facts, seed=config.seed)
    items = [
        TokenItem(
            text=_ending(draft, leaf),
            value=float(np.exp(-draft.tree.surprise(leaf) / len(draft.tree.path(leaf)))),
            number=_("{surprise:.3f} nats").format(surprise=draft.tree.surprise(leaf)),
            chosen=leaf in path,
            clickable=True,
        )
        for leaf in leaves
    ]
    st.caption(_("All branches; the bar is the mean probability of a token. Click one to go on with it."))
    notes = origin(model, config.seed, facts)
    picked = token_view(items, layout="sentences", label=_("All branches"), key="branches", provenance=notes)
    if picked is not None:
        draft.stand(leaves[picked])
        st.rerun()


def _ending(draft: Draft, leaf: int) -> str:
    """The last words of a branch."""
    text = "".join(draft.tree.nodes[number].generated.token.text for number in draft.tree.path(leaf))
    return text if len(text) <= BRANCH_LENGTH else "…" + text[-BRANCH_LENGTH:]
