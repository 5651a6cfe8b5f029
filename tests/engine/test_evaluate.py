"""Robustness: the same images under every corruption, with intervals."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from saccade.augmentation.corrupt.corruptions import CORRUPTIONS, CorruptedImages, corrupt
from saccade.augmentation.tta import flips
from saccade.data.batch import Batch
from saccade.data.cache import CachedImages
from saccade.data.loader import Loader, sequential
from saccade.engine.evaluate import CorruptionScore, robustness
from saccade.metrics.intervals import Interval, wilson
from saccade.metrics.metric import MetricValue
from saccade.runs.results import Robustness
from saccade.tasks.classification import Classification

TASK = Classification(("dark", "bright"))


class Brightness(nn.Module):
    """Says bright where the mean is over 100.  [N,C,H,W] -> [N,2]"""

    def __init__(self) -> None:
        super().__init__()
        self.threshold = nn.Parameter(torch.tensor(100.0))

    def forward(self, x: Tensor) -> Tensor:
        bright = x.float().mean((1, 2, 3)) - self.threshold
        return torch.stack([-bright, bright], dim=1)


@pytest.fixture(scope="module")
def images() -> tuple[CachedImages, Tensor]:
    """Forty flat ones: a half of 60, a half of 140."""
    targets = torch.arange(40) % 2
    values = (60 + 80 * targets).byte().view(-1, 1, 1, 1)
    return CachedImages(values.expand(40, 3, 32, 32).contiguous()), targets


def loader(images: CachedImages, targets: Tensor) -> Loader:
    return Loader(images, targets, 16, sequential(len(images)))


def test_brightness_is_what_a_network_of_brightness_fails_on(images: tuple[CachedImages, Tensor]):
    result = Robustness.of(
        robustness(Brightness(), TASK, loader(*images), ["brightness", "contrast"])
    )
    assert result.clean.value == 1
    # 60 + 255 x (0.05, 0.1, 0.15, 0.2, 0.3) is over 100 from the third on
    assert [n.value for n in result.corrupted["brightness"]] == [1, 1, 1, 0.5, 0.5]
    assert [n.value for n in result.corrupted["contrast"]] == [1] * 5
    assert result.worst() == "brightness"


class LeftOverRight(nn.Module):
    """Says bright where the left half is brighter.  [N,C,H,W] -> [N,2]"""

    def __init__(self) -> None:
        super().__init__()
        self.sharpness = nn.Parameter(torch.tensor(0.01))

    def forward(self, x: Tensor) -> Tensor:
        left, right = x.float().chunk(2, dim=3)
        apart = self.sharpness * (left - right).mean((1, 2, 3))
        return torch.stack([-apart, apart], dim=1)


def test_corrupted_images_are_seen_several_ways_too():
    """An image and its mirror image cancel: the mean is one half, and every answer "dark"."""
    rows = torch.zeros(8, 1, 32, 32, dtype=torch.uint8)
    rows[..., :16] = 140
    sided = loader(CachedImages(rows), torch.ones(8, dtype=torch.int64))
    once = Robustness.of(robustness(LeftOverRight(), TASK, sided, ["brightness"]))
    both = Robustness.of(robustness(LeftOverRight(), TASK, sided, ["brightness"], tta=flips()))
    assert [n.value for n in once.corrupted["brightness"]] == [1] * 5
    assert [both.clean.value, *(n.value for n in both.corrupted["brightness"])] == [0] * 6


def test_every_number_has_its_n_and_interval(images: tuple[CachedImages, Tensor]):
    result = list(robustness(Brightness(), TASK, loader(*images), ["fog"]))
    assert [(one.corruption, one.severity) for one in result] == [
        ("", 0),
        *(("fog", k) for k in (1, 2, 3, 4, 5)),
    ]
    assert all(one.metric.n == 40 and one.metric.interval for one in result)


def test_all_corruptions_are_measured_unless_some_are_named(images: tuple[CachedImages, Tensor]):
    few = CachedImages(images[0].take(torch.arange(4))), images[1][:4]
    result = Robustness.of(robustness(Brightness(), TASK, loader(*few)))
    assert set(result.corrupted) == set(CORRUPTIONS)


def test_corrupted_images_are_bytes_and_the_same_each_time(images: tuple[CachedImages, Tensor]):
    plain = loader(*images)
    once, again, other = (
        next(plain.with_transform(CorruptedImages("gaussian_noise", 3, seed)).epoch(0)).images
        for seed in (0, 0, 1)
    )
    assert once.dtype == torch.uint8 and torch.equal(once, again)
    assert not torch.equal(once, next(plain.epoch(0)).images)
    assert not torch.equal(once, other)


def test_streaks_have_the_same_direction_in_all_severities(images: tuple[CachedImages, Tensor]):
    generator = [torch.Generator().manual_seed(1) for _ in range(2)]
    image = torch.zeros(1, 1, 33, 33)
    image[..., 16, 16] = 255
    batch = Batch(image, torch.arange(1), torch.arange(1))
    weak, strong = (corrupt(batch, "motion_blur", s, g).images for s, g in zip((1, 5), generator))
    assert torch.equal(weak > 1, (weak > 1) & (strong > 1))


def number(value: float, n: int = 100) -> MetricValue:
    return MetricValue("accuracy", value, n, wilson(round(value * n), n), "%")


def test_the_table_has_a_line_for_each_corruption():
    severities = [CorruptionScore("fog", k, number(1 - 0.1 * k)) for k in range(1, 6)]
    result = Robustness.of([CorruptionScore("", 0, number(0.95)), *severities])
    lines = str(result).splitlines()
    assert lines[0] == (
        "accuracy: 95.0 % (88.8–97.8, n = 100) on images as they are; 70 % on average of five "
        "severities of fog"
    )
    assert lines[3].split()[:3] == ["fog", "90", "(83–94)"]
    assert lines[3].split()[-1] == "70"
    assert result.to_dict()["corruptions"]["fog"]["mean"] == pytest.approx(0.7)
    assert "<td" in result._repr_html_()


def test_numbers_that_are_no_shares_are_written_as_they_are():
    error = MetricValue("MAE", 1.234, 50, Interval(1.1, 1.4), "years")
    foggy = [CorruptionScore("fog", k, error) for k in range(1, 6)]
    result = Robustness.of([CorruptionScore("", 0, error), *foggy])
    assert "1.23 (1.1–1.4)" in str(result)
