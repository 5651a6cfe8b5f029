"""Logistic and Poisson regression, the penalty of each chosen by cross-validation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from saccade.probes.head import Head, PrincipalFeatures, stratified_folds

PENALTIES = tuple(10.0**k for k in range(2, -6, -1))  # strong ones first
PATIENCE = 1  # weaker penalties tried after the best one so far
STEPS = 500  # of L-BFGS at most
PRECISION = 1e-6  # of the gradient


Losses = Callable[[Tensor, Tensor], Tensor]  # outputs [M,K], targets [M] or [M,K] -> [M]


def logistic(
    features: Tensor, targets: Tensor, *, seed: int = 0, penalties: Sequence[float] = PENALTIES
) -> Head:
    """The layer of least log loss plus penalty / 2 times the square of its weights.

    features [N,V,D]: V views of each image, held out together, the plain one first; they are
    divided by one number, so that their mean square is 1.
    targets [N] int64 classes, or [N,K] labels of 0 and 1, each with a sigmoid of its own.
    """
    row, words, logits = _fitted("logistic", _log_losses, features, targets, seed, penalties)
    return Head(row, words, logits.softmax(dim=1) if targets.dim() == 1 else logits.sigmoid())


def poisson(
    features: Tensor, targets: Tensor, *, seed: int = 0, penalties: Sequence[float] = PENALTIES
) -> Head:
    """The layer of logarithms of rates with the least deviance of Poisson plus penalty.

    features as for `logistic`; targets [N,K] counts over their mean.  McCullagh & Nelder 1989,
    "Generalized linear models", Section 6.2.
    """
    row, words, said = _fitted("Poisson", _half_deviances, features, targets, seed, penalties)
    return Head(row, words, said.exp())


def _fitted(
    name: str,
    losses: Losses,
    features: Tensor,
    targets: Tensor,
    seed: int,
    penalties: Sequence[float],
) -> tuple[nn.Linear, str, Tensor]:
    """The layer of the least loss plus penalty, what was chosen, and its held-out outputs [N,K]."""
    images, views, _ = features.shape
    rotated = PrincipalFeatures.of(features.flatten(0, 1))
    z = torch.cat([rotated.z, torch.ones_like(rotated.z[:, :1])], dim=1)
    portion = stratified_folds(targets, seed)
    count = int(portion.max()) + 1
    taking_part = torch.stack([*(portion != k for k in range(count)), portion >= 0])  # [F+1,N]
    repeated = targets.repeat_interleave(views, 0), taking_part.repeat_interleave(views, 1)
    fits, plain = _Fits(z, *repeated, losses), torch.arange(images) * views
    penalty, chosen, said = _best(fits, z[plain], targets, portion, penalties)
    words = f"{name}, penalty {penalty:.2g} by {count}-fold cross-validation"
    return rotated.linear(chosen[-1, :-1], chosen[-1, -1]), words, said


def cross_validate(
    features: Tensor, targets: Tensor, portion: Tensor, penalties: Sequence[float] = PENALTIES
) -> tuple[float, Tensor]:
    """The best penalty, and what a layer says of each image that was fitted without its portion.

    features [N,D], targets [N] or [N,K], portion [N] int64 -> logits [N,K] float64
    """
    rotated = PrincipalFeatures.of(features)
    z = torch.cat([rotated.z, torch.ones_like(rotated.z[:, :1])], dim=1)
    taking_part = torch.stack([portion != k for k in range(int(portion.max()) + 1)])
    fits = _Fits(z, targets, taking_part, _log_losses)
    penalty, _, said = _best(fits, z, targets, portion, penalties)
    return penalty, said


def _best(
    fits: _Fits, plain: Tensor, targets: Tensor, portion: Tensor, penalties: Sequence[float]
) -> tuple[float, Tensor, Tensor]:
    """The penalty of the least loss on what is left out, its weights, and what they say of that."""
    found: list[tuple[float, float, Tensor, Tensor]] = []
    best = 0
    for penalty in penalties:
        weights = fits.down(penalty)
        said = torch.matmul(plain, weights)[portion, torch.arange(len(plain))]
        loss = float(fits.losses(said, targets).mean())
        found.append((loss, penalty, weights, said))
        best = min(range(len(found)), key=lambda k: found[k][0])
        if len(found) - best > PATIENCE + 1:
            break
    return found[best][1:]


@dataclass
class _Fits:
    """Several fits of the same images, each without some, along a path of penalties.

    They go down together, each on from where the penalty before left it.
    """

    z: Tensor  # [M,R+1] float64, the last column 1
    targets: Tensor  # [M] or [M,K]
    taking_part: Tensor  # [F,M]
    losses: Losses

    def __post_init__(self) -> None:
        classes = self.targets.dim() == 1
        outputs = int(self.targets.max()) + 1 if classes else self.targets.shape[1]
        self.shares = self.taking_part / self.taking_part.sum(dim=1, keepdim=True)
        self.weights = self.z.new_zeros(len(self.shares), self.z.shape[1], outputs)

    def down(self, penalty: float) -> Tensor:
        """[F,R+1,K], the bias last

        The directions are nearly those of the curvature: each is measured in the unit in which its
        curvature is about 1, and a few dozen steps do.
        """
        unit = (self.z.square().mean(dim=0) / 4 + penalty).rsqrt()[:, None]
        scaled = self.z * unit.T
        moved = (self.weights / unit).requires_grad_()
        optimizer = torch.optim.LBFGS(
            [moved],
            max_iter=STEPS,
            tolerance_grad=PRECISION,
            tolerance_change=PRECISION**2,
            line_search_fn="strong_wolfe",
        )

        def closure() -> Tensor:
            optimizer.zero_grad()
            said = scaled @ moved.transpose(0, 1).flatten(1)  # all fits in one product
            said = said.unflatten(1, (len(moved), -1)).unbind(1)
            losses = torch.stack([self.losses(fit, self.targets) for fit in said])
            penalised = penalty / 2 * (moved * unit)[:, :-1].square().sum()
            total = (losses * self.shares).sum() + penalised
            total.backward()
            return total

        with torch.enable_grad():
            optimizer.step(closure)
        self.weights = (moved * unit).detach()
        return self.weights


def _log_losses(logits: Tensor, targets: Tensor) -> Tensor:
    """[M,K], [M] or [M,K] -> [M]"""
    if targets.dim() == 1:
        return F.cross_entropy(logits, targets, reduction="none")
    losses = F.binary_cross_entropy_with_logits(logits, targets.double(), reduction="none")
    return losses.mean(dim=1)


def _half_deviances(logarithms: Tensor, targets: Tensor) -> Tensor:
    """Less what no output changes.  [M,K], [M,K] -> [M]"""
    return (logarithms.exp() - targets * logarithms).mean(dim=1)
