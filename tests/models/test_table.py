"""Networks written as tables in TOML files."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch
from torch import nn

from saccade import api
from saccade.cli import main
from saccade.errors import UsageError
from saccade.models.create import create_model, input_shape
from saccade.models.table import table_network
from saccade.runs.run import Run, open_bundle

LENET = """
input = [1, 28, 28]

[rows]
conv1 = { layer = "Conv2d", out_channels = 6, kernel_size = 5, padding = 2 }
relu1 = { layer = "ReLU" }
pool1 = { layer = "MaxPool2d", kernel_size = 2 }
conv2 = { layer = "Conv2d", out_channels = 16, kernel_size = 5 }
relu2 = { layer = "ReLU" }
pool2 = { layer = "MaxPool2d", kernel_size = 2 }
flatten = { layer = "Flatten" }
fc1 = { layer = "Linear", out_features = 120 }
relu3 = { layer = "ReLU" }
fc2 = { layer = "Linear", out_features = "num_classes" }
"""
BLOCKS = """
input = [3, 32, 32]

[rows]
conv = { layer = "Conv2d", out_channels = 16, kernel_size = 3, padding = 1 }
norm = { layer = "BatchNorm2d" }
basic = { layer = "BasicBlock", channels = 32, stride = 2, repeat = 2 }
squeeze = { layer = "SqueezeExcite", reduction = 4 }
narrow = { layer = "Bottleneck", channels = 64 }
pool = { layer = "AdaptiveAvgPool2d", output_size = [1, 1] }
flatten = { layer = "Flatten" }
fc = { layer = "Linear", out_features = "num_classes" }
"""


def written(folder: Path, text: str, name: str = "my.toml") -> Path:
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name


def test_a_table_is_the_network_that_its_rows_say(tmp_path: Path) -> None:
    path = written(tmp_path, LENET)
    network = create_model(str(path), 7)
    plain = nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 7),
    )  # fmt: skip
    for mine, theirs in zip(network.parameters(), plain.parameters(), strict=True):
        theirs.data = mine.data
    x = torch.randn(2, 1, 28, 28)
    torch.testing.assert_close(network(x), plain(x), rtol=0, atol=0)
    assert [name for name, _ in network.named_children()][:3] == ["conv1", "relu1", "pool1"]
    assert input_shape(str(path)) == (1, 28, 28)


def test_blocks_of_the_lectures_are_rows_too(tmp_path: Path) -> None:
    network = table_network(written(tmp_path, BLOCKS), 5)
    assert network(torch.randn(2, 3, 32, 32)).shape == (2, 5)
    first = 16 * 32 * 9 + 2 * 32 + 32 * 32 * 9 + 2 * 32 + 16 * 32 + 2 * 32  # He 2015, option B
    second = 2 * (32 * 32 * 9 + 2 * 32)
    assert sum(p.numel() for p in network.get_submodule("basic").parameters()) == first + second
    narrow = 32 * 16 + 16 * 16 * 9 + 16 * 64 + 32 * 64 + 2 * (16 + 16 + 64 + 64)
    assert sum(p.numel() for p in network.get_submodule("narrow").parameters()) == narrow


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("input = [1, 28, 28]", "", "does not say its input"),
        ("input = [1, 28, 28]", "input = [1, 28]", "does not say its input"),
        ('"ReLU"', '"Relu"', "row 'relu1' of .*no layer is called 'Relu'"),
        ("kernel_size = 5, padding = 2", "kernel = 5", "no argument of Conv2d is called 'kernel'"),
        (", kernel_size = 5, padding = 2", "", "row 'conv1' of .*kernel_size"),
        (
            "kernel_size = 5, padding = 2",
            "kernel_size = 50",
            "does not take the 1x28x28 of",
        ),
        ('{ layer = "ReLU" }', '"ReLU"', "row 'relu1' of .* names no layer"),
        ('{ layer = "ReLU" }', '{ layer = "ReLU", repeat = 0 }', "repeat cannot be '0'"),
        ("[rows]", "[row]", "has no rows"),
        ("[rows]", "[rows", "is no TOML"),
        ("[rows]", "classes = 3\n[rows]", "'classes', which means nothing"),
        ('"ReLU"', '"Module"', "no layer is called 'Module'"),
    ],
)
def test_a_table_that_is_none_is_refused_with_its_row(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    path = written(tmp_path, LENET.replace(old, new, 1))
    with pytest.raises(UsageError, match=said):
        input_shape(str(path)), table_network(path)


def test_a_file_that_is_not_there_is_said_by_its_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["show", str(tmp_path / "no.toml")]) == 2
    assert "no.toml' cannot be read: No such file" in capsys.readouterr().err


def test_a_run_and_a_bundle_hold_the_table_that_they_were_trained_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = written(tmp_path, LENET)
    quick = {"train.batch_size": 256, "data.doctor": "off", "train.ema": 0}
    whole = api.train(model="my.toml", epochs=2, with_=quick, out="whole")
    half = api.train(model="my.toml", epochs=1, with_=quick, out="half")
    path.unlink()
    moved = Path(shutil.move(half.path, tmp_path / "elsewhere"))
    assert Run.open(moved).recipe.model.name == str(moved / "my.toml")
    assert api.resume(moved, epochs=2).history[-1]["epoch"] == 2
    bundle = open_bundle(shutil.copytree(whole.path / "bundle", tmp_path / "bundle"))
    x = torch.rand(2, 1, 28, 28) * 255
    torch.testing.assert_close(bundle.model(x), whole.bundle.model(x), rtol=0, atol=0)
    card = (tmp_path / "bundle" / "README.md").read_text()
    assert "# my.toml, 10 classes" in card and str(tmp_path) not in card
    again = api.train(recipe="whole/recipe.toml", epochs=1, out="again")  # the table lies beside
    assert again.recipe.model.name.endswith("my.toml")


def test_show_prints_a_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", str(written(tmp_path, LENET))]) == 0
    out = capsys.readouterr().out
    assert "my.toml   input 1 x 28 x 28" in out and "fc2" in out
