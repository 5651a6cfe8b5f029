"""EfficientNet-Lite.  Tan and Le 2019, "EfficientNet: Rethinking Model Scaling for Convolutional
Neural Networks", Table 1, as lite0 of the authors' repository (tensorflow/tpu, efficientnet/lite,
2020): without squeeze-excite, ReLU6 in place of swish, stem and head never scaled.

Departures: rows have timm's names, as public weights do; no stochastic depth unless
`model.drop_path` asks for it; first weights are He's.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from saccade.models.layers.blocks import chain
from saccade.models.layers.initialise import he

EPSILON = 1e-3  # TensorFlow's, of batch normalisation


class SamePadding(nn.Module):
    """Zeros so that a strided convolution gives ceil(size / stride); an odd one at the end.

    TensorFlow's "SAME".  [N,C,H,W] -> [N,C,H+p,W+q]
    """

    def __init__(self, kernel_size: int, stride: int):
        super().__init__()
        self.kernel_size, self.stride = kernel_size, stride

    def forward(self, x: Tensor) -> Tensor:
        down, along = (self._total(size) for size in x.shape[-2:])
        return F.pad(x, (along // 2, along - along // 2, down // 2, down - down // 2))

    def _total(self, size: int) -> int:
        steps = -(-size // self.stride)
        return max(0, (steps - 1) * self.stride + self.kernel_size - size)

    def extra_repr(self) -> str:
        return f"{self.kernel_size}, stride={self.stride}"


class InvertedResidual(nn.Module):
    """Wide inside, narrow outside: expand, depthwise, project, and the input added where it fits.

    Sandler et al. 2018, "MobileNetV2", Figure 4.  [N,cin,H,W] -> [N,cout,H/stride,W/stride]
    """

    def __init__(self, cin: int, cout: int, kernel_size: int, stride: int, expansion: int = 6):
        super().__init__()
        width = cin * expansion
        self.conv_pw, self.bn1 = nn.Conv2d(cin, width, 1, bias=False), norm(width)
        self.relu1 = nn.ReLU6()
        self.pad = SamePadding(kernel_size, stride) if stride > 1 else nn.Identity()
        self.conv_dw = depthwise(width, kernel_size, stride)
        self.bn2, self.relu2 = norm(width), nn.ReLU6()
        self.conv_pwl, self.bn3 = nn.Conv2d(width, cout, 1, bias=False), norm(cout)
        self.drop: nn.Module = nn.Identity()
        self.shortcut = cin == cout and stride == 1

    def forward(self, x: Tensor) -> Tensor:
        y = self.relu1(self.bn1(self.conv_pw(x)))
        y = self.relu2(self.bn2(self.conv_dw(self.pad(y))))
        y = self.drop(self.bn3(self.conv_pwl(y)))
        return x + y if self.shortcut else y


def norm(channels: int) -> nn.BatchNorm2d:
    """Batch normalisation with TensorFlow's epsilon.  [N,C,H,W] -> [N,C,H,W]"""
    return nn.BatchNorm2d(channels, eps=EPSILON)


def depthwise(channels: int, kernel_size: int, stride: int) -> nn.Conv2d:
    """A filter a channel; with a stride, of an input padded already.  [N,C,H,W] -> [N,C,H',W']"""
    padding = kernel_size // 2 if stride == 1 else 0
    return nn.Conv2d(channels, channels, kernel_size, stride, padding, groups=channels, bias=False)


def separable(cin: int, cout: int) -> nn.Sequential:
    """A depthwise 3x3 and a projection: MBConv1 of the table.  [N,cin,H,W] -> [N,cout,H,W]"""
    return chain(
        conv_dw=depthwise(cin, 3, 1), bn1=norm(cin), relu=nn.ReLU6(),
        conv_pw=nn.Conv2d(cin, cout, 1, bias=False), bn2=norm(cout),
    )  # fmt: skip


def stage(cin: int, cout: int, kernel_size: int, stride: int, depth: int) -> nn.Sequential:
    """`depth` blocks, of which the first strides.  [N,cin,H,W] -> [N,cout,H/stride,W/stride]"""
    rest = (InvertedResidual(cout, cout, kernel_size, 1) for _ in range(depth - 1))
    return nn.Sequential(InvertedResidual(cin, cout, kernel_size, stride), *rest)


def efficientnet_lite0(num_classes: int = 1000) -> nn.Sequential:
    """Lite0: Table 1 at width and depth 1.0.  [N,3,H,W] -> [N,num_classes]"""
    # fmt: off
    return he(chain(
        pad=SamePadding(3, 2), conv_stem=nn.Conv2d(3, 32, 3, 2, bias=False),
        bn1=norm(32), relu1=nn.ReLU6(),                       #   32 x 112 x 112
        blocks=nn.Sequential(
            nn.Sequential(separable(32, 16)),                 #   16 x 112 x 112
            stage(16, 24, kernel_size=3, stride=2, depth=2),  #   24 x  56 x  56
            stage(24, 40, kernel_size=5, stride=2, depth=2),  #   40 x  28 x  28
            stage(40, 80, kernel_size=3, stride=2, depth=3),  #   80 x  14 x  14
            stage(80, 112, kernel_size=5, stride=1, depth=3), #  112 x  14 x  14
            stage(112, 192, kernel_size=5, stride=2, depth=4),  # 192 x  7 x   7
            stage(192, 320, kernel_size=3, stride=1, depth=1),  # 320 x  7 x   7
        ),
        conv_head=nn.Conv2d(320, 1280, 1, bias=False),
        bn2=norm(1280), relu2=nn.ReLU6(),                     # 1280 x   7 x   7
        avgpool=nn.AdaptiveAvgPool2d(1), flatten=nn.Flatten(), dropout=nn.Dropout(0.2),  # 1280
        classifier=nn.Linear(1280, num_classes),
    ))
    # fmt: on
