"""What is measured of labels and of numbers, beside scikit-learn, SciPy and numpy."""

from __future__ import annotations

import json

import numpy as np
import pytest
import scipy.stats
import sklearn.metrics as sk
import torch

from saccade.metrics.intervals import Interval
from saccade.metrics.metric import MetricReport, MetricValue
from saccade.metrics.multilabel import LabelMetric
from saccade.metrics.regression import RegressionMetric
from saccade.runs.results import Evaluation

LABELS = ("a", "b", "c")


def labels_measured(
    probabilities: torch.Tensor, targets: torch.Tensor, thresholds: tuple[float, ...] = ()
) -> MetricReport:
    metric = LabelMetric(LABELS, thresholds)
    return metric.report(metric.rows(probabilities, targets))


def numbers_measured(
    predictions: torch.Tensor,
    targets: torch.Tensor,
    groups: torch.Tensor | None = None,
    unit: str = "",
) -> MetricReport:
    metric = RegressionMetric(unit=unit)
    return metric.report(metric.rows(predictions, targets), groups)


@pytest.fixture
def labels() -> tuple[torch.Tensor, torch.Tensor]:
    """Probabilities and truths of 120 images with three labels, the last one rare."""
    generator = torch.Generator().manual_seed(5)
    truth = torch.rand(120, 3, generator=generator) < torch.tensor([0.5, 0.3, 0.1])
    predicted = torch.rand(120, 3, generator=generator) * 0.7 + 0.3 * truth
    return predicted.float(), truth.float()


@pytest.fixture
def numbers() -> tuple[torch.Tensor, torch.Tensor]:
    """Predictions and truths of 80 images, four of each of twenty places."""
    generator = torch.Generator().manual_seed(6)
    places = torch.randn(20, 1, generator=generator).repeat_interleave(4, dim=0) * 3 + 10
    missed = torch.randn(80, 1, generator=generator)
    return places + missed, places + 0.5 * torch.randn(80, 1, generator=generator)


def test_numbers_of_labels_agree_with_scikit_learn(labels) -> None:
    predicted, truth = labels
    thresholds = (0.5, 0.4, 0.6)
    result = labels_measured(predicted, truth, thresholds)
    p, t = predicted.double().numpy(), truth.numpy().astype(int)
    named = (predicted >= torch.tensor(thresholds)).numpy()
    expected = {
        "mean average precision": sk.average_precision_score(t, p, average="macro"),
        "macro F1": sk.f1_score(t, named, average="macro"),
        "micro F1": sk.f1_score(t, named, average="micro"),
        "subset accuracy": sk.accuracy_score(t, named),
        "ROC AUC": sk.roc_auc_score(t, p, average="macro"),
        "log loss": np.mean([sk.log_loss(t[:, k], p[:, k]) for k in range(3)]),
    }
    assert {n.name: n.value for n in result.metrics} == pytest.approx(expected, abs=1e-6)
    assert all(n.interval and n.interval.low < n.value < n.interval.high for n in result.metrics)
    columns = np.array(sk.precision_recall_fscore_support(t, named)).T
    for row, column in zip(result.classes, columns, strict=True):
        fields = (row.precision.value, row.recall.value, row.f1.value, row.support)
        assert fields == pytest.approx(tuple(column))


def test_baselines_of_labels_need_no_look_at_the_images(labels) -> None:
    predicted, truth = labels
    result = labels_measured(predicted, truth)
    t = truth.numpy().astype(int)
    shares = t.mean(axis=0)
    assert result["mean average precision"].baseline == pytest.approx(shares.mean())
    everything = sk.f1_score(t, np.ones_like(t), average="macro")
    assert result["macro F1"].baseline == pytest.approx(everything)
    mostly = np.tile(shares >= 0.5, (len(t), 1))
    assert result["subset accuracy"].baseline == pytest.approx(sk.accuracy_score(t, mostly))
    assert result["log loss"].baseline == pytest.approx(
        scipy.stats.bernoulli(shares).entropy().mean()
    )


def test_a_label_without_an_image_is_left_out_of_the_means(labels) -> None:
    predicted, truth = labels
    truth = truth.clone()
    truth[:, 2] = 0
    result = labels_measured(predicted, truth)
    p, t = predicted.double().numpy()[:, :2], truth.numpy()[:, :2].astype(int)
    assert result["mean average precision"].value == pytest.approx(sk.average_precision_score(t, p))
    assert result["ROC AUC"].value == pytest.approx(sk.roc_auc_score(t, p))


def test_numbers_agree_with_scikit_learn_and_scipy(numbers) -> None:
    predicted, truth = numbers
    p, t = predicted.double().numpy()[:, 0], truth.double().numpy()[:, 0]
    result = numbers_measured(predicted, truth, unit="m")
    expected = {
        "R2": sk.r2_score(t, p),
        "mean absolute error": sk.mean_absolute_error(t, p),
        "root mean squared error": sk.root_mean_squared_error(t, p),
        "Spearman correlation": scipy.stats.spearmanr(p, t)[0],
        "Pearson correlation": scipy.stats.pearsonr(p, t)[0],
        "mean error": float(np.mean(p - t)),
    }
    assert {n.name: n.value for n in result.metrics} == pytest.approx(expected)
    assert result["mean absolute error"].baseline == pytest.approx(np.abs(t - t.mean()).mean())
    assert result["root mean squared error"].baseline == pytest.approx(t.std())
    assert result["mean error"].unit == "m"


def test_the_interval_of_r_squared_agrees_with_scipys_bootstrap(numbers) -> None:
    predicted, truth = numbers
    p, t = predicted.double().numpy()[:, 0], truth.double().numpy()[:, 0]
    expected = scipy.stats.bootstrap(
        (t, p), sk.r2_score, paired=True, vectorized=False, method="percentile",
        n_resamples=2000, rng=np.random.default_rng(0),
    ).confidence_interval  # fmt: skip
    ours = numbers_measured(predicted, truth)["R2"].interval
    assert ours is not None
    assert ours.low == pytest.approx(expected.low, abs=0.02)
    assert ours.high == pytest.approx(expected.high, abs=0.02)


def test_numbers_per_place_are_those_of_the_means_of_each_places_images(numbers) -> None:
    predicted, truth = numbers
    places = torch.randperm(20, generator=torch.Generator().manual_seed(1)).repeat_interleave(4)
    result = numbers_measured(predicted, truth, groups=places)
    p, t = (x.double().numpy().reshape(20, 4).mean(axis=1) for x in (predicted, truth))
    assert result["R2 per place"].value == pytest.approx(sk.r2_score(t, p))
    expected = sk.mean_absolute_error(t, p)
    assert result["mean absolute error per place"].value == pytest.approx(expected)
    assert result["R2 per place"].n == 20
    assert result["R2"].n == 80
    assert result["R2"].method == "t of log(1 - x)"
    assert [n.name for n in result.metrics[:2]] == ["R2", "R2 per place"]


def test_images_that_are_a_place_each_have_no_numbers_per_place(numbers) -> None:
    result = numbers_measured(*numbers, groups=torch.arange(80))
    assert not [n.name for n in result.metrics if "place" in n.name]


def test_a_single_place_leaves_r_squared_undefined_and_says_so() -> None:
    predicted, truth = torch.tensor([[1.0], [2.0]]), torch.tensor([[1.0], [3.0]])
    result = numbers_measured(predicted, truth, groups=torch.zeros(2, dtype=torch.int64))
    number = result["R2 per place"]
    assert str(number) == "undefined (n = 1)"
    fields = json.loads(json.dumps(Evaluation.of("test", "regression", result).to_dict()))
    assert fields["metrics"][1]["value"] is None


def test_a_number_comes_back_from_json(numbers) -> None:
    number = numbers_measured(*numbers).metrics[0]
    fields = json.loads(json.dumps({**vars(number), "interval": tuple(number.interval or ())}))
    assert MetricValue.read(fields) == number


def test_an_undefined_number_comes_back_from_json() -> None:
    fields = json.loads(
        '{"name": "precision", "value": null, "n": 0, "interval": null, "unit": "%"}'
    )
    assert str(MetricValue.read(fields)) == "undefined (n = 0)"


def test_a_dash_does_not_meet_a_minus() -> None:
    assert str(MetricValue("R2", 0.5, 9, Interval(0.25, 0.75))) == "0.500 (0.250–0.750, n = 9)"
    assert str(MetricValue("R2", -3, 9, Interval(-26.1, -1))) == (
        "-3.000 (-26.100 to -1.000, n = 9)"
    )


def test_a_baseline_is_written_in_the_unit_of_its_number() -> None:
    assert MetricValue("accuracy", 0.9, 9, None, "%", 0.5).baseline_text() == "50.0 %"
    assert MetricValue("log loss", 0.9, 9, None, "nats", 0.25).baseline_text() == "0.250 nats"
    assert MetricValue("log loss", 0.9, 9, None, "nats").baseline_text() == ""
