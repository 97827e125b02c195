"""Compare what the lens says about a model with what transformers' own eager pass and `generate` say."""

import inspect
import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from benchmarks.configurations.building import Configuration, reference_of, save_small
from benchmarks.configurations.subject import CLOSE, Differs, NoReference, Outcome, Subject, require_close
from playground import load, trace
from playground.errors import UserError
from playground.lens.attribute.attribution import attribute_logit
from playground.lens.capture.activations import Activations, capture, encode_text
from playground.lens.capture.site import SiteKind
from playground.lens.generate.continuation import Continuation
from playground.lens.generate.fill_mask import each_masked
from playground.models.adapters.directions import BIDIRECTIONAL

TEXT, TARGET = "the cat sat", "le chat"
NEW_TOKENS = 6


def compare(configuration: Configuration, folder: Path) -> dict[str, Outcome]:
    """Every comparison of one configuration; raises what building the small model raises."""
    save_small(configuration, folder)
    reference = reference_of(configuration, folder)
    try:
        subject = _subject(configuration, folder, reference)
    except UserError as error:
        return dict.fromkeys(COMPARISONS, Outcome(verdict="refused", detail=str(error)))
    return {name: _outcome(comparison, subject) for name, comparison in COMPARISONS.items()}


@torch.inference_mode()
def _subject(configuration: Configuration, folder: Path, reference: nn.Module) -> Subject:
    model = load(str(folder), device="cpu", dtype="float32")
    is_pair = model.kind == "encoder-decoder"
    is_seq2seq = bool(reference.config.is_encoder_decoder)  # type: ignore[union-attr]
    is_masked = configuration.task == "masked"
    expected_kind = "encoder-decoder" if is_seq2seq else "encoder" if is_masked else "decoder"
    traced = trace(model, TEXT, TARGET if is_pair else None)
    arguments: dict[str, Any] = {"input_ids": torch.tensor([traced.ids])}
    if is_pair:
        arguments["decoder_input_ids"] = torch.tensor([traced.target_ids])
    if "use_cache" in inspect.signature(type(reference).forward).parameters:
        # With a cache, FSMT masks nothing.
        arguments["use_cache"] = False
    expected = reference(**arguments, output_attentions=True, output_hidden_states=True)
    subject = Subject(model=model, reference=reference, traced=traced, expected=expected, arguments=arguments)
    if model.kind != expected_kind and configuration.family not in BIDIRECTIONAL:
        subject.notes.append(f"loaded as {model.kind}")
    return subject


def _outcome(comparison: Callable[[Subject], None], subject: Subject) -> Outcome:
    try:
        comparison(subject)
    except UserError as error:
        return Outcome(verdict="refused", detail=str(error))
    except NoReference as nothing:
        return Outcome(verdict="no reference", detail=str(nothing))
    except Differs as difference:
        return Outcome(verdict="wrong", detail=str(difference))
    except Exception as error:
        frame = error.__traceback__
        while frame is not None and frame.tb_next is not None:
            frame = frame.tb_next
        where = "" if frame is None else f" at {Path(frame.tb_frame.f_code.co_filename).name}:{frame.tb_lineno}"
        return Outcome(verdict="wrong", detail=f"{type(error).__name__}: {str(error)[:200]}{where}")
    return Outcome(verdict="equal")


def compare_logits(subject: Subject) -> None:
    """The prediction after the text, and the kind of model."""
    if subject.notes:
        raise Differs(subject.notes[0])
    require_close("logits", subject.traced.logits(-1), subject.logits()[-1])


def compare_maps(subject: Subject) -> None:
    """Every head's weights, the thumbnails, and the number of each layer."""
    names: dict[SiteKind, str] = {
        "encoder": "encoder_attentions",
        "decoder": "decoder_attentions",
        "cross": "cross_attentions",
    }
    if subject.model.kind != "encoder-decoder":
        names = {subject.model.kind: "attentions"}
    found, has_sinks = 0, False
    for kind, name in names.items():
        reported = [maps for maps in getattr(subject.expected, name, None) or () if maps is not None]
        sites = subject.traced.layers(kind) if kind in subject.traced.kinds else []
        if not reported:
            continue
        if len(sites) != len(reported):
            raise Differs(f"{kind}: {len(sites)} layers for {len(reported)}")
        found += len(sites)
        for site, maps in zip(sites, reported, strict=True):
            ours = site.pattern(slice(None), slice(None))
            if site.call is not None and site.call.sinks is not None and bool((maps.sum(-1) > 1 - CLOSE).all()):
                # Reported before the sink takes its share (Granite SWA); ours are what multiplies the values.
                ours = ours / ours.sum(-1, keepdim=True)
                has_sinks = True
            require_close(f"{kind} layer {site.layer}", ours, maps[0])
        if has_sinks:
            continue
        pooled = _pooled(torch.stack([maps[0] for maps in reported]), 4)
        ours = torch.from_numpy(subject.traced.overview(4, kind)).float() / 255
        if float((ours - pooled).abs().max()) > 0.5 / 255 + CLOSE:
            raise Differs(f"{kind} thumbnails: off by {float((ours - pooled).abs().max()):.2g}")
    if not found:
        raise NoReference("transformers reports no maps for this family")


def _pooled(maps: Tensor, cells: int) -> Tensor:
    """The largest weight in each of at most cells by cells blocks of rows and columns."""
    for axis in (-2, -1):
        length = maps.shape[axis]
        bounds = [cell * length // min(cells, length) for cell in range(min(cells, length) + 1)]
        strips = [maps.narrow(axis, begin, end - begin).amax(axis) for begin, end in itertools.pairwise(bounds)]
        maps = torch.stack(strips, dim=axis)
    return maps


def compare_stream(subject: Subject) -> None:
    """The stream after every block, and what the stream before a block is the sum of."""
    activations = _activations(subject)
    kinds = {block.kind for block in activations.parts.blocks}
    compared = 0
    for kind in sorted(kinds):
        name = f"{kind}_hidden_states" if len(kinds) > 1 else "hidden_states"
        states = getattr(subject.expected, name, None) or getattr(subject.expected, f"{kind}_hidden_states", None)
        if states is None:
            continue
        layers = sorted(layer for site_kind, layer in activations.after if site_kind == kind)
        if len(states) <= layers[-1] + 1:
            raise Differs(f"{kind}: {layers[-1] + 1} blocks for {len(states) - 1} hidden states")
        for layer in layers:
            require_close(f"{kind} stream before {layer}", activations.residual[kind, layer], states[layer][0])
            if layer + 2 < len(states):
                require_close(f"{kind} stream after {layer}", activations.after[kind, layer], states[layer + 1][0])
            compared += 1
            _compare_parts_of_stream(subject, kind, layer, states[layer][0])
    if not compared:
        raise NoReference("transformers reports no hidden states for this family")


def _compare_parts_of_stream(subject: Subject, kind: Any, layer: int, state: Tensor) -> None:
    if layer not in subject.traced.block_numbers(kind):
        return  # a block without attention: the next one's stream holds what it wrote
    parts = subject.traced.stream_parts(layer, 2, kind)
    if parts is not None and parts.norm is None:
        require_close(f"{kind} parts before {layer}", torch.from_numpy(parts.vectors.sum(0)), state[2])
    head = subject.traced.inside(layer, kind).head(1, 2)
    worst = max(head.differences, key=lambda name: head.differences[name])
    if head.differences[worst] > CLOSE * max(1.0, float(state.abs().max())):
        raise Differs(f"{kind} layer {layer}, step {worst}: off by {head.differences[worst]:.2g}")
    if head.is_additive:
        require_close(f"{kind} residual of {layer}", torch.from_numpy(head.residual), state[2])


def compare_parts(subject: Subject) -> None:
    """The sum of all contributions against the reference's logit."""
    activations = _activations(subject)
    for position, token, against in ((-1, 7, None), (2, 9, 11)):
        attribution = attribute_logit(subject.model, activations, position=position, token=token, against=against)
        logits = subject.logits()[position]
        expected = logits[token] - (0 if against is None else logits[against])
        require_close("sum of parts", torch.tensor(attribution.sum), expected.double().float())


@torch.inference_mode()
def compare_lens(subject: Subject) -> None:
    """Every row of the lens against the reference with its last block's output replaced by an earlier stream."""
    lens = subject.traced.logit_lens(k=1)
    states = getattr(subject.expected, "hidden_states", None) or subject.expected.decoder_hidden_states
    if len(lens.probability) != len(states):
        raise Differs(f"{len(lens.probability)} rows for {len(states)} streams")
    block = _activations(subject).parts.stack[-1].module
    name = next(name for name, module in subject.model.module.named_modules() if module is block)
    last = subject.reference.get_submodule(name)
    for row, state in enumerate(states[:-1]):
        handle = last.register_forward_hook(_replacing(state))
        try:
            logits = subject.reference(**subject.arguments).logits[0]
        finally:
            handle.remove()
        require_close(f"lens row {row}", torch.from_numpy(lens.top_probability[row, :, 0]), logits.softmax(-1).amax(-1))
    final = subject.logits().softmax(-1).amax(-1)
    require_close("lens, last row", torch.from_numpy(lens.top_probability[-1, :, 0]), final)


def _replacing(state: Tensor) -> Callable[..., Any]:
    def hook(_module: nn.Module, _arguments: Any, output: Any) -> Any:
        return state if isinstance(output, Tensor) else (state, *output[1:])

    return hook


def compare_writing(subject: Subject) -> None:
    """Greedy writing against `generate`; an encoder's masked tokens against the reference's logits."""
    if subject.model.kind == "encoder":
        _compare_masked(subject)
        return
    continuation = Continuation(subject.model, TEXT)
    expected = _generated(subject, continuation.first)
    written: list[int] = []
    logits = continuation.feed(continuation.first)
    forced = getattr(subject.reference.generation_config, "forced_eos_token_id", None)
    # `generate` ends a text of the longest length by force; how long a text gets is the reader's choice here.
    for id in expected if forced is None else expected[:-1]:
        best = int(logits[0].argmax())
        # Two tokens that are equally probable up to rounding may change places.
        if best != id and float(logits[0, best] - logits[0, id]) > CLOSE * float(logits[0].abs().max()):
            if _plain_pass_says(subject, [*continuation.first, *written], best):
                raise NoReference("transformers' own generate and forward disagree")
            raise Differs(f"token {len(written)}: {best} for {id}")
        written.append(id)
        if id in subject.model.adapter.end_ids():
            return
        logits = continuation.feed([id])


def _generated(subject: Subject, first: list[int]) -> list[int]:
    settings: dict[str, Any] = {"do_sample": False, "num_beams": 1, "max_new_tokens": NEW_TOKENS}
    try:
        ids = subject.reference.generate(subject.arguments["input_ids"], **settings)[0].tolist()  # type: ignore[operator]
    except Exception as error:
        raise NoReference(f"generate: {type(error).__name__}: {str(error)[:100]}") from error
    written = [int(id) for id in ids[len(first) :]] if ids[: len(first)] == first else []
    return written


@torch.inference_mode()
def _plain_pass_says(subject: Subject, ids: list[int], token: int) -> bool:
    """Whether a plain pass of the reference over all tokens so far finds this one the likeliest, up to rounding."""
    name = "decoder_input_ids" if subject.model.kind == "encoder-decoder" else "input_ids"
    logits = subject.reference(**subject.arguments | {name: torch.tensor([ids])}).logits[0, -1]
    return float(logits.max() - logits[token]) <= CLOSE * float(logits.abs().max())


def _compare_masked(subject: Subject) -> None:
    tokens, masked = each_masked(subject.model, TEXT)
    for position, logits in masked:
        ids = torch.tensor([[token.id for token in tokens]])
        ids[0, position] = subject.model.tokenizer.mask_token_id
        with torch.inference_mode():
            expected = subject.reference(**subject.arguments | {"input_ids": ids}).logits[0, position]
            require_close(f"masked token {position}", logits, expected)


def _activations(subject: Subject) -> Activations:
    target = TARGET if subject.model.kind == "encoder-decoder" else None
    return capture(subject.model, encode_text(subject.model, TEXT, target))


COMPARISONS: dict[str, Callable[[Subject], None]] = {
    "logits": compare_logits,
    "maps": compare_maps,
    "stream": compare_stream,
    "parts": compare_parts,
    "lens": compare_lens,
    "writing": compare_writing,
}
"""The comparisons by name, in the order of the table's columns."""
