"""What is measured of classes, beside scikit-learn, and what rows of a metric do."""

from __future__ import annotations

import math

import pytest
import sklearn.metrics as sk
import torch

from saccade.metrics import classification
from saccade.metrics.classification import ClassMetric
from saccade.metrics.measure import named_metric, primary_metric, scores
from saccade.metrics.metric import MetricReport, Predicted


def metric_for(probabilities: torch.Tensor) -> ClassMetric:
    return ClassMetric(tuple("abcdefgh"[: probabilities.shape[1]]))


def measured(probabilities: torch.Tensor, targets: torch.Tensor) -> MetricReport:
    metric = metric_for(probabilities)
    return metric.report(metric.rows(probabilities, targets))


def test_numbers_of_classes_agree_with_scikit_learn(answers, quietly) -> None:
    p, t = (part.numpy() for part in answers)
    result, names = measured(*answers), list(range(p.shape[1]))
    expected = {
        "accuracy": sk.accuracy_score(t, p.argmax(1)),
        "balanced accuracy": quietly(sk.balanced_accuracy_score, t, p.argmax(1)),
        "macro F1": quietly(sk.f1_score, t, p.argmax(1), average="macro"),
        "weighted F1": quietly(sk.f1_score, t, p.argmax(1), average="weighted"),
        "log loss": sk.log_loss(t, p, labels=names),
        "Brier score": quietly(sk.brier_score_loss, t, p, labels=names, scale_by_half=False),
    }
    values = {name: result[name].value for name in expected}
    assert values == pytest.approx(expected, rel=1e-6)


def test_top_five_agrees_with_scikit_learn() -> None:
    generator = torch.Generator().manual_seed(0)
    p, t = torch.rand(200, 7, generator=generator), torch.randint(0, 7, (200,), generator=generator)
    expected = sk.top_k_accuracy_score(t.numpy(), p.numpy(), k=5)
    assert measured(p, t)["top-5 accuracy"].value == expected


def test_of_equal_probabilities_the_first_classes_count() -> None:
    result = measured(torch.full((8, 8), 0.125), torch.arange(8))
    assert result["accuracy"].value == 1 / 8
    assert result["top-5 accuracy"].value == 5 / 8


def test_top_five_of_five_classes_is_left_out_as_it_is_always_right() -> None:
    result = measured(torch.full((5, 5), 0.2), torch.arange(5))
    assert "top-5 accuracy" not in [number.name for number in result.metrics]


def test_a_prediction_that_is_not_a_number_is_wrong() -> None:
    metric = ClassMetric(("a", "b", "c"))
    rows = metric.rows(torch.full((1, 3), torch.nan), torch.tensor([0]))
    assert metric.correct(rows).tolist() == [False]
    assert scores(metric, rows)["accuracy"] == 0


def test_the_log_loss_of_a_certain_mistake_is_finite() -> None:
    """-log of 2^-149, the smallest number of float32."""
    rows = ClassMetric(("a", "b")).rows(torch.tensor([[1.0, 0.0]]), torch.tensor([1]))
    assert rows.losses.tolist() == pytest.approx([149 * math.log(2)])


def test_the_brier_score_by_hand() -> None:
    # (0.7-1)^2 + 0.2^2 + 0.1^2 = 0.14, and 2 for a certain mistake
    p = torch.tensor([[0.7, 0.2, 0.1], [0.0, 1.0, 0.0]])
    assert measured(p, torch.tensor([0, 2]))["Brier score"].value == pytest.approx(1.07)


def test_rows_of_batches_are_those_of_all_images_at_once(answers) -> None:
    p, t = answers
    metric = metric_for(p)
    whole = metric.rows(p, t)
    parts = [metric.rows(p[part], t[part]) for part in torch.arange(len(t)).split(6)]
    for one, other in zip(vars(Predicted.joined(parts)).values(), vars(whole).values()):
        assert torch.equal(one, other)


def test_rows_of_a_part_are_the_part_measured_alone(answers) -> None:
    """A slice needs no pass of its own."""
    p, t = answers
    metric, places = metric_for(p), torch.arange(len(t)).flip(0)[::2]
    part = metric.rows(p, t)[places]
    assert len(part) == len(places)
    assert metric.report(part) == pytest.approx(measured(p[places], t[places]), nan_ok=True) or (
        str(metric.report(part)) == str(measured(p[places], t[places]))
    )


def test_no_more_is_worked_out_than_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Areas sort every class; the leading number and the one to watch sort nothing."""
    monkeypatch.delattr(classification, "area")
    metric = ClassMetric(("a", "b"))
    rows = metric.rows(torch.eye(2), torch.tensor([0, 1]))
    assert primary_metric(metric, rows).value == scores(metric, rows)["accuracy"] == 1
    with pytest.raises(NameError, match="area"):
        metric.report(rows)


def test_of_many_images_and_classes_what_sorts_every_class_is_left_out() -> None:
    p = torch.rand(501, 1000, generator=torch.Generator().manual_seed(0)).softmax(dim=1)
    metric = ClassMetric(tuple(map(str, range(1000))))
    names = [one.name for one in metric.quantities(metric.rows(p, torch.arange(501)))]
    assert "ROC AUC" not in names and "adaptive calibration error" not in names
    assert "expected calibration error" in names


def test_balanced_accuracy_leads_where_classes_are_unequal_and_accuracy_is_watched() -> None:
    """Nine of one class, all right, and one of another, wrong: 0.9, and a mean of 1 and 0."""
    p, t = torch.tensor([[0.9, 0.1]]).repeat(10, 1), torch.tensor([0] * 9 + [1])
    metric = ClassMetric(("a", "b"))
    rows = metric.rows(p, t)
    first = primary_metric(metric, rows)
    assert (first.name, first.value, first.baseline) == ("balanced accuracy", 0.5, 0.5)
    assert named_metric(metric, rows, "accuracy").baseline == 0.9
    assert scores(metric, rows)["accuracy"] == 0.9
