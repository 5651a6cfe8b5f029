"""Training settings: the optimizer, the schedule, duration, batch size, seed and device."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from saccade.errors import RecipeError
from saccade.recipes.allowed import COUNT, SHARE, NamedInteger, Range, ShareOrCount
from saccade.recipes.setting import LARGEST, Auto, read_values, setting

ENDLESS = NamedInteger(1_000_000, "unlimited")  # epochs, where the clock ends a training
YEAR = 525_600  # minutes
# fmt: off
Optimizer = Literal[
    "sgd", "nesterov", "adagrad", "adadelta", "rmsprop", "adam", "adamw", "lion", "muon",
]
Schedule = Literal[
    "constant", "linear", "polynomial", "cosine", "multistep", "plateau", "one_cycle", "triangular",
]
# fmt: on


@dataclass(frozen=True)
class Optim:
    """How the weights move."""

    name: Optimizer = setting(
        "adamw",
        "The optimizer.",
        own="a class like those of torch.optim, or a function of (parameter groups, lr)",
    )
    lr: float | Auto = setting(
        0.003,
        "Learning rate, the highest of the schedule; auto: by a learning rate range test.",
        allowed=Range(0, closed="neither"),
    )
    momentum: float = setting(
        0.9,
        "Momentum; of Adam and Lion beta 1, of Adadelta rho; Adagrad has none.",
        allowed=SHARE,
    )
    weight_decay: float = setting(
        0.05,
        "Weight decay of weights; biases and normalisation layers have none.",
        allowed=Range(0),
    )
    schedule: Schedule = setting("cosine", "How the learning rate changes during the training.")
    warmup: float | Auto = setting(
        0.1,
        "Share of the training while the learning rate rises; from 1 on: steps.",
        unit="share or steps",
        allowed=ShareOrCount("steps"),
    )
    plateau_patience: int = setting(
        5,
        "With schedule=plateau: epochs without a better validation score before the learning rate "
        "drops to a tenth.",
        unit="epochs",
        allowed=COUNT,
    )
    clip_grad: float = setting(
        0.0,
        "Highest norm of the gradient, which is scaled down to it; 0: off.",
        allowed=Range(0),
    )
    layer_decay: float = setting(
        1.0,
        "Learning rate of a layer, as a share of that of the layer above it.",
        unit="share",
        allowed=Range(0, 1, closed="right"),
    )
    lookahead: int = setting(
        0,
        "Lookahead: steps after which slow weights follow half the way; 0: off.",
        unit="steps",
        allowed=COUNT,
    )

    def __post_init__(self) -> None:
        read_values(self)
        _refuse_nesterov_without_momentum(self)


@dataclass(frozen=True)
class Train:
    """How long, in what portions, from what seed, under what name."""

    epochs: int = setting(
        30,
        "How many times every training image is seen; 0: nothing is trained, the last layer is "
        "fitted.",
        unit="epochs",
        allowed=Range(0, 1_000_000),
        flag="epochs",
        named=(ENDLESS,),
    )
    minutes: float = setting(
        0.0,
        "How long to train; the schedule ends when the time does. With epochs: what comes first. "
        "0: no limit.",
        unit="minutes",
        allowed=Range(0, YEAR),
        flag="minutes",
    )
    batch_size: int | Auto = setting(
        64,
        "Images in a step; auto: by memory and the size of the set.",
        unit="images",
        allowed=Range(1),
    )
    micro_batch_size: int = setting(
        0,
        "Gradient accumulation: images of a batch that go through at a time; 0: all.",
        unit="images",
        allowed=COUNT,
    )
    patience: int = setting(
        0,
        "Early stopping: epochs without a better validation score after which the training ends; "
        "0: off.",
        unit="epochs",
        allowed=COUNT,
    )
    checkpoint: Literal["last", "best"] = setting(
        "last", "The epoch whose weights are used: the last, or the best by validation."
    )
    layer_statistics: int = setting(
        0,
        "Epochs between two records of every layer's statistics; 0: off.",
        unit="epochs",
        allowed=COUNT,
    )
    seed: int = setting(
        0,
        "What all chance comes from: split, first weights, order, augmentation.",
        allowed=Range(0, LARGEST),
        flag="seed",
    )
    loss: Literal["task"] = setting(
        "task",
        "The loss; task: what the kind of labels asks for.",
        own="a function of (outputs, targets)",
    )
    metric: Literal["task"] = setting(
        "task",
        "What validation is watched by; task: what the kind of labels asks for.",
        own="a function of (predictions, targets), more is better",
    )
    label_smoothing: float = setting(
        0.0, "Share of a label that is spread over all classes.", unit="share", allowed=SHARE
    )
    class_weights: str = setting(
        "none", 'Weights of the classes in the loss; auto: by rarity; or "cat=2 dog=0.5".'
    )
    ema: float | Auto = setting(
        0.0,
        "Decay per step of the exponential moving average (EMA) of the weights; 0: off; auto: "
        "after Karras 2023.",
        allowed=SHARE,
    )
    precision: Literal["float32", "bfloat16", "float16", "auto"] = setting(
        "auto", "What most of a step is computed in."
    )
    compile: Literal["off", "on", "graphs"] = setting(
        "off", "Whether torch.compile translates the network; graphs: with CUDA graphs."
    )
    name: str = setting(
        "", "A name for the run: that of its folder below runs, and in lists.", flag="name"
    )
    note: str = setting("", "A note on the run, for its report and lists.", flag="note")
    device: str = setting("auto", "Where to compute: cpu, cuda, cuda:1, mps.")
    threads: int | Auto = setting(
        "auto", "Threads of the processor.", unit="threads", allowed=Range(1, 4096)
    )

    def __post_init__(self) -> None:
        read_values(self)
        _refuse_statistics_of_compiled(self)
        _refuse_class_weights_in_micro_batches(self)


def _refuse_nesterov_without_momentum(optim: Optim) -> None:
    if optim.name == "nesterov" and not optim.momentum:
        raise RecipeError(
            "optim.momentum of nesterov cannot be '0'",
            "it takes a number above 0, such as optim.momentum=0.9",
        )


def _refuse_statistics_of_compiled(train: Train) -> None:
    if train.compile != "off" and train.layer_statistics:
        raise RecipeError(
            f"train.compile={train.compile} does not go with train.layer_statistics: compiled "
            "networks have no layers to record",
            "set train.compile=off, or train.layer_statistics=0",
        )


def _refuse_class_weights_in_micro_batches(train: Train) -> None:
    if train.micro_batch_size and train.class_weights != "none":
        raise RecipeError(
            "train.micro_batch_size does not go with train.class_weights: the loss is normalised "
            "by the sum of class weights over the whole batch",
            "set train.micro_batch_size=0, or data.sampling=balanced in place of weights",
        )
