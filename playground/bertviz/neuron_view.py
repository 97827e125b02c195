"""`show` with BertViz's arguments: its own drawing of queries and keys, in a document that needs no network.

BertViz calls the model for queries, keys and maps; `bertviz.transformers_neuron_view` holds models that answer so.
"""

from typing import Any, Literal

from playground.bertviz.attention_views import HtmlAction, delivered
from playground.errors import UserError
from playground.text import _
from playground.viewer.bertviz_views.document import DECIMALS, VECTOR_DECIMALS
from playground.viewer.bertviz_views.offline import offline_document
from playground.viewer.notebook import NotebookView

MOST_TOKENS = 150
"""BertViz draws six SVG elements for each pair of tokens, and three for each number of a token's vector."""
MOST_NUMBERS = 2_000_000
"""In one document, with every layer and head: about 14 MB."""
HEIGHT = 720


def show(
    model: Any,
    model_type: str,
    tokenizer: Any,
    sentence_a: str,
    sentence_b: str | None = None,
    display_mode: Literal["dark", "light"] = "dark",
    layer: int | None = None,
    head: int | None = None,
    html_action: HtmlAction = "view",
) -> Any:
    """The queries and keys of every head, and the products that become its weights.

    Raises UserError for a text or a model that is too large for one document, a model that reports no queries and
    keys, or arguments that BertViz refuses.
    """
    from bertviz.neuron_view import show as draw

    texts = [sentence_a, *([sentence_b] if sentence_b else [])]
    tokens = sum(len(tokenizer.tokenize(text)) for text in texts)
    if tokens > MOST_TOKENS:
        raise UserError(
            "The neuron view draws every pair of tokens and every number of their vectors: at most {most} tokens, not "
            "{tokens}. Shorten the text, or use head_view.",
            most=MOST_TOKENS,
            tokens=tokens,
        )
    try:
        page = draw(
            _Rounding(model), model_type, tokenizer, sentence_a, sentence_b, display_mode=display_mode, layer=layer,
            head=head, html_action="return",
        )  # fmt: skip
    except (ValueError, NotImplementedError) as error:
        if isinstance(error, UserError):
            raise
        raise UserError("BertViz refuses this: {reason}", reason=" ".join(map(str, error.args))) from error
    document = offline_document(page.data, "neuron", {}, dark=display_mode == "dark")
    title = _("Neuron view")
    return delivered(NotebookView(html=document, title=title, height=HEIGHT, theme=display_mode), html_action)


class _Rounding:
    """A model whose maps, queries and keys have as many decimals as the picture can show."""

    def __init__(self, model: Any) -> None:
        self._model = model

    def eval(self) -> None:
        """Put the model into evaluation."""
        self._model.eval()

    def __call__(self, *ids: Any, **named: Any) -> tuple[list[dict[str, Any]]]:
        answer = self._model(*ids, **named)[-1]
        if not all(isinstance(part, dict) and {"attn", "queries", "keys"} <= part.keys() for part in answer):
            raise UserError(
                "This model does not report queries and keys; use one of bertviz.transformers_neuron_view, or "
                "playground.show on a model that playground.load has loaded."
            )
        size = sum(part[name].numel() for part in answer for name in ("attn", "queries", "keys"))
        if size > MOST_NUMBERS:
            raise UserError(
                "All layers and heads on this text are {size:,} numbers, more than {most:,}: shorten the text.",
                size=size,
                most=MOST_NUMBERS,
            )
        return ([_rounded_part(part) for part in answer],)


def _rounded_part(part: dict[str, Any]) -> dict[str, Any]:
    decimals = {"attn": DECIMALS, "queries": VECTOR_DECIMALS, "keys": VECTOR_DECIMALS}
    return {name: part[name].detach().double().cpu().round(decimals=count) for name, count in decimals.items()}
