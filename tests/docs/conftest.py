"""The world that the pages of the documentation assume: images, tables, runs, weights, all small.

`documented` is a copy of it, a page's own, in which trainings are short; what that means stands in
`shortened` and nowhere else.
"""

from __future__ import annotations

import logging
import shutil
import signal
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import saccade
import saccade.studies.run as studies
from saccade.auto.resolve import resolve, stated_settings
from saccade.auto.summary import DatasetSummary
from saccade.data.sandbox import Message, Sandbox
from saccade.models import convert, weights
from saccade.models.catalogue import CLASSICAL_MODELS, NETWORKS
from saccade.models.create import create_model
from saccade.models.table import table_network
from saccade.own import Own
from saccade.studies.study import BestOf, Study
from saccade.studies.workers import train_all

COLOURS = {"ant": (60, 40, 30), "bee": (210, 180, 40), "ladybug": (200, 40, 40)}
MOST_EPOCHS = 12  # of a training in stages; any other has one
AT_HAND = ("resnet18", "imagenet")  # its stand-in lies in TORCH_HOME
NARROW = """input = [3, 224, 224]  # the rows of ResNet-18 under their names, few channels

[rows]
conv1 = { layer = "Conv2d", out_channels = 8, kernel_size = 3, stride = 4 }
layer1 = { layer = "BasicBlock", channels = 8 }
layer2 = { layer = "BasicBlock", channels = 8 }
layer3 = { layer = "BasicBlock", channels = 8 }
layer4 = { layer = "BasicBlock", channels = 8 }
avgpool = { layer = "AdaptiveAvgPool2d", output_size = 1 }
flatten = { layer = "Flatten" }
fc = { layer = "Linear", out_features = "num_classes" }
"""


def shortened(
    recipe: str | Path | None, flags: Mapping[str, Any], summary: DatasetSummary
) -> dict[str, Any]:
    """The settings of a documented training, with what makes it short where it says nothing else.

    All at 32 pixels, for one epoch (stages have one each); a few of the digits, not examined;
    colour images from scratch, by a small network, where nothing else is said.
    """
    stated = stated_settings(recipe, flags)
    stages = len(stated["model.stages"]) if "model.stages" in flags else 1
    short, name = dict[str, Any](), stated.get("model.name", "")
    if stages > 1:
        short["train.epochs"] = min(stated.get("train.epochs", stages), MOST_EPOCHS)
    elif stated.get("train.epochs") != 0 and name not in CLASSICAL_MODELS:
        short["train.epochs"] = 1
    if not ({"model.weights", "model.stages"} & stated.keys() or recipe or summary.grey):
        short["model.name"] = name or "mlp_rgb"
    if summary.grey:
        short |= {"data.per_class": 20, "data.held_out_per_class": 10, "data.doctor": "off"}
    if "data.size" not in stated and not isinstance(name, Own):
        short["data.size"] = 32
    return {**flags, **short}


def shortened_study(study: Study) -> Study:
    """A study's first comparison, in one process, from one seed, at the first of values tried."""

    def first(settings: Mapping[str, Any]) -> dict[str, Any]:
        return {k: v.values[0] if isinstance(v, BestOf) else v for k, v in settings.items()}

    compared = next(v for v in study.variants if v.baseline)
    kept = [v for v in study.variants if v is compared or v.name == compared.baseline]
    variants = tuple(replace(v, settings=first(v.settings)) for v in kept)
    common = {"model.name": "mlp_rgb", **first(study.settings)}
    return replace(study, variants=variants, settings=common, seeds=1)


def paint(path: Path, colour: tuple[int, ...], size: tuple[int, int], seed: int) -> None:
    """A noisy image of one colour."""
    noise = np.random.default_rng(seed).normal(0, 30, (*size, 3))
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray((np.array(colour) + noise).clip(0, 255).astype(np.uint8)).save(path)


def folder_of(path: Path, count: int, size: tuple[int, int] = (32, 32), seed: int = 0) -> None:
    """A folder of so many images of each class."""
    for place, (name, colour) in enumerate(COLOURS.items()):
        for number in range(count):
            file = path / name / f"{number:03d}.png"
            paint(file, colour, size, seed + 1000 * place + number)


def digits_as_colours(path: Path) -> None:
    """Ten classes of six images, such as a set of small photographs has."""
    for number in range(60):
        colour = (25 * (number % 10), 120, 250 - 25 * (number % 10))
        paint(path / f"{number % 10}" / f"{number}.png", colour, (32, 32), number)


def answered_here(sandbox: Sandbox, requests: Sequence[Message]) -> list[bytearray]:
    """What a process of the sandbox would answer; starting one takes longer than small images."""
    handle = import_module(sandbox.module).handle_request
    return [bytearray(b"".join(handle(b"".join(request)))) for request in requests]


@contextmanager
def shorter(table: Path) -> Iterator[None]:
    """In the block trainings are short, ResNet-18 is narrow, public weights are stand-ins."""
    with pytest.MonkeyPatch.context() as patch:
        plain, requested = resolve, studies._requested_study
        short = lambda recipe, flags, summary, **options: plain(  # noqa: E731
            recipe, shortened(recipe, flags, summary), summary, **options
        )
        patch.setattr("saccade.training.inputs.resolve", short)
        patch.setattr(
            studies, "_requested_study", lambda options: shortened_study(requested(options))
        )
        narrow = replace(
            NETWORKS["resnet18"], make=lambda num_classes=1000: table_network(table, num_classes)
        )
        patch.setitem(NETWORKS, "resnet18", narrow)
        patch.setattr(Sandbox, "_try", answered_here)
        patch.setattr("saccade.engine.profile.MIN_SECONDS", 0.0)  # of a plan's rehearsal
        patch.setattr("saccade.metrics.bootstrap.MAX_DRAWS", 0)  # 200 replicates
        for place in ("run", "cross_validation", "learning_curve"):  # here, not in a process
            patch.setattr(
                f"saccade.studies.{place}.train_all",
                lambda jobs, _, *rest: train_all(jobs, 1, *rest),
            )
        small = {
            key: replace(entry, size=min(entry.size, 72), resize=min(entry.size, 72))
            for key, entry in weights.public_weights().items()
        }
        patch.setattr(weights, "public_weights", lambda: small)
        patch.setattr("saccade.auto.weights.public_weights", lambda: small)
        patch.setattr(weights, "WHEEL", "saccade_no_weights")
        patch.setattr(weights, "fetch", lambda file, *_, **__: file)
        timm = convert.timm_network
        for place in ("saccade.models.convert", "saccade.models.create", "saccade.auto.weights"):
            patch.setattr(
                f"{place}.timm_network",
                lambda name, *rest, **options: timm(
                    name, *rest, **{**options, "pretrained": False}
                ),
                raising=False,
            )
        yield


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The world, made once."""
    world = tmp_path_factory.mktemp("documented")
    (world / "resnet18.toml").write_text(NARROW)
    with shorter(world / "resnet18.toml"):
        fill(world)
    return world


def fill(world: Path) -> None:
    """Images, tables, weights and runs, as the pages name them."""
    home, here = world / "torch" / "hub" / "checkpoints", world / "here"
    home.mkdir(parents=True)
    entry = weights.public_weights()[AT_HAND]
    torch.save(create_model(entry.network).state_dict(), home / entry.url.rpartition("/")[2])
    folder_of(world / "plenty", 240)
    for name, count in {"photos": 12, "hymenoptera": 6}.items():
        folder_of(here / name, count, (72, 80))
    folder_of(here / "other" / "photos", 6, seed=500)
    for name in ("cifar10", "mnist"):
        digits_as_colours(here / name)
    for name in ("new.jpg", "image.jpg", "photo.jpg", "folder/1.jpg", "folder/2.jpg"):
        paint(here / name, COLOURS["bee"], (32, 32), 7)
    rows = [f"{p.relative_to(here)},{p.parent.name}" for p in sorted(here.glob("photos/*/*"))]
    (here / "table.csv").write_text("path,label\n" + "\n".join(rows) + "\n")
    (here / "mine.toml").write_text(written_in("studies.md"))
    networks_of(here)
    runs_of(here)


def written_in(page: str) -> str:
    """The TOML file of a page of the documentation."""
    text = (Path(__file__).parents[2] / "docs" / page).read_text("utf-8")
    return text.partition("```toml\n")[2].partition("```")[0]


def networks_of(here: Path) -> None:
    """Files of weights that nobody has trained."""
    state = create_model("googlenet_2014").state_dict()
    arrays = {name: value.numpy().astype(np.float16) for name, value in state.items()}
    np.savez(here / "googlenet_bvlc_imagenet_fp16.npz", **arrays)
    torch.save(state, here / "FILE")


def alone(patch: pytest.MonkeyPatch, world: Path) -> None:
    """Weights and caches are those of the world, and nothing is fetched."""
    patch.setenv("TORCH_HOME", str(world / "torch"))
    patch.setenv("SACCADE_CACHE", str(world / "cache"))
    patch.setenv("SACCADE_OFFLINE", "1")


def runs_of(here: Path) -> None:
    """Finished runs under all the names that the pages have for them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(here)
        alone(patch, here.parent)
        off = {"data.doctor": "off", "train.epochs": 1}
        saccade.train("../plenty", model="mlp_rgb", with_=off, out="RUN")
        saccade.train("photos", model="resnet18", with_=off, out="runs/mine-1")
        saccade.train("photos", model="cifar_resnet20", with_=off, out="runs/mine")
    names = ("OTHER", "A", "B", "C", "runs/one", "runs/other", "runs/photos-1")
    for name in (*names, "runs/photos-resnet18-1", "runs/photos-resnet34-1"):
        shutil.copytree(here / "RUN", here / name)
    shutil.copytree(here / "RUN" / "bundle", here / "BUNDLE")


@pytest.fixture
def documented(
    template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[SimpleNamespace]:
    """A copy of the world, as the current folder."""
    here = tmp_path / "here"
    shutil.copytree(template / "here", here)
    monkeypatch.chdir(here)
    alone(monkeypatch, template)
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    logger = logging.getLogger("saccade")
    level, listeners = logger.level, [*logger.handlers]
    with shorter(template / "resnet18.toml"):
        yield SimpleNamespace(path=here)
    for number, handler in handlers.items():
        signal.signal(number, handler)
    logger.setLevel(level)
    logger.handlers[:] = listeners
