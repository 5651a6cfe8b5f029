"""`saccade features`: files that anyone can read, of a run and of a network with given weights."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from saccade import api
from saccade.cli import main
from saccade.data.sources import open_source
from saccade.errors import UsageError, WeightsError
from saccade.models.create import create_model
from saccade.runs.run import Run


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SACCADE_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    save_file(create_model("cifar_resnet20").state_dict(), tmp_path / "mine.safetensors")
    return tmp_path / "mine.safetensors"


def test_the_rows_and_the_manifest_name_the_same_images(
    photos: Path, weights: Path, tmp_path: Path
) -> None:
    result = api.features("cifar_resnet20", photos, weights=weights, out=tmp_path / "f")
    numbers = np.load(result.features)
    with result.manifest.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert numbers.shape == (48, 64) == result.shape
    assert numbers.dtype == np.float32
    items = open_source(photos).read("all")
    assert [(r["name"], r["label"], r["split"]) for r in rows] == [
        (item.name, item.label, "all") for item in items
    ]
    assert str(result).splitlines()[-1].endswith("what goes into the last one, of cifar_resnet20")


def test_features_of_a_run_are_what_its_last_layer_takes(trained: Run, tmp_path: Path) -> None:
    result = api.features(trained.path, "digits", out=tmp_path / "f")
    numbers = torch.from_numpy(np.load(result.features))
    items = [
        item for split in open_source("digits").splits for item in open_source("digits").read(split)
    ]
    predictions = trained.bundle.predict_items(items[:20], top=1)
    last = trained.bundle.model.get_submodule("output")
    with torch.no_grad():
        best = last(numbers[:20]).argmax(dim=1).tolist()
    assert [trained.classes[k] for k in best] == [prediction.best for prediction in predictions]


def test_the_command_prints_one_object(
    photos: Path, weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    message = ["features", "cifar_resnet20", photos, "--weights", weights, "--layer", "layer2"]
    assert main([*map(str, message), "--out", str(tmp_path / "f"), "--json"]) == 0
    output = json.loads(capsys.readouterr().out)
    assert (output["images"], output["dimensions"], output["layer"]) == (48, 32, "layer2")


@pytest.mark.parametrize(
    ("layer", "network", "error", "message"),
    [
        ("layer4", "cifar_resnet20", UsageError, "no layer of this network is called 'layer4'"),
        ("", "cifar_resnet32", WeightsError, "does not fit the network"),
        ("", "cifar_resnet2", UsageError, "no model is called 'cifar_resnet2'"),
    ],
)
def test_mistakes_are_told_from_one_another(
    photos: Path, weights: Path, layer: str, network: str, error: type, message: str
) -> None:
    with pytest.raises(error, match=message):
        api.features(network, photos, layer=layer, weights=weights)
