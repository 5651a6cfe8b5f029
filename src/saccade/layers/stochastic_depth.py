"""StochasticDepth: a residual branch that is left out now and then.  Huang et al. 2016, "Deep
networks with stochastic depth", Section 3.

Departures: every picture draws for itself, where the paper draws once for a batch; what stays is
scaled up in training, where the paper scales down afterwards (Equation 5).  So both expect the
same, and evaluation is that of the network as it is.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


class StochasticDepth(nn.Module):
    """Zero for a share `rate` of the pictures, else x / (1 - rate).  [N,...] -> [N,...]

    In evaluation x.  Chance is PyTorch's own, as dropout's is.
    """

    def __init__(self, rate: float):
        super().__init__()
        self.rate = rate

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return x
        stays = torch.empty((len(x), *[1] * (x.ndim - 1)), dtype=x.dtype, device=x.device)
        return x * (stays.bernoulli_(1 - self.rate) / (1 - self.rate))

    def extra_repr(self) -> str:
        return f"rate={self.rate:g}"
