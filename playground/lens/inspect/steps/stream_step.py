"""The residual stream over all layers: what each part is, points to, and contributes to the traced token's logit."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float

from playground.lens.inspect.steps.code_lines import in_transformer
from playground.lens.inspect.steps.derivation import Derivation, product_term, sum_of
from playground.lens.inspect.steps.neuron_step import Lengths
from playground.lens.inspect.steps.norm_map import LinearMap
from playground.lens.inspect.steps.products import ListedProducts
from playground.lens.inspect.steps.step import InsideStep, Row, StepTable
from playground.lens.inspect.steps.stream import PartKind, PartName, Stream
from playground.lens.inspect.steps.token_inputs import TokenInputs
from playground.lens.inspect.steps.vectors import NamedTerm, Origin, SumOfTerms, Vector
from playground.text import N_, _, fill


@dataclass(frozen=True, kw_only=True, eq=False)
class Cosines(Vector):
    """values[part] = part · final / (‖part‖ ‖final‖)."""

    parts: Float[np.ndarray, "part width"]
    final: Float[np.ndarray, "width"]

    def derive(self, column: int) -> Derivation:
        """Every product of part and final state."""
        part = self.parts[column].astype(float)
        terms = [
            product_term(f"part[{index}] · f[{index}]", float(a), float(b))
            for index, (a, b) in enumerate(zip(part, self.final, strict=True))
        ]
        lengths = float(np.linalg.norm(part) * np.linalg.norm(self.final.astype(float)))
        total = sum_of(terms)
        formula = f"Σ part[i] · f[i] / (‖part‖ · ‖f‖), ‖part‖ · ‖f‖ = {lengths:.6g}"
        return self._derived(column, formula, terms, total / lengths if lengths else 0.0)

    def origin(self, first: int = 0) -> Origin:
        """How many products."""
        return _("the sum of {count:,} products over the lengths").format(count=self.parts.shape[1]), []


TABLES: dict[str, tuple[PartKind, ...]] = {
    N_("Embedding (x) and attention: length of what was added, cosine to the final state, contribution to the logit"): (
        "embedding",
        "attention",
    ),
    N_("Cross-attention: length, cosine, contribution"): ("cross_attention",),
    N_("Layers that mix tokens by other means: length, cosine, contribution"): ("mixer",),
    N_("Feed-forward layers: length, cosine, contribution"): ("feed_forward",),
    N_("Biases of the norms: length, cosine, contribution"): ("norm_biases",),
}


def stream_step(inputs: TokenInputs) -> InsideStep:
    """l: length, c: cosine, d: contribution of each part; f: the final state as their sum."""
    stream = inputs.stream
    tables = []
    for label, kinds in TABLES.items():
        parts = tuple(index for index, name in enumerate(stream.names) if name.kind in kinds)
        if parts:
            tables.append(_part_table(inputs, parts, _(label)))
    final = StepTable(
        label=_("Final state: the sum of all parts"),
        rows=(Row(symbol="f", label="f", vector=final_vector(stream)),),
        role="stream",
    )
    is_post = any(block.is_post_norm for block in inputs.token.blocks)
    return InsideStep(
        name="stream",
        title=_("Residual stream over all layers"),
        formula=r"f = x + \sum_l \mathrm{attn}_l + \sum_l \mathrm{ff}_l",
        explanation=_explanation(inputs),
        tables=(*tables, final),
        code=(in_transformer("post_norm" if is_post else "pre_norm", "residual", "drop"),),
    )


def _part_table(inputs: TokenInputs, parts: tuple[int, ...], label: str) -> StepTable:
    """Three rows with a column for each of these parts."""
    stream, written = inputs.stream, dict(enumerate(inputs.stream.written))
    lengths = Lengths(name="‖part {column}‖", values=stream.norms, rows=written, row_name="part[{term}]")
    cosines = Cosines(name="cos(part {column}, f)", values=stream.cosines, parts=stream.arrived, final=stream.final)
    rows = [
        Row(symbol="l", label=_("length"), vector=lengths, keys=parts),
        Row(symbol="c", label=_("cosine"), vector=cosines, keys=parts),
    ]
    if inputs.contributions is not None:
        contribution = ListedProducts(
            name="Δ logit of part {column}",
            values=inputs.contributions.parts,
            map=LinearMap(weight=torch.from_numpy(stream.arrived)),
            input=inputs.contributions.direction,
            listed=parts,
            term_name="part[{term}] · direction[{term}]",
            formula="Σ part[i] · direction[i]",
        )
        rows.append(Row(symbol="d", label=_("logit"), vector=contribution, keys=parts))
    names = (stream.names[part] for part in parts)
    columns = tuple("x" if name.layer is None and name.kind == "embedding" else str(name.layer or 0) for name in names)
    return StepTable(
        label=label, rows=tuple(rows), role="stream", is_scaled_by_row=True, columns=columns, axis=_("layer")
    )


def final_vector(stream: Stream) -> SumOfTerms:
    """The stream after the last block: a term for each part."""
    terms = tuple(
        NamedTerm(name=f"{name.symbol}[{{column}}]", values=part)
        for name, part in zip(stream.names, stream.arrived, strict=True)
    )
    return SumOfTerms(name="f[{column}]", values=stream.final, terms=terms, formula="Σ part[{column}]")


def stream_part_label(name: PartName) -> str:
    """How a part is called on the page."""
    titles = {
        "embedding": _("embedding"),
        "attention": _("attention {layer}"),
        "cross_attention": _("cross-attention {layer}"),
        "mixer": _("mixer {layer}"),
        "feed_forward": _("feed-forward {layer}"),
        "norm_biases": _("biases of the norms"),
    }
    return titles[name.kind].format(layer=name.layer)


def _explanation(inputs: TokenInputs) -> str:
    stream, blocks = inputs.stream, inputs.token.blocks
    template = _("The {count} parts sum to the model's final state; largest difference: {difference:.0e}.")
    sentences = [template.format(count=len(stream.names), difference=stream.difference)]
    if any(block.is_post_norm for block in blocks):
        sentences.append(
            _(
                "This family norms the stream after each layer: lengths are of what each layer wrote, cosines and "
                "contributions of what is left of it behind the norms, whose roots are those of this token."
            )
        )
    if any(block.is_parallel for block in blocks):
        sentences.append(_("Attention and feed-forward layer of a block read the same stream, side by side."))
    if inputs.token.mixers:
        sentences.append(
            _("Blocks {blocks} do not attend: what they wrote is the model's own, not recomputed.").format(
                blocks=", ".join(map(str, inputs.token.mixers))
            )
        )
    factors = sorted({layer.factor for block in blocks for layer in block.sublayers} - {1.0})
    if factors:
        template = _("Each layer's output is multiplied by {factor:g} before it is added.")
        sentences.append(template.format(factor=factors[0]))
    return " ".join([*sentences, *_logit_sentences(inputs)])


def _logit_sentences(inputs: TokenInputs) -> list[str]:
    found, head = inputs.contributions, inputs.head
    if found is None or head is None or inputs.traced is None or inputs.logits is None:
        return [_("This model has no output head, so that there is no logit to contribute to.")]
    template = _(
        "Contributions to the logit of {token}: {parts:.4g} from the parts and {biases:.4g} from biases are "
        "{total:.5g}; the model's is {logit:.5g}."
    )
    if head.cap is not None:
        template = _(
            "Contributions to the logit of {token}: {parts:.4g} from the parts and {biases:.4g} from biases are "
            "{total:.5g} before the soft cap, which makes {capped:.5g} of it; the model's is {logit:.5g}."
        )
    sentences = [
        fill(
            template,
            token=inputs.spelling(inputs.traced),
            parts=float(found.parts.sum()),
            biases=found.biases,
            total=found.total,
            capped=float(head.capped(torch.tensor(found.total))),
            logit=float(inputs.logits[inputs.traced]),
        )
    ]
    if not head.is_plain:
        sentences.append(_("The head's own activation is held at what it made of this token's sum."))
    return sentences
