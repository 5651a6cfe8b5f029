"""Confident learning: which labels are probably wrong, and what share of them.

Northcutt, Jiang, Chuang 2021, "Confident Learning: Estimating Uncertainty in Dataset Labels",
JAIR 70: equations 1 to 3, and "rank and prune".  Probabilities [N,K] have to come from classifiers
that did not learn from the image; labels [N] are those given.  In every matrix [K,K] a row is a
given label, a column the likely true one.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from saccade.metrics.bootstrap import Resampling, percentile
from saccade.metrics.intervals import Interval

ROUNDING = 1e-9  # a mean of equal numbers may lie so much above them
REPLICATES = 200  # of the bootstrap
Rule = Callable[[Tensor, Tensor], Tensor]  # probabilities, labels -> [N] bool


def thresholds(probabilities: Tensor, labels: Tensor, weights: Tensor | None = None) -> Tensor:
    """Equation 2: t_j, the mean of p_j over the images labelled j; infinite without any.  [K]

    `weights` [N] say how often each image counts.
    """
    times = torch.ones_like(labels, dtype=torch.float64) if weights is None else weights
    given = F.one_hot(labels, probabilities.shape[1]) * times[:, None]
    count = given.sum(dim=0)
    mean = (given * probabilities).sum(dim=0) / count.clamp_min(1)
    return mean.masked_fill(count == 0, torch.inf)


def confident_classes(probabilities: Tensor, limits: Tensor) -> Tensor:
    """The most probable of the classes with p_j >= t_j, or -1 where there is none.  [N]"""
    confident = probabilities >= limits - ROUNDING
    best = probabilities.masked_fill(~confident, -1).argmax(dim=1)
    return best.masked_fill(~confident.any(dim=1), -1)


def confident_joint(probabilities: Tensor, labels: Tensor, weights: Tensor | None = None) -> Tensor:
    """Equation 1: C_ij, how many images labelled i are confidently of class j.  [K,K]

    At least one image of every class counts as labelled right.
    """
    k = probabilities.shape[1]
    found = confident_classes(probabilities, thresholds(probabilities, labels, weights))
    sure = found >= 0
    times = None if weights is None else weights[sure]
    cells = labels[sure] * k + found[sure]
    counts = torch.bincount(cells, times, minlength=k * k).double().view(k, k)
    counts.diagonal().clamp_(min=1)
    return counts


def estimate_joint(confident: Tensor, sizes: Tensor) -> Tensor:
    """Equation 3: the joint distribution of given and true labels, rows as the class sizes.

    [K,K], [K] -> [K,K], together 1
    """
    rows = confident / confident.sum(dim=1, keepdim=True) * sizes[:, None]
    return rows / rows.sum()


def noise_matrix(shares: Tensor) -> Tensor:
    """The probability of a given label where the true one is known: columns add up to 1.  [K,K]"""
    return shares / shares.sum(dim=0).clamp_min(1e-12)


def label_error_rate(shares: Tensor) -> float:
    """What of the joint distribution lies off its diagonal."""
    return float(1 - shares.trace())


def label_error_rate_interval(
    probabilities: Tensor, labels: Tensor, groups: Tensor | None = None, seed: int = 0
) -> Interval | None:
    """How far that share moves when the images are drawn again, class by class."""

    def share(weights: Tensor) -> Tensor:
        return torch.tensor([_label_error_rate_of(probabilities, labels, row) for row in weights])

    return percentile(share, Resampling(len(labels), labels, groups, seed, REPLICATES))


def calibrated_counts(probabilities: Tensor, labels: Tensor) -> Tensor:
    """N Q in whole images, each row the size of its class: the largest remainders go up.  [K,K]

    Where no image would be left in a class, one that is wrong counts as right.
    """
    sizes = torch.bincount(labels, minlength=probabilities.shape[1])
    exact = estimate_joint(confident_joint(probabilities, labels), sizes.double()) * len(labels)
    whole = (exact + ROUNDING).floor().long()
    order = (exact - whole).argsort(dim=1, descending=True, stable=True)
    for i, left in enumerate((sizes - whole.sum(dim=1)).tolist()):
        whole[i, order[i, :left]] += 1
        if sizes[i] and not whole[i, i]:
            whole[i, whole[i].argmax()] -= 1
            whole[i, i] = 1
    return whole


def prune_by_noise_rate(probabilities: Tensor, labels: Tensor) -> Tensor:
    """Prune by noise rate: of label i, for each class j, the N Q_ij of the largest p_j - p_i.  [N]

    An image whose most probable class is the given one is no suspect.
    """
    counts = calibrated_counts(probabilities, labels)
    suspect = torch.zeros_like(labels, dtype=torch.bool)
    for i, row in enumerate(counts.tolist()):
        members = (labels == i).nonzero().flatten()
        lead = probabilities[members] - probabilities[members, i : i + 1]
        for j, count in enumerate(row):
            if j != i:
                suspect[members[lead[:, j].argsort(descending=True, stable=True)[:count]]] = True
    return suspect & (normalized_margins(probabilities, labels) < 0)


def prune_by_class(probabilities: Tensor, labels: Tensor) -> Tensor:
    """Prune by class: of label i, as many as are wrong in all, the lowest p_i first.  [N]

    An image whose most probable class is the given one is no suspect.
    """
    counts = calibrated_counts(probabilities, labels)
    suspect = torch.zeros_like(labels, dtype=torch.bool)
    for i, wrong in enumerate((counts.sum(dim=1) - counts.diagonal()).tolist()):
        members = (labels == i).nonzero().flatten()
        suspect[members[probabilities[members, i].argsort(stable=True)[:wrong]]] = True
    return suspect & (normalized_margins(probabilities, labels) < 0)


def prune_by_both(probabilities: Tensor, labels: Tensor) -> Tensor:
    """What both rules name."""
    return prune_by_noise_rate(probabilities, labels) & prune_by_class(probabilities, labels)


RULES: dict[str, Rule] = {
    "noise_rate": prune_by_noise_rate,
    "class": prune_by_class,
    "both": prune_by_both,
}


def normalized_margins(probabilities: Tensor, labels: Tensor) -> Tensor:
    """The normalised margin: p of the given label less the highest other p; low is bad.  [N]"""
    own = F.one_hot(labels, probabilities.shape[1]).bool()
    return probabilities[own] - probabilities.masked_fill(own, -1).amax(dim=1)


def _label_error_rate_of(probabilities: Tensor, labels: Tensor, weights: Tensor) -> float:
    sizes = torch.bincount(labels, weights, minlength=probabilities.shape[1])
    return label_error_rate(estimate_joint(confident_joint(probabilities, labels, weights), sizes))
