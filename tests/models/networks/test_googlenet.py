"""GoogLeNet against torchvision, Table 1 and the published counts."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
import torch
import torchvision

from saccade.models.networks.googlenet import (
    Logits,
    googlenet,
    googlenet_2014,
    googlenet_2014_aux,
    googlenet_aux,
)


def test_googlenet_is_torchvision_s_to_the_last_bit(parity: Callable[..., None]):
    theirs = partial(torchvision.models.googlenet, num_classes=5, aux_logits=False)
    parity(partial(googlenet, 5), partial(theirs, init_weights=False))


def test_the_side_classifiers_are_torchvision_s_to_the_last_bit(parity: Callable[..., None]):
    """In training; in evaluation torchvision's are silent."""
    theirs = partial(torchvision.models.googlenet, num_classes=5, init_weights=False)
    parity(partial(googlenet_aux, 5), theirs, 96, training=(True,))


def test_the_side_classifiers_answer_in_evaluation_too():
    network = googlenet_aux(num_classes=5).eval()
    x = torch.randn(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        answer = network(x)
    assert isinstance(answer, Logits)
    trunk = googlenet(num_classes=5).eval()
    trunk.load_state_dict({k: v for k, v in network.state_dict().items() if k[:3] != "aux"})
    with torch.inference_mode():
        assert torch.equal(answer.logits, trunk(x))
        after_4d = trunk[:12](x)
        assert torch.equal(answer.aux2, network.get_submodule("aux2")(after_4d))


def test_the_published_network_has_its_published_counts(parameters: Callable[[str], int]):
    assert parameters("googlenet_2014") == 6_998_552
    assert parameters("googlenet_2014_aux") == 13_378_280
    assert parameters("googlenet") == 6_624_904  # as torchvision states


def test_every_module_has_the_weights_of_table_1():
    table = {  # the column "params", in units of 1024 weights
        "inception3a": 159, "inception3b": 380, "inception4a": 364, "inception4b": 437,
        "inception4d": 580, "inception4e": 840, "inception5b": 1388, "fc": 1000,
    }  # fmt: skip
    slips = {"inception4c": (463, 497.5), "inception5a": (1072, 1018)}  # printed, from its widths
    with torch.device("meta"):
        network = googlenet_2014()
    rows = dict(network.named_children())

    def weights(name: str) -> float:
        return sum(p.numel() for n, p in rows[name].named_parameters() if "weight" in n) / 1024

    for name, printed in table.items():
        assert weights(name) == pytest.approx(printed, rel=0.02), name
    for name, (_, from_its_widths) in slips.items():
        assert weights(name) == from_its_widths


def test_every_row_has_the_size_of_table_1():
    sizes = {
        "conv1": (64, 112), "maxpool1": (64, 56), "conv3": (192, 56), "maxpool2": (192, 28),
        "inception3a": (256, 28), "inception3b": (480, 28), "maxpool3": (480, 14),
        "inception4a": (512, 14), "inception4b": (512, 14), "inception4c": (512, 14),
        "inception4d": (528, 14), "inception4e": (832, 14), "maxpool4": (832, 7),
        "inception5a": (832, 7), "inception5b": (1024, 7), "avgpool": (1024, 1),
    }  # fmt: skip
    with torch.device("meta"):
        for network in (googlenet_2014(), googlenet()):
            x = torch.empty(1, 3, 224, 224)
            for name, row in network.named_children():
                x = row(x)
                if name in sizes:
                    assert (x.shape[1], x.shape[2]) == sizes[name], name


def test_the_side_classifiers_of_2014_pool_5x5_by_3_to_4x4():
    with torch.device("meta"):
        network = googlenet_2014_aux(num_classes=7)
        pooled = network.get_submodule("aux1.pool")(torch.empty(1, 512, 14, 14))
        answer = network(torch.empty(2, 3, 224, 224))
    assert pooled.shape == (1, 512, 4, 4)
    assert [a.shape for a in answer] == [(2, 7)] * 3
