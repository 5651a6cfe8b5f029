"""conv_norm: convolution, batch normalisation, ReLU, as the Inception networks stack them."""

from __future__ import annotations

from torch import nn

from saccade.layers.chain import chain

Size = int | tuple[int, int]


def conv_norm(
    cin: int, cout: int, kernel_size: Size, *, stride: int = 1, padding: Size = 0
) -> nn.Sequential:
    """[N,cin,H,W] -> [N,cout,H',W'].  Epsilon is TensorFlow's 0.001, as in all public weights."""
    return chain(
        conv=nn.Conv2d(cin, cout, kernel_size, stride=stride, padding=padding, bias=False),
        bn=nn.BatchNorm2d(cout, eps=0.001),
        relu=nn.ReLU(),
    )
