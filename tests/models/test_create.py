"""create_model and the real networks: names, weights, and photographs recognised."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import timm
import torch
import torchvision

from saccade.data.decode import Preprocessing, decode
from saccade.errors import NetworkError, UsageError, WeightsError
from saccade.models.create import create_model, input_shape
from saccade.models.layers.blocks import normalized
from saccade.models.networks.googlenet import Logits
from saccade.models.weights import weights_entry


def test_an_unknown_name_is_answered_with_the_nearest():
    with pytest.raises(UsageError, match="no model is called 'googlnet'") as caught:
        create_model("googlnet")
    assert "did you mean googlenet" in caught.value.hint
    with pytest.raises(UsageError, match="no model is called"):
        input_shape("googlnet")


def test_the_weights_of_a_path_are_loaded_and_told(tmp_path: Path):
    theirs = torchvision.models.googlenet(
        weights=None, num_classes=7, aux_logits=True, init_weights=False
    )
    torch.save(theirs.state_dict(), tmp_path / "seven.pth")
    lines: list[str] = []
    ours = create_model("googlenet", 3, weights=tmp_path / "seven.pth", notify=lines.append)
    assert len(lines) == 1
    assert "fc.weight, fc.bias start anew" in lines[0]
    name = "conv1.conv.weight"
    assert torch.equal(ours.get_parameter(name), theirs.get_parameter(name))
    with pytest.raises(WeightsError, match="does not fit the network"):
        create_model("bn_inception", weights=tmp_path / "seven.pth")


def test_public_weights_are_not_fetched_when_that_is_forbidden(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(NetworkError) as caught:
        create_model("googlenet", weights="imagenet")
    file = tmp_path / "hub" / "checkpoints" / "googlenet-1378be20.pth"
    assert caught.value.hint == f"put the file at {file}; its sha256 begins with 1378be20"


def test_a_damaged_file_in_the_cache_is_not_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    file = tmp_path / "hub" / "checkpoints" / "googlenet-1378be20.pth"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"something else")
    with pytest.raises(WeightsError, match=r"googlenet-1378be20.pth is damaged"):
        create_model("googlenet", weights="imagenet")


def test_a_network_with_side_classifiers_is_made_by_name():
    with torch.device("meta"):
        answer = create_model("googlenet_2014_aux", 4)(torch.empty(2, 3, 224, 224))
    assert isinstance(answer, Logits)
    assert [logits.shape for logits in answer] == [(2, 4)] * 3


def test_a_network_of_timm_is_timms(tmp_path: Path):
    torch.manual_seed(0)
    theirs = timm.create_model("mobilenetv3_small_050", num_classes=3).eval()
    torch.save({"state_dict": theirs.state_dict()}, tmp_path / "mobile.pth")
    ours = create_model("timm:mobilenetv3_small_050", 3, weights=tmp_path / "mobile.pth").eval()
    x = torch.randn(1, 3, 64, 64)
    with torch.inference_mode():
        assert torch.equal(ours(x), theirs(x))
    assert input_shape("timm:mobilenetv3_small_050") == (3, 224, 224)
    assert input_shape("timm:inception_v3") == (3, 299, 299)


def test_another_head_on_a_network_of_timm_starts_anew(tmp_path: Path):
    torch.save(timm.create_model("resnet10t", num_classes=3).state_dict(), tmp_path / "three.pth")
    lines: list[str] = []
    create_model("timm:resnet10t", 5, weights=tmp_path / "three.pth", notify=lines.append)
    assert "fc.weight, fc.bias start anew" in lines[0]


def test_an_unknown_network_of_timm_is_answered_with_the_nearest():
    with pytest.raises(UsageError, match="no network of timm is called 'resnet5O'") as caught:
        create_model("timm:resnet5O")
    assert "resnet50" in caught.value.hint


def test_without_timm_it_is_said_how_to_get_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "timm", None)
    with pytest.raises(UsageError, match="needs the package timm") as caught:
        create_model("timm:resnet50")
    assert caught.value.hint == "pip install 'saccade[timm]'"


def test_googlenet_as_published_recognises_photographs(shared_data: Path):
    synsets = [
        line.split()[0]
        for line in (shared_data / "labels/imagenet_synset_words.txt").read_text().splitlines()
    ]
    network = create_model(
        "googlenet_2014", weights=shared_data / "weights/googlenet_bvlc_imagenet_fp16.npz"
    )
    facts = weights_entry("googlenet_2014", "imagenet")
    model = normalized(network, facts.mean, facts.std).eval()
    preprocessing = Preprocessing(facts.size, resize="crop", crop=facts.crop)
    files = sorted((shared_data / "imagenet_samples").glob("*.JPEG"))[::21]
    photographs = torch.stack([decode(file.read_bytes(), preprocessing) for file in files])
    with torch.inference_mode():
        answers = model(photographs).topk(5).indices
    truth = torch.tensor([synsets.index(file.name.split("_")[0]) for file in files])
    assert len(files) == 24
    assert (answers == truth[:, None]).any(dim=1).sum() >= 20  # 92.2 % of all 500
    assert (answers[:, 0] == truth).sum() >= 15  # 75.8 %
