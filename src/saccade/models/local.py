"""Net-3, locally connected.  LeCun 1989, "Generalization and network design strategies", section 4.

1,226 weights, one a link: Net-4 and Net-5 of the same report then share them, and became LeNet.
Departures: a linear output, and cross-entropy for the squared error.
"""

from __future__ import annotations

from torch import nn

from saccade.layers.activations import ScaledTanh
from saccade.layers.chain import chain
from saccade.layers.locally_connected import LocallyConnected


def net3(num_classes: int = 10) -> nn.Sequential:
    """Net-3 for 16 x 16 pictures.  [N,1,16,16] -> [N,num_classes]"""
    # fmt: off
    return chain(
        h1=LocallyConnected(1, 1, 3, size=16, stride=2, padding=1),    #  1 x 8 x 8
        squash1=ScaledTanh(),
        h2=LocallyConnected(1, 1, 5, size=8, stride=2, padding=2),     #  1 x 4 x 4
        squash2=ScaledTanh(),
        flatten=nn.Flatten(),                                          # 16
        output=nn.Linear(16, num_classes),
    )
    # fmt: on
