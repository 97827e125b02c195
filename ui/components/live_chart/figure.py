"""A plotly figure as compact JSON: no template, six significant digits, no binary arrays."""

import base64
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

_TYPES = {"b", "i", "u", "f"}


def compact_figure(figure: go.Figure) -> dict[str, Any]:
    """A figure's data and layout as JSON values; NaN and infinity become None, a gap."""
    plain = figure.to_plotly_json()
    layout = {name: value for name, value in plain["layout"].items() if name != "template"}
    return {"data": _compact(plain["data"]), "layout": _compact(layout)}


def _compact(value: Any) -> Any:
    if isinstance(value, Mapping):
        return _decode_array(value) if "bdata" in value else {name: _compact(part) for name, part in value.items()}
    if isinstance(value, np.ndarray):
        return _round_floats(value) if value.dtype.kind == "f" else _compact(value.tolist())
    if isinstance(value, np.generic):
        return _compact(value.item())
    if isinstance(value, float):
        return float(f"{value:.6g}") if math.isfinite(value) else None
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_compact(part) for part in value]
    return value


def _round_floats(values: np.ndarray) -> Any:
    """Floats as in `_compact`, many times faster than one by one."""
    if values.ndim > 1:
        return [_round_floats(part) for part in values]
    finite = np.isfinite(values).tolist()
    return [
        float(f"{value:.6g}") if is_finite else None for value, is_finite in zip(values.tolist(), finite, strict=True)
    ]


def _decode_array(array: Mapping[str, Any]) -> Any:
    """Decode plotly's binary form of an array: little-endian numbers in base64."""
    dtype = np.dtype(array["dtype"])
    if dtype.kind not in _TYPES:
        raise ValueError(f"An array of type {dtype} cannot be drawn.")
    values = np.frombuffer(base64.b64decode(array["bdata"]), dtype.newbyteorder("<"))
    shape = array.get("shape")
    if shape is not None:
        values = values.reshape([int(size) for size in str(shape).split(",")])
    return _compact(values)
