"""Initialisation of a network's weights, by name.

He 2015, "Delving deep into rectifiers", Section 2.2; Glorot and Bengio 2010, "Understanding the
difficulty of training deep feedforward networks", Equation 12.  `zero`, `small` and `large` show
how it fails.  Every bias starts at zero.
"""

from __future__ import annotations

from typing import Protocol, TypeVar

from torch import Generator, nn

Network = TypeVar("Network", bound=nn.Module)


class Initialisation(Protocol):
    """Initialises a network's weights in place and returns the network."""

    def __call__(self, network: Network, generator: Generator | None = None) -> Network: ...


def weight_layers(network: nn.Module) -> list[nn.Conv2d | nn.Linear]:
    """Every convolution and linear layer, in order, with its bias set to zero."""
    layers = [m for m in network.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    for layer in layers:
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)
    return layers


def he(network: Network, generator: Generator | None = None, *, slope: float = 0.0) -> Network:
    """Variance 2 / ((1 + slope^2) fan_out): a gradient keeps its size on its way through ReLUs.

    `slope` is that of a leaky or parametric ReLU.  A linear layer at the very end, which no ReLU
    follows, gets the variance 1 / (3 fan_in), PyTorch's own, as in the public residual networks;
    the fan of a grouped convolution counts the outputs of all groups, as there.
    """
    layers = weight_layers(network)
    if layers and isinstance(layers[-1], nn.Linear):
        nn.init.kaiming_uniform_(layers.pop().weight, a=5**0.5, generator=generator)
    for layer in layers:
        nn.init.kaiming_normal_(layer.weight, a=slope, mode="fan_out", generator=generator)
    return network


def xavier(network: Network, generator: Generator | None = None) -> Network:
    """Variance 2 / (fan_in + fan_out): for tanh, half of what a ReLU needs."""
    for layer in weight_layers(network):
        nn.init.xavier_normal_(layer.weight, generator=generator)
    return network


def zero(network: Network, generator: Generator | None = None) -> Network:
    """All weights zero: every unit of a layer computes the same, and no gradient arrives."""
    for layer in weight_layers(network):
        nn.init.zeros_(layer.weight)
    return network


def scaled(network: Network, generator: Generator | None, factor: float) -> Network:
    """He's weights in every layer, the last one too, times `factor`."""
    for layer in weight_layers(network):
        nn.init.kaiming_normal_(layer.weight, mode="fan_out", generator=generator)
        layer.weight.data.mul_(factor)
    return network


def small(network: Network, generator: Generator | None = None) -> Network:
    """A tenth of He's weights: activations shrink tenfold in each layer."""
    return scaled(network, generator, 0.1)


def large(network: Network, generator: Generator | None = None) -> Network:
    """Ten times He's weights: activations grow tenfold in each layer."""
    return scaled(network, generator, 10.0)


INITIALISATIONS: dict[str, Initialisation] = {
    "zero": zero,
    "small": small,
    "large": large,
    "xavier": xavier,
    "he": he,
}
