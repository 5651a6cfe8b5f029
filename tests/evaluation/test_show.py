"""Show: one network as it always was, two side by side, of whatever kind each is."""

from __future__ import annotations

import csv
import io
import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from torch import nn

import saccade
from saccade import cli
from saccade.errors import UsageError
from saccade.explain.anatomy import Anatomy
from saccade.explain.side_by_side import SideBySide
from saccade.runs.run import Run

TABLE = """input = [1, 8, 8]
[rows]
flatten = { layer = "Flatten" }
fc = { layer = "Linear", out_features = "num_classes" }
"""


def test_a_name_a_run_a_bundle_a_table_and_a_module_stand_side_by_side(
    trained: Run, tmp_path: Path
) -> None:
    module, table = nn.Sequential(nn.Conv2d(3, 4, 3)), tmp_path / "my.toml"
    table.write_text(TABLE, "utf-8")
    for other in (trained, trained.path, trained.bundle, module, table, "net3"):
        both = saccade.show("lenet5", other)
        assert isinstance(both, SideBySide)
        alone = saccade.show(other)
        assert isinstance(alone, Anatomy)
        assert both.second.total == alone.total
        assert both.first == saccade.show("lenet5")


def test_size_and_left_out_layers_are_those_of_both() -> None:
    both = saccade.show("alexnet_2012", "zfnet", size=227, without=["fc7"])
    assert isinstance(both, SideBySide)
    for anatomy in (both.first, both.second):
        assert (anatomy.input_size, anatomy.without) == ((3, 227, 227), ("fc7",))
    with pytest.raises(UsageError, match=r"lenet5: no layer of this network is called 'fc7'"):
        saccade.show("alexnet_2012", "lenet5", without=["fc7"])


def test_two_networks_are_drawn_one_below_the_other(tmp_path: Path) -> None:
    both, one = tmp_path / "both.svg", tmp_path / "one.svg"
    saccade.show("lenet5", "net3", svg=both)
    saccade.show("lenet5", svg=one)
    sizes = [ET.parse(file).getroot() for file in (both, one)]
    assert int(sizes[0].get("height", 0)) > int(sizes[1].get("height", 0))
    assert all(f">{name}<" in both.read_text("utf-8") for name in ("lenet5", "net3"))


@pytest.mark.parametrize(
    ("arguments", "what", "hint"),
    [
        ([], "no network is named", "saccade show resnet18 resnet50"),
        (["lenet5"] * 3, "3 networks are named", "saccade show lenet5 lenet5"),
        (
            ["lenet5", "alexnet", "--receptive-field", "c1"],
            "one network, and two are named",
            "saccade show lenet5 --receptive-field c1",
        ),
    ],
)
def test_what_makes_no_sense_is_refused_with_the_line_that_does(
    arguments: list[str], what: str, hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["show", *arguments]) == 2
    error = capsys.readouterr().err
    assert what in error
    assert error.strip().endswith(hint)


def test_json_and_csv_have_both(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["show", "vgg16", "vgg19", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["second"]["total"]["weights"] == 143_667_240  # Simonyan 2014, 144 M
    assert cli.main(["show", "vgg16", "vgg19", "--csv"]) == 0
    rows = [*csv.DictReader(io.StringIO(capsys.readouterr().out))]
    assert [row["name"] for row in rows] == [row["name"] for row in told["rows"]]


@pytest.mark.parametrize("width", [40, 80, 200])
def test_the_table_fits_the_width(
    width: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    assert cli.main(["show", "resnet18", "resnet50"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= width
    assert "x 2.19" in "\n".join(lines)  # 25,557,032 / 11,689,512 weights
