from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.metrics import accuracy_score, confusion_matrix, log_loss, top_k_accuracy_score

from saccade.batch import Batch
from saccade.metrics.accuracy import Accuracy
from saccade.metrics.confusion import Confusion
from saccade.metrics.log_loss import LogLoss


@pytest.fixture
def answers() -> tuple[torch.Tensor, torch.Tensor]:
    """Probabilities [200,7] and true classes [200]."""
    chance = torch.Generator().manual_seed(0)
    probabilities = torch.rand(200, 7, generator=chance).double()
    targets = torch.randint(0, 7, (200,), generator=chance)
    return probabilities / probabilities.sum(1, keepdim=True), targets


def measured(metric, answers):
    """The metric over the answers in batches of uneven size."""
    for p, t in zip(answers[0].split(33), answers[1].split(33), strict=True):
        metric.update(p, Batch(torch.empty(len(t), 0), t, torch.arange(len(t))))
    return metric.result()


def test_metrics_agree_with_scikit_learn(answers) -> None:
    p, t = answers[0].numpy(), answers[1].numpy()
    assert measured(Accuracy(), answers) == accuracy_score(t, p.argmax(1))
    assert measured(Accuracy(k=5), answers) == top_k_accuracy_score(t, p, k=5)
    assert measured(LogLoss(), answers) == pytest.approx(log_loss(t, p), rel=1e-6)
    np.testing.assert_array_equal(measured(Confusion(7), answers), confusion_matrix(t, p.argmax(1)))


def test_log_loss_of_a_certain_mistake_is_finite() -> None:
    answers = torch.tensor([[1.0, 0.0]]), torch.tensor([1])
    assert measured(LogLoss(), answers) == pytest.approx(149 * np.log(2))


def test_top_five_of_three_classes_is_always_right() -> None:
    answers = torch.tensor([[0.2, 0.5, 0.3]]), torch.tensor([0])
    assert measured(Accuracy(k=5), answers) == 1
