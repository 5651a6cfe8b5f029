"""Variants of a network: layers left out, other activations, initialisation, stochastic depth.

What the lectures' experiments change in a network while everything else stays.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from torch import nn

from saccade.errors import UsageError, unknown
from saccade.models.layers.activations import ACTIVATION_TYPES, ACTIVATIONS
from saccade.models.layers.blocks import SqueezeExcite, StochasticDepth
from saccade.models.layers.initialise import INITIALISATIONS
from saccade.models.layers.surgery import remove_layers
from saccade.models.networks.inception_resnet import Residual
from saccade.models.networks.resnet import BasicBlock, Bottleneck


def with_stochastic_depth(network: nn.Module, rate: float) -> nn.Module:
    """The network, whose residual block l of L is left out with probability l / L * `rate`.

    Huang et al. 2016, "Deep networks with stochastic depth", Section 3, Equation 4.  Names
    of weights and evaluation stay as they are.  Raises `UsageError` without such blocks.
    """
    blocks = [m for m in network.modules() if isinstance(m, BasicBlock | Bottleneck | Residual)]
    if not blocks:
        raise UsageError(
            f"model.drop_path cannot be {rate:g}: the network has no residual blocks to leave out",
            "set model.drop_path=0, or take a ResNet, ResNeXt, SENet or Inception-ResNet",
        )
    for index, block in enumerate(blocks, 1):
        block.drop = StochasticDepth(rate * index / len(blocks))
    return network


@dataclass(frozen=True)
class Variant:
    """The changes to a network, in this order; by default none."""

    without: tuple[str, ...] = ()  # rows, or layers by number: conv3, fc7
    activation: str = "own"  # in place of every other but those of gates
    init: str = "own"  # of every convolution and fully connected layer
    drop_path: float = 0.0  # probability that training leaves out the last residual branch

    def __post_init__(self) -> None:
        for setting, names in (("activation", ACTIVATIONS), ("init", INITIALISATIONS)):
            value = getattr(self, setting)
            if value not in ("own", *names):
                raise unknown(f"model.{setting}", value, ("own", *names))

    def remaining(self, applied: Variant) -> Variant:
        """The changes left for a network that is the variant `applied` already."""
        activation = "own" if self.activation == applied.activation else self.activation
        without = tuple(layer for layer in self.without if layer not in applied.without)
        return replace(self, without=without, activation=activation)


def apply_variant(
    network: nn.Module, variant: Variant, input_shape: tuple[int, int, int]
) -> nn.Module:
    """The network with the changes; `input_shape` is channels, height and width in pixels.

    Layers are replaced in the network itself.  Raises `UsageError` for a change it cannot have.
    """
    if variant.without:
        if type(network) is not nn.Sequential:
            raise UsageError(
                f"model.without cannot be {' '.join(variant.without)}: the network is no table",
                "layers can be left out of every network of `saccade models`",
            )
        network = remove_layers(network, variant.without, input_shape=input_shape)
    if variant.activation != "own" and not _replace_activations(network, variant.activation):
        raise UsageError(
            f"model.activation cannot be {variant.activation}: the network has none to replace",
            "set model.activation=own",
        )
    if variant.drop_path:
        with_stochastic_depth(network, variant.drop_path)
    return INITIALISATIONS[variant.init](network) if variant.init != "own" else network


def _replace_activations(network: nn.Module, name: str) -> int:
    """Replace every activation by the one of this name; returns how many there were."""
    count = 0
    for parent in network.modules():
        for row, child in parent.named_children():
            if isinstance(child, ACTIVATION_TYPES) and not isinstance(parent, SqueezeExcite):
                setattr(parent, row, ACTIVATIONS[name]())
                count += 1
    return count
