"""Weights of an installed wheel are found without a network, and a damaged one is refused."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest
import torch

from saccade.auto.weights import (
    local_or_fetched_weights,
    local_weights,
    pretrained,
)
from saccade.errors import WeightsError
from saccade.models.create import create_model
from saccade.models.weights import weights_file

PACKAGE = Path(__file__).parents[2] / "packages" / "saccade-weights"
NAME = "efficientnet_lite0"


@pytest.fixture
def wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package with weights of chance, built as the real one is, on a bare machine."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setenv("SACCADE_OFFLINE", "1")
    torch.manual_seed(0)
    torch.save(create_model(NAME).state_dict(), tmp_path / "random.pth")
    package = tmp_path / "site" / "saccade_weights"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("raise ImportError('finding weights runs no code')")
    build = runpy.run_path(str(PACKAGE / "build.py"))["build"]
    build(tmp_path / "random.pth", package)
    monkeypatch.syspath_prepend(tmp_path / "site")
    return package


def test_weights_of_a_wheel_are_at_hand_for_photographs(wheel: Path) -> None:
    assert [entry.network for entry in local_weights(200)] == [NAME]
    assert [entry.network for entry in local_or_fetched_weights(200)] == [NAME]
    assert local_weights(32) == []
    assert weights_file(NAME, "imagenet") == wheel / f"{NAME}-imagenet.safetensors"


def test_they_are_the_weights_in_half_precision(wheel: Path, tmp_path: Path) -> None:
    ours = create_model(NAME, weights="imagenet").state_dict()
    theirs = torch.load(tmp_path / "random.pth", weights_only=True)
    for name, value in theirs.items():
        if value.is_floating_point():
            assert torch.equal(ours[name], value.half().float()), name
    assert (wheel / f"{NAME}-imagenet.safetensors").stat().st_size < 9.5e6


def test_the_file_itself_is_known_by_its_name(wheel: Path) -> None:
    known = pretrained(str(wheel / f"{NAME}-imagenet.safetensors"))
    assert known.network == NAME and known.preprocessing is not None
    assert (known.preprocessing.size, known.preprocessing.mean) == (224, (0.5, 0.5, 0.5))


def test_a_damaged_file_is_refused(wheel: Path) -> None:
    file = wheel / f"{NAME}-imagenet.safetensors"
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(data)
    with pytest.raises(WeightsError, match="SHA-256 differs"):
        weights_file(NAME, "imagenet")


def test_a_wheel_without_a_digest_is_refused(wheel: Path) -> None:
    (wheel / f"{NAME}-imagenet.sha256").unlink()
    with pytest.raises(WeightsError, match="SHA-256 differs"):
        weights_file(NAME, "imagenet")


def test_without_weights_the_command_that_fetches_the_missing_ones_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "a folder"))
    monkeypatch.setenv("SACCADE_OFFLINE", "1")
    told: list[str] = []
    assert local_or_fetched_weights(200, notify=told.append) == []
    place = tmp_path / "a folder" / "hub" / "checkpoints" / "resnet18-f37072fd.pth"
    assert len(told) == 1 and told[0].startswith("resnet18-f37072fd.pth is not here, ")
    assert f"curl --create-dirs -Lo '{place}' https://" in told[0]
    assert told[0].endswith("/resnet18-f37072fd.pth") and "\n" not in told[0]
    place.parent.mkdir(parents=True)
    place.touch()
    assert [entry.network for entry in local_weights(200)] == ["resnet18"]  # where it is looked for
