"""How finished networks fit, told from made-up curves and numbers."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from scipy.stats import binomtest

from claims.verdicts import Fit, diagnosed, fits
from saccade.metrics.fit_diagnosis import Mistakes, fit_diagnosis
from saccade.metrics.intervals import Interval, wilson
from saccade.metrics.metric import MetricValue


def share(right: int, n: int) -> MetricValue:
    return MetricValue("accuracy", right / n, n, wilson(right, n), "%")


def curves(losses: list[float], held_out: list[float]) -> list[dict[str, Any]]:
    pairs = zip(losses, held_out, strict=True)
    return [{"epoch": k, "loss": a, "val_loss": b} for k, (a, b) in enumerate(pairs, 1)]


FLAT = curves([2.0, 1.01, 1.0, 1.0], [2.0, 1.0, 1.0, 1.0])
FALLING = curves([2.0, 1.5, 1.2, 1.0], [2.0, 1.5, 1.2, 1.0])
TURNED = curves([2.0, 1.0, 0.3, 0.01], [2.0, 1.1, 1.5, 2.2])
GOOD = curves([2.0, 0.5, 0.1, 0.05], [2.0, 0.5, 0.12, 0.1])


@pytest.mark.parametrize(
    ("train", "val", "kind"),
    [
        (share(700, 1000), share(690, 1000), "underfitted"),
        (share(1000, 1000), share(700, 1000), "overfitted"),
        (share(800, 1000), share(600, 1000), "both"),
        (share(999, 1000), share(990, 1000), "good fit"),
        (share(20, 20), share(18, 20), "inconclusive"),  # far too few to say
        (share(1000, 1000), share(940, 1000), "inconclusive"),  # 6 lost, or 4.5 to 7.7
        (share(930, 1000), share(880, 1000), "inconclusive"),  # as much lost as missing
    ],
)
def test_each_kind_is_told_from_the_two_scores(train: MetricValue, val: MetricValue, kind: str):
    assert fit_diagnosis(FALLING, train, val).kind == kind


def test_what_is_lost_is_told_in_percentage_points():
    """By hand from Wilson's intervals: 20 of 20 is 83.9-100.0, 18 of 20 is 69.9-97.2."""
    few = fit_diagnosis(GOOD, share(20, 20), share(18, 20)).message
    assert "; held out it may be up to 30.1 percentage points lower, or up to 7.7" in few
    many = fit_diagnosis(GOOD, share(1000, 1000), share(700, 1000)).message
    assert many.endswith("; held out it is 27.2 to 32.9 percentage points lower")
    better = fit_diagnosis(GOOD, share(960, 1000), share(1000, 1000)).message
    assert "held out it is" in better and "percentage points higher, which" in better


def test_what_is_lost_of_a_number_that_is_no_share_is_told_as_it_is():
    train, held_out = (
        MetricValue("R2", 0.9, 100, Interval(0.85, 0.95)),
        MetricValue("R2", 0.5, 100, Interval(0.4, 0.6)),
    )
    message = fit_diagnosis(GOOD, train, held_out).message  # 0.4 -+ the root of 0.05^2 + 0.1^2
    assert "held out it is 0.288 to 0.512 lower" in message


def test_an_overfitted_one_says_when_it_turned():
    message = str(fit_diagnosis(TURNED, share(1000, 1000), share(700, 1000)))
    assert message.startswith(
        "overfitted: accuracy on training images 100.0 % (99.6–100.0, n = 1,000)"
    )
    assert "After epoch 2 the held-out loss rose from 1.1 to 2.2" in message
    assert "that of training fell from 1 to 0.01" in message


def test_which_training_images_were_measured_is_said_where_not_all_were():
    few, all_of_them = (fit_diagnosis(GOOD, share(7, 7), share(5, 7), n).message for n in (34, 7))
    assert "n = 7) (as many of the 34 training images as are held out); held out it" in few
    assert "as many of" not in all_of_them


def test_a_loss_that_went_on_to_fall_has_not_turned():
    assert "rose" not in str(fit_diagnosis(GOOD, share(1000, 1000), share(700, 1000)))


def test_an_underfitted_one_says_whether_longer_would_help():
    scores = share(700, 1000), share(690, 1000)
    falling = fit_diagnosis(FALLING, *scores).message
    assert falling.endswith("still falls, from 1.2 in epoch 3 to 1: train longer")
    flat = fit_diagnosis(FLAT, *scores, mistakes=Mistakes(20, 290)).message
    assert flat.endswith(
        "from 1 in epoch 3 to 1: a larger network, or a higher learning rate for longer"
    )


def test_wrong_labels_are_not_underfitting():
    """Wrong labels fall into either half alike; mistakes of hard images into the unsure one."""
    scores = share(700, 1000), share(690, 1000)
    noisy = fit_diagnosis(FALLING, *scores, mistakes=Mistakes(140, 170))
    assert noisy.kind == "inconclusive" and "labels are wrong" in noisy.message
    assert fit_diagnosis(FLAT, *scores).kind == "inconclusive"  # nothing is known of mistakes
    assert fit_diagnosis(FALLING, *scores, mistakes=Mistakes(60, 250)).kind == "underfitted"


def test_mistakes_are_counted_in_the_surer_half_of_each_predicted_class():
    """Of class 0 the surer two are 0.9 and 0.8, of class 1 the surer one of three is 0.6."""
    confidences = torch.tensor([0.9, 0.8, 0.7, 0.6, 0.6, 0.5, 0.4])
    answers = torch.tensor([0, 0, 0, 0, 1, 1, 1])
    correct = torch.tensor([False, True, True, False, True, False, False])
    assert Mistakes.of(confidences, answers, correct) == Mistakes(1, 3)


@pytest.mark.parametrize(
    ("sure", "unsure", "rarer"),
    [(0, 7, False), (0, 8, True), (5, 5, False), (5, 25, True), (7, 13, False), (0, 0, False)],
)
def test_mistakes_are_surely_rarer_among_sure_ones_by_a_binomial_test(sure, unsure, rarer):
    """At most one in three where the surer half has half as many."""
    n = sure + unsure
    expected = n and binomtest(sure, n, 1 / 3, alternative="less").pvalue < 0.05
    assert Mistakes(sure, unsure).among_unsure == bool(expected) == rarer


def test_more_images_settle_what_few_leave_open():
    kinds = [
        fit_diagnosis(GOOD, share(n, n), share(round(0.85 * n), n)).kind for n in (20, 100, 1000)
    ]
    assert kinds == ["inconclusive", "overfitted", "overfitted"]


def test_without_an_interval_nothing_is_told():
    perfect = MetricValue("accuracy", 1.0, 50, None, "%", reason="5 groups are too few")
    undefined = MetricValue("R2", float("nan"), 1, None)
    for pair in ((perfect, share(50, 50)), (share(50, 50), perfect), (undefined, undefined)):
        assert fit_diagnosis(GOOD, *pair).kind == "inconclusive"


@pytest.mark.parametrize("fit", fits(), ids=lambda fit: fit.name)
def test_a_diagnosis_is_seldom_wrong(fit: Fit):
    """Of 100 draws of 200 images 5 % may be: 13 at most, but for one case in a thousand."""
    counts = diagnosed(fit, 200, 100)
    wrong = sum(n for kind, n in counts.items() if kind not in (*fit.right, "inconclusive"))
    assert wrong <= 13
