"""with_stochastic_depth: a residual network whose branches are left out now and then.

Huang et al. 2016, "Deep networks with stochastic depth", Section 3, the linear decay rule.
"""

from __future__ import annotations

from torch import nn

from saccade.errors import UsageError
from saccade.layers.stochastic_depth import StochasticDepth
from saccade.models.inception_resnet import Residual
from saccade.models.resnet import Basic, Bottleneck


def with_stochastic_depth(network: nn.Module, rate: float) -> nn.Module:
    """The network, in which block l of L is now left out at l / L * `rate` (Equation 4).

    Names of weights and evaluation stay as they are.  Raises `UsageError` without such blocks.
    """
    blocks = [m for m in network.modules() if isinstance(m, Basic | Bottleneck | Residual)]
    if not blocks:
        raise UsageError(
            f"model.drop_path cannot be {rate:g}: the network has no residual blocks to leave out",
            "set model.drop_path=0, or take a ResNet, ResNeXt, SENet or Inception-ResNet",
        )
    for number, block in enumerate(blocks, 1):
        block.drop = StochasticDepth(rate * number / len(blocks))
    return network
