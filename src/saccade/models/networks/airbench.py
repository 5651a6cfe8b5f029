"""airbench.  Jordan 2024, "94% on CIFAR-10 in 3.29 seconds on a single GPU", Section 3.

`airbench94` has the paper's widths; `airbench_narrow` half the multiply-adds.
Departures: the first layer whitens patches with fixed patterns, close to the eigenvectors of
CIFAR-10's patches, so that a network is created without images; batch norms have a scale as well as
a shift; the factor 1 / 3 of the logits is in the initial weights of the last layer.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from saccade.models.layers.blocks import chain

# fmt: off
VARIANCES = (  # of 2 x 2 pixels, channels with variance 1: 4,000 images of CIFAR-10
    # mean   rows    columns diagonal
    10.0,    0.396,  0.331,  0.0556,   # red + green + blue
    0.836,   0.0170, 0.0147, 0.0016,   # red - blue
    0.192,   0.0052, 0.0047, 0.0006,   # red - 2 green + blue
)
# fmt: on


EPSILON = 0.005  # added to each variance: compression artefacts of colours are not amplified


def haar() -> Tensor:
    """Haar's four patterns of 2 x 2 pixels, in three opponent colours each.  -> [12,3,2,2]"""
    signs = torch.tensor([[1.0, 1, 1, 1], [1, 1, -1, -1], [1, -1, 1, -1], [1, -1, -1, 1]])
    colours = torch.tensor([[1.0, 1, 1], [1, 0, -1], [1, -2, 1]])
    patterns, colours = signs / 2, colours / colours.norm(dim=1, keepdim=True)
    return torch.einsum("ac,pk->apck", colours, patterns).reshape(12, 3, 2, 2)


def whiten() -> nn.Conv2d:
    """Section 3.2: every pattern and its negative, with variance 1; only the biases are learned.

    [N,3,H,W] -> [N,24,H-1,W-1]
    """
    row = nn.Conv2d(3, 24, 2)
    white = haar() / (torch.tensor(VARIANCES) + EPSILON).sqrt().view(12, 1, 1, 1)
    row.weight.data.copy_(torch.cat((white, -white)))
    row.weight.requires_grad_(False)
    nn.init.zeros_(row.bias)  # type: ignore[arg-type]
    return row


def conv(cin: int, cout: int) -> nn.Conv2d:
    """Section 3.3: its first `cin` outputs start as its inputs.  [N,cin,H,W] -> [N,cout,H,W]"""
    row = nn.Conv2d(cin, cout, 3, padding=1, bias=False)
    nn.init.dirac_(row.weight.data[:cin])
    return row


def block(cin: int, cout: int) -> nn.Sequential:
    """Two convolutions, the first before the pooling.  [N,cin,H,W] -> [N,cout,H/2,W/2]"""
    # fmt: off
    return chain(
        conv1=conv(cin, cout), pool=nn.MaxPool2d(2), norm1=nn.BatchNorm2d(cout), gelu1=nn.GELU(),
        conv2=conv(cout, cout), norm2=nn.BatchNorm2d(cout), gelu2=nn.GELU(),
    )
    # fmt: on


def airbench(widths: tuple[int, int, int], num_classes: int = 10) -> nn.Sequential:
    """Three blocks of `widths` channels.  [N,3,32,32] -> [N,num_classes]"""
    w1, w2, w3 = widths
    output = nn.Linear(w3, num_classes, bias=False)
    output.weight.data.mul_(1 / 3)
    # fmt: off
    return chain(
        whiten=whiten(), gelu=nn.GELU(),                  # 24 x 31 x 31
        block1=block(24, w1),                             # w1 x 15 x 15
        block2=block(w1, w2),                             # w2 x  7 x  7
        block3=block(w2, w3),                             # w3 x  3 x  3
        pool=nn.AdaptiveMaxPool2d(1), flatten=nn.Flatten(),
        output=output,
    )
    # fmt: on
