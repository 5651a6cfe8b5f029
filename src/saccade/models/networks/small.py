"""Small networks, in order of year, and the blocks of ResNets without shortcuts.

Linear and logistic regression, the perceptron.  Legendre 1805, Cox 1958, Rosenblatt 1958: one
layer, y = phi(Wx + b).  The phi of logistic regression, a sigmoid or a softmax, is part of its loss
(cross-entropy), as for every classifier here; so its rows are those of linear regression, and the
loss tells them apart.

Multilayer perceptron.  Rumelhart et al. 1986, "Learning representations by back-propagating
errors".  Departure: ReLU where nothing else is asked for, and a linear output, whose softmax is in
the loss.

Net-3, locally connected.  LeCun 1989, "Generalization and network design strategies", Section 4:
1,226 weights, one a link; Net-4 and Net-5 of the same report then share them, and became LeNet.
Departures: a linear output, and cross-entropy for the squared error.

Plain networks of ResNet's depths.  He et al. 2015, "Deep residual learning for image recognition",
Figure 3 middle and Table 2.  Departure: depths 50 to 152, with bottlenecks, are not in the paper;
they are there to be compared.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from torch import nn

from saccade.models.layers.activations import PerceptronThreshold, ScaledTanh
from saccade.models.layers.blocks import chain
from saccade.models.layers.historic import LocallyConnected
from saccade.models.networks.resnet import conv


def linear(
    num_classes: int = 10, *, input_shape: tuple[int, int, int] = (1, 28, 28)
) -> nn.Sequential:
    """Linear or logistic regression on the image's pixels.  [N,C,H,W] -> [N,num_classes]"""
    return chain(
        flatten=nn.Flatten(),
        fc=nn.Linear(math.prod(input_shape), num_classes),
    )


def perceptron(
    num_classes: int = 10, *, input_shape: tuple[int, int, int] = (1, 28, 28)
) -> nn.Sequential:
    """A hard-threshold unit per class: 0 or 1.  [N,C,H,W] -> [N,num_classes]

    Gradient descent is the perceptron's rule, with squared error exactly, else nearly.
    """
    return chain(
        flatten=nn.Flatten(),
        fc=nn.Linear(math.prod(input_shape), num_classes),
        threshold=PerceptronThreshold(),
    )


def mlp(
    num_classes: int = 10,
    widths: Sequence[int] = (256, 128),
    *,
    activation: Callable[[], nn.Module] = nn.ReLU,
    input_shape: tuple[int, int, int] = (1, 28, 28),
) -> nn.Sequential:
    """Fully connected layers of these widths over the pixels.  [N,C,H,W] -> [N,num_classes]"""
    rows: dict[str, nn.Module] = {"flatten": nn.Flatten()}
    cin = math.prod(input_shape)
    for number, width in enumerate(widths, 1):
        rows[f"fc{number}"] = nn.Linear(cin, width)
        rows[f"phi{number}"] = activation()
        cin = width
    return chain(**rows, output=nn.Linear(cin, num_classes))


def net3(num_classes: int = 10) -> nn.Sequential:
    """Net-3 for 16 x 16 images.  [N,1,16,16] -> [N,num_classes]"""
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


# fmt: off
def plain_basic(cin: int, cout: int, stride: int) -> nn.Sequential:
    """ResNet's basic block without its shortcut.  [N,cin,H,W] -> [N,cout,H/stride,W/stride]"""
    return chain(
        conv1=conv(cin, cout, 3, stride), bn1=nn.BatchNorm2d(cout), relu1=nn.ReLU(),
        conv2=conv(cout, cout, 3),        bn2=nn.BatchNorm2d(cout), relu2=nn.ReLU(),
    )


def plain_bottleneck(cin: int, cout: int, stride: int) -> nn.Sequential:
    """ResNet's bottleneck without its shortcut.  [N,cin,H,W] -> [N,cout,H/stride,W/stride]"""
    width = cout // 4
    return chain(
        conv1=conv(cin, width, 1),           bn1=nn.BatchNorm2d(width), relu1=nn.ReLU(),
        conv2=conv(width, width, 3, stride), bn2=nn.BatchNorm2d(width), relu2=nn.ReLU(),
        conv3=conv(width, cout, 1),          bn3=nn.BatchNorm2d(cout),  relu3=nn.ReLU(),
    )
# fmt: on
