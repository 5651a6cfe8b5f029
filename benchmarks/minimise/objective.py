"""Objective: a loss as a function of all weights in one vector, which counts what is asked of it.

The unit of cost is one pass of all images forward.  A gradient costs three, one forward and two
backward, as both the weights' and the inputs' share of a layer is a product of the layer's size; a
product with the curvature costs four: what a direction does to the outputs, and back.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.autograd import grad
from torch.func import functional_call

Rows = Tensor | None  # [B] positions of images; None: all


@dataclass(frozen=True)
class Model:
    """What the loss is close to w: loss + gradient d + d G d / 2, with G as a product."""

    loss: float
    gradient: Tensor  # [P]
    product: Callable[[Tensor], Tensor]  # G v, [P] -> [P]


class Objective:
    """loss(outputs(w)) + decay / 2 |w|^2.  The loss is a mean over rows, and convex in outputs."""

    def __init__(
        self,
        outputs: Callable[[Tensor, Rows], Tensor],
        loss: Callable[[Tensor, Rows], Tensor],
        *,
        count: int = 1,  # rows in all
        decay: float = 0.0,
    ):
        self.outputs = outputs
        self.loss_of = loss
        self.count = count
        self.decay = decay
        self.cost = 0.0  # so far

    @torch.no_grad()
    def loss(self, w: Tensor, rows: Rows = None) -> float:
        """Costs one pass."""
        self._pay(1, rows)
        return float(self._value(w, rows))

    def gradient(self, w: Tensor, rows: Rows = None) -> tuple[float, Tensor]:
        """The loss too; costs three passes."""
        self._pay(3, rows)
        w = w.detach().requires_grad_()
        loss = self._value(w, rows)
        return float(loss.detach()), grad(loss, w)[0]

    def model(self, w: Tensor, rows: Rows = None) -> Model:
        """With the generalised Gauss-Newton matrix J' H J; costs five passes, a product four.

        J is the Jacobian of the outputs and H the Hessian of the loss in them: Schraudolph 2002,
        "Fast curvature matrix-vector products for second-order gradient descent".  J' u is linear
        in u, so that its own derivative, taken backward, is J v (Townsend 2017).
        """
        self._pay(5, rows)
        w = w.detach().requires_grad_()
        outputs = self.outputs(w, rows)
        u = torch.zeros_like(outputs, requires_grad=True)
        (back,) = grad(outputs, w, u, create_graph=True)
        z = outputs.detach().requires_grad_()
        loss = self.loss_of(z, rows)
        (slope,) = grad(loss, z, create_graph=True)

        def product(v: Tensor) -> Tensor:
            self._pay(4, rows)
            (moved,) = grad(back, u, v, retain_graph=True)  # J v
            (curved,) = grad(slope, z, moved, retain_graph=True)  # H J v
            return grad(outputs, w, curved, retain_graph=True)[0] + self.decay * v

        (gradient,) = grad(outputs, w, slope.detach(), retain_graph=True)
        here = w.detach()
        whole = float(loss.detach() + self.decay / 2 * here.dot(here))
        return Model(whole, gradient + self.decay * here, product)

    def _value(self, w: Tensor, rows: Rows) -> Tensor:
        return self.loss_of(self.outputs(w, rows), rows) + self.decay / 2 * w.dot(w)

    def _pay(self, passes: float, rows: Rows) -> None:
        self.cost += passes * (1 if rows is None else len(rows) / self.count)


def network_loss(
    network: nn.Module, images: Tensor, targets: Tensor, *, decay: float = 0.0
) -> Objective:
    """The mean cross-entropy of a network on images; its weights are given to `outputs`.

    The network has no chance in it and no statistics: neither dropout nor batch normalisation.
    """
    shapes = {name: p.shape for name, p in network.named_parameters()}
    sizes = [shape.numel() for shape in shapes.values()]

    def outputs(w: Tensor, rows: Rows) -> Tensor:
        parts = zip(shapes.items(), w.split(sizes), strict=True)
        weights = {name: part.view(shape) for (name, shape), part in parts}
        return functional_call(network, weights, (images if rows is None else images[rows],))

    def loss(logits: Tensor, rows: Rows) -> Tensor:
        return nn.functional.cross_entropy(logits, targets if rows is None else targets[rows])

    return Objective(outputs, loss, count=len(images), decay=decay)


def weights_of(network: nn.Module) -> Tensor:
    """All weights of a network in one vector, a copy.  -> [P]"""
    return torch.cat([p.detach().flatten() for p in network.parameters()])
