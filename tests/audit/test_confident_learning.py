"""Confident learning: a case worked by hand, and cleanlab on random ones."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from saccade.audit.confident_learning import (
    RULES,
    calibrated_counts,
    confident_classes,
    confident_joint,
    estimate_joint,
    label_error_rate,
    label_error_rate_interval,
    noise_matrix,
    normalized_margins,
    prune_by_class,
    prune_by_noise_rate,
    thresholds,
)

THEIRS = {"noise_rate": "prune_by_noise_rate", "class": "prune_by_class", "both": "both"}

# Three classes, ten images; the label of image 3 should be 1, that of image 9 should be 0.
LABELS = torch.tensor([0, 0, 0, 0, 1, 1, 1, 2, 2, 2])
# fmt: off
BY_HAND = torch.tensor([
    [0.9, 0.1, 0.0],
    [0.8, 0.1, 0.1],
    [0.6, 0.2, 0.2],
    [0.1, 0.9, 0.0],  # t_0 = (0.9 + 0.8 + 0.6 + 0.1) / 4 = 0.6
    [0.1, 0.8, 0.1],
    [0.2, 0.7, 0.1],
    [0.4, 0.3, 0.3],  # t_1 = (0.8 + 0.7 + 0.3) / 3 = 0.6; no class reaches its threshold here
    [0.0, 0.1, 0.9],
    [0.1, 0.2, 0.7],
    [0.7, 0.1, 0.2],  # t_2 = (0.9 + 0.7 + 0.2) / 3 = 0.6
], dtype=torch.float64)
# fmt: on


def test_thresholds_are_the_mean_confidence_of_each_class() -> None:
    assert thresholds(BY_HAND, LABELS).tolist() == pytest.approx([0.6, 0.6, 0.6])


def test_an_image_that_is_confidently_of_no_class_is_not_counted() -> None:
    classes = confident_classes(BY_HAND, thresholds(BY_HAND, LABELS))
    assert classes.tolist() == [0, 0, 0, 1, 1, 1, -1, 2, 2, 0]
    counted = confident_joint(BY_HAND, LABELS)
    assert counted.tolist() == [[3, 1, 0], [0, 2, 0], [1, 0, 2]]


def test_the_joint_keeps_the_class_sizes_and_its_rest_is_the_share_of_wrong_labels() -> None:
    shares = estimate_joint(confident_joint(BY_HAND, LABELS), torch.tensor([4.0, 3.0, 3.0]))
    expected = [[0.3, 0.1, 0.0], [0.0, 0.3, 0.0], [0.1, 0.0, 0.2]]
    assert torch.allclose(shares, torch.tensor(expected, dtype=torch.float64))
    assert label_error_rate(shares) == pytest.approx(0.2)
    assert noise_matrix(shares)[:, 0].tolist() == pytest.approx([0.75, 0.0, 0.25])


def test_the_two_wrong_labels_are_the_suspects_of_every_rule() -> None:
    for rule in RULES.values():
        assert rule(BY_HAND, LABELS).nonzero().flatten().tolist() == [3, 9]
    assert normalized_margins(BY_HAND, LABELS)[[3, 9]].tolist() == pytest.approx([-0.8, -0.5])


def test_the_most_probable_of_the_confident_classes_counts_even_where_another_is_higher() -> None:
    limits = torch.tensor([0.6, 0.2, 0.2])
    assert confident_classes(torch.tensor([[0.45, 0.3, 0.25]]), limits).tolist() == [1]


def test_a_class_is_never_emptied() -> None:
    labels = torch.tensor([0, 0, 0, 0, 1, 1, 1, 1])
    right = torch.tensor([[0.9, 0.1]] * 4, dtype=torch.float64)
    wrong = torch.tensor([[0.8, 0.2], [0.85, 0.15], [0.95, 0.05], [0.99, 0.01]]).double()
    probabilities = torch.cat([right, wrong])
    assert prune_by_class(probabilities, labels).sum() <= 3
    assert prune_by_noise_rate(probabilities, labels).sum() <= 3


def test_the_interval_holds_the_share_and_draws_the_same_images_again() -> None:
    probabilities, labels = noisy(300, 3, seed=1)
    shares = estimate_joint(confident_joint(probabilities, labels), labels.bincount().double())
    interval = label_error_rate_interval(probabilities, labels)
    assert interval is not None
    assert interval.low < label_error_rate(shares) < interval.high
    assert interval == label_error_rate_interval(probabilities, labels)


@pytest.mark.parametrize(("classes", "seed"), [(2, 0), (2, 1), (3, 2), (5, 3), (10, 4)])
def test_all_is_as_cleanlab_has_it(classes: int, seed: int) -> None:
    count = pytest.importorskip("cleanlab.count")
    filters = pytest.importorskip("cleanlab.filter")
    rank = pytest.importorskip("cleanlab.rank")
    probabilities, labels = undisputed(*noisy(500, classes, seed))
    p, y = probabilities.numpy(), labels.numpy()
    mine = confident_joint(probabilities, labels)
    assert np.array_equal(mine, count.compute_confident_joint(y, p, calibrate=False))
    shares = estimate_joint(mine, labels.bincount(minlength=classes).double())
    theirs = count.estimate_joint(y, p, confident_joint=mine.numpy())
    counts = calibrated_counts(probabilities, labels)  # of equal remainders, either may go up
    assert np.abs(counts.numpy() - theirs * len(y)).max() <= 1 + 1e-9
    assert np.array_equal(counts.sum(dim=1), labels.bincount(minlength=classes))
    assert np.allclose(shares, theirs, atol=1 / len(y))
    _, noise, _ = count.estimate_latent(theirs * len(y), y)
    assert np.allclose(noise_matrix(torch.from_numpy(theirs)), noise, atol=1e-9)
    for name, filter_by in THEIRS.items():
        found = filters.find_label_issues(
            y, p, filter_by=filter_by, confident_joint=counts.numpy(), n_jobs=1
        )
        assert 0 < found.sum() < len(y)
        assert np.array_equal(RULES[name](probabilities, labels), found), name
    quality = rank.get_normalized_margin_for_each_label(y, p)
    assert np.allclose((normalized_margins(probabilities, labels) + 1) / 2, quality)


def noisy(count: int, classes: int, seed: int) -> tuple[Tensor, Tensor]:
    """Softmax of noisy scores of the true classes, and labels of which a fifth are drawn anew."""
    generator = torch.Generator().manual_seed(seed)
    true = torch.randint(classes, (count,), generator=generator)
    scores = torch.randn(count, classes, generator=generator, dtype=torch.float64)
    scores[torch.arange(count), true] += 2.5
    anew = torch.rand(count, generator=generator) < 0.2
    labels = true.where(~anew, torch.randint(classes, (count,), generator=generator))
    return scores.softmax(dim=1), labels


def undisputed(probabilities: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Without images with several confident classes of which none is the most probable.

    There cleanlab takes the most probable class of all, the paper that of the confident ones.
    """
    while True:
        confident = probabilities >= thresholds(probabilities, labels)
        best = probabilities.argmax(dim=1, keepdim=True)
        odd = (confident.sum(dim=1) > 1) & ~confident.gather(1, best).squeeze(1)
        if not odd.any():
            return probabilities, labels
        probabilities, labels = probabilities[~odd], labels[~odd]
