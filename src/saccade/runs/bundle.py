"""Bundle: weights and everything needed to use them, in one folder.

`model.safetensors`, `config.json` (timm's keys where it has one) and `README.md`, the model card;
`novelty.safetensors` where novelty is fitted.  Nothing in it is ever executed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import nn

from saccade.command import python_call
from saccade.data.decode import Preprocessing
from saccade.data.item import Item
from saccade.data.window import EACH_IMAGE
from saccade.engine.ood import Novelty
from saccade.errors import WeightsError
from saccade.files import as_utf8, atomic_folder, atomic_write, disk_errors, read_utf8
from saccade.metrics.conformal import PredictionSets
from saccade.models.backbone import load_knn
from saccade.models.layers.blocks import normalized
from saccade.models.table import is_table, shown_name
from saccade.models.variants import Variant, apply_variant
from saccade.own import Own, as_own, is_own, refuse_missing
from saccade.runs.predictor import Predictor
from saccade.tasks.answers import Predictions
from saccade.tasks.catalogue import read_task
from saccade.tasks.task import Task

DAMAGED = "copy the bundle again from where it was made, or train again"  # a hint
CROP_MODES = {"crop": "center", "pad": "border", "squash": "squash"}  # ours: timm's


@dataclass(frozen=True, repr=False)
class Bundle:
    """A network with its task and its preprocessing."""

    architecture: str
    task: Task
    preprocessing: Preprocessing
    model: nn.Module  # takes images [N,C,size,size] of 0 to 255, gives `task.outputs` numbers
    variant: Variant = field(default_factory=Variant)  # changes of the architecture
    min_confidence: float = 0.0  # of a prediction; below it a classifier says "unknown"
    novelty: Novelty | None = None  # of images out of the training distribution
    sets: PredictionSets | None = None  # of classes, one of which is the true one
    folder: Path | None = field(default=None, init=False, compare=False)  # that it was read from

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the classes, in order."""
        return self.task.classes

    @cached_property
    def predictor(self) -> Predictor:
        """The predictor of this bundle, whose processes run from its first image to its `close`."""
        return Predictor(
            self.model,
            self.task,
            self.preprocessing,
            min_confidence=self.min_confidence,
            novelty=self.novelty,
            sets=self.sets,
        )

    def save(self, folder: Path) -> None:
        """Write the folder atomically, without its model card."""
        weights = {k: v.detach().cpu().contiguous() for k, v in self.model.state_dict().items()}
        data = save(weights)
        config = self.config() | {"sha256": hashlib.sha256(data).hexdigest()}
        with atomic_folder(folder) as temporary:
            (temporary / "model.safetensors").write_bytes(data)
            if self.novelty:
                novelty_data = save({"bank": self.novelty.bank, "known": self.novelty.known})
                (temporary / "novelty.safetensors").write_bytes(novelty_data)
                config["novelty"] = {"sha256": hashlib.sha256(novelty_data).hexdigest()}
            if is_table(self.architecture):
                table = Path(self.architecture)
                (temporary / table.name).write_bytes(table.read_bytes())
                config["architecture"] = table.name
            text = json.dumps(config, indent=2, ensure_ascii=False)
            (temporary / "config.json").write_bytes(as_utf8(text))

    def config(self) -> dict[str, Any]:
        """The content of config.json but for the digest."""
        p = self.preprocessing
        return {
            "architecture": self.architecture,
            "variant": {
                "without": list(self.variant.without),
                "activation": self.variant.activation,
            },
            "num_classes": self.task.outputs,
            "label_names": list(self.classes),
            "pretrained_cfg": {
                "input_size": [p.channels, p.size, p.size],
                "interpolation": p.interpolation,
                "crop_pct": p.crop,
                "crop_mode": CROP_MODES[p.resize],
                "mean": list(p.mean),
                "std": list(p.std),
            },
            "colour": p.colour,
            "window": p.window,
            "exif": "applied",
            "task": {"kind": self.task.kind, **self.task.config()},
            "min_confidence": self.min_confidence,
            **({"sets": asdict(self.sets)} if self.sets else {}),
        }

    @classmethod
    def load(cls, folder: Path, own: Own | None = None) -> Bundle:
        """Read a bundle; raises `WeightsError` for a missing, damaged or inconsistent file.

        `own` is the network that it was trained with where that is a person's own.
        """
        try:
            config = json.loads(read_utf8(folder / "config.json"))
            data = _read(folder / "model.safetensors", config)
            novelty = None
            if "novelty" in config:
                novelty = Novelty(**load(_read(folder / "novelty.safetensors", config["novelty"])))
            preprocessing = _preprocessing(config)
            task_config = dict(config["task"])
            task = read_task(task_config.pop("kind"), tuple(config["label_names"]), task_config)
            variant, min_confidence = _variant(config), float(config.get("min_confidence", 0.0))
            sets = PredictionSets.read(config["sets"]) if "sets" in config else None
            name = own or config["architecture"]
            if own is None and is_own(name):
                parts = {"model.name": as_own(name)}
                refuse_missing(parts, python_call("open_bundle", folder, with_=parts))
            name = str(folder / Path(name).name) if is_table(name) else name
            network = task.network(as_own(name) if is_own(name) else name)
            image = (preprocessing.channels, preprocessing.size, preprocessing.size)
            network = apply_variant(network, variant, image)
            model = normalized(network, preprocessing.mean, preprocessing.std)
            state = load(data)
            load_knn(model, state)
            model.load_state_dict(state)
            model.to(memory_format=torch.channels_last)  # as in training: the same kernels
        except FileNotFoundError as error:
            what = f"{folder} is no bundle: {error.filename} is missing"
            raise WeightsError(what, "a bundle is the folder bundle of a finished run") from error
        except KeyError as error:
            raise WeightsError(f"{folder / 'config.json'} lacks {error}", DAMAGED) from error
        except (OSError, ValueError, TypeError, RuntimeError, SafetensorError) as error:
            raise WeightsError(f"{folder} cannot be used: {error}", DAMAGED) from error
        bundle = cls(
            name, task, preprocessing, model.eval(), variant, min_confidence, novelty, sets
        )
        object.__setattr__(bundle, "folder", folder)
        return bundle

    def __repr__(self) -> str:
        answers = f", {len(self.classes)} classes" if self.classes else ""
        where = "" if self.folder is None else f"{self.folder}: "
        return f"Bundle({where}{shown_name(self.architecture)}, {self.task.kind}{answers})"

    def predict(
        self,
        *images: object,
        top: int = 5,
        min_confidence: float | None = None,
        max_novelty: float | None = None,
    ) -> Predictions:
        """The task's answers to image files, to all images in folders, or to images of Python.

        `top` is how many classes each names, where the answers are classes.
        """
        return self.predictor.predict(
            *images, top=top, min_confidence=min_confidence, max_novelty=max_novelty
        )

    def predict_items(
        self,
        items: Sequence[Item],
        top: int = 5,
        min_confidence: float | None = None,
        max_novelty: float | None = None,
    ) -> Predictions:
        """The task's answers to the items of a source; raises `DataError` if none can be read."""
        return self.predictor.predict_items(items, top, min_confidence, max_novelty)


def save_settings(folder: Path, settings: Mapping[str, Any]) -> None:
    """Let the bundle in `folder` go by these from now on: `min_confidence`, `sets`."""
    config = json.loads(read_utf8(folder / "config.json")) | {**settings}
    with disk_errors(folder / "config.json"):
        atomic_write(folder / "config.json", json.dumps(config, indent=2, ensure_ascii=False))


def _read(file: Path, entry: dict[str, Any]) -> bytes:
    """The bytes of a file, whose digest is that of its config `entry`."""
    data = file.read_bytes()
    if hashlib.sha256(data).hexdigest() != entry["sha256"]:
        raise WeightsError(f"{file} is damaged: its digest differs", DAMAGED)
    return data


def _variant(config: dict[str, Any]) -> Variant:
    """The variant; its initial weights and stochastic depth matter in training alone."""
    variant = config["variant"]
    return Variant(tuple(variant["without"]), variant["activation"])


def _preprocessing(config: dict[str, Any]) -> Preprocessing:
    pretrained = config["pretrained_cfg"]
    modes = {timm: name for name, timm in CROP_MODES.items()}
    return Preprocessing(
        size=pretrained["input_size"][1],
        resize=modes[pretrained["crop_mode"]],
        crop=pretrained["crop_pct"],
        interpolation=pretrained["interpolation"],
        colour=config["colour"],
        mean=tuple(pretrained["mean"]),
        std=tuple(pretrained["std"]),
        window=config.get("window", EACH_IMAGE),
    )
