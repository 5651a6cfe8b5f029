"""The effective receptive field: how much each pixel weighs, measured by gradients.

Luo 2016, "Understanding the effective receptive field in deep convolutional neural networks": the
gradient of the unit in the middle of a layer, its channels added up, with respect to the picture.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from saccade.analysis.trace import evaluating
from saccade.errors import UsageError


@dataclass(frozen=True)
class EffectiveField:
    """Mean size of the gradient at each pixel, the largest being 1."""

    weights: Tensor  # [H,W]
    place: tuple[int, int]  # row and column of the unit in its map
    inputs: int

    def side(self, share: float = 0.95) -> float:
        """The side in pixels of a square as large as the pixels that carry most of the weight."""
        ordered = self.weights.flatten().sort(descending=True).values.cumsum(0)
        return float(1 + (ordered < share * ordered[-1]).sum()) ** 0.5


def effective_field(
    module: nn.Module,
    layer: str,
    pictures: Tensor,
    *,
    generator: torch.Generator | None = None,
) -> EffectiveField:
    """The field of a layer's middle unit, the mean over `pictures`.  [N,C,H,W] -> [H,W]

    The gradient starts from every channel with a random sign, drawn for each picture, so that
    channels do not cancel.  Raises `UsageError` where the layer is no module or has no places.
    """
    parts = dict(module.named_modules())
    if layer not in parts:
        raise UsageError(f"'{layer}' is an operation, not a module", "name the module around it")
    total = torch.zeros(pictures.shape[-2:], dtype=torch.float64, device=pictures.device)
    place = (0, 0)
    for picture in pictures.split(1):
        gradient, place = gradient_of(module, parts[layer], picture, generator)
        total += gradient.abs().double().sum((0, 1))
    if not total.any():
        raise UsageError(f"no gradient reaches the picture from '{layer}'", "was it used at all?")
    return EffectiveField((total / total.max()).float(), place, len(pictures))


def gradient_of(
    module: nn.Module, layer: nn.Module, picture: Tensor, generator: torch.Generator | None
) -> tuple[Tensor, tuple[int, int]]:
    """The gradient of one picture, and the place of the unit.  [1,C,H,W] -> [1,C,H,W]"""
    held: list[object] = []
    hook = layer.register_forward_hook(lambda *call: held.append(call[-1]))
    picture = picture.detach().clone().requires_grad_()
    try:
        with evaluating(module), torch.enable_grad():
            module(picture)
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
    (gradient,) = torch.autograd.grad((unit * signs).sum(), picture)
    return gradient, place
