"""Inference keeps to the memory planned for it, and says the same whatever the batches."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from saccade.data.cache import CachedImages
from saccade.data.decode import Preprocessing
from saccade.data.item import ImageArray, Item
from saccade.data.loader import Loader, sequential
from saccade.engine import memory
from saccade.engine.evaluate import evaluate
from saccade.engine.memory import images_at_once
from saccade.engine.ood import Novelty
from saccade.probes.features import AugmentedCopies, DecodedImages, features
from saccade.runs.predictor import Predictor
from saccade.tasks.classification import Classification

SHAPE = (3, 8, 8)
IMAGE = 3 * 8 * 8 * 4  # bytes in float32
TASK = Classification(("a", "b"))


class Doubled(nn.Module):
    """Two tensors of an image at a time, then its two sums; remembers how many images came."""

    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(3, 2)
        self.seen: list[int] = []

    def forward(self, x: Tensor) -> Tensor:
        self.seen.append(len(x))
        return self.fc((x.float() * 2).mean((2, 3)) / 255)


@dataclass
class Planned:
    network: Doubled
    images: Tensor


@pytest.fixture
def planned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Planned:
    """Room for five images, each in float32 and doubled."""
    monkeypatch.setenv("SACCADE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setitem(memory.INFERENCE_BYTES, "cpu", 5 * 2 * IMAGE)
    torch.manual_seed(0)
    images = torch.randint(0, 256, (23, *SHAPE), dtype=torch.uint8)
    return Planned(Doubled().eval(), images)


def blank(shape: tuple[int, ...]) -> torch.Tensor:
    """One black image.  -> [1,C,H,W] uint8"""
    return torch.zeros(1, *shape, dtype=torch.uint8)


def test_as_many_images_go_together_as_their_tensors_have_room_for(planned: Planned) -> None:
    network = planned.network
    assert images_at_once(network, network, blank(SHAPE), 64) == 5
    assert images_at_once(network, network, blank(SHAPE), 3) == 3
    assert (
        images_at_once(network, network, blank((3, 80, 80)), 64) == 1
    )  # too large: one all the same


def test_measuring_leaves_the_mode_and_the_statistics_of_a_network(planned: Planned) -> None:
    norm = nn.BatchNorm2d(3).train()
    images_at_once(norm, lambda x: norm(x.float()), blank(SHAPE), 64)
    assert norm.training and norm.running_mean is not None and not norm.running_mean.any()


def test_an_evaluation_in_parts_has_the_rows_of_the_whole(planned: Planned) -> None:
    network, images = planned.network, planned.images
    targets = torch.arange(23) % 2
    loader = Loader(CachedImages(images), targets, 20, sequential(23))
    bank = torch.randn(12, 3)
    novelty = Novelty.fit(bank[:8], bank[8:])
    outputs = evaluate(network, TASK, loader, novelty=novelty)
    assert network.seen == [1, 5, 5, 5, 5, 3]
    with torch.inference_mode():
        means = images.float().mean((2, 3)) * 2 / 255
        probabilities = network.fc(means).softmax(1)
    torch.testing.assert_close(outputs.rows.predictions, probabilities)
    assert outputs.rows.targets.tolist() == targets.tolist()
    assert outputs.novelty is not None
    torch.testing.assert_close(outputs.novelty, novelty.score(means).float())


def test_features_and_predictions_come_in_parts_too(planned: Planned) -> None:
    network, images = planned.network, planned.images
    pixels = [row.permute(1, 2, 0).contiguous().numpy() for row in images]
    items = [Item(str(k), None, ImageArray(array)) for k, array in enumerate(pixels)]
    decoding = DecodedImages(items, CachedImages(images), Preprocessing(8))
    x = features(network, decoding, AugmentedCopies())
    assert network.seen == [1, 5, 5, 5, 5, 3]
    network.seen.clear()
    with Predictor(network, TASK, Preprocessing(8), workers=1) as predictor:
        answers = predictor.predict_items(items)
    assert network.seen == [1, 5, 5, 5, 5, 3]
    assert [answer.name for answer in answers] == [item.name for item in items]
    torch.testing.assert_close(x[:, 0], network.fc(images.float().mean((2, 3)) * 2 / 255))
