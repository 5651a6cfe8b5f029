"""Confident learning: label issues, and the label error rate.

Northcutt, Jiang, Chuang 2021, "Confident Learning: Estimating Uncertainty in Dataset Labels",
JAIR 70: equations 1 to 3, and "rank and prune".  Probabilities [N,K] have to be out-of-sample, from
classifiers that were not trained on the image; labels [N] int64 are those given.  In every matrix
[K,K] a row is a given label, a column the likely true one.
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
    """Equation 2: t_j, the mean of p_j over the images labelled j; infinite without any.  -> [K]

    `weights` [N] say how often each image counts.
    """
    counts = torch.ones_like(labels, dtype=torch.float64) if weights is None else weights
    one_hot = F.one_hot(labels, probabilities.shape[1]) * counts[:, None]
    count = one_hot.sum(dim=0)
    mean = (one_hot * probabilities).sum(dim=0) / count.clamp_min(1)
    return mean.masked_fill(count == 0, torch.inf)


def confident_classes(probabilities: Tensor, limits: Tensor) -> Tensor:
    """The most probable of the classes with p_j >= t_j, or -1 where there is none.

    probabilities [N,K], limits [K] -> [N] int64
    """
    confident = probabilities >= limits - ROUNDING
    best = probabilities.masked_fill(~confident, -1).argmax(dim=1)
    return best.masked_fill(~confident.any(dim=1), -1)


def confident_joint(probabilities: Tensor, labels: Tensor, weights: Tensor | None = None) -> Tensor:
    """Equation 1: C_ij, how many images labelled i are confidently of class j.  -> [K,K] float64

    `weights` [N] say how often each image counts.  The diagonal is at least 1.
    """
    k = probabilities.shape[1]
    classes = confident_classes(probabilities, thresholds(probabilities, labels, weights))
    confident = classes >= 0
    counted = None if weights is None else weights[confident]
    pairs = labels[confident] * k + classes[confident]
    counts = torch.bincount(pairs, counted, minlength=k * k).double().view(k, k)
    counts.diagonal().clamp_(min=1)
    return counts


def estimate_joint(confident: Tensor, sizes: Tensor) -> Tensor:
    """Equation 3: the joint distribution of given and true labels, rows in proportion to the sizes.

    confident joint [K,K], class sizes [K] -> [K,K], which sums to 1
    """
    rows = confident / confident.sum(dim=1, keepdim=True) * sizes[:, None]
    return rows / rows.sum()


def noise_matrix(joint: Tensor) -> Tensor:
    """p(given label | true label), of the joint distribution [K,K]: columns sum to 1.  -> [K,K]"""
    return joint / joint.sum(dim=0).clamp_min(1e-12)


def label_error_rate(joint: Tensor) -> float:
    """The off-diagonal share of the joint distribution [K,K]."""
    return float(1 - joint.trace())


def label_error_rate_interval(
    probabilities: Tensor, labels: Tensor, groups: Tensor | None = None, seed: int = 0
) -> Interval | None:
    """The bootstrap interval of the label error rate, images resampled within their classes.

    probabilities [N,K], labels [N], groups [N]
    """

    def error_rate(weights: Tensor) -> Tensor:
        return torch.tensor([_label_error_rate_of(probabilities, labels, row) for row in weights])

    return percentile(error_rate, Resampling(len(labels), labels, groups, seed, REPLICATES))


def calibrated_counts(probabilities: Tensor, labels: Tensor) -> Tensor:
    """N Q in whole images, each row summing to its class's size, by largest remainders.

    probabilities [N,K], labels [N] -> [K,K] int64.  The diagonal is at least 1 in every class.
    """
    sizes = torch.bincount(labels, minlength=probabilities.shape[1])
    exact = estimate_joint(confident_joint(probabilities, labels), sizes.double()) * len(labels)
    counts = (exact + ROUNDING).floor().long()
    order = (exact - counts).argsort(dim=1, descending=True, stable=True)
    for i, remainder in enumerate((sizes - counts.sum(dim=1)).tolist()):
        counts[i, order[i, :remainder]] += 1
        if sizes[i] and not counts[i, i]:
            counts[i, counts[i].argmax()] -= 1
            counts[i, i] = 1
    return counts


def prune_by_noise_rate(probabilities: Tensor, labels: Tensor) -> Tensor:
    """Prune by noise rate: of label i, for each class j, the N Q_ij of the largest p_j - p_i.

    probabilities [N,K], labels [N] -> [N] bool.  Where the most probable class is the given one
    there is no issue.
    """
    counts = calibrated_counts(probabilities, labels)
    issues = torch.zeros_like(labels, dtype=torch.bool)
    for i, row in enumerate(counts.tolist()):
        members = (labels == i).nonzero().flatten()
        margin = probabilities[members] - probabilities[members, i : i + 1]
        for j, count in enumerate(row):
            if j != i:
                issues[members[margin[:, j].argsort(descending=True, stable=True)[:count]]] = True
    return issues & (normalized_margins(probabilities, labels) < 0)


def prune_by_class(probabilities: Tensor, labels: Tensor) -> Tensor:
    """Prune by class: of label i, as many as are wrong in all, the lowest p_i first.

    probabilities [N,K], labels [N] -> [N] bool.  Where the most probable class is the given one
    there is no issue.
    """
    counts = calibrated_counts(probabilities, labels)
    issues = torch.zeros_like(labels, dtype=torch.bool)
    for i, wrong in enumerate((counts.sum(dim=1) - counts.diagonal()).tolist()):
        members = (labels == i).nonzero().flatten()
        issues[members[probabilities[members, i].argsort(stable=True)[:wrong]]] = True
    return issues & (normalized_margins(probabilities, labels) < 0)


def prune_by_both(probabilities: Tensor, labels: Tensor) -> Tensor:
    """The label issues of both rules.  probabilities [N,K], labels [N] -> [N] bool"""
    return prune_by_noise_rate(probabilities, labels) & prune_by_class(probabilities, labels)


RULES: dict[str, Rule] = {
    "noise_rate": prune_by_noise_rate,
    "class": prune_by_class,
    "both": prune_by_both,
}


def normalized_margins(probabilities: Tensor, labels: Tensor) -> Tensor:
    """The normalised margin: p of the given label less the highest other p.

    probabilities [N,K], labels [N] -> [N]; the lowest are the likeliest issues.
    """
    given = F.one_hot(labels, probabilities.shape[1]).bool()
    return probabilities[given] - probabilities.masked_fill(given, -1).amax(dim=1)


def _label_error_rate_of(probabilities: Tensor, labels: Tensor, weights: Tensor) -> float:
    sizes = torch.bincount(labels, weights, minlength=probabilities.shape[1])
    return label_error_rate(estimate_joint(confident_joint(probabilities, labels, weights), sizes))
