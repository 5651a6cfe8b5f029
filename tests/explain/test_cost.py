"""Memory of a forward and of a training step, by hand."""

from __future__ import annotations

import torch
from torch import nn

from saccade.explain.anatomy import anatomy


def small() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1),  # 8 x 16 x 16
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(8 * 16 * 16, 10),
    )


def test_inference_holds_what_a_layer_reads_and_writes() -> None:
    image, maps = 3 * 16 * 16, 8 * 16 * 16
    memory = anatomy(small(), (3, 16, 16), batch_size=4).memory
    # at the activation: the image, which its caller holds, and the maps before and after it
    assert memory.inference == 4 * 4 * (image + 2 * maps)


def test_training_keeps_what_the_backward_pass_reads() -> None:
    image, maps = 3 * 16 * 16, 8 * 16 * 16
    memory = anatomy(small(), (3, 16, 16), batch_size=4).memory
    # the image for the convolution, the output of the activation for itself and for the product
    assert memory.training == 4 * 4 * (image + maps)
    assert memory.weights == memory.gradients == 4 * (8 * 28 + 10 * (maps + 1))


def test_an_activation_in_place_saves_its_maps() -> None:
    network = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(inplace=True))
    memory = anatomy(network, (3, 16, 16)).memory
    assert memory.inference == 4 * (3 * 256 + 8 * 256)


def test_half_precision_halves_it() -> None:
    whole, half = small(), small().to(torch.bfloat16)
    first, second = (anatomy(m, (3, 16, 16)).memory for m in (whole, half))
    assert first.inference == 2 * second.inference
    assert first.weights == 2 * second.weights


def test_a_batch_that_cannot_be_trained_on_is_none() -> None:
    network = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.BatchNorm2d(3))
    assert anatomy(network, (3, 8, 8)).memory.training is None
    assert anatomy(network, (3, 8, 8), batch_size=2).memory.training is not None


def test_training_of_a_normalised_network_agrees_with_a_real_forward() -> None:
    network = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(inplace=True))
    saved: dict[int, torch.Tensor] = {}
    own = {tensor.data_ptr() for tensor in network.state_dict().values()}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        if tensor.data_ptr() not in own:
            saved[tensor.data_ptr()] = tensor
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        network(torch.zeros(2, 3, 16, 16))
    real = sum(tensor.untyped_storage().nbytes() for tensor in saved.values() if tensor.numel())
    assert anatomy(network, (3, 16, 16), batch_size=2).memory.training == real
