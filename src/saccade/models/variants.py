"""Variants of a network: less some layers, with other activations, first weights, stochastic depth.

What the lectures' experiments change in a network while everything else stays.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from torch import nn

from saccade.errors import UsageError, unknown
from saccade.models.layers.activations import ACTIVATIONS, KINDS
from saccade.models.layers.blocks import SqueezeExcite, StochasticDepth
from saccade.models.layers.initialise import INITIALISATIONS
from saccade.models.layers.surgery import remove_layers
from saccade.models.networks.inception_resnet import Residual
from saccade.models.networks.resnet import BasicBlock, Bottleneck


def with_stochastic_depth(network: nn.Module, rate: float) -> nn.Module:
    """The network, in which block l of L is now left out at l / L * `rate`.

    Huang et al. 2016, "Deep networks with stochastic depth", Section 3, Equation 4.  Names
    of weights and evaluation stay as they are.  Raises `UsageError` without such blocks.
    """
    blocks = [m for m in network.modules() if isinstance(m, BasicBlock | Bottleneck | Residual)]
    if not blocks:
        raise UsageError(
            f"model.drop_path cannot be {rate:g}: the network has no residual blocks to leave out",
            "set model.drop_path=0, or take a ResNet, ResNeXt, SENet or Inception-ResNet",
        )
    for number, block in enumerate(blocks, 1):
        block.drop = StochasticDepth(rate * number / len(blocks))
    return network


@dataclass(frozen=True)
class Variant:
    """What is changed in a network, in this order; by default nothing."""

    without: tuple[str, ...] = ()  # rows, or layers by number: conv3, fc7
    activation: str = "own"  # in place of every other but those of gates
    init: str = "own"  # of every convolution and fully connected layer
    drop_path: float = 0.0  # how often training leaves the last residual branch out

    def __post_init__(self) -> None:
        for setting, known in (("activation", ACTIVATIONS), ("init", INITIALISATIONS)):
            value = getattr(self, setting)
            if value not in ("own", *known):
                raise unknown(f"model.{setting}", value, ("own", *known))

    def less(self, done: Variant) -> Variant:
        """What is left to change in a network that is the variant `done` already."""
        activation = "own" if self.activation == done.activation else self.activation
        without = tuple(layer for layer in self.without if layer not in done.without)
        return replace(self, without=without, activation=activation)


def apply_variant(
    network: nn.Module, variant: Variant, input_shape: tuple[int, int, int]
) -> nn.Module:
    """The network with the changes; `image` is what it takes: channels, height, width in pixels.

    Rows are exchanged in the network itself.  Raises `UsageError` for a change that it cannot have.
    """
    if variant.without:
        if type(network) is not nn.Sequential:
            raise UsageError(
                f"model.without cannot be {' '.join(variant.without)}: the network is no table",
                "layers can be left out of every network of `saccade models`",
            )
        network = remove_layers(network, variant.without, input_shape=input_shape)
    if variant.activation != "own" and not _activated(network, variant.activation):
        raise UsageError(
            f"model.activation cannot be {variant.activation}: the network has none to replace",
            "set model.activation=own",
        )
    if variant.drop_path:
        with_stochastic_depth(network, variant.drop_path)
    return INITIALISATIONS[variant.init](network) if variant.init != "own" else network


def _activated(network: nn.Module, name: str) -> int:
    """Give every activation's place to one of this name; how many there were."""
    count = 0
    for parent in network.modules():
        for row, child in parent.named_children():
            if isinstance(child, KINDS) and not isinstance(parent, SqueezeExcite):
                setattr(parent, row, ACTIVATIONS[name]())
                count += 1
    return count
