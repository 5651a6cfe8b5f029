"""Logistic and Poisson regression with an L2 penalty chosen by cross-validation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from saccade.probes.head import Head, PrincipalFeatures, stratified_folds

PENALTIES = tuple(10.0**k for k in range(2, -6, -1))  # the strongest first
PATIENCE = 1  # weaker penalties tried after the best one so far
MAX_ITERATIONS = 500  # of L-BFGS at most
TOLERANCE = 1e-6  # of the gradient

Losses = Callable[[Tensor, Tensor], Tensor]  # outputs [M,K], targets [M] or [M,K] -> [M]


def logistic(
    features: Tensor, targets: Tensor, *, seed: int = 0, penalties: Sequence[float] = PENALTIES
) -> Head:
    """The layer of least log loss plus penalty / 2 times the squared L2 norm of its weights.

    features [N,V,D]: V copies of each image, held out together, the plain one first; they are
    centred and divided by one number, so that their mean square is 1.
    targets [N] int64 classes, or [N,K] labels of 0 and 1, each with a sigmoid of its own.
    """
    row, description, logits = _fit("logistic", _log_losses, features, targets, seed, penalties)
    return Head(row, description, logits.softmax(dim=1) if targets.dim() == 1 else logits.sigmoid())


def poisson(
    features: Tensor, targets: Tensor, *, seed: int = 0, penalties: Sequence[float] = PENALTIES
) -> Head:
    """The layer of log rates with the least Poisson deviance plus penalty.

    features as for `logistic`; targets [N,K] counts over their mean.  McCullagh & Nelder 1989,
    "Generalized linear models", Section 6.2.
    """
    row, description, log_rates = _fit(
        "Poisson", _half_deviances, features, targets, seed, penalties
    )
    return Head(row, description, log_rates.exp())


def _fit(
    name: str,
    losses: Losses,
    features: Tensor,
    targets: Tensor,
    seed: int,
    penalties: Sequence[float],
) -> tuple[nn.Linear, str, Tensor]:
    """The layer of least loss plus penalty, its description, and its held-out outputs [N,K].

    features [N,V,D], targets [N] or [N,K]
    """
    images, copies, _ = features.shape
    principal = PrincipalFeatures.of(features.flatten(0, 1))
    z = torch.cat([principal.z, torch.ones_like(principal.z[:, :1])], dim=1)
    folds = stratified_folds(targets, seed)
    count = int(folds.max()) + 1
    training_mask = torch.stack([*(folds != k for k in range(count)), folds >= 0])  # [F+1,N]
    repeated = targets.repeat_interleave(copies, 0), training_mask.repeat_interleave(copies, 1)
    fits, plain = _FoldFits(z, *repeated, losses), torch.arange(images) * copies
    penalty, weights, outputs = _select_penalty(fits, z[plain], targets, folds, penalties)
    description = f"{name}, penalty {penalty:.2g} by {count}-fold cross-validation"
    return principal.linear(weights[-1, :-1], weights[-1, -1]), description, outputs


def cross_validate(
    features: Tensor, targets: Tensor, folds: Tensor, penalties: Sequence[float] = PENALTIES
) -> tuple[float, Tensor]:
    """The best penalty of logistic regression, and its out-of-fold logits.

    features [N,D], targets [N] or [N,K], folds [N] int64 -> logits [N,K] float64
    """
    principal = PrincipalFeatures.of(features)
    z = torch.cat([principal.z, torch.ones_like(principal.z[:, :1])], dim=1)
    training_mask = torch.stack([folds != k for k in range(int(folds.max()) + 1)])
    fits = _FoldFits(z, targets, training_mask, _log_losses)
    penalty, _, logits = _select_penalty(fits, z, targets, folds, penalties)
    return penalty, logits


def _select_penalty(
    fits: _FoldFits, z: Tensor, targets: Tensor, folds: Tensor, penalties: Sequence[float]
) -> tuple[float, Tensor, Tensor]:
    """The penalty of least held-out loss, its weights, and its held-out outputs.

    z [N,R+1], targets [N] or [N,K], folds [N] -> weights [F,R+1,K], outputs [N,K]
    """
    candidates: list[tuple[float, float, Tensor, Tensor]] = []
    best = 0
    for penalty in penalties:
        weights = fits.minimise(penalty)
        outputs = torch.matmul(z, weights)[folds, torch.arange(len(z))]
        loss = float(fits.losses(outputs, targets).mean())
        candidates.append((loss, penalty, weights, outputs))
        best = min(range(len(candidates)), key=lambda k: candidates[k][0])
        if len(candidates) - best > PATIENCE + 1:
            break
    return candidates[best][1:]


@dataclass
class _FoldFits:
    """Fits of all F folds along a path of penalties, each without the images of its fold.

    They are minimised together, from a warm start at the weights of the penalty before.
    """

    z: Tensor  # [M,R+1] float64, the last column 1
    targets: Tensor  # [M] or [M,K]
    training_mask: Tensor  # [F,M] bool
    losses: Losses

    def __post_init__(self) -> None:
        classes = self.targets.dim() == 1
        outputs = int(self.targets.max()) + 1 if classes else self.targets.shape[1]
        self.sample_weights = self.training_mask / self.training_mask.sum(dim=1, keepdim=True)
        self.weights = self.z.new_zeros(len(self.sample_weights), self.z.shape[1], outputs)

    def minimise(self, penalty: float) -> Tensor:
        """The weights of least loss by L-BFGS.  -> [F,R+1,K], the bias last

        In z's basis the Hessian is nearly diagonal: scaled to a curvature of about 1 in each
        direction, it takes a few dozen steps.
        """
        preconditioner = (self.z.square().mean(dim=0) / 4 + penalty).rsqrt()[:, None]
        scaled = self.z * preconditioner.T
        parameters = (self.weights / preconditioner).requires_grad_()
        optimizer = torch.optim.LBFGS(
            [parameters],
            max_iter=MAX_ITERATIONS,
            tolerance_grad=TOLERANCE,
            tolerance_change=TOLERANCE**2,
            line_search_fn="strong_wolfe",
        )

        def closure() -> Tensor:
            optimizer.zero_grad()
            outputs = scaled @ parameters.transpose(0, 1).flatten(1)  # all fits in one product
            outputs = outputs.unflatten(1, (len(parameters), -1)).unbind(1)
            losses = torch.stack([self.losses(fit, self.targets) for fit in outputs])
            penalised = penalty / 2 * (parameters * preconditioner)[:, :-1].square().sum()
            total = (losses * self.sample_weights).sum() + penalised
            total.backward()
            return total

        with torch.enable_grad():
            optimizer.step(closure)
        self.weights = (parameters * preconditioner).detach()
        return self.weights


def _log_losses(logits: Tensor, targets: Tensor) -> Tensor:
    """Cross-entropy of classes, or mean binary cross-entropy of labels.

    logits [M,K], targets [M] or [M,K] -> [M]
    """
    if targets.dim() == 1:
        return F.cross_entropy(logits, targets, reduction="none")
    losses = F.binary_cross_entropy_with_logits(logits, targets.double(), reduction="none")
    return losses.mean(dim=1)


def _half_deviances(log_rates: Tensor, targets: Tensor) -> Tensor:
    """Half the Poisson deviance, without the terms of targets alone.  [M,K], [M,K] -> [M]"""
    return (log_rates.exp() - targets * log_rates).mean(dim=1)
