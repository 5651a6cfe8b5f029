"""Log loss: the mean of -log of the probability that the true class was given."""

from __future__ import annotations

from torch import Tensor

from saccade.metrics.averaged import Averaged


def log_losses(probabilities: Tensor, targets: Tensor) -> Tensor:
    """Of each picture, in nats; a probability below 2^-149, float32's smallest, counts as that.

    [N,K], [N] int64 -> [N] float64
    """
    given = probabilities.gather(1, targets[:, None])[:, 0]
    return -given.double().clamp_min(2.0**-149).log()


class LogLoss(Averaged):
    """The mean log loss of probabilities."""

    def __init__(self) -> None:
        super().__init__(log_losses)
