from __future__ import annotations

import re

import numpy as np
import pytest
import torch
from sklearn.calibration import calibration_curve
from torchmetrics.functional.classification import multiclass_calibration_error

from saccade.metrics.calibration import equal_count, equal_width, reliability
from saccade.metrics.calibration_error import (
    adaptive_calibration_error,
    adaptive_cells,
    expected_calibration_error,
    expected_cells,
)
from saccade.metrics.classification import ClassMetric
from saccade.metrics.intervals import proportion_interval
from saccade.metrics.metric import MetricReport


def measured(probabilities: torch.Tensor, targets: torch.Tensor) -> MetricReport:
    metric = ClassMetric(tuple("abcde"[: probabilities.shape[1]]))
    return metric.report(metric.rows(probabilities, targets))


@pytest.mark.parametrize("bins", [5, 15])
@pytest.mark.parametrize("num_classes", [2, 8])
def test_the_expected_error_agrees_with_torchmetrics(bins, num_classes, valued) -> None:
    generator = torch.Generator().manual_seed(bins)
    p = torch.randn(400, num_classes, generator=generator).mul(2).softmax(dim=1)
    t = torch.randint(0, num_classes, (400,), generator=generator)
    expected = multiclass_calibration_error(p, t, num_classes, n_bins=bins, norm="l1")
    ours = valued(expected_calibration_error(p.amax(1), p.argmax(1) == t, bins), 400)
    assert ours == pytest.approx(float(expected), rel=1e-5)


def test_the_expected_error_by_hand(valued) -> None:
    # in (0.6, 0.8]: 0.7 and 0.8, one right: gap 0.25; in (0.8, 1]: 1.0, right: no gap
    p = torch.tensor([[0.7, 0.3], [0.8, 0.2], [0.0, 1.0]])
    t = torch.tensor([0, 1, 1])
    error = expected_calibration_error(p.amax(1), p.argmax(1) == t, 5)
    assert valued(error, 3) == pytest.approx(2 / 3 * 0.25)


def test_a_confidence_on_the_border_lies_in_the_lower_bin() -> None:
    p = torch.tensor([[0.5, 0.3, 0.2], [0.75, 0.25, 0.0]], dtype=torch.float64)
    first, second = reliability(p.amax(1), torch.tensor([True, False]), equal_width(4))
    assert (first.low, first.high, second.low, second.high) == (0.25, 0.5, 0.5, 0.75)


def test_the_adaptive_error_agrees_with_a_plain_reading_of_its_equation(valued) -> None:
    generator = torch.Generator().manual_seed(3)
    p = torch.randn(300, 4, generator=generator).double().softmax(dim=1)
    t = torch.randint(0, 4, (300,), generator=generator)
    gaps = []
    for k in range(4):
        order = np.argsort(p[:, k].numpy())
        for part in np.array_split(order, 15):
            gaps.append(abs((t.numpy()[part] == k).mean() - p[:, k].numpy()[part].mean()))
    assert valued(adaptive_calibration_error(p, t), 300) == pytest.approx(np.mean(gaps), rel=1e-12)


def test_equal_probabilities_share_their_truths_in_the_adaptive_error(valued) -> None:
    # one half said 40 times of either class and true 20 times: no range may see a gap
    p, t = torch.full((40, 2), 0.5), torch.arange(40) // 20
    assert valued(adaptive_calibration_error(p, t), 40) == pytest.approx(0)
    assert valued(adaptive_calibration_error(p, t.roll(7)), 40) == pytest.approx(0)


def test_the_reliability_diagram_agrees_with_scikit_learn() -> None:
    generator = torch.Generator().manual_seed(0)
    confidences = torch.rand(500, generator=generator).double()
    right = torch.rand(500, generator=generator) < confidences
    expected = calibration_curve(right.numpy(), confidences.numpy(), n_bins=10)
    result = reliability(confidences, right, equal_width(10))
    np.testing.assert_allclose([b.accuracy for b in result], expected[0])
    np.testing.assert_allclose([b.confidence for b in result], expected[1])
    assert all(b.interval == proportion_interval(round(b.accuracy * b.n), b.n) for b in result)
    assert sum(b.n for b in result) == 500


def test_bins_of_equal_count_hold_alike_many_images_but_for_equal_confidences() -> None:
    confidences = torch.rand(200, generator=torch.Generator().manual_seed(0)).double()
    result = reliability(confidences, confidences > 0.5, equal_count(confidences, 8))
    assert {b.n for b in result} <= {24, 25, 26}
    assert sum(b.n for b in result) == 200
    sure = torch.ones(50)
    (only,) = reliability(sure, sure > 0, equal_count(sure, 8))
    assert (only.n, only.confidence, only.accuracy) == (50, 1, 1)


def test_the_adaptive_error_by_hand(valued) -> None:
    # 15 images, so each is a range of its own: a gap of 0.25 for 12 of them, of 0.75 for 3
    first = 0.75 + 1e-9 * torch.arange(15, dtype=torch.float64)
    t = torch.tensor([0] * 12 + [1] * 3)
    result = adaptive_calibration_error(torch.stack([first, 1 - first], dim=1), t)
    assert valued(result, 15) == pytest.approx((12 * 0.25 + 3 * 0.75) / 15)


def test_an_image_drawn_twice_weighs_twice_in_its_range() -> None:
    # 16 images in 15 ranges, the two lowest in the first: truths 0 and 1, said 0.1 and 0.2
    p = torch.tensor([0.1, 0.2, *[1.0 - 0.01 * k for k in range(14, 0, -1)]], dtype=torch.float64)
    t = torch.tensor([1, 0] + [0] * 14)  # class 0 is column 0: true for all but the first
    twice = torch.ones(1, 16, dtype=torch.float64)
    twice[0, 0] = 2
    probabilities = torch.stack([p, 1 - p], dim=1)
    rest = sum(0.01 * k for k in range(1, 15))
    first = abs((0 - 0.1) * 2 + (1 - 0.2)) / 3
    column = (first + rest) / 15
    # of class 1 the order is turned; its two highest, said 0.8 and 0.9, are ranges of their own,
    # and its two lowest, said 0.01 and 0.02 and never true, share one
    other = (0.2 * 0 + 0.8 + 0.1 + (0.01 + 0.02) / 2 + sum(0.01 * k for k in range(3, 15))) / 15
    result = adaptive_calibration_error(probabilities, t)(twice)
    assert float(result) == pytest.approx((column + other) / 2)


def test_cells_add_up_to_the_errors(valued) -> None:
    generator = torch.Generator().manual_seed(4)
    p = torch.randn(200, 4, generator=generator).mul(2).double().softmax(dim=1)
    t = torch.randint(0, 4, (200,), generator=generator)
    sure, right = p.amax(1), p.argmax(1) == t
    expected = valued(expected_calibration_error(sure, right), 200)
    assert expected_cells(sure, right).seen == pytest.approx(expected)
    expected = valued(adaptive_calibration_error(p, t), 200)
    assert adaptive_cells(p, t).seen == pytest.approx(expected)


def test_a_gap_that_chance_does_not_make_stays_as_it_is() -> None:
    # sure 0.9 of class 0 in 2,000 images, of which 1,500 are right: the error is 0.15
    p, t = torch.tensor([[0.9, 0.1]]).repeat(2000, 1).double(), torch.arange(2000) // 1500
    result = measured(p, t)
    for name in ("expected calibration error", "adaptive calibration error"):
        number = result[name]
        assert (number.n, number.unit) == (2000, "%")
        assert number.value == pytest.approx(0.15, abs=0.002)
        # of one cell the interval is that of the share: 0.75 +- 1.96 * sqrt(0.75 * 0.25 / 2000)
        assert number.interval == pytest.approx((0.131, 0.169), abs=0.005)


def test_a_calibrated_network_is_told_as_one() -> None:
    """Confidences are drawn, and with them what is right: all that is seen is chance."""
    generator = torch.Generator().manual_seed(0)
    p = (torch.randn(150, 5, generator=generator) * 3).softmax(dim=1)
    t = torch.multinomial(p, 1, generator=generator)[:, 0]
    for name in ("expected calibration error", "adaptive calibration error"):
        number = measured(p, t)[name]
        assert number.reason or (number.interval and number.interval.low == 0)
        seen, low, high = map(float, re.findall(r"\d+\.\d", number.note))
        assert low <= seen <= high and 100 * number.value < seen
