"""VGG against torchvision, to the last bit."""

from __future__ import annotations

import pytest
import torch
import torchvision
from torch import Tensor, nn

from saccade.models.create import create_model

PARAMETERS = {  # Simonyan 2014, Table 2, in millions: 133, 133, 138, 144; here to the unit
    "vgg11": 132_863_336,
    "vgg13": 133_047_848,
    "vgg16": 138_357_544,
    "vgg19": 143_667_240,
}
NAMES = [name + suffix for name in PARAMETERS for suffix in ("", "_bn")]


def both(name: str) -> tuple[nn.Module, nn.Module]:
    """Ours and torchvision's, without memory."""
    with torch.device("meta"):
        return create_model(name), torchvision.models.get_model(name, init_weights=False)


def state(model: nn.Module) -> dict[str, Tensor]:
    """Random weights and statistics that keep values near 1, without slow normal draws."""
    generator = torch.Generator().manual_seed(0)
    block = torch.rand(1_000_003, generator=generator) - 0.5
    tensors = {}
    for name, like in model.state_dict().items():
        if not like.is_floating_point():
            tensors[name] = torch.tensor(7)
            continue
        values = block.repeat(like.numel() // len(block) + 1)[: like.numel()].view(like.shape)
        fan_in = like[0].numel() if like.dim() > 1 else 1
        tensors[name] = values * (24 / fan_in) ** 0.5 if like.dim() > 1 else values + 1
    return tensors


def run(model: nn.Module, x: Tensor) -> list[Tensor]:
    """Logits, the loss's gradients, and the statistics after."""
    torch.manual_seed(1)
    x = x.clone().requires_grad_()
    logits = model(x)
    model.zero_grad()
    logits.logsumexp(1).sum().backward()
    wanted = [x, *(p for p in model.parameters() if p.requires_grad)]
    gradients = [p.grad for p in wanted if p.grad is not None]
    assert len(gradients) == len(wanted)
    return [logits.detach(), *gradients, *model.buffers()]


@pytest.mark.parametrize("name", NAMES)
def test_the_keys_are_torchvisions_in_their_order(name):
    ours, theirs = both(name)
    expected = {key: value.shape for key, value in theirs.state_dict().items()}
    found = {key: value.shape for key, value in ours.state_dict().items()}
    assert list(found.items()) == list(expected.items())


@pytest.mark.parametrize("name", NAMES)
def test_values_and_gradients_are_torchvisions_to_the_last_bit(name):
    ours, theirs = both(name)
    weights = state(theirs)
    theirs.load_state_dict(weights, assign=True, strict=True)
    own = {key: value.clone() if "features" in key else value for key, value in weights.items()}
    ours.load_state_dict(own, assign=True, strict=True)
    if name != "vgg11":  # the two wide layers are the same in all eight, and their gradients slow
        for model in (ours, theirs):
            model.get_parameter("classifier.0.weight").requires_grad_(False)
            model.get_parameter("classifier.3.weight").requires_grad_(False)
    x = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(2))
    for training in (False, True):
        found, expected = run(ours.train(training), x), run(theirs.train(training), x)
        assert all(torch.equal(a, b) for a, b in zip(found, expected, strict=True))
        assert found[0].std() > 0.01


def test_torchvision_takes_our_weights():
    ours, theirs = both("vgg11_bn")
    theirs.load_state_dict(state(ours), assign=True, strict=True)


@pytest.mark.parametrize(("name", "expected"), PARAMETERS.items())
def test_parameters_are_those_of_table_2(name, expected):
    assert sum(p.numel() for p in both(name)[0].parameters()) == expected
