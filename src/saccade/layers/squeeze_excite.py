"""SqueezeExcite: a gate for each channel, decided by all of them.  Hu 2017, Equations 2 to 4."""

from __future__ import annotations

from torch import Tensor, nn

from saccade.errors import UsageError


class SqueezeExcite(nn.Module):
    """Scales each channel by a gate from 0 to 1 made of all means.  [N,C,H,W] -> [N,C,H,W]

    `fc1` leaves `channels // reduction` numbers, `fc2` makes a gate a channel of them; both have
    a bias.  Raises `UsageError` where `reduction` would leave nothing.
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
