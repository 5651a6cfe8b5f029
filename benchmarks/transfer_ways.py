"""The ways to learn from few images that transfer.py compares, each on the same drawn ones."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn

from saccade.auto.choose import HANDFUL
from saccade.auto.resolve import resolve
from saccade.auto.summary import channel_statistics, summarize
from saccade.auto.weights import preprocessing_of
from saccade.classical.fit import FIT_IMAGES, fit, fit_svm
from saccade.data.cache import CachedImages, ImageStore, decode_all
from saccade.data.classes import class_indices
from saccade.data.decode import Preprocessing
from saccade.data.item import Item
from saccade.data.sources import open_source
from saccade.data.splits import DataSplit
from saccade.engine.evaluate import evaluate
from saccade.engine.loop import train
from saccade.files import cache_folder
from saccade.models.backbone import backbone
from saccade.models.catalogue import CLASSICAL_MODELS
from saccade.models.create import create_model
from saccade.models.layers.blocks import normalized
from saccade.models.weights import weights_entry
from saccade.probes.features import AugmentedCopies, DecodedImages, features
from saccade.probes.logistic import logistic
from saccade.probes.simple import nearest_mean
from saccade.training.prepare import prepare

HELD = {"hymenoptera": "val", "intel_scenes": "test"}  # the split to measure on
EVERY = {"hymenoptera": 1, "intel_scenes": 4}  # of how many to draw from one is taken, for speed
NETWORK, FILE = "googlenet_2014", "googlenet_bvlc_imagenet_fp16.npz"
ALL = 0  # images a class: no limit
TUNED_EPOCHS, TUNED_LR = 5, 1e-4  # gentler than the recipe, for the very few
SEEN, EPOCHS = 2_500, (6, 40)  # from scratch: images in all; fewest and most epochs


class Case(NamedTuple):
    """A way to learn, from so many images a class, drawn for the so-manieth time."""

    way: str
    shots: int
    draw: int

    def __str__(self) -> str:
        return f"{self.way} {self.shots or 'all'} {self.draw}"


@dataclass(frozen=True)
class Photographs:
    """A set: images to draw from, and those that every case is measured on."""

    data: Path
    name: str

    @cached_property
    def splits(self) -> tuple[tuple[Item, ...], tuple[Item, ...]]:
        source = open_source(self.data / self.name)
        learned, held = source.read("train"), source.read(HELD[self.name])
        return tuple(learned[:: EVERY[self.name]]), tuple(held)

    @property
    def classes(self) -> tuple[str, ...]:
        return open_source(self.data / self.name).classes

    @cached_property
    def targets(self) -> tuple[Tensor, Tensor]:
        learned, held = (torch.from_numpy(class_indices(s, self.classes)) for s in self.splits)
        return learned, held

    def drawn(self, case: Case) -> Tensor:
        """Places of the images of a case, those of fewer images a class among them."""
        order = torch.randperm(
            len(self.splits[0]), generator=torch.Generator().manual_seed(case.draw)
        )
        classes = self.targets[0][order]
        members = [order[classes == k] for k in range(len(self.classes))]
        return torch.cat([m[: case.shots or None] for m in members]).sort().values

    def images(self, preprocessing: Preprocessing) -> tuple[ImageStore, ImageStore]:
        learned, held = (decode_all(s, preprocessing, mode="disk").images for s in self.splits)
        return learned, held

    @cached_property
    def network_features(self) -> tuple[Tensor, Tensor]:
        """What the pretrained network makes of all images.  [N,D] each"""
        facts = weights_entry(NETWORK, "imagenet")
        network = create_model(NETWORK, 1000, weights=self.data / "weights" / FILE)
        rows = backbone(normalized(network, facts.mean, facts.std))
        p = preprocessing_of(facts)
        learned, held = (
            features(rows, DecodedImages(items, images, p), AugmentedCopies())[:, 0]
            for items, images in zip(self.splits, self.images(p))
        )
        return learned, held

    def classical_features(self, name: str) -> tuple[Tensor, Tensor]:
        """What a classical recipe makes of all images, its words learned without labels."""
        learned, held = self.images(Preprocessing(size=CLASSICAL_MODELS[name].input[1]))
        model = normalized(
            CLASSICAL_MODELS[name].make(len(self.classes)), *channel_statistics(learned)
        )
        some = torch.arange(0, len(learned), -(-len(learned) // FIT_IMAGES))
        fit(model, CachedImages(learned.take(some)), self.targets[0][some], 0, lambda *_: None)
        return seen(model[:-1], learned), seen(model[:-1], held)

    @cached_property
    def fisher(self) -> tuple[Tensor, Tensor]:
        return self.classical_features("fisher")

    @cached_property
    def hog(self) -> tuple[Tensor, Tensor]:
        return self.classical_features("hog")


@torch.inference_mode()
def seen(rows: nn.Module, images: ImageStore) -> Tensor:
    parts = torch.arange(len(images)).split(16)
    return torch.cat([rows(images.take(part)).flatten(1) for part in parts]).clone()


def by_features(photographs: Photographs, case: Case) -> Tensor:
    """A head on the features of the pretrained network as it is."""
    learned, held = photographs.network_features
    some = photographs.drawn(case)
    head = nearest_mean if 0 < case.shots <= HANDFUL else logistic
    row = head(learned[some, None], photographs.targets[0][some]).row
    return row(held).argmax(1)


def by_fisher(photographs: Photographs, case: Case) -> Tensor:
    return by_machine(photographs, case, photographs.fisher)


def by_hog(photographs: Photographs, case: Case) -> Tensor:
    return by_machine(photographs, case, photographs.hog)


@torch.no_grad()
def by_machine(photographs: Photographs, case: Case, found: tuple[Tensor, Tensor]) -> Tensor:
    """The linear machine of the classical recipes."""
    some = photographs.drawn(case)
    row = nn.Linear(found[0].shape[1], len(photographs.classes))
    fit_svm(row, found[0][some], photographs.targets[0][some], case.draw)
    return row(found[1]).argmax(1)


def from_scratch(photographs: Photographs, case: Case) -> Tensor:
    count = len(photographs.drawn(case))
    epochs = min(max(EPOCHS[0], SEEN // count), EPOCHS[1])
    changes = {"model.name": "resnet18", "data.size": 64, "train.epochs": epochs}
    return trained(photographs, case, "photos", changes)


def fine_tuned(photographs: Photographs, case: Case) -> Tensor:
    changes = {
        "model.name": NETWORK,
        "model.weights": str(photographs.data / "weights" / FILE),
        "model.head": "nearest_mean" if 0 < case.shots <= HANDFUL else "logistic",
        "train.epochs": TUNED_EPOCHS,
        "optim.lr": TUNED_LR,
    }
    return trained(photographs, case, "finetune", changes)


def trained(photographs: Photographs, case: Case, recipe: str, changes: dict) -> Tensor:
    """What a network says that is trained by a recipe; nothing is chosen by held-out images."""
    learned, held = photographs.splits
    items = tuple(learned[k] for k in photographs.drawn(case).tolist())
    changes = changes | {"train.seed": case.draw, "data.cache": "disk"}
    settled = resolve(recipe, changes, summarize(items), find_weights=lambda *_: []).recipe
    division = DataSplit(items, held[:1], held, photographs.classes)
    ready = prepare(settled, division, lambda done, total: None)
    for _ in train(
        ready.state,
        ready.loader,
        ready.augment,
        epochs=settled.train.epochs,
        seed=case.draw,
    ):
        ready.state.update_ema()
    said = evaluate(ready.eval_model, ready.task, ready.splits["test"].sequential())
    return said.rows.answers


def tutorial(photographs: Photographs, case: Case) -> Tensor:
    """The loop of PyTorch's transfer tutorial: frozen network, new last layer, SGD, 10 epochs."""
    import torchvision
    from torch.utils.data import DataLoader, Subset
    from torchvision import transforms as t

    facts, folder = weights_entry(NETWORK, "imagenet"), photographs.data / photographs.name
    end = [t.ToTensor(), t.Normalize(facts.mean, facts.std)]
    ways = {
        "train": t.Compose([t.RandomResizedCrop(224), t.RandomHorizontalFlip(), *end]),
        HELD[photographs.name]: t.Compose([t.Resize(256), t.CenterCrop(224), *end]),
    }
    learned, held = (torchvision.datasets.ImageFolder(str(folder / s), w) for s, w in ways.items())
    known, asked = (
        [Path(file).relative_to(folder).as_posix() for file, _ in found.samples]
        for found in (learned, held)
    )
    wanted = [photographs.splits[0][k].name for k in photographs.drawn(case).tolist()]
    drawn = [known.index(name) for name in wanted if name in known]  # it does not take .gif
    torch.manual_seed(case.draw)
    network = create_model(NETWORK, 1000, weights=photographs.data / "weights" / FILE)
    network.requires_grad_(False)
    last = nn.Linear(1024, len(learned.classes))
    network.set_submodule("fc", last)
    optimizer = torch.optim.SGD(last.parameters(), lr=0.001, momentum=0.9)
    schedule = torch.optim.lr_scheduler.StepLR(optimizer, step_size=7, gamma=0.1)
    for _ in range(10):
        network.train()
        for images, classes in DataLoader(Subset(learned, drawn), batch_size=4, shuffle=True):
            optimizer.zero_grad()
            nn.functional.cross_entropy(network(images), classes).backward()
            optimizer.step()
        schedule.step()
    network.eval()
    with torch.inference_mode():
        said = torch.cat([network(x).argmax(1) for x, _ in DataLoader(held, batch_size=32)])
    return said[[asked.index(item.name) for item in photographs.splits[1]]]


def fastai(photographs: Photographs, case: Case) -> Tensor:
    """fastai's fine_tune in the peers' environment, which benchmarks/train.py makes."""
    learned, held = photographs.splits
    facts, folder = weights_entry(NETWORK, "imagenet"), photographs.data / photographs.name
    some = [learned[k] for k in photographs.drawn(case).tolist()]
    asked = {
        "learn": {str(folder / item.name): item.label for item in some},
        "held": [str(folder / item.name) for item in held],
        "classes": list(photographs.classes),
        "network": NETWORK,
        "weights": str(photographs.data / "weights" / FILE),
        "mean": facts.mean,
        "std": facts.std,
        "seed": case.draw,
    }
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        file.write(json.dumps(asked))
        file.flush()
        script = Path(__file__).parent / "peers" / "transfer_with_fastai.py"
        done = subprocess.run(
            [cache_folder() / "peers" / "bin" / "python", script, file.name],
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            stdout=subprocess.PIPE,
            check=True,
        )
    return torch.tensor(json.loads(done.stdout.splitlines()[-1]))


WAYS: dict[str, Callable[[Photographs, Case], Tensor]] = {
    "features": by_features,
    "fine-tuned": fine_tuned,
    "fisher": by_fisher,
    "hog": by_hog,
    "scratch": from_scratch,
    "tutorial": tutorial,
    "fastai": fastai,
}
