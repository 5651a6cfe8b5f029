"""Receptive fields: which pixels a unit depends on, exact along a graph that branches.

A rule for each kind of operation; what has none works place by place.  A field is that of a unit
in the middle of a picture as large as needed: padding counts as seen, which is what papers quote
(VGG-16: 212, ResNet-50: 427 pixels for a picture of 224).
"""

from __future__ import annotations

from dataclasses import replace

import torch

from saccade.analysis.field import Field, blurred, broadcast, united
from saccade.analysis.field_mixes import (
    MIXES,
    PRODUCTS,
    REDUCTIONS,
    concatenated,
    has_statistics,
    mixed,
    multiplied,
    reduced,
)
from saccade.analysis.field_views import VIEWS
from saccade.analysis.field_windows import WINDOWS
from saccade.analysis.graph import Operation, Value
from saccade.analysis.layout import Factor, plain
from saccade.analysis.trace import Trace

RULES = {
    **VIEWS,
    **WINDOWS,
    **dict.fromkeys(REDUCTIONS, reduced),
    **dict.fromkeys(MIXES, mixed),
}


def receptive_fields(trace: Trace) -> dict[Value, Field]:
    """The field of every value of the forward that depends on the picture."""
    fields = {trace.picture: picture_field(trace.picture.shape)}
    for operation in trace.root.operations():
        seen = {value: fields[value] for value in operation.inputs if value in fields}
        for output in operation.outputs:
            if output is not None and seen:
                fields[output] = field_after(operation, output, seen)
    return fields


def picture_field(shape: tuple[int, ...]) -> Field:
    """Each pixel sees itself; the places of an input that is no picture are not told apart."""
    if len(shape) != 4:
        return Field(plain(*shape))
    n, c, h, w = shape
    return Field((*plain(n, c), (Factor(h, (1, 0)),), (Factor(w, (0, 1)),)))


def field_after(operation: Operation, output: Value, seen: dict[Value, Field]) -> Field:
    """The field of one output of an operation, from the fields of what it reads."""
    first = next(iter(seen.values()))
    if operation.name in RULES and len(seen) == 1:
        return RULES[operation.name](first, operation, output)
    if operation.name in PRODUCTS:
        return multiplied(operation, output, seen)
    if operation.name == "cat":
        return concatenated(list(seen.values()), output, operation.arguments["dim"])
    field = placewise(operation, output, seen)
    return replace(field, gate=True) if has_statistics(operation, first) else field


def placewise(operation: Operation, output: Value, seen: dict[Value, Field]) -> Field:
    """Activations, sums, copies: every place works for itself, smaller tensors repeated."""
    try:
        shape = torch.broadcast_shapes(*(value.shape for value in seen))
        fits = torch.broadcast_shapes(output.shape, shape) == output.shape
    except RuntimeError:
        fits = False
    if fits or operation.name == "write":
        return united([broadcast(field, output.shape) for field in seen.values()])
    return united([blurred(field, output.shape) for field in seen.values()])
