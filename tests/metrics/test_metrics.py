from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.metrics import (
    accuracy_score,
    brier_score_loss,
    confusion_matrix,
    log_loss,
    top_k_accuracy_score,
)

from saccade.metrics.calibration import LogLoss, brier_scores
from saccade.metrics.counts import Accuracy, Confusion
from saccade.metrics.metric import Averaged


def test_metrics_agree_with_scikit_learn(answers, measured, quietly) -> None:
    p, t = (part.numpy() for part in answers)
    names = np.arange(p.shape[1])
    assert measured(Accuracy(), *answers) == accuracy_score(t, p.argmax(1))
    assert measured(LogLoss(), *answers) == pytest.approx(log_loss(t, p, labels=names), rel=1e-6)
    expected = quietly(brier_score_loss, t, p, labels=names, scale_by_half=False)
    assert measured(Averaged(brier_scores), *answers) == pytest.approx(expected, rel=1e-12)
    expected = confusion_matrix(t, p.argmax(1), labels=names)
    np.testing.assert_array_equal(measured(Confusion(len(names)), *answers), expected)


def test_top_k_agrees_with_scikit_learn(measured) -> None:
    generator = torch.Generator().manual_seed(0)
    p, t = torch.rand(200, 7, generator=generator), torch.randint(0, 7, (200,), generator=generator)
    expected = top_k_accuracy_score(t.numpy(), p.numpy(), k=5)
    assert measured(Accuracy(k=5), p, t) == expected


def test_of_equal_scores_the_first_classes_count(measured) -> None:
    equal = torch.full((4, 4), 0.25)
    assert measured(Accuracy(), equal, torch.arange(4)) == 0.25
    assert measured(Accuracy(k=3), equal, torch.arange(4)) == 0.75


def test_a_prediction_that_is_not_a_number_is_wrong(measured) -> None:
    assert measured(Accuracy(), torch.full((1, 3), torch.nan), torch.tensor([0])) == 0


def test_log_loss_of_a_certain_mistake_is_finite(measured) -> None:
    loss = measured(LogLoss(), torch.tensor([[1.0, 0.0]]), torch.tensor([1]))
    assert loss == pytest.approx(149 * np.log(2))


def test_top_five_of_three_classes_is_always_right(measured) -> None:
    assert measured(Accuracy(k=5), torch.tensor([[0.2, 0.5, 0.3]]), torch.tensor([0])) == 1


def test_the_brier_score_by_hand(measured) -> None:
    # (0.7-1)^2 + 0.2^2 + 0.1^2 = 0.14, and 2 for a certain mistake
    p = torch.tensor([[0.7, 0.2, 0.1], [0.0, 1.0, 0.0]])
    assert measured(Averaged(brier_scores), p, torch.tensor([0, 2])) == pytest.approx(1.07)
