"""The generated text coloured by attention, the alternatives of a token, the tree of branches."""

import numpy as np
import streamlit as st

from playground.charts.generate import TreeNode, tree_figure
from playground.lens.capture.attending import attending_blocks
from playground.lens.capture.site import SiteKind
from playground.lens.capture.tokens import Token, input_tokens
from playground.lens.generate.branches import ROOT
from playground.lens.generate.generation import Alternative, GeneratedToken, GenerationConfig
from playground.models import LoadedModel
from playground.snippets import origin
from playground.text import _, fill
from ui.components.token_view import TokenItem, token_view
from ui.sections.generate.draft import TextDraft
from ui.sections.generate.sampling_options import bar_names, paired_item
from ui.state.attention import read_head
from ui.widgets.chart import draw
from ui.widgets.download import text_details
from ui.widgets.text import Texts

BRANCH_LENGTH = 60


def show_text(model: LoadedModel, texts: Texts, draft: TextDraft) -> None:
    """The prompt and the generated text; a click on a generated token inspects it."""
    path = draft.tree.path(draft.node)
    prompt = input_tokens(model, texts.text)
    generated = draft.tree.nodes[draft.inspected].generated if draft.inspected != ROOT else None
    of_prompt: SiteKind = "cross" if model.kind == "encoder-decoder" else "decoder"
    items = _prompt_items(prompt, _head_weights(model, generated, of_prompt))
    weights = _head_weights(model, generated, "decoder")
    offset = 1 if model.kind == "encoder-decoder" else len(prompt)
    for index, number in enumerate(path):
        items.append(
            _generated_item(draft.tree.nodes[number].generated, weights, offset + index, number == draft.inspected)
        )
    label, notes = _("Prompt and generated text"), origin(model, details=text_details(texts))
    picked = token_view(items, layout="text", label=label, key="written", provenance=notes)
    if picked is not None and picked >= len(prompt):
        draft.inspected = path[picked - len(prompt)]
        st.rerun()


def _head_weights(model: LoadedModel, generated: GeneratedToken | None, kind: SiteKind) -> np.ndarray:
    """Attention weights of the chosen head; empty before the first token, or where the family reports none."""
    if generated is None or kind not in generated.attention:
        return np.zeros(0)
    attention: np.ndarray = generated.attention[kind]
    numbers = attending_blocks(model, kind)
    layers = numbers if len(numbers) == len(attention) else range(len(attention))
    layer, head = read_head((layers[0], 0), layers, attention.shape[1])
    weights: np.ndarray = attention[layers.index(layer), head]
    return weights


def _prompt_items(prompt: list[Token], weights: np.ndarray) -> list[TokenItem]:
    return [
        TokenItem(
            text=token.text,
            special=token.special,
            value=_weight(weights, position),
            lines=_weight_lines(weights, position),
        )
        for position, token in enumerate(prompt)
    ]


def _generated_item(generated: GeneratedToken, weights: np.ndarray, position: int, chosen: bool) -> TokenItem:
    return TokenItem(
        text=generated.token.text,
        special=generated.token.special,
        value=_weight(weights, position),
        lines=(
            _("probability {value:.6g}").format(value=generated.probability),
            _("rank {rank:,}").format(rank=generated.rank + 1),
            _("surprisal {value:.4f} nats").format(value=generated.surprisal),
            _("entropy before it {value:.4f} nats").format(value=generated.entropy),
            *_weight_lines(weights, position),
        ),
        chosen=chosen,
        clickable=True,
    )


def _weight(weights: np.ndarray, position: int) -> float | None:
    return float(weights[position]) if position < len(weights) else None


def _weight_lines(weights: np.ndarray, position: int) -> tuple[str, ...]:
    weight = _weight(weights, position)
    return () if weight is None else (_("attention weight {value:.4g}").format(value=weight),)


def show_alternatives(model: LoadedModel, draft: TextDraft) -> None:
    """Alternatives of the inspected token; a click branches there."""
    generated = draft.tree.nodes[draft.inspected].generated
    st.caption(_("Alternatives of the outlined token. Click one to branch."))
    items = [alternative_item(other, other.token.id == generated.token.id) for other in generated.alternatives]
    label, notes = _("Alternatives of the outlined token"), origin(model, details={"text": draft.tree.text})
    picked = token_view(items, layout="bars", label=label, key="alternatives", provenance=notes, series=bar_names())
    if picked is not None:
        draft.branch(draft.inspected, generated.alternatives[picked].token.id)
        st.rerun()


def alternative_item(other: Alternative, chosen: bool) -> TokenItem:
    """An alternative as a clickable row with its bar."""
    lines = (_("rank {rank:,}").format(rank=other.rank + 1),)
    return paired_item(other.token, other.probability, other.sampled, lines, chosen=chosen)


def show_branches(model: LoadedModel, draft: TextDraft, config: GenerationConfig) -> None:
    """All branches as a tree and as a list; a click shows one."""
    leaves = draft.tree.leaves()
    if len(leaves) < 2:
        return
    path = draft.tree.path(draft.node)
    nodes = [
        TreeNode(
            parent=node.parent,
            step=node.generated.number,
            text=node.generated.token.text,
            note=f"{node.generated.probability:.4g}",
            state="generated",
        )
        for node in draft.tree.nodes
    ]
    figure = tree_figure(nodes, path, {"generated": _("token")})
    height = 140 + 40 * min(len(leaves), 12)
    label, details = _("Tree of all branches"), {"text": draft.tree.text, **vars(config.sampling)}
    draw(model, figure, key="tree_chart", height=height, label=label, details=details, seed=config.seed)
    items = [
        TokenItem(
            text=_branch_ending(draft, leaf),
            value=float(np.exp(-draft.tree.surprisal(leaf) / len(draft.tree.path(leaf)))),
            number=fill(_("log probability {value:.3f} nats"), value=-draft.tree.surprisal(leaf)),
            chosen=leaf in path,
            clickable=True,
        )
        for leaf in leaves
    ]
    st.caption(_("All branches; bar: geometric mean of the token probabilities. Click one to continue it."))
    notes = origin(model, config.seed, details)
    picked = token_view(items, layout="sentences", label=_("All branches"), key="branches", provenance=notes)
    if picked is not None:
        draft.show_branch(leaves[picked])
        st.rerun()


def _branch_ending(draft: TextDraft, leaf: int) -> str:
    """The last characters of a branch."""
    text = "".join(draft.tree.nodes[number].generated.token.text for number in draft.tree.path(leaf))
    return text if len(text) <= BRANCH_LENGTH else "…" + text[-BRANCH_LENGTH:]
