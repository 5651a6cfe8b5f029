"""Receptive fields, in theory and as measured by gradients.

In theory: which pixels a unit depends on, exact along a graph that branches, by a rule for each
kind of operation.  A field is that of a unit in the middle of an image as large as needed: padding
counts as seen, which is what papers quote (VGG-16: 212, ResNet-50: 427 pixels for an image of 224).

As measured, the effective receptive field: how much each pixel weighs.  Luo 2016, "Understanding
the effective receptive field in deep convolutional neural networks": the gradient of the unit in
the middle of a layer, its channels added up, with respect to the image.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from saccade.errors import UsageError
from saccade.explain.field import Factor, ReceptiveField, blurred, broadcast, plain, united
from saccade.explain.field_rules import (
    MIXES,
    PRODUCTS,
    REDUCTIONS,
    VIEWS,
    WINDOWS,
    concatenated,
    has_statistics,
    mixed,
    multiplied,
    reduced,
)
from saccade.explain.graph import Operation, Value
from saccade.explain.tracing import Trace, evaluating

RULES = {
    **VIEWS,
    **WINDOWS,
    **dict.fromkeys(REDUCTIONS, reduced),
    **dict.fromkeys(MIXES, mixed),
}


def receptive_fields(trace: Trace) -> dict[Value, ReceptiveField]:
    """The field of every value of the forward that depends on the image."""
    fields = {trace.image: image_field(trace.image.shape)}
    for operation in trace.root.operations():
        seen = {value: fields[value] for value in operation.inputs if value in fields}
        for output in operation.outputs:
            if output is not None and seen:
                fields[output] = field_after(operation, output, seen)
    return fields


def image_field(shape: tuple[int, ...]) -> ReceptiveField:
    """Each pixel sees itself; the places of an input that is no image are not told apart."""
    if len(shape) != 4:
        return ReceptiveField(plain(*shape))
    n, c, h, w = shape
    return ReceptiveField((*plain(n, c), (Factor(h, (1, 0)),), (Factor(w, (0, 1)),)))


def field_after(
    operation: Operation, output: Value, seen: dict[Value, ReceptiveField]
) -> ReceptiveField:
    """The field of one output of an operation, from the fields of what it reads."""
    first = next(iter(seen.values()))
    if operation.name in RULES and len(seen) == 1:
        return RULES[operation.name](first, operation, output)
    if operation.name in PRODUCTS:
        return multiplied(operation, output, seen)
    if operation.name == "cat":
        return concatenated(list(seen.values()), output, operation.arguments["dim"])
    field = placewise(operation, output, seen)
    return replace(field, everywhere=True) if has_statistics(operation, first) else field


def placewise(
    operation: Operation, output: Value, seen: dict[Value, ReceptiveField]
) -> ReceptiveField:
    """Activations, sums, copies: every place works for itself, smaller tensors repeated."""
    try:
        shape = torch.broadcast_shapes(*(value.shape for value in seen))
        fits = torch.broadcast_shapes(output.shape, shape) == output.shape
    except RuntimeError:
        fits = False
    if fits or operation.name == "write":
        return united([broadcast(field, output.shape) for field in seen.values()])
    return united([blurred(field, output.shape) for field in seen.values()])


@dataclass(frozen=True)
class EffectiveReceptiveField:
    """Mean size of the gradient at each pixel, the largest being 1."""

    weights: Tensor  # [H,W]
    position: tuple[int, int]  # row and column of the unit in its map
    inputs: int

    def side(self, share: float = 0.95) -> float:
        """The side in pixels of a square as large as the pixels that carry most of the weight."""
        ordered = self.weights.flatten().sort(descending=True).values.cumsum(0)
        return float(1 + (ordered < share * ordered[-1]).sum()) ** 0.5


def effective_receptive_field(
    module: nn.Module,
    layer: str,
    images: Tensor,
    *,
    generator: torch.Generator | None = None,
) -> EffectiveReceptiveField:
    """The field of a layer's middle unit, the mean over `images`.  [N,C,H,W] -> [H,W]

    The gradient starts from every channel with a random sign, drawn for each image, so that
    channels do not cancel.  Raises `UsageError` where the layer is no module or has no places.
    """
    parts = dict(module.named_modules())
    if layer not in parts:
        raise UsageError(f"'{layer}' is an operation, not a module", "name the module around it")
    total = torch.zeros(images.shape[-2:], dtype=torch.float64, device=images.device)
    place = (0, 0)
    for image in images.split(1):
        gradient, place = gradient_of(module, parts[layer], image, generator)
        total += gradient.abs().double().sum((0, 1))
    if not total.any():
        raise UsageError(f"no gradient reaches the image from '{layer}'", "was it used at all?")
    return EffectiveReceptiveField((total / total.max()).float(), place, len(images))


def gradient_of(
    module: nn.Module, layer: nn.Module, image: Tensor, generator: torch.Generator | None
) -> tuple[Tensor, tuple[int, int]]:
    """The gradient of one image, and the place of the unit.  [1,C,H,W] -> [1,C,H,W]"""
    held: list[object] = []
    hook = layer.register_forward_hook(lambda *call: held.append(call[-1]))
    image = image.detach().clone().requires_grad_()
    try:
        with evaluating(module), torch.enable_grad():
            module(image)
    finally:
        hook.remove()
    if not held or not isinstance(held[0], Tensor):
        raise UsageError(f"'{type(layer).__name__}' gives no tensor in this forward")
    maps = held[0]
    if maps.ndim != 4:
        maps = maps.reshape(1, -1, 1, 1)
    place = maps.shape[-2] // 2, maps.shape[-1] // 2
    unit = maps[0, :, place[0], place[1]]
    signs = torch.randint(0, 2, unit.shape, generator=generator).to(unit) * 2 - 1
    (gradient,) = torch.autograd.grad((unit * signs).sum(), image)
    return gradient, place
