"""Settings as text: read as the types that they have, written as TOML."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cache
from math import inf
from pathlib import Path
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from saccade.engine.stages import Stage, stages
from saccade.errors import RecipeError, unknown
from saccade.files import write_whole


def settings_in(path: Path) -> dict[str, Any]:
    """The values that a TOML file states, by full name."""
    try:
        tables = tomllib.loads(path.read_text())
    except (OSError, UnicodeDecodeError) as error:
        raise RecipeError(f"the recipe {path} cannot be read: {error}") from error
    except tomllib.TOMLDecodeError as error:
        raise RecipeError(
            f"{path} is no TOML: {error}", "each line reads: setting = value"
        ) from error
    loose = [name for name, table in tables.items() if not isinstance(table, dict)]
    if loose:
        raise RecipeError(
            f"{path} has '{loose[0]}' outside of a table", "write it below [optim], say"
        )
    return {
        f"{part}.{name}": value for part, table in tables.items() for name, value in table.items()
    }


def read(name: str, value: Any, kind: Any) -> Any:
    """`value`, perhaps text from a command line, as a value of `kind`; raises `RecipeError`."""
    for option in get_args(kind) if get_origin(kind) in (Union, UnionType) else (kind,):
        if get_origin(option) is Literal and value in get_args(option):
            return value
        if get_origin(option) is tuple and not isinstance(value, Mapping):
            listed = value.split() if isinstance(value, str) else value
            if isinstance(listed, list | tuple) and all(isinstance(v, str) for v in listed):
                return tuple(listed)
        if option is str and isinstance(value, str):
            return value
        if (
            option in (int, float)
            and isinstance(value, str | int | float)
            and not isinstance(value, bool)
        ):
            try:
                number = float(value)
            except ValueError:
                continue
            if option is float or number.is_integer():
                return option(number)
    raise RecipeError(f"{name} cannot be '{value}'", f"it takes {_words(kind)}")


def _words(kind: Any) -> str:
    if get_origin(kind) in (Union, UnionType):
        return " or ".join(_words(option) for option in get_args(kind))
    if get_origin(kind) is Literal:
        return ", ".join(repr(value) for value in get_args(kind))
    if get_origin(kind) is tuple:
        return "names with spaces between them"
    return {int: "a whole number", float: "a number", str: "a name"}[kind]


def toml(value: Any) -> str:
    """A value as it stands in a TOML file."""
    if isinstance(value, tuple):
        return "[" + ", ".join(toml(v) for v in value) + "]"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


# Recipe: every setting of a training, in one frozen object that can be written down.


ENDLESS = 1_000_000  # epochs, where the clock ends a training


# fmt: off
Auto = Literal["auto"]  # a value like any other: chosen from the data, and said
Head = Literal["fresh", "ridge", "logistic", "means", "neighbours", "auto"]
Optimizer = Literal[
    "sgd", "nesterov", "adagrad", "adadelta", "rmsprop", "adam", "adamw", "lion", "muon",
]
Schedule = Literal[
    "constant", "linear", "polynomial", "cosine", "steps", "plateau", "one_cycle", "triangular",
]
Activation = Literal[
    "own", "identity", "relu", "leaky_relu", "prelu", "elu", "gelu", "silu", "tanh", "scaled_tanh",
    "sigmoid", "soft_relu", "hard_threshold",
]
Init = Literal["own", "zero", "small", "large", "xavier", "he"]


# fmt: on
@dataclass(frozen=True)
class Data:
    """Which pictures are held out, and how a picture becomes the network's input."""

    val: float = 0.15  # share of the pictures held out to watch the training
    test: float = 0.15  # share held out to measure the result, once
    size: int | Auto = "auto"  # pixels
    resize: Literal["squash", "crop", "pad", "auto"] = "auto"
    crop: float | Auto = "auto"  # with resize=crop: size over the short side before the cut
    interpolation: Literal["bilinear", "bicubic", "auto"] = "auto"
    colour: Literal["rgb", "grey", "auto"] = "auto"
    cache: Literal["auto", "off", "memory", "disk"] = "auto"
    doctor: Literal["on", "off", "auto"] = "auto"  # whether the pictures are examined first
    per_class: int = 0  # pictures of each class to train on; 0: all
    held_per_class: int = 0  # of each class in val and in test; 0: all
    group: str = "source"  # what stays in one split: source, folder, or a regular expression
    sampling: Literal["shuffled", "balanced"] = "shuffled"  # balanced: each class as often
    augment: Auto | tuple[str, ...] = ()  # in this order, to whole batches
    grow: float = 1.0  # share of the side at which training begins; it rises in four stages
    views: int = 0  # augmented versions of each picture beside it, for a head that is fitted

    def __post_init__(self) -> None:
        _require(0 < self.val < 1, "data.val", self.val, "a share between 0 and 1")
        _require(0 < self.test < 1, "data.test", self.test, "a share between 0 and 1")
        _require(self.val + self.test < 1, "data.val + data.test", self.val + self.test, "under 1")
        _require(self.size == "auto" or self.size > 0, "data.size", self.size, "a number of pixels")
        _require(0 < self.grow <= 1, "data.grow", self.grow, "a share above 0 and up to 1")
        right = self.crop == "auto" or 0 < self.crop <= 1
        _require(right, "data.crop", self.crop, "a share above 0 and up to 1")
        _require(self.views >= 0, "data.views", self.views, "0 or more")
        _require(self.per_class >= 0, "data.per_class", self.per_class, "0 or more")
        _require(self.held_per_class >= 0, "data.held_per_class", self.held_per_class, "0 or more")


@dataclass(frozen=True)
class Model:
    """Which network, and what is changed in it."""

    name: str = "auto"  # of `saccade models`
    without: tuple[str, ...] = ()  # rows to leave out, or layers by number: conv3 fc7
    activation: Activation = "own"  # in place of every other but those of gates
    init: Init = "own"  # of every convolution and fully connected layer
    drop_path: float = 0.0  # how often the last residual branch is left out, the first hardly ever
    weights: str = "none"  # to begin from: auto, a tag such as imagenet, a file, a run, timm:NAME
    head: Head = "fresh"  # the last layer: fresh, or fitted to features before anything is trained
    freeze: str = "none"  # a row: it and all before it stay as they are; features: all but the last
    unfreeze: str = "none"  # a row: it and all behind it learn, all before it stays
    stages: tuple[str, ...] = ("all",)  # what learns in turn, as in: head layer4:3 all

    def __post_init__(self) -> None:
        right = 0 <= self.drop_path < 1
        _require(right, "model.drop_path", self.drop_path, "from 0 to below 1")
        if "none" not in (self.freeze, self.unfreeze):
            raise RecipeError(
                f"model.freeze={self.freeze} does not go with model.unfreeze: "
                "one says what stays, the other what learns",
                "set one of them",
            )
        if self.weights != "none" and self.init != "own":
            raise RecipeError(
                f"model.init={self.init} does not go with model.weights: it would undo them",
                "set model.init=own",
            )


@dataclass(frozen=True)
class Optim:
    """How the weights move."""

    name: Optimizer = "adamw"
    lr: float | Auto = 0.003  # the highest rate of the schedule; auto: found by a sweep
    momentum: float = 0.9  # of Adam and Lion: beta 1; of Adadelta: rho; Adagrad has none
    weight_decay: float = 0.05  # of weights; biases and normalisation layers have none
    schedule: Schedule = "cosine"
    warmup: float | Auto = 0.1  # share of the training while the rate rises; from 1 on: steps
    patience: int = 5  # of plateau: epochs without a better one before the rate drops to a tenth
    clip: float = 0.0  # highest norm of the gradient; 0: as it is
    layer_decay: float = 1.0  # rate of a layer, as a share of that of the layer above it
    lookahead: int = 0  # steps after which slow weights follow half the way; 0: there are none

    def __post_init__(self) -> None:
        right = self.lr == "auto" or 0 < self.lr < inf
        _require(right, "optim.lr", self.lr, "a finite number above 0, or 'auto'")
        _require(0 <= self.momentum < 1, "optim.momentum", self.momentum, "from 0 to below 1")
        _require(self.weight_decay >= 0, "optim.weight_decay", self.weight_decay, "0 or more")
        wanted = "a share from 0 to below 1, or a whole number of steps"
        _require(_rises(self.warmup), "optim.warmup", self.warmup, wanted)
        _require(self.patience >= 0, "optim.patience", self.patience, "0 or more")
        _require(self.clip >= 0, "optim.clip", self.clip, "0 or more")
        _require(
            0 < self.layer_decay <= 1, "optim.layer_decay", self.layer_decay, "above 0, up to 1"
        )
        _require(self.lookahead >= 0, "optim.lookahead", self.lookahead, "0 or more")
        if self.name == "nesterov":
            _require(self.momentum > 0, "optim.momentum of nesterov", self.momentum, "above 0")


@dataclass(frozen=True)
class Train:
    """How long, in what portions, from what seed."""

    epochs: int = 30  # 0: nothing is trained, the last layer is fitted
    minutes: float = 0.0  # after which training ends, its schedule with it; 0: when epochs do
    batch_size: int | Auto = 64  # pictures; auto: by memory and the size of the set
    micro_batch: int = 0  # pictures of a batch that go through at a time; 0: all
    stop_after: int = 0  # epochs without a better validation score that end it; 0: none do
    keep: Literal["last", "best"] = "last"  # the epoch whose weights are used, by that score
    statistics: int = 0  # epochs between two looks into every layer; 0: none
    seed: int = 0
    label_smoothing: float = 0.0
    class_weights: str = "none"  # in the loss; auto: by rarity; or "cat=2 dog=0.5"
    average: float | Auto = 0.0  # decay of the moving average of the weights; 0: none
    precision: Literal["float32", "bfloat16", "float16", "auto"] = "auto"
    compile: Literal["off", "on", "graphs"] = "off"  # by torch.compile; graphs: CUDA's, too
    device: str = "auto"  # cpu, cuda, cuda:1, mps
    threads: int | Auto = "auto"  # of the processor

    def __post_init__(self) -> None:
        _require(self.epochs >= 0, "train.epochs", self.epochs, "0 or more")
        _require(0 <= self.minutes < inf, "train.minutes", self.minutes, "0 or more")
        _require(
            self.threads == "auto" or self.threads > 0, "train.threads", self.threads, "1 or more"
        )
        right = self.batch_size == "auto" or self.batch_size > 0
        _require(right, "train.batch_size", self.batch_size, "1 or more, or 'auto'")
        _require(self.micro_batch >= 0, "train.micro_batch", self.micro_batch, "0 or more")
        _require(self.stop_after >= 0, "train.stop_after", self.stop_after, "0 or more")
        _require(self.statistics >= 0, "train.statistics", self.statistics, "0 or more")
        _require(
            0 <= self.label_smoothing < 1,
            "train.label_smoothing",
            self.label_smoothing,
            "from 0 to below 1",
        )
        _require(
            self.average == "auto" or 0 <= self.average < 1,
            "train.average",
            self.average,
            "from 0 to below 1, or 'auto'",
        )
        if self.compile != "off" and self.statistics:
            raise RecipeError(
                f"train.compile={self.compile} does not go with train.statistics: compiled "
                "networks have no layers to look into",
                "set one of them off",
            )
        if self.micro_batch and self.class_weights != "none":
            raise RecipeError(
                "train.micro_batch does not go with train.class_weights: the weights of a batch "
                "are shared out among all of its pictures",
                "set train.micro_batch=0, or data.sampling=balanced in place of weights",
            )


@dataclass(frozen=True)
class Recipe:
    """A whole training in numbers and names; equal recipes on equal data give equal weights."""

    data: Data = field(default_factory=Data)
    model: Model = field(default_factory=Model)
    optim: Optim = field(default_factory=Optim)
    train: Train = field(default_factory=Train)

    def __post_init__(self) -> None:
        warmup = self.optim.warmup
        if self.train.minutes and warmup != "auto" and warmup >= 1:
            raise RecipeError(
                f"optim.warmup cannot be {self.optim.warmup:g} steps where train.minutes is set",
                "write it as a share of the training, such as 0.1",
            )
        counted = len(self.stages) > 1 or ":" in "".join(self.model.stages)
        if self.train.minutes and counted:
            raise RecipeError(
                f"model.stages={' '.join(self.model.stages)} does not go with train.minutes: "
                "stages are counted in epochs",
                "set train.epochs alone",
            )

    @property
    def stages(self) -> tuple[Stage, ...]:
        """Which rows learn in which epochs."""
        model, epochs = self.model, self.train.epochs
        return stages(model.stages, epochs, fitted=model.head != "fresh")

    def with_(self, changes: Mapping[str, Any]) -> Recipe:
        """The recipe with other values, as in `recipe.with_({"optim.lr": 0.05})`.

        Text is read as the setting's type, so that values may come from a command line.  Raises
        `RecipeError` for a setting that does not exist or a value that it cannot take.
        """
        parts: dict[str, dict[str, Any]] = {}
        for name, value in changes.items():
            kinds = setting_kinds()
            if name not in kinds:
                raise unknown("setting", name, kinds, RecipeError)
            part, setting = name.split(".")
            parts.setdefault(part, {})[setting] = read(name, value, kinds[name])
        return replace(
            self, **{part: replace(getattr(self, part), **new) for part, new in parts.items()}
        )

    def settings(self) -> dict[str, Any]:
        """Every value by its full name, `optim.lr` and so on, in order."""
        return {
            f"{part.name}.{setting.name}": getattr(getattr(self, part.name), setting.name)
            for part in fields(self)
            for setting in fields(getattr(self, part.name))
        }

    def to_toml(self, origins: Mapping[str, str] | None = None) -> str:
        """The recipe as TOML; where each value came from stands beside it as a comment."""
        lines, last = [], ""
        for name, value in self.settings().items():
            part, setting = name.split(".")
            if part != last:
                lines += ["", f"[{part}]"] if lines else [f"[{part}]"]
                last = part
            origin = f"  # {origins[name]}" if origins and name in origins else ""
            lines.append(f"{setting} = {toml(value)}{origin}")
        return "\n".join(lines) + "\n"

    def save(self, path: Path, origins: Mapping[str, str] | None = None) -> None:
        """Write the recipe to `path`, whole or not at all."""
        write_whole(path, self.to_toml(origins))

    @classmethod
    def load(cls, path: Path) -> Recipe:
        """The recipe in the TOML file at `path`; what it does not name has its default."""
        return cls().with_(settings_in(path))


@cache
def setting_kinds() -> Mapping[str, Any]:
    """The type of every setting by its full name."""
    return {
        f"{part}.{name}": kind
        for part, table in get_type_hints(Recipe).items()
        for name, kind in get_type_hints(table).items()
    }


def _rises(warmup: float | str) -> bool:
    if isinstance(warmup, str):
        return warmup == "auto"
    return 0 <= warmup < 1 or (warmup < inf and warmup == int(warmup) > 0)


def _require(true: bool, name: str, value: Any, wanted: str) -> None:
    if not true:
        raise RecipeError(f"{name} cannot be {value}", f"it takes {wanted}")
