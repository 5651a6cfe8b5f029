"""Activations that PyTorch lacks: ScaledTanh, SoftReLU, HardThreshold, PerceptronThreshold.

The others of the lectures are PyTorch's: Identity, Sigmoid, Tanh, ReLU, LeakyReLU, PReLU.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class ScaledTanh(nn.Module):
    """1.7159 tanh(2/3 x), which is 1 at 1 and -1 at -1.  LeCun 1998, appendix A.  [...] -> [...]"""

    def forward(self, x: Tensor) -> Tensor:
        return 1.7159 * torch.tanh(2 / 3 * x)


class SoftReLU(nn.Module):
    """log(1 + e^x), exact at both ends; `nn.Softplus` is x above 20.  [...] -> [...]"""

    def forward(self, x: Tensor) -> Tensor:
        return torch.logaddexp(x, x.new_zeros(()))


class HardThreshold(nn.Module):
    """1 where x > 0, else 0; its derivative is 0 everywhere.  [...] -> [...]"""

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(torch.sign(x))


class PerceptronThreshold(nn.Module):
    """1 where x > 0, else 0, learning by the perceptron's rule.  [...] -> [...]

    The gradient passes unchanged wherever the unit is wrong, and is 0 where the output already is
    what it asks for.  With squared error that is w += (t - y) x, Rosenblatt 1958; with
    cross-entropy, right units rest too.  `HardThreshold` has the true derivative.
    """

    def forward(self, x: Tensor) -> Tensor:
        return _Threshold.apply(x)  # pyright: ignore[reportReturnType]


class _Threshold(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        y = (x > 0).to(x.dtype)
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        (y,) = ctx.saved_tensors
        return torch.where((gradient > 0) == (y > 0), gradient, 0)  # a 1 can only fall, a 0 rise


ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "identity": nn.Identity,
    "relu": nn.ReLU,
    "leaky_relu": nn.LeakyReLU,  # slope 0.01, as in Maas 2013
    "prelu": nn.PReLU,  # one slope for all channels, 0.25 at the start
    "elu": nn.ELU,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "tanh": nn.Tanh,
    "scaled_tanh": ScaledTanh,
    "sigmoid": nn.Sigmoid,
    "soft_relu": SoftReLU,
    "hard_threshold": HardThreshold,
}

ACTIVATION_TYPES = (  # of layers that are activations: not the identity, which has other uses too
    *(nn.ReLU, nn.ReLU6, nn.LeakyReLU, nn.PReLU, nn.ELU, nn.SELU, nn.GELU, nn.SiLU, nn.Hardswish),
    *(nn.Tanh, nn.Sigmoid, nn.Softplus, ScaledTanh, SoftReLU, HardThreshold),
)
