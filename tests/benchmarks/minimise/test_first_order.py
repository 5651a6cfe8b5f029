"""Steps of training's optimizers on an objective, beside the same done with modules."""

from __future__ import annotations

from itertools import islice

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from minimise.first_order import first_order, shuffled_batches, stepwise
from minimise.objective import network_loss, weights_of


@pytest.mark.parametrize(
    "name, momentum, theirs",
    [
        ("sgd", 0.0, lambda p: torch.optim.SGD(p, lr=0.1)),
        ("sgd", 0.9, lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9)),
        ("adam", 0.9, lambda p: torch.optim.Adam(p, lr=0.1)),
    ],
)
def test_steps_are_those_of_pytorchs_training_loop(name, momentum, theirs):
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 3)).double()
    x, targets = torch.randn(12, 4, dtype=torch.float64), torch.arange(12) % 3
    objective, start = network_loss(network, x, targets), weights_of(network)
    batches = list(islice(shuffled_batches(12, 5, torch.Generator().manual_seed(2)), 6))
    *_, last = stepwise(
        first_order(objective), start, iter(batches), optimizer=name, lr=0.1, momentum=momentum
    )
    optimizer = theirs(network.parameters())
    for rows in batches:
        optimizer.zero_grad()
        F.cross_entropy(network(x[rows]), targets[rows]).backward()
        optimizer.step()
    torch.testing.assert_close(last, weights_of(network))


def test_every_pass_has_every_image_at_most_once():
    batches = list(islice(shuffled_batches(10, 3, torch.Generator().manual_seed(0)), 6))
    for first in (0, 3):
        seen = torch.cat(batches[first : first + 3]).tolist()
        assert len(set(seen)) == 9
    assert not torch.equal(batches[0], batches[3])
