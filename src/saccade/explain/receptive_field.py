"""Receptive fields: theoretical from the graph, effective from gradients.

Theoretical: which pixels a unit depends on, exact along a graph that branches, by a rule for each
kind of operation.  A field is that of a unit in the middle of an image as large as needed: padding
counts as seen, which is what papers quote (VGG-16: 212, ResNet-50: 427 pixels for an image of 224).

Effective: how much each pixel weighs.  Luo 2016, "Understanding the effective receptive field in
deep convolutional neural networks": the gradient of a layer's centre unit, its channels added up,
with respect to the image.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from saccade.errors import UsageError
from saccade.explain.field import (
    Factor,
    ReceptiveField,
    broadcast,
    global_field,
    non_spatial,
    union,
)
from saccade.explain.field_rules import (
    MIXES,
    PRODUCTS,
    REDUCTIONS,
    VIEWS,
    WINDOWS,
    cat_rule,
    has_statistics,
    matmul_rule,
    mixing_rule,
    reduction_rule,
)
from saccade.explain.graph import Operation, Value
from saccade.explain.tracing import Trace, evaluating

RULES = {
    **VIEWS,
    **WINDOWS,
    **dict.fromkeys(REDUCTIONS, reduction_rule),
    **dict.fromkeys(MIXES, mixing_rule),
}


def receptive_fields(trace: Trace) -> dict[Value, ReceptiveField]:
    """The theoretical field of every value of the forward that depends on the image."""
    fields = {trace.image: image_field(trace.image.shape)}
    for operation in trace.root.operations():
        inputs = {value: fields[value] for value in operation.inputs if value in fields}
        for output in operation.outputs:
            if output is not None and inputs:
                fields[output] = output_field(operation, output, inputs)
    return fields


def image_field(shape: tuple[int, ...]) -> ReceptiveField:
    """Each pixel of [N,C,H,W] sees itself; an input of another shape has no spatial axes."""
    if len(shape) != 4:
        return ReceptiveField(non_spatial(*shape))
    n, c, h, w = shape
    return ReceptiveField((*non_spatial(n, c), (Factor(h, (1, 0)),), (Factor(w, (0, 1)),)))


def output_field(
    operation: Operation, output: Value, fields: dict[Value, ReceptiveField]
) -> ReceptiveField:
    """The field of one output of an operation, from the fields of what it reads."""
    first = next(iter(fields.values()))
    if operation.name in RULES and len(fields) == 1:
        return RULES[operation.name](first, operation, output)
    if operation.name in PRODUCTS:
        return matmul_rule(operation, output, fields)
    if operation.name == "cat":
        return cat_rule(list(fields.values()), output, operation.arguments["dim"])
    field = elementwise(operation, output, fields)
    return replace(field, everywhere=True) if has_statistics(operation, first) else field


def elementwise(
    operation: Operation, output: Value, fields: dict[Value, ReceptiveField]
) -> ReceptiveField:
    """Activations, sums, copies: every position by itself, smaller tensors broadcast."""
    try:
        shape = torch.broadcast_shapes(*(value.shape for value in fields))
        fits = torch.broadcast_shapes(output.shape, shape) == output.shape
    except RuntimeError:
        fits = False
    if fits or operation.name == "write":
        return union([broadcast(field, output.shape) for field in fields.values()])
    return union([global_field(field, output.shape) for field in fields.values()])


@dataclass(frozen=True)
class EffectiveReceptiveField:
    """Mean magnitude of the gradient at each pixel, relative to the largest."""

    weights: Tensor  # [H,W]
    position: tuple[int, int]  # row and column of the unit in its feature map
    inputs: int  # images averaged over

    def size(self, share: float = 0.95) -> float:
        """Pixels along the side of a square, as many as carry `share` of the weight."""
        cumulative = self.weights.flatten().sort(descending=True).values.cumsum(0)
        return float(1 + (cumulative < share * cumulative[-1]).sum()) ** 0.5


def effective_receptive_field(
    module: nn.Module,
    layer: str,
    images: Tensor,
    *,
    generator: torch.Generator | None = None,
) -> EffectiveReceptiveField:
    """The field of a layer's centre unit, the mean over images [N,C,H,W] -> weights [H,W].

    The gradient starts from every channel with a random sign, drawn for each image, so that
    channels do not cancel.  Raises `UsageError` where the layer is no module, gives no tensor or
    does not depend on the image.
    """
    modules = dict(module.named_modules())
    if layer not in modules:
        raise UsageError(f"'{layer}' is an operation, not a module", "name the module around it")
    total = torch.zeros(images.shape[-2:], dtype=torch.float64, device=images.device)
    position = (0, 0)
    for image in images.split(1):
        gradient, position = gradient_of(module, modules[layer], image, generator)
        total += gradient.abs().double().sum((0, 1))
    if not total.any():
        raise UsageError(f"no gradient reaches the image from '{layer}'", "was it used at all?")
    return EffectiveReceptiveField((total / total.max()).float(), position, len(images))


def gradient_of(
    module: nn.Module, layer: nn.Module, image: Tensor, generator: torch.Generator | None
) -> tuple[Tensor, tuple[int, int]]:
    """The gradient of the centre unit, image [1,C,H,W] -> [1,C,H,W], and the unit's position."""
    outputs: list[object] = []
    hook = layer.register_forward_hook(lambda *call: outputs.append(call[-1]))
    image = image.detach().clone().requires_grad_()
    try:
        with evaluating(module), torch.enable_grad():
            module(image)
    finally:
        hook.remove()
    if not outputs or not isinstance(outputs[0], Tensor):
        raise UsageError(
            f"'{type(layer).__name__}' gives no tensor in this forward",
            "name a layer that takes part, and whose output is a tensor",
        )
    maps = outputs[0]
    if maps.ndim != 4:
        maps = maps.reshape(1, -1, 1, 1)
    position = maps.shape[-2] // 2, maps.shape[-1] // 2
    unit = maps[0, :, position[0], position[1]]
    signs = torch.randint(0, 2, unit.shape, generator=generator).to(unit) * 2 - 1
    (gradient,) = torch.autograd.grad((unit * signs).sum(), image)
    return gradient, position
