from __future__ import annotations

import math

import pytest
import torch
from sklearn.metrics import average_precision_score, roc_auc_score
from torchmetrics.functional.classification import multiclass_auroc, multiclass_average_precision

from saccade.metrics.ranking import average_precision, macro_mean, roc_auc

SCORES = [(roc_auc, roc_auc_score), (average_precision, average_precision_score)]


@pytest.mark.parametrize(("score", "reference"), SCORES)
def test_areas_agree_with_scikit_learn_class_by_class(score, reference, answers, valued) -> None:
    p, t = answers
    for k in range(p.shape[1]):
        members = t == k
        area = valued(score(p[:, k], members), len(t))
        if members.any() and not members.all():
            assert area == pytest.approx(reference(members.numpy(), p[:, k].numpy()), rel=1e-12)
        elif not members.any():
            assert math.isnan(area)


@pytest.mark.parametrize(
    ("score", "reference"),
    [(roc_auc, multiclass_auroc), (average_precision, multiclass_average_precision)],
)
def test_areas_agree_with_torchmetrics(score, reference, answers, quietly, valued) -> None:
    p, t = answers
    expected = quietly(reference, p, t, num_classes=p.shape[1], average=None)
    for k in t.unique().tolist():
        ours = valued(score(p[:, k], t == k), len(t))
        assert ours == pytest.approx(float(expected[k]), rel=1e-5, abs=1e-6, nan_ok=True)


@pytest.mark.parametrize(("score", "reference"), SCORES)
def test_weighted_areas_agree_with_scikit_learn(score, reference) -> None:
    generator = torch.Generator().manual_seed(0)
    scores = torch.randint(0, 8, (60,), generator=generator).double()
    positive = torch.rand(60, generator=generator) < 0.4
    weights = torch.randint(0, 4, (3, 60), generator=generator).double()
    for row, ours in zip(weights, score(scores, positive)(weights), strict=True):
        expected = reference(positive.numpy(), scores.numpy(), sample_weight=row.numpy())
        assert float(ours) == pytest.approx(expected, rel=1e-12)


def test_areas_by_hand(valued) -> None:
    scores, positive = torch.tensor([0.9, 0.8, 0.7, 0.6]), torch.tensor([True, False, True, False])
    assert valued(roc_auc(scores, positive), 4) == 0.75  # three of four pairs in order
    result = valued(average_precision(scores, positive), 4)
    assert result == pytest.approx(0.5 * 1 + 0.5 * 2 / 3)
    assert valued(roc_auc(torch.ones(4), positive), 4) == 0.5


@pytest.mark.parametrize(("score", "reference"), SCORES)
def test_the_mean_of_labels_leaves_out_those_without_an_image(
    score, reference, labels, valued
) -> None:
    p, t = labels
    expected = reference(t[:, :4].numpy(), p[:, :4].numpy(), average="macro")
    assert valued(macro_mean(score, p, t > 0), 150) == pytest.approx(expected)
    assert math.isnan(valued(macro_mean(score, p, torch.zeros(150, 5).bool()), 150))
