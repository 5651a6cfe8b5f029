"""Blocks that several papers share, and `chain`, a sequential network of named rows.

`Concat` joins branches over channels; `conv_norm` is the convolution of the Inception networks;
shortcuts are those of residual networks (He 2015, "Deep residual learning", Section 3.3), chosen by
shape: the identity where input and output have the same.  `Normalize` is row 0 of every trained
network, the only one that has the channels' means and standard deviations.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from saccade.errors import UsageError


def chain(**rows: nn.Module) -> nn.Sequential:
    """An `nn.Sequential` of the rows in the order written; their names are prefixes of weights."""
    return nn.Sequential(OrderedDict(rows))


class Concat(nn.Module):
    """Parallel branches on one input, concatenated over channels in the order written.

    [N,C,H,W] -> [N,sum of the branches' channels,H',W']
    """

    def __init__(self, **branches: nn.Module) -> None:
        super().__init__()
        for name, branch in branches.items():
            self.add_module(name, branch)

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([branch(x) for branch in self.children()], dim=1)


Size = int | tuple[int, int]


def conv_norm(
    cin: int, cout: int, kernel_size: Size, *, stride: int = 1, padding: Size = 0
) -> nn.Sequential:
    """Convolution, batch normalisation, ReLU.  [N,cin,H,W] -> [N,cout,H',W']

    Epsilon is TensorFlow's 0.001, as in all public weights of Inception networks.
    """
    return chain(
        conv=nn.Conv2d(cin, cout, kernel_size, stride=stride, padding=padding, bias=False),
        bn=nn.BatchNorm2d(cout, eps=0.001),
        relu=nn.ReLU(),
    )


Shortcut = Callable[[int, int, int], nn.Module]  # cin, cout, stride


class PadChannels(nn.Module):
    """Every `stride`-th position, zero channels before and after.  [N,cin,H,W] -> [N,cout,H',W']"""

    def __init__(self, cin: int, cout: int, stride: int) -> None:
        super().__init__()
        self.before, self.stride = (cout - cin) // 2, stride
        self.after = cout - cin - self.before

    def forward(self, x: Tensor) -> Tensor:
        strided = x[:, :, :: self.stride, :: self.stride]
        return F.pad(strided, (0, 0, 0, 0, self.before, self.after))


def projection(cin: int, cout: int, stride: int) -> nn.Module:
    """Option B: a 1x1 convolution where the shape changes.  [N,cin,H,W] -> [N,cout,H',W']"""
    if cin == cout and stride == 1:
        return nn.Identity()
    return nn.Sequential(nn.Conv2d(cin, cout, 1, stride=stride, bias=False), nn.BatchNorm2d(cout))


def padding(cin: int, cout: int, stride: int) -> nn.Module:
    """Option A: zeros where the shape changes, no weights.  [N,cin,H,W] -> [N,cout,H',W']"""
    if cin == cout and stride == 1:
        return nn.Identity()
    return PadChannels(cin, cout, stride)


class StochasticDepth(nn.Module):
    """Zero for a share `rate` of the images, else x / (1 - rate).  [N,...] -> [N,...]

    Huang et al. 2016, "Deep networks with stochastic depth", Section 3.  Departures: one draw for
    each image, where the paper draws once for a batch; what stays is scaled up in training, where
    the paper scales down in evaluation (Equation 5).  The expectation is the same, and evaluation
    is that of the network as it is.  Draws are from PyTorch's global generator, as dropout's are.
    """

    def __init__(self, rate: float):
        super().__init__()
        self.rate = rate

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return x
        mask = torch.empty((len(x), *[1] * (x.ndim - 1)), dtype=x.dtype, device=x.device)
        return x * (mask.bernoulli_(1 - self.rate) / (1 - self.rate))

    def extra_repr(self) -> str:
        return f"rate={self.rate:g}"


class SqueezeExcite(nn.Module):
    """Scales each channel by a gate from 0 to 1 made of all channels' means.  [N,C,H,W] -> same

    Hu 2017, Equations 2 to 4: `fc1` reduces to `channels // reduction` channels, `fc2` gives a gate
    for each channel; both have a bias.  Raises `UsageError` where `reduction` leaves no channel.
    """

    def __init__(self, channels: int, reduction: int = 16):
        super().__init__()
        if channels < reduction:
            raise UsageError(
                f"squeeze-excite of {channels} channels: reduction {reduction} leaves none of them",
                f"a reduction of at most {channels} leaves one",
            )
        self.squeeze = nn.AdaptiveAvgPool2d(1)
        self.fc1 = nn.Conv2d(channels, channels // reduction, 1)
        self.relu = nn.ReLU()
        self.fc2 = nn.Conv2d(channels // reduction, channels, 1)
        self.gate = nn.Sigmoid()

    def forward(self, x: Tensor) -> Tensor:
        hidden = self.relu(self.fc1(self.squeeze(x)))
        return x * self.gate(self.fc2(hidden))


class Normalize(nn.Module):
    """Pixel values, 0 to 255, to `(x / 255 - mean) / std` per channel.  [N,C,H,W] -> [N,C,H,W]

    `mean` and `std` have one number per channel, on the scale 0 to 1 as papers and libraries quote
    them.  Takes uint8 and floating point alike and gives floating point.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, mean: tuple[float, ...], std: tuple[float, ...]):
        super().__init__()
        shape = (1, len(mean), 1, 1)
        self.register_buffer("mean", 255 * torch.tensor(mean).view(shape), persistent=False)
        self.register_buffer("std", 255 * torch.tensor(std).view(shape), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        return (x - self.mean) / self.std


def normalized(
    network: nn.Module, mean: tuple[float, ...], std: tuple[float, ...]
) -> nn.Sequential:
    """`network` with `Normalize` as row 0; the weights of a chain keep their names."""
    rows = network.named_children() if type(network) is nn.Sequential else [("network", network)]
    return chain(normalize=Normalize(mean, std), **dict(rows))
