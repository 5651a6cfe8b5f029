"""Net-3 by its report's count."""

from __future__ import annotations

import torch

from saccade.models.layers.historic import LocallyConnected
from saccade.models.networks.small import net3


def test_net3_has_1226_weights():
    """LeCun 1989, section 4: "this network has 1226 connections" (64*10 + 16*26 + 10*17)."""
    assert sum(p.numel() for p in net3().parameters()) == 64 * 10 + 16 * 26 + 10 * 17 == 1226


def test_a_corner_of_the_image_reaches_a_corner_of_the_maps():
    network = net3()
    x = torch.zeros(1, 1, 16, 16, requires_grad=True)
    network[:1](x)[0, 0, 0, 0].backward()
    assert x.grad is not None
    assert x.grad[0, 0].nonzero().amax(0).tolist() == [1, 1]


def test_a_locally_connected_layer_takes_the_biases_that_it_saved_in_two_dimensions() -> None:
    """As earlier versions did: a row for each position of the output."""
    layer = LocallyConnected(1, 2, 3, size=6)
    saved = {k: v + 1 for k, v in layer.state_dict().items()}
    before = {**saved, "bias": saved["bias"].unflatten(0, (16, 2))}
    layer.load_state_dict(before)
    assert layer.bias.equal(saved["bias"])
