from __future__ import annotations

import math

import pytest
import torch
from sklearn.metrics import average_precision_score, roc_auc_score
from torchmetrics.functional.classification import multiclass_auroc, multiclass_average_precision

from saccade.metrics.metric import Remembered
from saccade.metrics.ranking import (
    average_precision,
    average_precisions,
    mean_average_precision,
    roc_area,
    roc_areas,
)

REFERENCES = [(roc_areas, roc_auc_score), (average_precisions, average_precision_score)]


@pytest.mark.parametrize(("score", "reference"), REFERENCES)
def test_areas_agree_with_scikit_learn_class_by_class(score, reference, answers, measured) -> None:
    areas = measured(Remembered(score), *answers)
    for k, area in enumerate(areas.tolist()):
        members = (answers[1] == k).numpy()
        if members.any() and not members.all():
            assert area == pytest.approx(reference(members, answers[0][:, k].numpy()), rel=1e-12)
        elif not members.any():
            assert math.isnan(area)


@pytest.mark.parametrize(
    ("score", "reference"),
    [(roc_areas, multiclass_auroc), (average_precisions, multiclass_average_precision)],
)
def test_areas_agree_with_torchmetrics(score, reference, answers, quietly) -> None:
    p, t = answers
    theirs = quietly(reference, p, t, num_classes=p.shape[1], average=None)
    there = torch.bincount(t, minlength=p.shape[1]) > 0
    torch.testing.assert_close(
        score(p, t)[there], theirs[there].double(), rtol=1e-5, atol=1e-6, equal_nan=True
    )


@pytest.mark.parametrize(
    ("score", "reference"),
    [(roc_area, roc_auc_score), (average_precision, average_precision_score)],
)
def test_weighted_areas_agree_with_scikit_learn(score, reference) -> None:
    generator = torch.Generator().manual_seed(0)
    scores = torch.randint(0, 8, (60,), generator=generator).double()
    positive = torch.rand(60, generator=generator) < 0.4
    weights = torch.randint(0, 4, (3, 60), generator=generator).double()
    for row, ours in zip(weights, score(scores, positive)(weights), strict=True):
        expected = reference(positive.numpy(), scores.numpy(), sample_weight=row.numpy())
        assert float(ours) == pytest.approx(expected, rel=1e-12)


def test_areas_by_hand() -> None:
    scores, positive = torch.tensor([0.9, 0.8, 0.7, 0.6]), torch.tensor([True, False, True, False])
    once = torch.ones(1, 4).double()
    assert float(roc_area(scores, positive)(once)) == 0.75  # three of four pairs in order
    assert float(average_precision(scores, positive)(once)) == pytest.approx(0.5 * 1 + 0.5 * 2 / 3)
    assert float(roc_area(torch.ones(4), positive)(once)) == 0.5


def test_map_of_labels_agrees_with_scikit_learn(labels, measured, quietly) -> None:
    p, t = (part.numpy() for part in labels)
    expected = average_precision_score(t[:, :4], p[:, :4], average="macro")
    assert measured(Remembered(mean_average_precision), *labels) == pytest.approx(expected)
    areas = roc_areas(*labels)
    expected = quietly(roc_auc_score, t[:, :4], p[:, :4], average=None)
    assert areas[:4].tolist() == pytest.approx(expected)
    assert math.isnan(areas[4])
