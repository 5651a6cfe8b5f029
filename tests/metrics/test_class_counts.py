from __future__ import annotations

import math

import numpy as np
import pytest
import sklearn.metrics as oracle
import torch
import torchmetrics.functional.classification as other
from hypothesis import given, settings
from hypothesis import strategies as st

from saccade.metrics.counts import (
    ClassCounts,
    Macro,
    Weighted,
    balanced_accuracy,
    baseline,
    class_counts,
    cohen_kappa,
    confusion_matrix,
    f1,
    from_confusion,
    imbalanced,
    label_counts,
    matthews_corrcoef,
    precision,
    recall,
)

HAND = from_confusion(torch.tensor([[20, 5], [10, 15]]))
SCORES = {"precision": precision, "recall": recall, "f1": f1}


def test_the_counts_of_each_class_by_hand() -> None:
    assert HAND.true_positives.tolist() == [20, 15]
    assert HAND.support.tolist() == [25, 25]
    assert HAND.predicted.tolist() == [30, 20]
    assert precision(HAND).tolist() == pytest.approx([20 / 30, 15 / 20])
    assert recall(HAND).tolist() == pytest.approx([20 / 25, 15 / 25])
    assert f1(HAND).tolist() == pytest.approx([40 / 55, 30 / 45])


def test_kappa_and_matthews_by_hand() -> None:
    assert float(cohen_kappa(HAND)) == pytest.approx(0.4)  # (0.7 - 0.5) / (1 - 0.5)
    assert float(matthews_corrcoef(HAND)) == pytest.approx(
        (20 * 15 - 5 * 10) / math.sqrt(25 * 25 * 30 * 20)
    )
    assert float(balanced_accuracy(HAND)) == pytest.approx(0.7)


def counts_of(answers) -> ClassCounts:
    """Those of the most probable classes."""
    return from_confusion(
        confusion_matrix(answers[0].argmax(1), answers[1], num_classes=answers[0].shape[1])
    )


def test_the_confusion_matrix_agrees_with_scikit_learn(answers) -> None:
    p, t = answers[0].argmax(1), answers[1]
    num_classes = answers[0].shape[1]
    expected = oracle.confusion_matrix(t.numpy(), p.numpy(), labels=np.arange(num_classes))
    np.testing.assert_array_equal(confusion_matrix(p, t, num_classes), expected)


@pytest.mark.parametrize("name", SCORES)
def test_class_scores_agree_with_scikit_learn(name, answers) -> None:
    p, t = answers[0].argmax(1).numpy(), answers[1].numpy()
    num_classes = answers[0].shape[1]
    reference = getattr(oracle, f"{name}_score")
    ours = SCORES[name](counts_of(answers)).nan_to_num(0).numpy()
    each = reference(t, p, labels=np.arange(num_classes), average=None, zero_division=0)
    np.testing.assert_allclose(ours, each, rtol=1e-12)
    for kind, average in (("macro", Macro), ("weighted", Weighted)):
        expected = reference(t, p, average=kind, zero_division=0)
        ours = float(average(SCORES[name])(counts_of(answers)))
        assert ours == pytest.approx(expected, rel=1e-12)


def test_agreement_scores_agree_with_scikit_learn(answers, quietly) -> None:
    p, t = answers[0].argmax(1).numpy(), answers[1].numpy()
    for score, reference in (
        (balanced_accuracy, oracle.balanced_accuracy_score),
        (cohen_kappa, oracle.cohen_kappa_score),
        (matthews_corrcoef, oracle.matthews_corrcoef),
    ):
        ours = float(score(counts_of(answers)))
        assert ours == pytest.approx(quietly(reference, t, p), rel=1e-12, nan_ok=True), score


def test_scores_agree_with_torchmetrics(answers, quietly) -> None:
    num_classes = answers[0].shape[1]
    for score, reference in (
        (Macro(f1), other.multiclass_f1_score),
        (cohen_kappa, other.multiclass_cohen_kappa),
        (matthews_corrcoef, other.multiclass_matthews_corrcoef),
    ):
        ours = float(score(counts_of(answers)))
        assert ours == pytest.approx(float(quietly(reference, *answers, num_classes)), rel=1e-5)


def test_a_class_that_is_never_named_has_no_precision_and_lowers_the_macro_mean() -> None:
    counts = from_confusion(torch.tensor([[3, 0], [1, 0]]))
    assert math.isnan(precision(counts)[1])
    assert float(Macro(precision)(counts)) == pytest.approx(0.75 / 2)


def test_one_class_only_leaves_agreement_undefined() -> None:
    all_right = from_confusion(torch.tensor([[9, 0], [0, 0]]))
    assert math.isnan(cohen_kappa(all_right))
    assert math.isnan(matthews_corrcoef(all_right))
    assert float(balanced_accuracy(all_right)) == 1
    constant = from_confusion(torch.tensor([[5, 0], [4, 0]]))
    assert float(cohen_kappa(constant)) == 0
    assert float(matthews_corrcoef(constant)) == 0


def test_counts_of_weighted_images_are_those_of_repeated_ones() -> None:
    predicted, targets = torch.tensor([0, 1, 2, 1]), torch.tensor([0, 1, 1, 2])
    times = torch.tensor([3, 0, 2, 1])
    weighted = class_counts(predicted, targets, 3, times[None].double())
    once = torch.ones(1, 6, dtype=torch.float64)
    repeated = class_counts(
        predicted.repeat_interleave(times), targets.repeat_interleave(times), 3, once
    )
    assert [part.tolist() for part in weighted] == [part.tolist() for part in repeated]


@pytest.mark.parametrize("name", SCORES)
def test_label_scores_agree_with_scikit_learn(name, labels) -> None:
    predicted, true = labels[0] >= 0.5, labels[1] > 0.5
    reference = getattr(oracle, f"{name}_score")
    counts, arrays = label_counts(predicted, true), (true.numpy(), predicted.numpy())
    ours = SCORES[name](counts).nan_to_num(0)
    assert ours.tolist() == pytest.approx(reference(*arrays, average=None, zero_division=0))
    for kind, average in (("macro", Macro), ("weighted", Weighted)):
        expected = reference(*arrays, average=kind, zero_division=0)
        assert float(average(SCORES[name])(counts)) == pytest.approx(expected)


def test_f1_of_labels_agrees_with_torchmetrics(labels) -> None:
    p, t = labels[0] * 0.99 + 0.006, labels[1].int()  # it predicts from above one half on
    expected = other.multilabel_f1_score(p, t, num_labels=5, average=None)
    torch.testing.assert_close(f1(label_counts(labels[0] >= 0.5, t > 0)).float(), expected)


@settings(deadline=None)
@given(st.lists(st.lists(st.integers(0, 50), min_size=3, max_size=3), min_size=3, max_size=3))
def test_agreement_never_leaves_its_range(cells: list[list[int]]) -> None:
    counts = from_confusion(torch.tensor(cells))
    for score in (cohen_kappa, matthews_corrcoef):
        value = float(score(counts))
        assert math.isnan(value) or -1 <= value <= 1 + 1e-12
    exchanged = ClassCounts(counts.true_positives, counts.predicted, counts.support)
    torch.testing.assert_close(cohen_kappa(counts), cohen_kappa(exchanged), equal_nan=True)
    torch.testing.assert_close(
        matthews_corrcoef(counts), matthews_corrcoef(exchanged), equal_nan=True
    )


def test_baselines_by_hand() -> None:
    result = baseline(from_confusion(torch.tensor([[30, 0, 0], [10, 0, 0], [0, 0, 0]])))
    assert result.majority == 0.75
    assert result.balanced == 0.5
    assert result.brier == pytest.approx(1 - 0.75**2 - 0.25**2)
    assert result.log_loss == pytest.approx(-0.75 * math.log(0.75) - 0.25 * math.log(0.25))


@pytest.mark.parametrize(("sizes", "expected"), [((10, 15), False), ((10, 16), True)])
def test_balanced_accuracy_leads_where_classes_differ(sizes, expected) -> None:
    assert imbalanced(from_confusion(torch.diag(torch.tensor([*sizes, 0])))) == expected
