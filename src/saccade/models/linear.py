"""Linear and logistic regression, the perceptron.  Legendre 1805, Cox 1958, Rosenblatt 1958.

One layer, y = phi(Wx + b).  The phi of logistic regression, a sigmoid or a softmax, is part of its
loss (cross-entropy), as for every classifier here; so its rows are those of linear regression, and
the loss tells them apart.
"""

from __future__ import annotations

import math

from torch import nn

from saccade.layers.activations import PerceptronThreshold
from saccade.layers.chain import chain


def linear(
    num_classes: int = 10, *, input_shape: tuple[int, int, int] = (1, 28, 28)
) -> nn.Sequential:
    """Linear or logistic regression on the picture's pixels.  [N,C,H,W] -> [N,num_classes]"""
    return chain(
        flatten=nn.Flatten(),
        fc=nn.Linear(math.prod(input_shape), num_classes),
    )


def perceptron(
    num_classes: int = 10, *, input_shape: tuple[int, int, int] = (1, 28, 28)
) -> nn.Sequential:
    """A hard-threshold unit a class: 0 or 1.  [N,C,H,W] -> [N,num_classes]

    Descent is the perceptron's rule, exactly with squared error, nearly with cross-entropy.
    """
    return chain(
        flatten=nn.Flatten(),
        fc=nn.Linear(math.prod(input_shape), num_classes),
        threshold=PerceptronThreshold(),
    )
