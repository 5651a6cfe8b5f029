from __future__ import annotations

import math

import numpy as np
import pytest
import sklearn.metrics as oracle
import torch
import torchmetrics.functional.classification as other
from hypothesis import given
from hypothesis import strategies as st

from saccade.metrics.counts import (
    ClassCounts,
    Counted,
    Macro,
    Weighted,
    balanced_accuracy,
    balanced_accuracy_interval,
    baseline,
    class_counts,
    f1,
    from_confusion,
    kappa,
    matthews,
    precision,
    recall,
    unequal,
)

HAND = from_confusion(torch.tensor([[20, 5], [10, 15]]))
SCORES = {"precision": precision, "recall": recall, "f1": f1}


def test_the_counts_of_each_class_by_hand() -> None:
    assert HAND.right.tolist() == [20, 15]
    assert HAND.true.tolist() == [25, 25]
    assert HAND.named.tolist() == [30, 20]
    assert precision(HAND).tolist() == pytest.approx([20 / 30, 15 / 20])
    assert recall(HAND).tolist() == pytest.approx([20 / 25, 15 / 25])
    assert f1(HAND).tolist() == pytest.approx([40 / 55, 30 / 45])


def test_kappa_and_matthews_by_hand() -> None:
    assert float(kappa(HAND)) == pytest.approx(0.4)  # (0.7 - 0.5) / (1 - 0.5)
    assert float(matthews(HAND)) == pytest.approx((20 * 15 - 5 * 10) / math.sqrt(25 * 25 * 30 * 20))
    assert float(balanced_accuracy(HAND)) == pytest.approx(0.7)


@pytest.mark.parametrize("name", SCORES)
def test_class_scores_agree_with_scikit_learn(name, answers, measured) -> None:
    p, t = answers[0].argmax(1).numpy(), answers[1].numpy()
    num_classes = answers[0].shape[1]
    reference = getattr(oracle, f"{name}_score")
    ours = measured(Counted(num_classes, SCORES[name]), *answers).nan_to_num(0).numpy()
    each = reference(t, p, labels=np.arange(num_classes), average=None, zero_division=0)
    np.testing.assert_allclose(ours, each, rtol=1e-12)
    for kind, average in (("macro", Macro), ("weighted", Weighted)):
        expected = reference(t, p, average=kind, zero_division=0)
        ours = measured(Counted(num_classes, average(SCORES[name])), *answers)
        assert ours == pytest.approx(expected, rel=1e-12)


def test_agreement_scores_agree_with_scikit_learn(answers, measured, quietly) -> None:
    p, t = answers[0].argmax(1).numpy(), answers[1].numpy()
    for score, reference in (
        (balanced_accuracy, oracle.balanced_accuracy_score),
        (kappa, oracle.cohen_kappa_score),
        (matthews, oracle.matthews_corrcoef),
    ):
        ours = measured(Counted(answers[0].shape[1], score), *answers)
        assert ours == pytest.approx(quietly(reference, t, p), rel=1e-12), score


def test_scores_agree_with_torchmetrics(answers, measured, quietly) -> None:
    num_classes = answers[0].shape[1]
    for score, reference in (
        (Macro(f1), other.multiclass_f1_score),
        (kappa, other.multiclass_cohen_kappa),
        (matthews, other.multiclass_matthews_corrcoef),
    ):
        ours = measured(Counted(num_classes, score), *answers)
        assert ours == pytest.approx(float(quietly(reference, *answers, num_classes)), rel=1e-5)


def test_a_class_that_is_never_named_has_no_precision_and_lowers_the_macro_mean() -> None:
    counts = from_confusion(torch.tensor([[3, 0], [1, 0]]))
    assert math.isnan(precision(counts)[1])
    assert float(Macro(precision)(counts)) == pytest.approx(0.75 / 2)


def test_one_class_only_leaves_agreement_undefined() -> None:
    all_right = from_confusion(torch.tensor([[9, 0], [0, 0]]))
    assert math.isnan(kappa(all_right))
    assert math.isnan(matthews(all_right))
    assert float(balanced_accuracy(all_right)) == 1
    constant = from_confusion(torch.tensor([[5, 0], [4, 0]]))
    assert float(kappa(constant)) == 0
    assert float(matthews(constant)) == 0


def test_counts_of_weighted_pictures_are_those_of_repeated_ones() -> None:
    predicted, targets = torch.tensor([0, 1, 2, 1]), torch.tensor([0, 1, 1, 2])
    times = torch.tensor([3, 0, 2, 1])
    weighted = class_counts(predicted, targets, 3, times[None].double())
    once = torch.ones(1, 6, dtype=torch.float64)
    repeated = class_counts(
        predicted.repeat_interleave(times), targets.repeat_interleave(times), 3, once
    )
    assert [part.tolist() for part in weighted] == [part.tolist() for part in repeated]


@given(st.lists(st.lists(st.integers(0, 50), min_size=3, max_size=3), min_size=3, max_size=3))
def test_agreement_never_leaves_its_range(cells: list[list[int]]) -> None:
    counts = from_confusion(torch.tensor(cells))
    for score in (kappa, matthews):
        value = float(score(counts))
        assert math.isnan(value) or -1 <= value <= 1 + 1e-12
    exchanged = ClassCounts(counts.right, counts.named, counts.true)
    torch.testing.assert_close(kappa(counts), kappa(exchanged), equal_nan=True)
    torch.testing.assert_close(matthews(counts), matthews(exchanged), equal_nan=True)


def test_the_interval_of_balanced_accuracy_keeps_a_width_when_all_is_right() -> None:
    counts = from_confusion(torch.tensor([[20, 0], [0, 20]]))
    interval = balanced_accuracy_interval(counts)
    # Wilson's low end of 20 of 20 is 1 - 0.1611 (Newcombe 1998); two such halves, squared
    assert interval.low == pytest.approx(1 - 0.1611 / math.sqrt(2), abs=1e-4)
    assert interval.high == 1


def test_the_interval_of_balanced_accuracy_holds_the_truth_about_as_often_as_it_says() -> None:
    generator, truth, sizes = torch.Generator().manual_seed(0), (0.95, 0.7), (40, 15)
    held = 0
    for _ in range(500):
        right = [int((torch.rand(n, generator=generator) < p).sum()) for p, n in zip(truth, sizes)]
        (a, b), (n, m) = right, sizes
        interval = balanced_accuracy_interval(
            from_confusion(torch.tensor([[a, n - a], [m - b, b]]))
        )
        held += interval.low <= sum(truth) / 2 <= interval.high
    assert 0.92 <= held / 500 <= 0.985


def test_baselines_by_hand() -> None:
    found = baseline(from_confusion(torch.tensor([[30, 0, 0], [10, 0, 0], [0, 0, 0]])))
    assert found.majority == 0.75
    assert found.chance == pytest.approx(1 / 3)
    assert found.balanced == 0.5
    assert found.log_loss == pytest.approx(-0.75 * math.log(0.75) - 0.25 * math.log(0.25))


@pytest.mark.parametrize(("sizes", "expected"), [((10, 15), False), ((10, 16), True)])
def test_balanced_accuracy_leads_where_classes_differ(sizes, expected) -> None:
    assert unequal(from_confusion(torch.diag(torch.tensor([*sizes, 0])))) == expected
