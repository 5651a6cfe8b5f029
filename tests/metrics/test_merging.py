"""Every metric is the same number whether one process has seen all pictures or several."""

from __future__ import annotations

import io
import pickle
from functools import partial

import pytest
import torch

from saccade.data.batch import Batch
from saccade.metrics.calibration import (
    CalibrationError,
    LogLoss,
    adaptive_calibration_error,
    brier_scores,
)
from saccade.metrics.counts import (
    Accuracy,
    Confusion,
    Counted,
    LabelCounted,
    Macro,
    Weighted,
    balanced_accuracy,
    exact_matches,
    f1,
    kappa,
    matthews,
)
from saccade.metrics.metric import Averaged, Remembered
from saccade.metrics.ranking import average_precisions, mean_average_precision, roc_areas, spearman
from saccade.metrics.regression import RootMeanSquare, RSquared, absolute_errors

CLASSES = {
    "accuracy": Accuracy,
    "top2": partial(Accuracy, 2),
    "log loss": LogLoss,
    "Brier": partial(Averaged, brier_scores),
    "confusion": partial(Confusion, 5),
    "F1": partial(Counted, 5, f1),
    "weighted F1": partial(Counted, 5, Weighted(f1)),
    "balanced accuracy": partial(Counted, 5, balanced_accuracy),
    "kappa": partial(Counted, 5, kappa),
    "Matthews": partial(Counted, 5, matthews),
    "calibration error": CalibrationError,
    "adaptive calibration error": partial(Remembered, adaptive_calibration_error),
    "ROC areas": partial(Remembered, roc_areas),
    "average precisions": partial(Remembered, average_precisions),
}
LABELS = {
    "label F1": partial(LabelCounted, 5, Macro(f1)),
    "subset accuracy": partial(Averaged, exact_matches),
    "mAP": partial(Remembered, mean_average_precision),
    "MAE": partial(Averaged, absolute_errors),
    "RMSE": RootMeanSquare,
    "R squared": RSquared,
    "Spearman": partial(Remembered, spearman),
}
ALL = CLASSES | LABELS


def pictures(name: str) -> tuple[torch.Tensor, torch.Tensor]:
    """Predictions [97,5] with many equal ones, and targets that suit the metric."""
    generator = torch.Generator().manual_seed(1)
    p = torch.rand(97, 5, generator=generator).mul(10).ceil().div(10)
    if name in LABELS:
        return p, (torch.rand(97, 5, generator=generator) < 0.4).float()
    return p / p.sum(dim=1, keepdim=True), torch.randint(0, 5, (97,), generator=generator)


def seen(name: str, *parts: slice):
    metric = ALL[name]()
    p, t = pictures(name)
    for part in parts:
        metric.update(p[part], Batch(p[part], t[part], torch.arange(97)[part]))
    return metric


@pytest.mark.parametrize("name", ALL)
def test_metrics_of_several_processes_merge_into_that_of_one(name: str) -> None:
    whole = torch.as_tensor(seen(name, slice(0, 97)).result())
    merged = seen(name, slice(60, 97))
    merged.merge(seen(name))  # a process that has seen nothing
    merged.merge(seen(name, slice(0, 1), slice(1, 60)))
    torch.testing.assert_close(torch.as_tensor(merged.result()), whole, rtol=1e-12, atol=1e-14)
    into_nothing = seen(name)
    into_nothing.merge(merged)
    torch.testing.assert_close(
        torch.as_tensor(into_nothing.result()), whole, rtol=1e-12, atol=1e-14
    )
    assert whole.isfinite().all()


@pytest.mark.parametrize("name", ALL)
def test_merging_leaves_the_other_as_it_was(name: str) -> None:
    first, second = seen(name, slice(0, 60)), seen(name, slice(60, 97))
    before = torch.as_tensor(second.result()).clone()
    first.merge(second)
    torch.testing.assert_close(torch.as_tensor(second.result()), before, rtol=0, atol=0)


@pytest.mark.parametrize("name", ALL)
def test_a_metric_can_travel_between_processes(name: str) -> None:
    there = seen(name, slice(0, 97))
    here = pickle.load(io.BytesIO(pickle.dumps(there)))
    torch.testing.assert_close(torch.as_tensor(here.result()), torch.as_tensor(there.result()))


@pytest.mark.parametrize("name", ALL)
def test_nothing_seen_is_not_a_number(name: str) -> None:
    result = torch.as_tensor(seen(name).result()).double()
    assert result.isnan().all() or (name == "confusion" and not result.any())
