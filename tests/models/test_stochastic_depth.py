"""Stochastic depth in the residual networks: the paper's rule; weights and evaluation as before."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from saccade.errors import UsageError
from saccade.models.create import create_model
from saccade.models.layers.blocks import StochasticDepth
from saccade.models.variants import with_stochastic_depth


def rates(network: nn.Module) -> list[float]:
    return [m.rate for m in network.modules() if isinstance(m, StochasticDepth)]


def test_rates_rise_linearly_from_the_first_block_to_the_last():
    """With p_L = 0.5 it is expected that (3 * 54 - 1) / 4 of 54 blocks stay, Section 3."""
    with torch.device("meta"):
        drop_rates = rates(with_stochastic_depth(create_model("cifar_resnet110"), 0.5))
    assert len(drop_rates) == 54
    assert drop_rates == sorted(drop_rates)
    assert drop_rates[-1] == 0.5
    assert sum(1 - rate for rate in drop_rates) == pytest.approx(40.25)


@pytest.mark.parametrize(
    "name, blocks",
    [
        ("resnet18", 8),
        ("resnet50", 16),
        ("resnext50_32x4d", 16),
        ("seresnet50", 16),
        ("cifar_seresnet29", 9),
        ("inception_resnet_v2", 40),
    ],
)
def test_every_residual_block_has_it(name: str, blocks: int):
    with torch.device("meta"):
        network = create_model(name)
        before = list(network.state_dict())
        with_stochastic_depth(network, 0.2)
    assert len(rates(network)) == blocks
    assert list(network.state_dict()) == before


def test_evaluation_stays_and_training_changes():
    torch.manual_seed(0)
    network, x = create_model("cifar_resnet20").eval(), torch.randn(8, 3, 16, 16)
    expected = network(x)
    with_stochastic_depth(network, 0.5)
    assert torch.equal(network.eval()(x), expected)
    network.train()
    one, other = network(x), network(x)
    assert not torch.equal(one, other)


def test_with_every_branch_gone_only_the_shortcut_is_left():
    network = create_model("cifar_resnet20").train()
    with_stochastic_depth(network, 0.5)
    for module in network.modules():
        if isinstance(module, StochasticDepth):
            module.rate = 1 - 1e-9
    x = torch.rand(2, 16, 8, 8)
    block = network.get_submodule("layer1.0")
    assert torch.equal(block(x), x)  # its ReLU changes nothing that is positive


def test_a_network_without_residual_blocks_is_refused():
    with pytest.raises(UsageError, match="no residual blocks to leave out"):
        with_stochastic_depth(create_model("cifar_plain20"), 0.1)
