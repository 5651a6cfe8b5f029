"""The anatomy's table: readable at 80 columns, whole where there is room, the same as data."""

from __future__ import annotations

import csv
import io
import json

import pytest
import torch
from rich.console import Console

from saccade.explain.anatomy import Anatomy, anatomy
from saccade.models.catalogue import NETWORKS
from saccade.report.anatomy_table import AnatomyTable, as_csv, brief, megabytes


@pytest.fixture(scope="module")
def alexnet() -> Anatomy:
    with torch.device("meta"):
        return anatomy(NETWORKS["alexnet"].make(), (3, 224, 224), name="alexnet", batch_size=64)


def printed(table: Anatomy, width: int) -> str:
    console = Console(width=width, file=io.StringIO(), record=True)
    console.print(AnatomyTable(table))
    return console.export_text()


@pytest.mark.parametrize("width", [80, 120, 200])
def test_no_line_is_longer_than_the_terminal_and_no_name_is_cut(
    alexnet: Anatomy, width: int
) -> None:
    text = printed(alexnet, width)
    assert max(map(len, text.splitlines())) <= width
    assert all(row.name in text for row in alexnet.rows)
    assert "…" not in text


def test_a_wide_terminal_has_every_digit_and_a_narrow_one_three(alexnet: Anatomy) -> None:
    wide, narrow = printed(alexnet, 160), printed(alexnet, 80)
    assert "714,188,480" in wide
    assert "connections" in wide.splitlines()[1]
    assert "714M" in narrow
    assert "61.1M" in narrow


def test_the_convention_the_memory_and_the_field_are_told(alexnet: Anatomy) -> None:
    text = " ".join(printed(alexnet, 160).split())
    assert "multiply-adds of convolutions and matrix products" in text
    assert "receptive field: 195 x 195 pixels" in text
    assert "memory of training, 64 images" in text


def test_without_colour_nothing_but_text_is_written(
    alexnet: Anatomy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    stream = io.StringIO()
    Console(file=stream, force_terminal=True, width=120).print(AnatomyTable(alexnet))
    assert "\x1b[36m" not in stream.getvalue()  # the bars' cyan


def test_json_has_rows_and_totals(alexnet: Anatomy) -> None:
    data = json.loads(json.dumps(alexnet.to_dict()))
    assert data["total"]["weights"] == 61_100_840
    assert [row["name"] for row in data["rows"]] == [row.name for row in alexnet.rows]
    assert data["rows"][0]["field"]["size"] == [11, 11]
    assert data["memory_bytes"]["batch"] == 64


def test_csv_adds_up_to_the_totals(alexnet: Anatomy) -> None:
    rows = list(csv.DictReader(io.StringIO(as_csv(alexnet))))
    assert sum(int(row["weights"]) for row in rows) == 61_100_840
    assert sum(int(row["multiply_adds"]) for row in rows) == alexnet.total.multiply_adds
    assert rows[0]["output"] == "64x55x55"


@pytest.mark.parametrize(
    ("number", "words"),
    [(0, "0"), (999, "999"), (1000, "1.00K"), (9_999, "10.0K"), (714_188_480, "714M")],
)
def test_numbers_have_three_figures(number: int, words: str) -> None:
    assert brief(number) == words


def test_bytes_are_counted_in_powers_of_1024() -> None:
    assert megabytes(512) == "512 B"
    assert megabytes(1024**2) == "1.00 MiB"
