"""A bundle whose network was changed is read back as the changed network."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import torch
from torch import nn

from saccade.data.decode import Preprocessing
from saccade.models.create import create_model
from saccade.models.layers.blocks import normalized
from saccade.models.variants import Variant, apply_variant
from saccade.runs.bundle import Bundle
from saccade.tasks.classification import Classification

GREY = Preprocessing(32, colour="grey", mean=(0.4,), std=(0.3,))


def bundle(variant: Variant) -> Bundle:
    network = apply_variant(create_model("lenet5", 3), variant, (1, 32, 32))
    model = normalized(network, GREY.mean, GREY.std).eval()
    return Bundle("lenet5", Classification(("a", "b", "c")), GREY, model, variant=variant)


def test_layers_left_out_and_other_activations_come_back(tmp_path: Path) -> None:
    saved = bundle(Variant(without=("f6",), activation="elu", init="he"))
    saved.save(tmp_path / "bundle")
    loaded = Bundle.load(tmp_path / "bundle")
    x = torch.randint(0, 256, (4, 1, 32, 32)).float()
    torch.testing.assert_close(loaded.model(x), saved.model(x))
    assert any(isinstance(module, nn.ELU) for module in loaded.model.modules())
    assert loaded.variant == Variant(without=("f6",), activation="elu")


def test_the_window_of_the_training_images_comes_back_and_an_old_bundle_has_none(
    tmp_path: Path,
) -> None:
    saved = replace(bundle(Variant()), preprocessing=replace(GREY, window="-160 240"))
    saved.save(tmp_path / "bundle")
    assert Bundle.load(tmp_path / "bundle").preprocessing.window == "-160 240"
    file = tmp_path / "bundle" / "config.json"
    config = json.loads(file.read_text())
    del config["window"]
    file.write_text(json.dumps(config))
    assert Bundle.load(tmp_path / "bundle").preprocessing.window == ""


def test_nothing_changed_is_said_too(tmp_path: Path) -> None:
    bundle(Variant()).save(tmp_path / "bundle")
    config = json.loads((tmp_path / "bundle" / "config.json").read_text())
    assert config["variant"] == {"without": [], "activation": "own"}
