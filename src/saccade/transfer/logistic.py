"""logistic: logistic regression, its penalty chosen by cross-validation."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from saccade.transfer.folds import folds
from saccade.transfer.head import Head, Rotated, held_out_score

PENALTIES = tuple(10.0**k for k in range(2, -6, -1))  # strong ones first
PATIENCE = 1  # weaker penalties tried after the best one so far
STEPS = 500  # of L-BFGS at most

Loss = Callable[[Tensor, Tensor], Tensor]  # of logits and targets, a mean


def logistic(
    features: Tensor, targets: Tensor, *, seed: int = 0, penalties: Sequence[float] = PENALTIES
) -> Head:
    """The layer of least log loss plus penalty / 2 times the square of its weights.

    features [N,V,D]: V views of each picture, held out together, the plain one first; they are
    divided by one number, so that their mean square is 1.
    targets [N] int64 classes, or [N,K] labels of 0 and 1, each with a sigmoid of its own.
    """
    loss = F.cross_entropy if targets.dim() == 1 else F.binary_cross_entropy_with_logits
    wanted = targets if targets.dim() == 1 else targets.double()
    outputs = int(targets.max()) + 1 if targets.dim() == 1 else targets.shape[1]
    rotated = Rotated.of(features.flatten(0, 1))
    z = torch.cat([rotated.z, torch.ones_like(rotated.z[:, :1])], dim=1)
    z = z.view(*features.shape[:2], -1)  # [N,V,R+1]
    start = z.new_zeros(z.shape[2], outputs)
    portion = folds(targets, seed)
    rest = [_Fit(z[portion != k], wanted[portion != k], loss, start) for k in portion.unique()]
    penalty, logits = _chosen(rest, z[:, 0], portion, wanted, penalties)
    weights = _Fit(z, wanted, loss, start).down(penalty, 1e-7)
    words = f"logistic, penalty {penalty:.2g} by {len(rest)}-fold cross-validation"
    answers = logits if targets.dim() == 1 else logits.sigmoid()
    return Head(rotated.linear(weights[:-1], weights[-1]), words, held_out_score(answers, targets))


def _chosen(
    fits: Sequence[_Fit],
    plain: Tensor,
    portion: Tensor,
    targets: Tensor,
    penalties: Sequence[float],
) -> tuple[float, Tensor]:
    """The penalty of least loss on pictures held out, and the logits of these.  [N,K]"""
    found: list[tuple[float, float, Tensor]] = []
    best = 0
    for penalty in penalties:
        logits = _held_out(fits, plain, portion, penalty)
        found.append((float(fits[0].loss(logits, targets)), penalty, logits))
        best = min(range(len(found)), key=lambda k: found[k][0])
        if len(found) - best > PATIENCE + 1:
            break
    return found[best][1:]


class _Fit:
    """One fit along a path of penalties; each goes on from the one before."""

    def __init__(self, z: Tensor, targets: Tensor, loss: Loss, start: Tensor):
        self.z = z.flatten(0, 1)
        self.targets = targets.repeat_interleave(z.shape[1], dim=0)
        self.loss = loss
        self.weights = start

    def down(self, penalty: float, precision: float = 1e-5) -> Tensor:
        """[R+1,K], the bias last

        The directions are nearly those of the curvature: each is measured in the unit in which its
        curvature is about 1, and a few dozen steps do.
        """
        curvature = self.z.square().mean(dim=0) / 4 + penalty
        unit = curvature.rsqrt()[:, None]
        scaled = self.z * unit.T
        moved = (self.weights / unit).requires_grad_()
        optimizer = torch.optim.LBFGS(
            [moved],
            max_iter=STEPS,
            tolerance_grad=precision,
            tolerance_change=precision**2,
            line_search_fn="strong_wolfe",
        )

        def closure() -> Tensor:
            optimizer.zero_grad()
            penalised = penalty / 2 * (moved * unit)[:-1].square().sum()
            total = self.loss(scaled @ moved, self.targets) + penalised
            total.backward()
            return total

        with torch.enable_grad():
            optimizer.step(closure)
        self.weights = (moved * unit).detach()
        return self.weights


def _held_out(fits: Sequence[_Fit], plain: Tensor, portion: Tensor, penalty: float) -> Tensor:
    """The logits of each picture by the fit that has not seen it.  [N,K]"""
    logits = plain.new_empty(len(plain), fits[0].weights.shape[1])
    for k, fit in enumerate(fits):
        logits[portion == k] = plain[portion == k] @ fit.down(penalty)
    return logits
