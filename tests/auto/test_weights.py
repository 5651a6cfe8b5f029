"""Weights to begin from: from every kind of place, prepared as theirs, or refused."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import timm
import torch
from safetensors.torch import save_file
from torch import Tensor

from saccade.auto import weights as room
from saccade.auto.weights import local_or_fetched_weights, local_weights, pretrained
from saccade.errors import UsageError, WeightsError
from saccade.models.create import create_model
from saccade.models.weights import cache_path, weights_entry
from saccade.runs.run import Run


@pytest.fixture(autouse=True)
def empty_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setenv("SACCADE_OFFLINE", "1")
    return tmp_path / "torch" / "hub" / "checkpoints"


def filled(name: str, weights: object, classes: tuple[str, ...] | None) -> dict[str, Tensor]:
    torch.manual_seed(3)
    network = create_model(name, 10)
    pretrained(str(weights), name).load_into(network, classes)
    return network.state_dict()


def test_a_file_of_a_known_network_brings_its_preparation(shared_data: Path) -> None:
    file = shared_data / "weights/googlenet_bvlc_imagenet_fp16.npz"
    found = pretrained(str(file), "googlenet_2014").preprocessing
    assert found is not None
    assert (found.size, found.resize, found.crop) == (224, "crop", 224 / 256)
    assert [255 * mean for mean in found.mean] == pytest.approx([123, 117, 104])
    assert [255 * std for std in found.std] == pytest.approx([1, 1, 1])


def test_a_published_file_is_known_by_its_contents(shared_data: Path, tmp_path: Path) -> None:
    shutil.copy(shared_data / "weights/cifar10_resnet32-d509ac18.th", tmp_path / "some.th")
    assert pretrained(str(tmp_path / "some.th")).network == "cifar_resnet32"


def test_a_file_that_nobody_knows_needs_its_networks_name(tmp_path: Path) -> None:
    save_file(create_model("mlp").state_dict(), tmp_path / "mine.safetensors")
    with pytest.raises(UsageError, match=r"whose weights 'mine\.safetensors' holds is not known"):
        pretrained(str(tmp_path / "mine.safetensors"))
    found = pretrained(str(tmp_path / "mine.safetensors"), "mlp")
    assert found.network == "mlp"
    assert found.preprocessing is None


def test_ten_classes_of_somebody_else_are_not_ours(tmp_path: Path) -> None:
    """The shapes fit, the names do not: the last layer starts anew."""
    torch.manual_seed(0)
    theirs = create_model("cifar_resnet20", 10).state_dict()
    save_file(theirs, tmp_path / "theirs.safetensors")
    torch.manual_seed(3)
    fresh = create_model("cifar_resnet20", 10).state_dict()
    ours = filled("cifar_resnet20", tmp_path / "theirs.safetensors", tuple("abcdefghij"))
    assert torch.equal(ours["linear.weight"], fresh["linear.weight"])
    assert torch.equal(ours["layer3.0.conv1.weight"], theirs["layer3.0.conv1.weight"])
    whole = filled("cifar_resnet20", tmp_path / "theirs.safetensors", None)
    assert torch.equal(whole["linear.weight"], theirs["linear.weight"])


def test_a_run_lends_its_weights_its_preparation_and_its_classes(trained: Run) -> None:
    found = pretrained(str(trained.path))
    bundle = trained.bundle
    assert (found.network, found.preprocessing) == (bundle.architecture, bundle.preprocessing)
    own = bundle.model.state_dict()
    same = filled(bundle.architecture, trained.path, bundle.classes)
    assert all(torch.equal(same[name], own[name]) for name in same)
    other = filled(bundle.architecture, trained.path / "bundle", tuple("abcdefghij"))
    changed = {name for name in other if not torch.equal(other[name], own[name])}
    assert changed == {"output.weight", "output.bias"}


def test_weights_of_another_network_are_refused(trained: Run, shared_data: Path) -> None:
    with pytest.raises(WeightsError, match="holds weights of lenet5, not of resnet18"):
        pretrained(str(trained.path), "resnet18")
    file = shared_data / "weights/cifar10_resnet20-12fca82f.th"
    with pytest.raises(WeightsError, match="does not fit the network"):
        filled("cifar_resnet32", file, None)
    with pytest.raises(UsageError, match="no weights of resnet18 is called 'imagnet'"):
        pretrained("imagnet", "resnet18")


def test_timms_networks_come_with_timms_preparation(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its own names fit our ResNet; what timm would download is made here."""
    torch.manual_seed(1)
    theirs = timm.create_model("resnet18")
    monkeypatch.setattr(room, "timm_network", lambda name, pretrained: theirs)
    found = pretrained("timm:resnet18", "resnet18").preprocessing
    config = timm.get_pretrained_cfg("resnet18")
    assert found is not None and config is not None
    assert (found.size, found.crop, found.interpolation) == (224, config.crop_pct, "bicubic")
    assert pretrained("timm:resnet18").network == "timm:resnet18"
    own = filled("resnet18", "timm:resnet18", tuple("abcdefghij"))
    assert torch.equal(own["layer4.1.conv2.weight"], theirs.state_dict()["layer4.1.conv2.weight"])


def test_what_lies_here_is_found_the_most_accurate_first(empty_home: Path) -> None:
    assert local_weights(300) == []
    empty_home.mkdir(parents=True)
    for name in ("resnet18", "resnet50", "googlenet_2014"):
        cache_path(weights_entry(name, "imagenet")).write_bytes(b"")
    cache_path(weights_entry("cifar_resnet20", "cifar10")).write_bytes(b"")
    assert [entry.network for entry in local_weights(300)] == [
        "resnet50",
        "resnet18",
        "googlenet_2014",
    ]
    assert [entry.network for entry in local_weights(300, "resnet18")] == ["resnet18"]
    assert [entry.network for entry in local_weights(32)] == ["cifar_resnet20"]


def test_without_a_network_nothing_is_fetched_and_that_is_said() -> None:
    said: list[str] = []
    assert local_or_fetched_weights(300, notify=said.append) == []
    assert len(said) == 1
    assert said[0].startswith(
        "resnet18-f37072fd.pth is not here, and SACCADE_OFFLINE forbids to fetch it; "
    )
