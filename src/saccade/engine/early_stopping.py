"""Early stopping: an end when the held-out number no longer improves, and the weights to keep."""

from __future__ import annotations

import copy
from math import inf
from typing import Any

from torch import nn


class Best:
    """The best held-out number so far, with the weights that it was measured with.

    `patience` is the number of epochs without a better one after which training is over; 0: never.
    `keep` says whether weights are remembered.  A number is better when it is lower, as for
    `Plateau`; equal ones are not, so the first of them is kept.
    """

    def __init__(self, patience: int = 0, *, keep: bool = False):
        self.patience, self.keep = patience, keep
        self.number, self.epoch, self.waited = inf, 0, 0
        self.weights: dict[str, Any] | None = None

    @property
    def over(self) -> bool:
        return 0 < self.patience <= self.waited

    def observe(self, epoch: int, number: float, network: nn.Module) -> None:
        """Take note of an epoch's number, and of the network that it was measured with."""
        if number < self.number:
            self.number, self.epoch, self.waited = number, epoch, 0
            if self.keep:
                self.weights = copy.deepcopy(network.state_dict())
        else:
            self.waited += 1

    def wait_anew(self) -> None:
        """Bear as many epochs without a better number as at the beginning."""
        self.waited = 0

    def restore(self, network: nn.Module) -> None:
        """Put the remembered weights into `network`."""
        if self.weights is not None:
            network.load_state_dict(self.weights)

    def state_dict(self) -> dict[str, Any]:
        return {
            "number": self.number,
            "epoch": self.epoch,
            "waited": self.waited,
            "weights": self.weights,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.number, self.epoch = state["number"], state["epoch"]
        self.waited, self.weights = state["waited"], state["weights"]
