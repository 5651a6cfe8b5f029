"""Public weights: the list against torchvision and timm, and files of every kind into networks."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import timm
import torch
import torchvision
from safetensors.torch import save_file
from torch import Tensor, nn

from saccade.errors import UsageError, WeightsError
from saccade.models.catalogue import NETWORKS, SEVERAL_LOGITS
from saccade.models.layers.blocks import chain
from saccade.models.networks.googlenet import googlenet, googlenet_aux
from saccade.models.weights import (
    classifiers,
    load_weights,
    public_weights,
    weights_entry,
    weights_file,
)


def small(classes: int = 3) -> nn.Sequential:
    return chain(
        conv=nn.Conv2d(3, 4, 3),
        bn=nn.BatchNorm2d(4),
        flatten=nn.Flatten(),
        fc=nn.Linear(4, classes),
    )


@pytest.fixture
def state() -> dict[str, Tensor]:
    torch.manual_seed(5)
    return small().state_dict()


def assert_loaded(path: Path, state: dict[str, Tensor]) -> None:
    torch.manual_seed(6)
    network = small()
    report = load_weights(network, path)
    assert report.unexpected_keys == report.missing_keys == ()
    assert report.loaded == len(state)
    loaded = network.state_dict()
    assert all(torch.equal(loaded[name], value) for name, value in state.items())


def test_torchvisions_addresses_figures_and_transforms_are_torchvisions():
    versions = {"imagenet": "IMAGENET1K_V1", "imagenet_v2": "IMAGENET1K_V2"}
    entries = [e for e in public_weights().values() if "download.pytorch.org" in e.url]
    assert len(entries) == 28
    for entry in entries:
        theirs = torchvision.models.get_model_weights(entry.network.removesuffix("_aux"))
        weights = theirs[versions[entry.tag]]
        transforms = weights.transforms()
        figures = weights.meta["_metrics"]["ImageNet-1K"]
        assert entry.url == weights.url
        assert entry.url.endswith(f"-{entry.sha256}.pth")
        assert (entry.top1, entry.top5) == (figures["acc@1"], figures["acc@5"])
        assert [entry.size, entry.resize] == [transforms.crop_size[0], transforms.resize_size[0]]
        assert entry.interpolation == transforms.interpolation.value
        assert entry.megabytes == pytest.approx(weights.meta["_file_size"] * 1.048576, abs=0.06)
        if not entry.network.startswith("googlenet"):
            assert [*entry.mean, *entry.std] == [*transforms.mean, *transforms.std]


def test_googlenets_mean_and_deviation_undo_what_torchvision_does_inside_the_network():
    entry = weights_entry("googlenet", "imagenet")
    theirs = torchvision.models.googlenet(
        weights=None, num_classes=2, aux_logits=False, transform_input=True, init_weights=False
    )
    pixels = torch.rand(1, 3, 4, 4, generator=torch.Generator().manual_seed(0))
    usual = torchvision.transforms.Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
    ours = torchvision.transforms.Normalize(entry.mean, entry.std)
    assert torch.allclose(ours(pixels), theirs._transform_input(usual(pixels)), atol=1e-6)


def test_timms_addresses_and_transforms_are_timms():
    known = {}
    for name in timm.list_pretrained(["seres*", "resnext*"]):
        configuration = timm.get_pretrained_cfg(name)
        assert configuration is not None
        known[str(configuration.url).rpartition("/")[2]] = configuration
    entries = [e for e in public_weights().values() if e.keys == "timm" and e.mean[0] != 0.5]
    assert len(entries) == 6
    for entry in entries:
        file = entry.url.rpartition("/")[2]
        theirs = known[file]
        assert file.endswith(f"{entry.sha256}.pth")
        assert entry.interpolation == theirs.interpolation
        assert entry.size == theirs.input_size[1]
        assert entry.resize == int(entry.size / theirs.crop_pct)
        assert (entry.mean, entry.std) == (theirs.mean, theirs.std)


def test_every_network_that_torchvision_has_weights_for_is_listed():
    listed = {network for network, _ in public_weights()}
    assert listed <= {*NETWORKS, *SEVERAL_LOGITS}
    theirs = {n for n in NETWORKS if n in torchvision.models.list_models()}
    assert {"googlenet", "vgg16", "alexnet"} <= theirs
    assert theirs <= listed


@pytest.mark.parametrize("suffix", [".pth", ".pt", ".th"])
def test_a_state_dict_is_read(suffix: str, tmp_path: Path, state: dict[str, Tensor]):
    path = tmp_path / f"weights{suffix}"
    torch.save(state, path)
    assert_loaded(path, state)


def test_safetensors_are_read(tmp_path: Path, state: dict[str, Tensor]):
    save_file(state, tmp_path / "weights.safetensors")
    assert_loaded(tmp_path / "weights.safetensors", state)


def test_arrays_are_read(tmp_path: Path, state: dict[str, Tensor]):
    arrays: dict[str, Any] = {name: value.numpy() for name, value in state.items()}
    np.savez(tmp_path / "weights.npz", **arrays)
    assert_loaded(tmp_path / "weights.npz", state)


@pytest.mark.parametrize("prefix", ["module.", "model.", "backbone.", "module.backbone."])
@pytest.mark.parametrize("nest", [None, "state_dict", "model"])
def test_foreign_prefixes_and_nests_are_taken_away(
    prefix: str, nest: str | None, tmp_path: Path, state: dict[str, Tensor]
):
    named = {prefix + name: value for name, value in state.items()}
    torch.save({nest: named, "epoch": 3} if nest else named, tmp_path / "weights.pth")
    assert_loaded(tmp_path / "weights.pth", state)


def test_files_from_before_batch_norm_counted_its_batches_are_read(
    tmp_path: Path, state: dict[str, Tensor]
):
    del state["bn.num_batches_tracked"]
    torch.save(state, tmp_path / "weights.pth")
    assert_loaded(tmp_path / "weights.pth", state)


def test_a_classifier_for_other_classes_starts_anew_and_is_named(
    tmp_path: Path, state: dict[str, Tensor]
):
    torch.save(state, tmp_path / "weights.pth")
    network = small(classes=8)
    before = network.get_parameter("fc.weight").clone()
    report = load_weights(network, tmp_path / "weights.pth")
    assert report.missing_keys == ("fc.weight", "fc.bias")
    assert str(report) == (
        "weights.pth: 7 tensors; fc.weight, fc.bias start anew: other classes in the file"
    )
    assert torch.equal(network.get_parameter("fc.weight"), before)
    assert torch.equal(network.get_parameter("conv.weight"), state["conv.weight"])


def test_side_classifiers_are_left_out_of_a_network_without_them(tmp_path: Path):
    theirs = torchvision.models.googlenet(
        weights=None, num_classes=4, aux_logits=True, init_weights=False
    )
    torch.save(theirs.state_dict(), tmp_path / "googlenet.pth")
    ours = googlenet(num_classes=4)
    report = load_weights(ours, tmp_path / "googlenet.pth")
    assert report.missing_keys == ()
    assert len(report.unexpected_keys) == len(
        [n for n in theirs.state_dict() if n.startswith("aux")]
    )
    assert str(report).endswith("; 20 of auxiliary classifiers left out")
    assert torch.equal(ours.get_parameter("fc.weight"), theirs.fc.weight)


def test_each_of_three_classifiers_may_be_for_other_classes(tmp_path: Path):
    assert classifiers(googlenet_aux(2)) == ("fc", "aux1.fc2", "aux2.fc2")
    torch.save(googlenet_aux(2).state_dict(), tmp_path / "two.pth")
    report = load_weights(googlenet_aux(3), tmp_path / "two.pth")
    heads = ("aux1.fc2", "aux2.fc2", "fc")
    assert report.missing_keys == tuple(f"{h}.{kind}" for h in heads for kind in ("weight", "bias"))


def test_whatever_else_differs_is_refused_by_name_and_number(
    tmp_path: Path, state: dict[str, Tensor]
):
    torch.manual_seed(7)
    network = small()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    state["conv.weight"] = torch.zeros(4, 3, 5, 5)
    state["bn.bias"] = torch.full((4,), torch.nan)
    state["extra.weight"] = state.pop("fc.weight")
    torch.save(state, tmp_path / "weights.pth")
    with pytest.raises(WeightsError) as caught:
        load_weights(network, tmp_path / "weights.pth")
    assert "of 9 tensors, 1 missing (fc.weight)" in caught.value.what
    assert "1 not of this network (extra.weight)" in caught.value.what
    assert "1 of another shape (conv.weight 4x3x5x5 instead of 4x3x3x3)" in caught.value.what
    assert "1 not finite (bn.bias)" in caught.value.what
    assert all(torch.equal(before[n], value) for n, value in network.state_dict().items())


@pytest.mark.parametrize("name", ["a.pth", "a.safetensors", "a.npz", "a.th", "a.pt"])
@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 no", b"GIF89a", b"\x80\x02]q\x00."])
def test_a_file_of_something_else_is_one_clear_error(name: str, content: bytes, tmp_path: Path):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(WeightsError, match=r"cannot be read as weights|holds no table"):
        load_weights(small(), tmp_path / name)


def test_a_file_that_would_run_code_is_refused(tmp_path: Path):
    torch.save(small(), tmp_path / "whole_model.pth")
    with pytest.raises(WeightsError, match="files of tensors alone are read"):
        load_weights(small(), tmp_path / "whole_model.pth")


def test_an_absent_file_is_named(tmp_path: Path):
    with pytest.raises(WeightsError, match=r"there is no file of weights at '.*absent.pth'"):
        load_weights(small(), tmp_path / "absent.pth")


def test_an_unknown_tag_names_those_there_are():
    with pytest.raises(
        UsageError, match=r"no weights of resnet50 is called .*\n.*imagenet, imagenet_v2"
    ):
        weights_file("resnet50", "imagnet")
    with pytest.raises(UsageError, match="no public weights of lenet5 are known"):
        weights_file("lenet5", "imagenet")


def test_weights_without_an_address_say_what_can_be_given_instead():
    with pytest.raises(WeightsError, match="Caffe's names of the layers"):
        weights_file("googlenet_2014", "imagenet")


def test_the_old_names_of_densenets_rows_are_understood(tmp_path: Path):
    layer = chain(norm1=nn.BatchNorm2d(3), relu1=nn.ReLU(), conv1=nn.Conv2d(3, 2, 1))
    network = chain(features=chain(denseblock1=chain(denselayer1=layer)))
    state = network.state_dict()
    old = {re.sub(r"(norm|conv)1\.", r"\1.1.", n): v for n, v in state.items()}
    assert "features.denseblock1.denselayer1.norm.1.weight" in old
    torch.save(old, tmp_path / "densenet.pth")
    assert load_weights(network, tmp_path / "densenet.pth").loaded == len(state)
