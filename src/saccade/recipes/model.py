"""Model settings: the network, its changes, its pretrained weights, what is frozen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from saccade.errors import RecipeError
from saccade.recipes.allowed import SHARE
from saccade.recipes.setting import read_values, setting
from saccade.words import layer_names

# fmt: off
Head = Literal["random", "ridge", "logistic", "poisson", "nearest_mean", "knn", "auto"]
Activation = Literal[
    "own", "identity", "relu", "leaky_relu", "prelu", "elu", "gelu", "silu", "tanh", "scaled_tanh",
    "sigmoid", "soft_relu", "hard_threshold",
]
Init = Literal["own", "zero", "small", "large", "xavier", "he"]
NormStatistics = Literal["auto", "batch", "pretrained"]
# fmt: on


@dataclass(frozen=True)
class Model:
    """Which network, and what is changed in it."""

    name: str = setting(
        "auto",
        "A network of `saccade models`.",
        flag="model",
        own="a module, or a function of num_classes that makes one",
    )
    without: tuple[str, ...] = setting(
        (),
        "Layers of the network to leave out, by name, by number or all of a kind: conv3 fc7 ReLU.",
    )
    activation: Activation = setting(
        "own", "The activation in place of every other but those of gates; own: the network's."
    )
    init: Init = setting(
        "own", "First weights of every convolution and fully connected layer; own: the network's."
    )
    drop_path: float = setting(
        0.0,
        "Stochastic depth: drop rate of the last residual block, rising linearly from the first.",
        unit="share",
        allowed=SHARE,
    )
    weights: str = setting(
        "none",
        "Pretrained weights to begin from: a tag such as imagenet, a file, a bundle, a run, "
        "timm:NAME, auto for what lies on this machine, or none.",
        flag="weights",
    )
    head: Head = setting(
        "random",
        "The last layer: random first weights, or fitted to features before anything is trained.",
    )
    freeze: str = setting(
        "none",
        "Freeze this layer of the network and all before it; features: all but the last layer.",
        flag="freeze",
    )
    unfreeze: str = setting(
        "none",
        "Train this layer of the network and all behind it; freeze those before.",
        flag="unfreeze",
    )
    norm_statistics: NormStatistics = setting(
        "auto",
        "Mean and variance of batch normalisation while training: those of each batch, or those of "
        "the pretrained weights, kept as they are.",
    )
    stages: tuple[str, ...] = setting(
        ("all",),
        "Gradual unfreezing: what learns in turn, from the last layer down, of a ResNet say "
        '"head layer4 layer3 all"; a number behind one, as in layer4:3, is its epochs.',
        flag="stages",
    )

    def __post_init__(self) -> None:
        read_values(self)
        object.__setattr__(self, "without", layer_names(self.without))
        _refuse_two_ways_to_freeze(self)
        _refuse_to_initialise_pretrained(self)


def _refuse_two_ways_to_freeze(model: Model) -> None:
    if "none" not in (model.freeze, model.unfreeze):
        raise RecipeError(
            f"model.freeze={model.freeze} does not go with model.unfreeze: "
            "one says what stays, the other what learns",
            "set one of them",
        )


def _refuse_to_initialise_pretrained(model: Model) -> None:
    if model.weights != "none" and model.init != "own":
        raise RecipeError(
            f"model.init={model.init} does not go with model.weights: it would undo them",
            "set model.init=own",
        )
