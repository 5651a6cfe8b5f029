"""A kind of answer that is too big to be kept: its metric is one class, and has all the rest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import pytest
import torch
from torch import Tensor, nn

from saccade.data.cache import CachedImages
from saccade.data.loader import Loader, sequential
from saccade.engine.evaluate import evaluate
from saccade.metrics.measure import named_metric, primary_metric, scores, with_intervals
from saccade.metrics.metric import MetricReport, Quantity, Score
from saccade.metrics.paired import paired
from saccade.metrics.sample import Sample


@dataclass(frozen=True)
class Confusions:
    """A confusion matrix an image."""

    counts: Tensor  # [N,K,K] float64, pixels; a row a true class
    losses: Tensor  # [N] float64, the share of pixels that are wrong

    def __len__(self) -> int:
        return len(self.counts)

    def __getitem__(self, places: Tensor) -> Confusions:
        return Confusions(self.counts[places], self.losses[places])

    @classmethod
    def joined(cls, parts: Sequence[Confusions]) -> Confusions:
        return cls(torch.cat([p.counts for p in parts]), torch.cat([p.losses for p in parts]))


def mean_iou(counts: Tensor) -> Tensor:
    """[B,K,K] -> [B]"""
    both = counts.diagonal(dim1=1, dim2=2)
    return (both / (counts.sum(dim=1) + counts.sum(dim=2) - both)).nanmean(dim=1)


@dataclass(frozen=True)
class MaskMetric:
    """Mean intersection over union of the pixels of all images together."""

    num_classes: int

    score: ClassVar[Score] = Score("mean_iou")
    compared: ClassVar[tuple[str, ...]] = ("mean IoU",)

    def rows(self, predictions: Tensor, targets: Tensor) -> Confusions:
        """[N,H,W] classes, [N,H,W] int64"""
        k = self.num_classes
        cells = (
            nn.functional.one_hot(targets * k + predictions.long(), k * k).flatten(1, 2).sum(dim=1)
        )
        return self._of(cells.view(-1, k, k).double().cpu())

    def read(self, table: Mapping[str, Sequence[str]]) -> Confusions:
        cells = [[float(count) for count in cell.split()] for cell in table["confusion"]]
        return self._of(torch.tensor(cells).double().view(-1, self.num_classes, self.num_classes))

    def _of(self, counts: Tensor) -> Confusions:
        right = counts.diagonal(dim1=1, dim2=2).sum(dim=1) / counts.sum(dim=(1, 2))
        return Confusions(counts, 1 - right)

    def correct(self, rows: Confusions) -> None:
        """No mask is wholly right."""

    def quantities(self, rows: Confusions) -> Iterator[Quantity]:
        flat, shape = rows.counts.flatten(1), rows.counts.shape[1:]
        yield Quantity("mean IoU", lambda w: mean_iou((w @ flat).view(-1, *shape)), unit="%")

    def report(self, rows: Confusions, groups: Tensor | None = None, seed: int = 0) -> MetricReport:
        numbers = with_intervals(self.quantities(rows), Sample(len(rows), groups), seed)
        return MetricReport(len(rows), tuple(numbers))


METRIC = MaskMetric(2)
TRUTH = torch.tensor([[[0, 0], [1, 1]], [[0, 0], [0, 1]]] * 10)  # [20,2,2]
RIGHT = METRIC.rows(TRUTH, TRUTH)
EMPTY = METRIC.rows(torch.zeros_like(TRUTH), TRUTH)  # of 80 pixels, 30 of class 1 are missed


def test_the_number_and_the_losses_come_from_the_rows() -> None:
    """All is named 0: of class 0 the overlap is 50 of 80, of class 1 nothing of 30."""
    assert scores(METRIC, EMPTY)["mean_iou"] == pytest.approx((50 / 80 + 0) / 2)
    assert EMPTY.losses[:2].tolist() == [0.5, 0.25]
    assert METRIC.report(RIGHT)["mean IoU"].value == 1


def test_so_does_its_interval() -> None:
    number = primary_metric(METRIC, EMPTY)
    assert number.interval is not None and number.method == "bootstrap"
    # between ten in twenty images of 2/4 and of 3/4 lies each draw; about 0.3125 +- 2 x 0.014
    assert number.interval == pytest.approx((0.3125 - 0.0274, 0.3125 + 0.0274), abs=0.007)
    whole = primary_metric(METRIC, EMPTY, groups=torch.arange(20) % 10)
    assert whole.method == "cluster bootstrap" and whole.interval is not None
    two = primary_metric(METRIC, EMPTY, groups=torch.arange(20) % 2)
    assert (two.interval, two.reason) == (None, "2 groups are too few to tell of others")


def test_a_slice_is_a_selection_of_rows() -> None:
    """Of the even images 2 of 4 pixels are of class 0, of the odd ones 3 of 4."""
    even, odd = (EMPTY[torch.arange(first, 20, 2)] for first in (0, 1))
    assert named_metric(METRIC, even, "mean IoU").value == pytest.approx(0.25)
    assert named_metric(METRIC, odd, "mean IoU").value == pytest.approx(0.375)


def test_two_networks_are_compared_on_the_same_images() -> None:
    (number,) = paired(METRIC, [EMPTY, RIGHT])
    result = number.difference(0, 1)
    assert (result.name, result.value) == ("mean IoU", pytest.approx(1 - 0.3125))
    assert result.p < 0.01 and result.interval is not None and result.interval.low > 0.6


def test_rows_come_back_from_a_table() -> None:
    cells = [" ".join(f"{int(n)}" for n in one.flatten()) for one in EMPTY.counts]
    assert torch.equal(METRIC.read({"confusion": cells}).counts, EMPTY.counts)


class Masks:
    """What `evaluate` needs of a task: a class a pixel, and how that is measured."""

    def predict(self, model: nn.Module, images: Tensor) -> Tensor:
        return (model(images)[:, 0] > 100).float()

    def metric(self) -> MaskMetric:
        return METRIC


def test_an_evaluation_keeps_a_matrix_an_image_and_no_mask() -> None:
    network = nn.Conv2d(1, 1, 1, bias=False)
    nn.init.ones_(network.weight)
    images = (200 * TRUTH[:, None]).float()
    loader = Loader(CachedImages(images), TRUTH, 8, sequential(20))
    result = evaluate(network, Masks(), loader)  # type: ignore[arg-type]
    assert torch.equal(result.rows.counts, RIGHT.counts)
    assert vars(result.rows).keys() == {"counts", "losses"}
