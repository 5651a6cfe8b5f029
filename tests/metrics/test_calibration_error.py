from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.calibration import calibration_curve
from torchmetrics.functional.classification import multiclass_calibration_error

from saccade.metrics.adaptive_calibration_error import adaptive_calibration_error
from saccade.metrics.calibration_error import CalibrationError
from saccade.metrics.interval import wilson
from saccade.metrics.reliability import equal_count, equal_width, reliability


@pytest.mark.parametrize("bins", [5, 15])
@pytest.mark.parametrize("num_classes", [2, 8])
def test_the_expected_error_agrees_with_torchmetrics(bins, num_classes, measured) -> None:
    generator = torch.Generator().manual_seed(bins)
    p = torch.randn(400, num_classes, generator=generator).mul(2).softmax(dim=1)
    t = torch.randint(0, num_classes, (400,), generator=generator)
    theirs = multiclass_calibration_error(p, t, num_classes, n_bins=bins, norm="l1")
    assert measured(CalibrationError(bins), p, t) == pytest.approx(float(theirs), rel=1e-5)


def test_the_expected_error_by_hand(measured) -> None:
    # in (0.6, 0.8]: 0.7 and 0.8, one right: gap 0.25; in (0.8, 1]: 1.0, right: no gap
    p = torch.tensor([[0.7, 0.3], [0.8, 0.2], [0.0, 1.0]])
    t = torch.tensor([0, 1, 1])
    assert measured(CalibrationError(5), p, t) == pytest.approx(2 / 3 * 0.25)


def test_a_confidence_on_the_border_lies_in_the_lower_bin(measured) -> None:
    p = torch.tensor([[0.5, 0.3, 0.2], [0.75, 0.25, 0.0]], dtype=torch.float64)
    first, second = reliability(p.amax(1), torch.tensor([True, False]), equal_width(4))
    assert (first.low, first.high, second.low, second.high) == (0.25, 0.5, 0.5, 0.75)


def test_the_adaptive_error_agrees_with_a_plain_reading_of_its_equation(measured) -> None:
    generator = torch.Generator().manual_seed(3)
    p = torch.randn(300, 4, generator=generator).double().softmax(dim=1)
    t = torch.randint(0, 4, (300,), generator=generator)
    gaps = []
    for k in range(4):
        order = np.argsort(p[:, k].numpy())
        for part in np.array_split(order, 15):
            gaps.append(abs((t.numpy()[part] == k).mean() - p[:, k].numpy()[part].mean()))
    assert float(adaptive_calibration_error(p, t)) == pytest.approx(np.mean(gaps), rel=1e-12)


def test_equal_probabilities_share_their_truths_in_the_adaptive_error() -> None:
    # one half said 40 times of either class and true 20 times: no range may see a gap
    p, t = torch.full((40, 2), 0.5), torch.arange(40) // 20
    assert float(adaptive_calibration_error(p, t)) == pytest.approx(0)
    assert float(adaptive_calibration_error(p, t.roll(7))) == pytest.approx(0)


def test_the_reliability_diagram_agrees_with_scikit_learn() -> None:
    generator = torch.Generator().manual_seed(0)
    confidences = torch.rand(500, generator=generator).double()
    right = torch.rand(500, generator=generator) < confidences
    theirs = calibration_curve(right.numpy(), confidences.numpy(), n_bins=10)
    found = reliability(confidences, right, equal_width(10))
    np.testing.assert_allclose([b.accuracy for b in found], theirs[0])
    np.testing.assert_allclose([b.confidence for b in found], theirs[1])
    assert all(b.interval == wilson(round(b.accuracy * b.n), b.n) for b in found)
    assert sum(b.n for b in found) == 500


def test_bins_of_equal_count_hold_alike_many_pictures_but_for_equal_confidences() -> None:
    confidences = torch.rand(200, generator=torch.Generator().manual_seed(0)).double()
    found = reliability(confidences, confidences > 0.5, equal_count(confidences, 8))
    assert {b.n for b in found} <= {24, 25, 26}
    assert sum(b.n for b in found) == 200
    sure = torch.ones(50)
    (only,) = reliability(sure, sure > 0, equal_count(sure, 8))
    assert (only.n, only.confidence, only.accuracy) == (50, 1, 1)
